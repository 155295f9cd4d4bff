-- Every order in one line. `placed` is RFC 3339 with six digits after the second, so its texts sort as its times.
create table read.order_list (
    key            text   not null primary key collate "C",
    row            json   not null,
    position       bigint not null,
    account        text collate "C" generated always as (row -> 'buyer' ->> 'account') stored,
    status         text collate "C" generated always as (row ->> 'status') stored,
    payment_status text collate "C" generated always as (row ->> 'payment_status') stored,
    placed         text collate "C" generated always as (row ->> 'placed_at') stored
);
create index order_list_placed on read.order_list (placed, key);
create index order_list_account on read.order_list (account, placed, key) where account is not null;
create index order_list_status on read.order_list (status, placed, key);
create index order_list_payment_status on read.order_list (payment_status, placed, key);
