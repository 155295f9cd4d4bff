-- The number that people know an order by. Rows of before the view's second version have none until it is rebuilt.
alter table read.order_list add column number text collate "C" generated always as (row ->> 'number') stored;
create index order_list_number on read.order_list (number);
