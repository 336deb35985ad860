-- The roll's account, said once when an election is over.

-- migrate:up

-- Derived: the partitions that say they hold nothing open of an election; and whether evidence came
-- behind that (an official's request about a used right), when it is no longer counted.
create table closed_partitions (
    election_id text not null,
    partition int not null,
    decided_ms bigint not null,
    primary key (election_id, partition)
);
alter table case_evidence add column is_after_close boolean not null default false;

-- Source: what was said at the end, word for word, and the secret that went into the roll's hash. The
-- roll and this secret together open the hash; without the secret nobody can guess at rows.
create table accounts (
    election_id text primary key,
    salt bytea not null check (length(salt) = 32),
    message text not null,
    accounted_at timestamptz not null default now()
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on closed_partitions, accounts to %I', app);
end
$$;

-- migrate:down

drop table accounts, closed_partitions;
alter table case_evidence drop column is_after_close;
