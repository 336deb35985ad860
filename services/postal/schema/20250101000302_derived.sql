-- Derived tables of postal: what the law topics told. A replay from offset 0 into empty tables
-- gives the same rows, in whichever order the topics are read. Times are brokers' stamps, Unix ms.

-- migrate:up

create table elections (
    election_id text primary key,
    takes_post boolean not null,
    phase text not null
);

create table serials (
    serial text primary key,
    election_id text not null,
    right_id text not null
);

create table envelope_facts (
    scan_id text not null,
    election_id text not null,
    right_id text not null,
    serial text,
    batch int,
    received_ms bigint,
    admitted_ms bigint,
    set_aside_ms bigint,
    set_aside_reason text,
    voided_ms bigint,
    has_reopened boolean,
    primary key (scan_id, election_id, right_id)
);
create index envelope_facts_of_election on envelope_facts (election_id);

create table void_outcomes (
    void_id text primary key,
    scan_id text not null,
    is_accepted boolean not null,
    reason text not null,
    decided_ms bigint not null
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert, update on elections, envelope_facts to %I', app);
    execute format('grant select, insert on serials, void_outcomes to %I', app);
end
$$;

-- migrate:down

drop table void_outcomes, envelope_facts, serials, elections;
