-- migrate:up

-- Derived: a fold of castonce.board.v1, the board's own topic, read back.

-- Parts of the public credentials, which stand before the setup.
create table listed_credentials (
    election_id text not null,
    part int not null,
    parts int not null,
    credentials text[] not null,
    primary key (election_id, part)
);

-- One row per board: how far its two files and its tree reach.
create table boards (
    election_id text primary key,
    title text not null,
    fingerprint text not null,
    credentials_root text not null,
    credentials_size int not null,
    codes_key text not null,
    elections_key text not null,
    votes_key text not null,
    -- The archive's writer: stage, stamp in seconds, height and hash of the last event, bytes.
    stage text not null,
    stamp_seconds bigint not null,
    height int not null,
    last_event text not null,
    archive_bytes bigint not null,
    -- The board file and its tree (one hash per complete subtree).
    board_bytes bigint not null,
    entries int not null,
    ballots int not null,
    peaks bytea not null,
    is_declared boolean not null
);

-- One row per entry. `archive_sha256` is that of the bytes the entry added to the archive.
create table entries (
    election_id text not null,
    entry int not null,
    kind text not null,
    tracker text,
    leaf bytea not null,
    log_offset bigint not null,
    line_start bigint not null,
    line_bytes int not null,
    archive_start bigint not null,
    archive_bytes int not null,
    archive_sha256 bytea not null,
    primary key (election_id, entry)
);
create unique index entries_by_tracker on entries (election_id, tracker)
    where tracker is not null;

-- What was said of a credential, and where.
create table credential_states (
    election_id text not null,
    credential bytea not null,
    entry int not null,
    state text not null,
    primary key (election_id, credential, entry)
);

create table declarations (
    election_id text primary key,
    declaration text not null
);

-- Not derived: bytes that are committed and not yet in the files. A crash leaves them here; whoever
-- writes the files finds them, compares what is there already, and deletes them.
create table unwritten (
    election_id text not null,
    entry int not null,
    archive bytea not null,
    line bytea not null,
    primary key (election_id, entry)
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert, update on boards to %I', app);
    execute format(
        'grant select, insert on listed_credentials, entries, credential_states, declarations'
        ' to %I', app);
    execute format('grant select, insert, delete on unwritten to %I', app);
end
$$;

-- migrate:down
drop table listed_credentials, boards, entries, credential_states, declarations, unwritten;
