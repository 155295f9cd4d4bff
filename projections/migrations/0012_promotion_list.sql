-- Promotions and what they gave; ids grow with time, so the newest first is the key backwards.
create table read.promotion_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    status   text   collate "C" generated always as (row ->> 'status') stored
);
create index promotion_list_status on read.promotion_list (status, key);
