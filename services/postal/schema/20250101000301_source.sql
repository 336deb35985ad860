-- Source tables of postal: what clerks and officials did. Backed up; a scan whose serial is unknown
-- is on no topic.

-- migrate:up

create table scans (
    scan_id text primary key,
    election_id text not null,
    serial text not null,
    -- The right of the serial; null: no pack has this serial, so the envelope is set aside here.
    right_id text,
    batch int not null,
    clerk text not null,
    scanned_at timestamptz not null default now()
);
create index scans_of_batch on scans (election_id, batch);

create table batches (
    election_id text not null,
    number int not null,
    is_open boolean not null,
    changed_by text not null,
    changed_at timestamptz not null default now(),
    primary key (election_id, number)
);

create table voids (
    void_id text primary key,
    scan_id text not null references scans,
    first_official text not null,
    first_reason text not null,
    asked_at timestamptz not null default now(),
    second_official text,
    second_reason text,
    ordered_at timestamptz,
    check (second_official is null or second_official <> first_official)
);
create index voids_of_scan on voids (scan_id);
-- One void of a scan may wait for its second official.
create unique index voids_pending on voids (scan_id) where second_official is null;

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert on scans to %I', app);
    execute format('grant select, insert, update on batches to %I', app);
    execute format('grant select, insert on voids to %I', app);
    execute format(
        'grant update (second_official, second_reason, ordered_at) on voids to %I', app
    );
end
$$;

-- migrate:down

drop table voids, batches, scans;
