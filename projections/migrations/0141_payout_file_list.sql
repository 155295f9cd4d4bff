-- Every file of payouts for the bank in one line. `created` is RFC 3339 with six digits after the second, so its texts sort as its times.
create table read.payout_file_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    created  text collate "C" generated always as (row ->> 'created_at') stored
);
create index payout_file_list_created on read.payout_file_list (created, key);
