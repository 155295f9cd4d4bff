-- When the key of a program was last used, to about a minute. Not events: each request would be one, and nobody decides
-- anything on them.
create table log.credential_use (
    credential uuid        not null primary key,
    used_at    timestamptz not null
);
