-- Derived tables of codes: facts that the law topics told. A replay from offset 0 into empty tables
-- gives the same rows, in whichever order the topics are read: each column is told by one topic,
-- the first word counts, and nothing is ever taken back. Times are brokers' stamps in Unix ms.

-- migrate:up

create table elections (
    election_id text primary key,
    authority_key text not null,
    root text,
    size int
);

create table right_facts (
    right_id text primary key,
    election_id text not null,
    registered_ms bigint,
    online_ms bigint,
    withdrawn_ms bigint
);
create index right_facts_of_election on right_facts (election_id);

create table pack_facts (
    election_id text not null,
    right_id text not null,
    serial text not null,
    credential text,
    granted_ms bigint,
    accepted_ms bigint,
    replaced_ms bigint,
    primary key (right_id, serial)
);
create index pack_facts_by_credential on pack_facts (election_id, credential);
create index pack_facts_by_serial on pack_facts (serial);

create table scan_facts (
    election_id text not null,
    right_id text not null,
    scan_id text not null,
    received_ms bigint,
    admitted_ms bigint,
    set_aside_ms bigint,
    voided_ms bigint,
    primary key (right_id, scan_id)
);

create table replacement_outcomes (
    replacement_id text primary key,
    election_id text not null,
    right_id text not null,
    is_accepted boolean not null,
    reason text not null,
    decided_ms bigint not null
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert, update on elections to %I', app);
    execute format(
        'grant select, insert, update on right_facts, pack_facts, scan_facts to %I', app
    );
    execute format('grant select, insert on replacement_outcomes to %I', app);
end
$$;

-- migrate:down

drop table replacement_outcomes, scan_facts, pack_facts, right_facts, elections;
