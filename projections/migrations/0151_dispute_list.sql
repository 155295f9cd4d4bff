-- Every dispute in one line, without its evidence. `opened` is RFC 3339 with six digits after the second, so its texts sort as its
-- times. Those of a seller are found by the sellers with a part of the order.
create function read.dispute_sellers(shares json) returns text[]
    language sql immutable strict parallel safe
    return (select array_agg(share ->> 'seller') from json_array_elements(shares) as all_shares(share));

create table read.dispute_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    sellers  text[] collate "C" generated always as (read.dispute_sellers(row -> 'shares')) stored,
    status   text collate "C" generated always as (row ->> 'status') stored,
    of_order text collate "C" generated always as (row ->> 'order') stored,
    opened   text collate "C" generated always as (row ->> 'opened_at') stored
);
create index dispute_list_opened on read.dispute_list (opened, key);
create index dispute_list_status on read.dispute_list (status, opened, key);
create index dispute_list_order on read.dispute_list (of_order, opened, key);
create index dispute_list_sellers on read.dispute_list using gin (sellers) where sellers is not null;
