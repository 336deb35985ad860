-- The idempotent consumer's own tables, in every service's database (docs: shared/README.md).
-- The owner of the tables is <service>_owner; the process runs as <service>_app.

-- migrate:up

create table consumer_offsets (
    consumer text not null,
    topic text not null,
    partition int not null,
    next_offset bigint not null default 0 check (next_offset >= 0),
    -- Hash of the last record applied: on assignment the log must still hold that very record.
    last_hash bytea,
    primary key (consumer, topic, partition)
) with (fillfactor = 50);

create table outbox (
    id bigint generated always as identity primary key,
    -- One MessagePack array of [topic, partition, key, value, [[header, value], ...]].
    records bytea not null,
    created_at timestamptz not null default now(),
    published_at timestamptz,
    -- The instance that wrote it: only orphans are published by another one.
    writer text not null default coalesce(current_setting('application_name', true), '')
);
create index outbox_unpublished on outbox (id) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;

create table applied_events (
    consumer text not null,
    event_id text not null,
    primary key (consumer, event_id)
);

create table quarantine (
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    stamp_ms bigint not null,
    reason text not null,
    value bytea,
    quarantined_at timestamptz not null default now(),
    resolved_at timestamptz,
    resolved_by text,
    explanation text,
    primary key (topic, partition, "offset")
);

create table idempotency (
    key text primary key,
    request_hash bytea not null,
    status int,
    response jsonb,
    created_at timestamptz not null default now()
);
create index idempotency_age on idempotency (created_at);

-- What was answered to a request over Kafka, so that a repeated request gets the same answer.
create table replies (
    request_id text primary key,
    emissions bytea not null,
    created_at timestamptz not null default now()
);
create index replies_age on replies (created_at);

-- Which instance of the gateway reads which reply partition; empty elsewhere.
create table reply_leases (
    partition int primary key,
    holder text not null,
    expires_at timestamptz not null
);

-- Compare-and-set of the offsets of one fetch. Raises CO001 when another process was there first.
create function advance_offsets(
    consumer_name text,
    topics text[],
    partitions int[],
    expected bigint[],
    following bigint[],
    hashes bytea[]
) returns void language plpgsql as $$
declare
    moved int;
begin
    update consumer_offsets as stored
    set next_offset = step.following, last_hash = step.hash
    from unnest(topics, partitions, expected, following, hashes)
        as step (topic, partition, expected, following, hash)
    where stored.consumer = consumer_name
        and stored.topic = step.topic
        and stored.partition = step.partition
        and stored.next_offset = step.expected;
    get diagnostics moved = row_count;
    if moved <> cardinality(topics) then
        raise exception using
            errcode = 'CO001',
            message = format(
                'the stored offsets of %s are not what this process expects', consumer_name
            );
    end if;
end
$$;

-- The same, and the outbox row of the fetch; returns the row's id, or null where there is none.
create function finish_fetch(
    consumer_name text,
    topics text[],
    partitions int[],
    expected bigint[],
    following bigint[],
    hashes bytea[],
    outbox_records bytea
) returns bigint language plpgsql as $$
declare
    row_id bigint;
begin
    perform advance_offsets(consumer_name, topics, partitions, expected, following, hashes);
    if outbox_records is not null then
        insert into outbox (records) values (outbox_records) returning id into row_id;
    end if;
    return row_id;
end
$$;

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert, update on consumer_offsets to %I', app);
    execute format('grant select, insert, delete on outbox, applied_events to %I', app);
    execute format('grant update (published_at) on outbox to %I', app);
    execute format('grant select, insert, update on quarantine to %I', app);
    execute format('grant select, insert, update, delete on idempotency to %I', app);
    execute format('grant select, insert, delete on replies to %I', app);
    execute format('grant select, insert, update, delete on reply_leases to %I', app);
end
$$;

-- migrate:down

drop function finish_fetch;
drop function advance_offsets;
drop table reply_leases, replies, idempotency, quarantine, applied_events, outbox, consumer_offsets;
