-- What can be had of every variant.
create table read.stock_level (
    key       text   not null primary key collate "C",
    row       json   not null,
    position  bigint not null,
    product   text   collate "C" generated always as (row ->> 'product') stored,
    available bigint generated always as ((row ->> 'available')::bigint) stored
);
create index stock_level_product on read.stock_level (product, key);
create index stock_level_available on read.stock_level (available, key);
