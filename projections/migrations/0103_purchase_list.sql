-- Orders of accounts with pieces for which keys are delivered, without the keys. `paid` is RFC 3339 with six digits after the second,
-- so its texts sort as its times.
create table read.purchase_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    account  text collate "C" generated always as (row ->> 'account') stored,
    paid     text collate "C" generated always as (row ->> 'paid_at') stored
);
create index purchase_list_account on read.purchase_list (account, paid, key);
