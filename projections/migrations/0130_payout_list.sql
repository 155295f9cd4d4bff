-- Every payout in one line, without where it goes. `requested` is RFC 3339 with six digits after the second, so its texts sort as its
-- times.
create table read.payout_list (
    key       text   not null primary key collate "C",
    row       json   not null,
    position  bigint not null,
    seller    text collate "C" generated always as (row ->> 'seller') stored,
    status    text collate "C" generated always as (row ->> 'status') stored,
    means     text collate "C" generated always as (row ->> 'means') stored,
    file      text collate "C" generated always as (row ->> 'file') stored,
    requested text collate "C" generated always as (row ->> 'requested_at') stored
);
create index payout_list_requested on read.payout_list (requested, key);
create index payout_list_status on read.payout_list (status, requested, key);
create index payout_list_seller on read.payout_list (seller, requested, key);
create index payout_list_file on read.payout_list (file, requested, key);
