-- What the papers say, entered twice; and what is said of envelopes once the election is over.

-- migrate:up

-- Derived: the questions on the ballot paper, as the election's definition has them.
alter table elections add column questions text not null default '[]';

-- Derived: the partitions that say they hold nothing open of an election.
create table closed_partitions (
    election_id text not null,
    partition int not null,
    decided_ms bigint not null,
    primary key (election_id, partition)
);

-- Source: what was said of the envelopes at the end, word for word.
create table accounts (
    election_id text primary key,
    message text not null,
    accounted_at timestamptz not null default now()
);

-- Source: the paper count. Until a second official has entered the same figures, the first entry
-- may be made anew; after that nothing changes it.
create table paper_counts (
    election_id text primary key,
    figures text not null,
    first_official text not null,
    entered_at timestamptz not null default now(),
    second_official text,
    confirmed_at timestamptz,
    check (second_official is null or second_official <> first_official)
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on closed_partitions, accounts to %I', app);
    execute format('grant select, insert, update on paper_counts to %I', app);
end
$$;

-- migrate:down

drop table paper_counts, accounts, closed_partitions;
alter table elections drop column questions;
