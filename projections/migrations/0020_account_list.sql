-- Every account in one line, what is personal in it sealed. `registered` is RFC 3339 with six digits after the second, so
-- its texts sort as its times.
create table read.account_list (
    key        text   not null primary key collate "C",
    row        json   not null,
    position   bigint not null,
    role       text collate "C" generated always as (row ->> 'role') stored,
    status     text collate "C" generated always as (row ->> 'status') stored,
    registered text collate "C" generated always as (row ->> 'registered_at') stored
);
create index account_list_registered on read.account_list (registered, key);
create index account_list_role on read.account_list (role, registered, key);
create index account_list_status on read.account_list (status, registered, key);
