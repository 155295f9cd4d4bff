-- The number of the invoice of an order.
alter table read.order_list add column invoice text collate "C" generated always as (row ->> 'invoice') stored;
create index order_list_invoice on read.order_list (invoice) where invoice is not null;
