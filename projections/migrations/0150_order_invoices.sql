-- The numbers of all invoices of an order.
create function read.order_invoices(numbers json) returns text[]
    language sql immutable strict parallel safe
    return (select array_agg(number) from json_array_elements_text(numbers) as numbers(number));

alter table read.order_list add column invoices text[] collate "C" generated always as (read.order_invoices(row -> 'invoices')) stored;
create index order_list_invoices on read.order_list using gin (invoices) where invoices is not null;
drop index read.order_list_invoice;
alter table read.order_list drop column invoice;
