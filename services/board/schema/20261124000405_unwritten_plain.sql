-- migrate:up

-- Bytes on their way to the files lie here for moments: compressing the setup of a million
-- credentials (67 MB) took longer than a statement may.
alter table unwritten alter column archive set storage external;
alter table unwritten alter column line set storage external;

-- migrate:down
alter table unwritten alter column archive set storage extended;
alter table unwritten alter column line set storage extended;
