-- Every seller in one line, without anything personal. `search` is its name in the form in which names are searched and sorted.
create table read.seller_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    status   text collate "C" generated always as (row ->> 'status') stored,
    search   text collate "C" generated always as (row ->> 'search') stored
);
create index seller_list_search on read.seller_list (search, key);
create index seller_list_status on read.seller_list (status, search, key);
create index seller_list_position on read.seller_list (position);
