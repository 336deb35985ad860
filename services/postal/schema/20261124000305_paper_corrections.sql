-- A wrong paper count that was confirmed already can be corrected until the election is declared.

-- migrate:up

-- Source: corrections of the paper count, in the order in which they were begun; the officers' own
-- words are here and in no log. One that a second officer has confirmed stands for ever.
create table paper_corrections (
    election_id text not null,
    correction int not null check (correction > 0),
    figures text not null,
    first_official text not null,
    first_reason text not null,
    entered_at timestamptz not null default now(),
    second_official text,
    second_reason text,
    confirmed_at timestamptz,
    primary key (election_id, correction),
    check (second_official is null or second_official <> first_official)
);

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant select, insert, update on paper_corrections to %I', app);
end
$$;

-- migrate:down

drop table paper_corrections;
