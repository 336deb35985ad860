-- What is kept of a record that was set aside: enough to know it again in the log, never all of it,
-- since whoever may write to a topic could fill every reader's database.

-- migrate:up

alter table quarantine add column value_bytes int, add column value_sha256 bytea;
update quarantine
set value_bytes = coalesce(length(value), 0),
    value_sha256 = sha256(coalesce(value, '')),
    value = substring(value from 1 for 4096);
alter table quarantine
    alter column value_bytes set not null,
    alter column value_sha256 set not null,
    add constraint only_the_beginning check (length(value) <= 4096);

-- migrate:down

alter table quarantine
    drop constraint only_the_beginning, drop column value_sha256, drop column value_bytes;
