-- What electors say about their own right at the booth.

-- migrate:up

-- Source: a right whose elector says that they posted nothing, when it was first said (broker stamp).
-- The request comes over a topic of minutes, so no replay brings it back.
create table nothing_posted (
    right_id text primary key,
    election_id text not null,
    said_at_ms bigint not null
);
create index nothing_posted_by_election on nothing_posted (election_id);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on nothing_posted to %I', app);
end
$$;

-- migrate:down

drop table nothing_posted;
