-- What votes knows: all of it derived from castonce.rights.v1 and rebuilt by a replay.
-- A claim, an accepted ballot and an outcome are only ever inserted: the process's own role can
-- neither update nor delete them (see the grants at the end), so that a hacked votes can't either.

-- migrate:up

-- One election as one partition of the law has told it.
create table partition_states (
    partition int not null,
    election_id text collate "C" not null,
    defined_by text not null,
    keys jsonb not null,
    rotations text[] not null,
    root text not null,
    size int not null,
    phase text not null check (phase in ('defined', 'open', 'online_closed', 'post_closed')),
    election text not null,
    fingerprint text not null,
    rights bigint not null,
    used_online bigint not null,
    used_by_post bigint not null,
    withdrawn bigint not null,
    primary key (partition, election_id)
) with (fillfactor = 50);
alter table partition_states alter election set storage external;

-- One row per right: its standing but for the claim. Ballots never change it.
create table rights (
    right_id bytea primary key,
    election_id text not null,
    generation int not null,
    serial text,
    credential text,
    replaced jsonb not null,
    withdrawn_at_ms bigint not null,
    scans jsonb not null,
    applied text[] not null
);

-- What used a right: at most one claim per generation; a void starts the next generation.
create table claims (
    right_id bytea not null,
    generation int not null,
    channel text not null check (channel in ('online', 'post')),
    at_ms bigint not null,
    reference text not null,
    primary key (right_id, generation)
);

-- The ballots that count.
create table ballots (
    tracker text collate "C" primary key,
    right_id bytea not null,
    election_id text not null,
    at_ms bigint not null,
    ballot bytea not null
);
-- Sealed ballots don't compress, and a few kilobytes are quicker to write beside their row.
alter table ballots alter ballot set storage external;
alter table ballots set (toast_tuple_target = 8160);

-- Ballots that were refused by their own right, for ever. An accepted one is in claims.
create table outcomes (
    right_id bytea not null,
    tracker text collate "C" not null,
    reason text not null,
    at_ms bigint not null,
    first_at_ms bigint not null,
    primary key (right_id, tracker)
);

-- Records that were not believed: their bytes are in the log, their hash tells which they were.
create table refused_records (
    partition int not null,
    "offset" bigint not null,
    stamp_ms bigint not null,
    reason text not null,
    value_hash bytea not null,
    primary key (partition, "offset")
);

-- Everything here is looked up by key, in tables that are empty at first and large later: one plan,
-- made once per connection, that is right for both. Set here, since settings of a function cost it
-- a third of its time.
do $$
begin
    execute format('alter database %I set plan_cache_mode = force_generic_plan', current_database());
    execute format('alter database %I set enable_seqscan = off', current_database());
    execute format('alter database %I set enable_hashjoin = off', current_database());
    execute format('alter database %I set enable_mergejoin = off', current_database());
end
$$;

-- What the fold will look at: one row per (right, tracker) asked for; a null tracker asks for the
-- right alone.
create function votes_read(asked_rights bytea[], asked_trackers text[])
returns table (
    right_id bytea,
    tracker text,
    election_id text,
    generation int,
    serial text,
    credential text,
    replaced jsonb,
    withdrawn_at_ms bigint,
    scans jsonb,
    applied text[],
    channel text,
    claimed_at_ms bigint,
    reference text,
    reason text,
    decided_at_ms bigint,
    first_at_ms bigint
)
language sql stable as $$
    select asked.right_id, asked.tracker, r.election_id, r.generation, r.serial, r.credential,
        r.replaced, r.withdrawn_at_ms, r.scans, r.applied,
        c.channel, c.at_ms, c.reference, o.reason, o.at_ms, o.first_at_ms
    from unnest(asked_rights, asked_trackers) as asked (right_id, tracker)
    left join rights as r on r.right_id = asked.right_id
    left join claims as c on c.right_id = r.right_id and c.generation = r.generation
    left join outcomes as o
        on o.right_id = asked.right_id and o.tracker = asked.tracker collate "C"
$$;

