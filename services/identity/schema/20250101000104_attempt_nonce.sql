-- An attempt is known by the code permit it came with too: whoever proved the code anew makes a new
-- attempt, whatever attempt id they name, and has to know the answers.

-- migrate:up

alter table attempts add column nonce text not null default '';
alter table attempts alter column nonce drop default;
alter table attempts drop constraint attempts_pkey;
alter table attempts add primary key (right_id, attempt_id, nonce);

-- migrate:down

alter table attempts drop constraint attempts_pkey;
alter table attempts drop column nonce;
alter table attempts add primary key (right_id, attempt_id);
