-- migrate:up

-- All of this is derived: a fold of castonce.elections.v1, castonce.credentials.v1 and
-- castonce.ballots.v1 that comes out the same however these are interleaved. Each column is told by
-- one topic; what has been sequenced follows from the facts, so no column says it.

-- One row per election that any of the topics named. Null: not told yet.
create table elections (
    election_id text primary key,
    -- ElectionCreated.
    election text,
    trustees text,
    codes_key text,
    votes_key text,
    -- CredentialListFixed.
    root text,
    size int,
    -- CredentialsPublished: parts so far, and the tree over them (one hash per complete subtree).
    parts int not null default 0,
    parts_there int not null default 0,
    credentials int not null default 0,
    last_credential text not null default '',
    peaks bytea not null default '',
    -- Accepted ballots whose receipts hold, each once; none is counted before the setup.
    ballots int not null default 0,
    -- BallotsCounted.
    ballots_counted int
);

-- Which ballots were sequenced: a repetition is the same ballot.
create table sequenced_ballots (
    election_id text not null,
    tracker text not null,
    primary key (election_id, tracker)
);

-- What came before its election's setup, by place in the log; gone once that stands.
create table waiting_records (
    topic text not null,
    log_offset bigint not null,
    election_id text not null,
    value bytea not null,
    primary key (topic, log_offset)
);
create index waiting_records_by_election on waiting_records (election_id);

-- What follows the ballots: tally, decryptions, result, declaration; `owner` is 0 but for
-- decryptions. Kept, since it may have come before what has to stand in front of it.
create table later_records (
    election_id text not null,
    kind text not null,
    owner int not null,
    content text not null,
    ballots int not null,
    primary key (election_id, kind, owner)
);

-- Records that nobody believes: no signature or receipt holds under the election's own keys.
create table refused_records (
    topic text not null,
    log_offset bigint not null,
    reason text not null,
    primary key (topic, log_offset)
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert, update on elections to %I', app);
    execute format('grant select, insert, delete on waiting_records to %I', app);
    execute format(
        'grant select, insert on sequenced_ballots, later_records, refused_records to %I', app);
end
$$;

-- migrate:down
drop table elections, sequenced_ballots, waiting_records, later_records, refused_records;
