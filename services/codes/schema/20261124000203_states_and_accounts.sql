-- The states of credentials, told to the board; and the packs' account, once the election is over.

-- migrate:up

-- Source: whether the states of the import's credentials are in the outbox.
alter table registrations add column is_stated boolean not null default false;

-- Source: what was said of the packs at the end, word for word. It is said once: a letter that comes
-- back afterwards changes nothing about it.
create table accounts (
    election_id text primary key,
    message text not null,
    accounted_at timestamptz not null default now()
);

-- Derived: the partitions that say they hold nothing open of an election.
create table closed_partitions (
    election_id text not null,
    partition int not null,
    decided_ms bigint not null,
    primary key (election_id, partition)
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant update (is_stated) on registrations to %I', app);
    execute format('grant select, insert on accounts, closed_partitions to %I', app);
end
$$;

-- migrate:down

drop table closed_partitions, accounts;
alter table registrations drop column is_stated;
