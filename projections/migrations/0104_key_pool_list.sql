-- The pools of keys in numbers, without the keys.
create table read.key_pool_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    low      boolean generated always as ((row ->> 'low')::boolean) stored
);
create index key_pool_list_low on read.key_pool_list (key) where low;
