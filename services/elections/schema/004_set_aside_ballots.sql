-- migrate:up

-- Derived from castonce.ballots.v1: acceptances that are in no sum, and why. They block no election
-- but, by the number that is missing, the one whose ballot can't be added.
create table set_aside_ballots (
    partition_number integer not null,
    log_offset bigint not null,
    election_id text not null,
    reason text not null,
    primary key (partition_number, log_offset)
);
create index set_aside_ballots_by_election on set_aside_ballots (election_id);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on set_aside_ballots to %I', app);
end
$$;

-- migrate:down
drop table set_aside_ballots;
