-- Source tables of identity: what people gave us. Backed up, never rebuilt from the log.

-- migrate:up

create table electors (
    right_id text primary key,
    election_id text not null,
    -- The membership number for comparing: letters and digits only, no leading zeros.
    membership_key text not null,
    membership_number text not null,
    first_names text not null,
    surname text not null,
    address text[] not null,
    postcode text not null,
    email text not null,
    -- Keyed mark of everything the row says, answers included: how a changed row is known.
    mark bytea not null,
    added_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    unique (election_id, membership_key)
);

-- HMAC-SHA256 of the canonical answers, under a secret that is not in this database.
create table answer_hashes (
    right_id text primary key,
    facts text[] not null,
    hashes bytea[] not null,
    check (cardinality(facts) = cardinality(hashes))
);

-- Where an import puts what is new or changed, before one statement moves it. Empty otherwise;
-- unlogged, so that particulars lie in the write-ahead log once at most.
create unlogged table staged_electors (
    right_id text not null,
    election_id text not null,
    membership_key text not null,
    membership_number text not null,
    first_names text not null,
    surname text not null,
    address text[] not null,
    postcode text not null,
    email text not null,
    mark bytea not null,
    facts text[] not null,
    hashes bytea[] not null
);

create table roll_imports (
    id bigint generated always as identity primary key,
    election_id text not null,
    official text not null,
    file_hash bytea not null,
    added int not null,
    changed int not null,
    unchanged int not null,
    absent int not null,
    bad_rows int not null,
    imported_at timestamptz not null default now()
);

-- migrate:down

drop table roll_imports, staged_electors, answer_hashes, electors;
