-- Source tables of codes: what the credential authority and officials gave us. Backed up, never
-- rebuilt from the log: a spare's credential is on no topic until the spare is used.

-- migrate:up

create table registrations (
    election_id text primary key,
    -- SHA-256 of the signed part of the file: the same file again changes nothing.
    digest text not null,
    code_count int not null,
    spare_count int not null,
    root text not null,
    official text not null,
    imported_at timestamptz not null default now(),
    -- Grants are put into the outbox in the order of serials; up to here it is done.
    granted_through text not null default '',
    is_granted boolean not null default false
);

create table packs (
    serial text primary key,
    election_id text not null references registrations,
    credential text not null,
    -- Place of the credential in the election's sorted list.
    leaf_index int not null,
    is_spare boolean not null,
    -- The right it was drawn for at the import, or by a later grant.
    right_id text,
    undelivered_at timestamptz,
    undelivered_by text,
    unique (election_id, credential)
);
create unique index packs_of_right on packs (right_id) where right_id is not null;
create index packs_in_order on packs (election_id, serial);
create index packs_free on packs (election_id) where right_id is null;

create table replacements (
    replacement_id text primary key,
    election_id text not null,
    right_id text not null,
    old_serial text not null references packs,
    -- A spare is named once: a refused replacement doesn't set it free, since the log names it.
    serial text not null unique references packs,
    official text not null,
    reason text not null,
    requested_at timestamptz not null default now()
);
create index replacements_of_right on replacements (right_id);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on registrations, packs, replacements to %I', app);
    execute format('grant update (granted_through, is_granted) on registrations to %I', app);
    execute format(
        'grant update (right_id, undelivered_at, undelivered_by) on packs to %I', app
    );
end
$$;

-- migrate:down

drop table replacements, packs, registrations;
