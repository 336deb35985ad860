-- migrate:up

-- Source, and short-lived: one visit to the booth. No name, no address, no permit, no ballot.
create table sessions (
    session_id text primary key,
    election_id text not null,
    credential text not null,
    nonce text not null,
    nonce_expires_at_ms bigint not null,
    expires_at_ms bigint not null
);
create index sessions_by_expiry on sessions (expires_at_ms);

do $$
begin
    execute format(
        'grant select, insert, delete on sessions to %I', replace(current_user, '_owner', '_app'));
end
$$;

-- migrate:down
drop table sessions;
