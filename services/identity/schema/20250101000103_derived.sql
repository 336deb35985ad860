-- Derived tables: rebuilt by replaying the law topics; and who may do what with all tables.

-- migrate:up

create table elections (
    election_id text primary key,
    title text not null,
    organisation text not null,
    facts text[] not null,
    phase text not null
);

create table withdrawn_rights (
    right_id text primary key,
    election_id text not null,
    withdrawal_id text not null,
    withdrawn_at_ms bigint not null
);

-- Why the log didn't take a right away.
create table refused_withdrawals (
    withdrawal_id text primary key,
    right_id text not null,
    election_id text not null,
    reason text not null,
    decided_at_ms bigint not null
);
create index refused_withdrawals_by_right on refused_withdrawals (right_id);

-- A set of decisions that bear on suspected double voting; a case is the evidence of one right.
create table case_evidence (
    event_id text primary key,
    election_id text not null,
    right_id text not null,
    kind text not null,
    at_ms bigint not null,
    reference text not null,
    first_at_ms bigint not null
);
create index case_evidence_by_right on case_evidence (election_id, right_id);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on electors, answer_hashes to %I', app);
    -- Which right is whose, in which election, never changes.
    execute format(
        'grant update (membership_number, first_names, surname, address, postcode, email, mark,'
        ' changed_at) on electors to %I', app
    );
    execute format('grant update (facts, hashes) on answer_hashes to %I', app);
    execute format('grant select, insert, truncate on staged_electors to %I', app);
    execute format('grant select, insert on roll_imports, attempts, unlocks, withdrawals to %I', app);
    execute format('grant select, insert, update on online_locks to %I', app);
    execute format('grant select, insert, update, delete on unlock_requests to %I', app);
    execute format('grant select, insert, update on elections to %I', app);
    execute format(
        'grant select, insert on withdrawn_rights, refused_withdrawals, case_evidence to %I', app
    );
end
$$;

-- migrate:down

drop table case_evidence, refused_withdrawals, withdrawn_rights, elections;
