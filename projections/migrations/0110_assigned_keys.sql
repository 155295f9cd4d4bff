-- Which order has got which keys of a pool, by their numbers. The key of a row is the variant, the batch and the first number, with
-- leading zeros: the row of a key is the last one that is not behind it.
create table read.assigned_keys (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null
);
