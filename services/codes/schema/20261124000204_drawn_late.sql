-- Which packs were drawn after the import: the board hears of these only at the close.

-- migrate:up

-- Source: the import's credentials are called active at once, these with the packs' account.
alter table packs add column is_drawn_late boolean not null default false;

do $$
declare
    app text := replace(current_user, '_owner', '_app');
begin
    execute format('grant update (is_drawn_late) on packs to %I', app);
end
$$;

-- migrate:down

alter table packs drop column is_drawn_late;
