-- migrate:up

-- Source: what officials and the calendar ordered, each step once. Back it up: who forced an hour, and
-- why, is in no log.
create table orders (
    election_id text not null,
    step text not null,
    ordered_by text not null,
    is_forced boolean not null,
    reason text not null,
    ordered_at_ms bigint not null,
    primary key (election_id, step)
);

-- Derived from castonce.elections.v1: where each election stands.
create table elections (
    election_id text primary key,
    created_offset bigint not null,
    created_at_ms bigint not null,
    definition text not null,
    election text not null,
    fingerprint text not null,
    keys text not null,
    answers_key text not null,
    phase text not null,
    phase_since_ms bigint not null,
    root text not null,
    size integer not null,
    post_attempts integer not null,
    post_request text not null,
    post_answer text
);

-- Derived from castonce.rights.v1: our own barriers, read back.
create table barriers (
    partition_number integer not null,
    log_offset bigint not null,
    election_id text not null,
    kind text not null,
    stamp_ms bigint not null,
    primary key (partition_number, log_offset)
);
create index barriers_by_election on barriers (election_id);

-- Derived from castonce.decisions.v1: partitions that said that they are closed, and their counts.
create table closed_partitions (
    election_id text not null,
    partition_number integer not null,
    closed_at_ms bigint not null,
    rights bigint not null,
    used_online bigint not null,
    used_by_post bigint not null,
    withdrawn bigint not null,
    primary key (election_id, partition_number)
);

-- Derived from castonce.decisions.v1: records of rights that votes did not believe, by reason.
create table refused_records (
    partition_number integer not null,
    log_offset bigint not null,
    reason text not null,
    primary key (partition_number, log_offset)
);

-- Derived from castonce.elections.v1: records that a service set aside, and who resolved them.
create table quarantined_records (
    service text not null,
    topic text not null,
    partition_number integer not null,
    log_offset bigint not null,
    reason text not null,
    noticed_at_ms bigint not null,
    resolved_at_ms bigint,
    resolved_by text,
    explanation text,
    primary key (service, topic, partition_number, log_offset)
);
create index quarantined_records_open on quarantined_records (service) where resolved_at_ms is null;

-- The runtime role reads and writes; it can't forget what was ordered.
do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on orders to %I', app);
    execute format(
        'grant select, insert, update on elections, quarantined_records to %I', app);
    execute format(
        'grant select, insert on barriers, closed_partitions, refused_records to %I', app);
end
$$;

-- migrate:down
drop table orders, elections, barriers, closed_partitions, refused_records, quarantined_records;