-- Everything that one fetch changes, and how far the log is applied: one statement, one transaction.
-- Raises CO001 when another process has applied these records; returns the outbox row's id.
create function votes_apply(
    consumer_name text, topics text[], partitions int[], expected bigint[], following bigint[],
    hashes bytea[], outbox_records bytea,
    definitions jsonb,
    s_partition int[], s_election text[], s_rights bigint[], s_online bigint[], s_post bigint[],
    s_withdrawn bigint[],
    r_id bytea[], r_election text[], r_generation int[], r_serial text[], r_credential text[],
    r_replaced jsonb[], r_withdrawn bigint[], r_scans jsonb[], r_applied jsonb[],
    c_right bytea[], c_generation int[], c_channel text[], c_at bigint[], c_reference text[],
    b_right bytea[], b_generation int[], b_tracker text[], b_election text[], b_at bigint[],
    b_ballot bytea[],
    o_right bytea[], o_tracker text[], o_reason text[], o_at bigint[], o_first bigint[],
    x_partition int[], x_offset bigint[], x_stamp bigint[], x_reason text[], x_hash bytea[]
) returns bigint language plpgsql as $$
declare
    row_id bigint;
begin
    row_id := finish_fetch(
        consumer_name, topics, partitions, expected, following, hashes, outbox_records
    );
    if definitions is not null then
        perform votes_define(definitions);
    end if;
    if cardinality(s_partition) > 0 then
        update partition_states as state
        set rights = new.rights, used_online = new.online, used_by_post = new.post,
            withdrawn = new.withdrawn
        from unnest(s_partition, s_election, s_rights, s_online, s_post, s_withdrawn)
            as new (partition, election_id, rights, online, post, withdrawn)
        where state.partition = new.partition and state.election_id = new.election_id;
    end if;
    if cardinality(r_id) > 0 then
        insert into rights
        select new.id, new.election, new.generation, new.serial, new.credential, new.replaced,
            new.withdrawn, new.scans,
            array(select jsonb_array_elements_text(new.applied))
        from unnest(
            r_id, r_election, r_generation, r_serial, r_credential, r_replaced, r_withdrawn,
            r_scans, r_applied
        ) as new (
            id, election, generation, serial, credential, replaced, withdrawn, scans, applied
        )
        on conflict (right_id) do update
        set generation = excluded.generation, serial = excluded.serial,
            credential = excluded.credential, replaced = excluded.replaced,
            withdrawn_at_ms = excluded.withdrawn_at_ms, scans = excluded.scans,
            applied = excluded.applied;
    end if;
    if cardinality(c_right) > 0 then
        insert into claims
        select * from unnest(c_right, c_generation, c_channel, c_at, c_reference);
    end if;
    if cardinality(b_tracker) > 0 then
        -- An accepted ballot is its right's claim.
        insert into claims
        select new.right_id, new.generation, 'online', new.at_ms, new.tracker
        from unnest(b_right, b_generation, b_tracker, b_at)
            as new (right_id, generation, tracker, at_ms);
        insert into ballots
        select * from unnest(b_tracker, b_right, b_election, b_at, b_ballot);
    end if;
    if cardinality(o_right) > 0 then
        insert into outcomes
        select * from unnest(o_right, o_tracker, o_reason, o_at, o_first);
    end if;
    if cardinality(x_partition) > 0 then
        insert into refused_records
        select * from unnest(x_partition, x_offset, x_stamp, x_reason, x_hash);
    end if;
    return row_id;
end
$$;

-- What barriers change of an election; its counts are written by votes_apply.
create function votes_define(definitions jsonb) returns void language sql as $$
    insert into partition_states
    select * from jsonb_populate_recordset(null::partition_states, definitions)
    on conflict (partition, election_id) do update
    set keys = excluded.keys, rotations = excluded.rotations, root = excluded.root,
        size = excluded.size, phase = excluded.phase, election = excluded.election,
        fingerprint = excluded.fingerprint, rights = excluded.rights,
        used_online = excluded.used_online, used_by_post = excluded.used_by_post,
        withdrawn = excluded.withdrawn
$$;

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert, update on partition_states, rights to %I', app);
    execute format('grant select, insert on claims, ballots, outcomes, refused_records to %I', app);
end
$$;

-- migrate:down

drop function votes_apply;
drop function votes_define;
drop function votes_read;
drop table refused_records, outcomes, ballots, claims, rights, partition_states;
