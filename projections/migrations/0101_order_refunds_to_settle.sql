-- Orders with a refund that waits for staff: few, and looked for.
alter table read.order_list
    add column refunds_to_settle boolean
        generated always as (coalesce(json_array_length(row -> 'refunds_to_settle'), 0) > 0) stored;
create index order_list_refunds_to_settle on read.order_list (placed, key) where refunds_to_settle;
