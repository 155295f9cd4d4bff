-- Orders by what became of their goods.
alter table read.order_list add column fulfilment text collate "C" generated always as (row ->> 'fulfilment') stored;
create index order_list_fulfilment on read.order_list (fulfilment, placed, key);
