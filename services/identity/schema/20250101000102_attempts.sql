-- Source tables: attempts at the security questions, lockouts, and what officials asked for.

-- migrate:up

-- One row per attempt, also on decoy rights: its repetition gets the same answer.
create table attempts (
    right_id text not null,
    attempt_id text not null,
    election_id text not null,
    verdict text not null check (verdict in ('accepted', 'wrong_answers', 'locked')),
    remaining int not null check (remaining between 0 and 5),
    at_ms bigint not null,
    primary key (right_id, attempt_id)
);

create table online_locks (
    right_id text primary key,
    election_id text not null,
    wrong int not null check (wrong between 0 and 5),
    locked_at_ms bigint,
    check ((wrong = 5) = (locked_at_ms is not null))
) with (fillfactor = 80);
create index online_locks_locked on online_locks (election_id) where locked_at_ms is not null;

-- One official has asked for it; a second one must.
create table unlock_requests (
    right_id text primary key,
    official text not null,
    reason text not null,
    requested_at_ms bigint not null
);

create table unlocks (
    id bigint generated always as identity primary key,
    right_id text not null,
    election_id text not null,
    first_official text not null,
    first_reason text not null,
    second_official text not null,
    second_reason text not null,
    wrong_before int not null,
    unlocked_at_ms bigint not null,
    check (first_official <> second_official)
);

create table withdrawals (
    withdrawal_id text primary key,
    right_id text not null,
    election_id text not null,
    official text not null,
    -- As the official wrote it; it may name people and therefore never leaves for the log.
    reason text not null,
    requested_at_ms bigint not null
);
create index withdrawals_by_right on withdrawals (right_id);

-- migrate:down

drop table withdrawals, unlocks, unlock_requests, online_locks, attempts;
