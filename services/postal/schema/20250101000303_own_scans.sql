-- postal no longer reads its own envelopes back from castonce.rights.v1, where credentials stand beside
-- rights: what it scanned is in `scans`, and what became of it in the decisions.

-- migrate:up

delete from envelope_facts
where admitted_ms is null and set_aside_ms is null and voided_ms is null;delete from consumer_offsets where consumer = 'postal' and topic = 'castonce.rights.v1';
alter table envelope_facts drop column serial, drop column batch, drop column received_ms;

-- migrate:down

alter table envelope_facts add column serial text, add column batch int, add column received_ms bigint;
