-- Source: how many rights each row of the outbox announces, so that an import says truly how many of the
-- roll's events Kafka doesn't have yet, whichever import wrote them.

-- migrate:up

create table announced_rights (
    outbox_id bigint primary key,
    election_id text not null,
    rights int not null
);
create index announced_rights_of_election on announced_rights (election_id);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on announced_rights to %I', app);
end
$$;

-- migrate:down

drop table announced_rights;
