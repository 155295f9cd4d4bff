-- The rows of these views call their fields as the API does, and have every one of them: what is unknown is null.
alter table read.order_list drop column account, drop column refund_failed;
alter table read.order_list
    add column account        text collate "C" generated always as (row ->> 'account') stored,
    add column refunds_failed boolean generated always as (json_array_length(row -> 'refunds_failed') > 0) stored;
create index order_list_account on read.order_list (account, placed, key) where account is not null;
create index order_list_refunds_failed on read.order_list (placed, key) where refunds_failed;

alter table read.notification_list drop column state;
alter table read.notification_list add column status text collate "C" generated always as (row ->> 'status') stored;
create index notification_list_status on read.notification_list (status, queued, key) where status <> 'sent';
