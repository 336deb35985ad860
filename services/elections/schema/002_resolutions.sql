-- migrate:up

-- Source: what officials wrote about records that were set aside. It may name people: the log has a
-- word of a closed list instead. Back it up.
create table resolutions (
    service text not null,
    topic text not null,
    partition_number integer not null,
    log_offset bigint not null,
    official text not null,
    explanation text not null,
    ordered_at_ms bigint not null,
    primary key (service, topic, partition_number, log_offset)
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on resolutions to %I', app);
end
$$;

-- migrate:down
drop table resolutions;
