-- Every return in one line, without anything personal. `requested` is RFC 3339 with six digits after the second, so its texts
-- sort as its times.
create table read.return_list (
    key       text   not null primary key collate "C",
    row       json   not null,
    position  bigint not null,
    status    text collate "C" generated always as (row ->> 'status') stored,
    of_order  text collate "C" generated always as (row ->> 'order') stored,
    requested text collate "C" generated always as (row ->> 'requested_at') stored
);
create index return_list_requested on read.return_list (requested, key);
create index return_list_status on read.return_list (status, requested, key);
create index return_list_order on read.return_list (of_order, requested, key);
