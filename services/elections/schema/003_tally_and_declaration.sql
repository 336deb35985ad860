-- migrate:up

-- Derived from castonce.rights.v1: how far each partition's chain of hashes reaches (see the README).
create table log_heads (
    partition_number integer primary key,
    next_offset bigint not null,
    sha256 text not null
);

-- The chain's hash up to and including the barrier.
alter table barriers add column log_sha256 text not null default '';

-- Derived from castonce.elections.v1: what is said of an election once, by its own services, from the
-- count of its ballots to its declaration. `said` is the message's type, with the owner's number where
-- several say it; `ballots` is the number that it names, if it names one.
create table statements (
    election_id text not null,
    said text not null,
    ballots bigint,
    message text not null,
    stamp_ms bigint not null,
    primary key (election_id, said)
);

-- Derived from castonce.ballots.v1: the sum of all accepted ballots so far, encrypted. Nobody is told it
-- before the last ballot is in.
create table tallies (
    election_id text primary key,
    ballots bigint not null,
    encrypted_sums text not null
);

-- Derived from castonce.ballots.v1: whose ballots are in the sum, so that none is added twice.
create table tallied_ballots (
    election_id text not null,
    tracker text not null,
    primary key (election_id, tracker)
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert, update on log_heads, tallies to %I', app);
    execute format('grant select, insert on statements, tallied_ballots to %I', app);
end
$$;

-- migrate:down
drop table log_heads, statements, tallies, tallied_ballots;
alter table barriers drop column log_sha256;
