-- migrate:up

-- What the public asks is answered under a role that may read three tables and write none; the
-- service itself may move a board's place, and change nothing of what was fixed with its setup.
do $$
declare
    app text := replace(current_user, '_owner', '_app');
    reader text := replace(current_user, '_owner', '_reader');
begin
    execute format('grant select on entries, credential_states, declarations to %I', reader);
    execute format('revoke update on boards from %I', app);
    execute format(
        'grant update (stage, height, last_event, archive_bytes, board_bytes, entries, ballots,'
        ' peaks, is_declared) on boards to %I', app);
end
$$;

-- Trackers are looked for by their beginning: in the order of their bytes, whatever the database's.
alter table entries alter column tracker type text collate "C";

-- migrate:down
do $$
declare
    app text := replace(current_user, '_owner', '_app');
    reader text := replace(current_user, '_owner', '_reader');
begin
    execute format('revoke select on entries, credential_states, declarations from %I', reader);
    execute format('grant update on boards to %I', app);
end
$$;
alter table entries alter column tracker type text collate "default";
