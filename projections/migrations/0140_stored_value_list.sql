-- Every gift card and store credit in one line. `opened` is RFC 3339 with six digits after the second, so its texts sort as its
-- times.
create table read.stored_value_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    kind     text collate "C" generated always as (row ->> 'kind') stored,
    account  text collate "C" generated always as (row ->> 'account') stored,
    opened   text collate "C" generated always as (row ->> 'opened_at') stored
);
create index stored_value_list_opened on read.stored_value_list (kind, opened, key);
create index stored_value_list_account on read.stored_value_list (account, key) where account is not null;
