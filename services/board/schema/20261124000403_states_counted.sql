-- migrate:up

-- Derived: the credentials of the list with the strongest state that was said of each, so that a
-- statement can be refused which no verifier would take, and so that the board can tell when all
-- statements are there.
create table known_credentials (
    election_id text not null,
    credential bytea not null,
    state text not null default 'spare',
    primary key (election_id, credential)
);

-- How many have each state by now; and how many shall, by PacksAccounted (null: not told yet).
alter table elections
    add column active int not null default 0,
    add column replaced int not null default 0,
    add column withdrawn int not null default 0,
    add column accounted_active int,
    add column accounted_replaced int,
    add column accounted_withdrawn int;

-- Whose credential may not be taken away any more.
alter table sequenced_ballots add column credential bytea;
create index sequenced_ballots_by_credential on sequenced_ballots (election_id, credential);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert, update on known_credentials to %I', app);
end
$$;

-- migrate:down
drop index sequenced_ballots_by_credential;
alter table sequenced_ballots drop column credential;
alter table elections
    drop column active, drop column replaced, drop column withdrawn,
    drop column accounted_active, drop column accounted_replaced, drop column accounted_withdrawn;
drop table known_credentials;
