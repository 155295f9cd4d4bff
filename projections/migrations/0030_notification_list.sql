-- Every notification in one line, without anything personal. `queued_at` is RFC 3339 with six digits after the second, so
-- its texts sort as its times.
create table read.notification_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    account  text collate "C" generated always as (row ->> 'account') stored,
    state    text collate "C" generated always as (row ->> 'state') stored,
    queued   text collate "C" generated always as (row ->> 'queued_at') stored
);
create index notification_list_queued on read.notification_list (queued, key);
create index notification_list_account on read.notification_list (account, queued, key) where account is not null;
-- Nearly all are sent; these are looked for.
create index notification_list_state on read.notification_list (state, queued, key) where state <> 'sent';
