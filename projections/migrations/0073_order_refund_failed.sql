-- Orders with a refund that failed and was not tried again: few, and looked for.
alter table read.order_list add column refund_failed boolean generated always as ((row -> 'refunds_failed') is not null) stored;
create index order_list_refund_failed on read.order_list (placed, key) where refund_failed;
