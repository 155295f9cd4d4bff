-- What was sold, one row per document (order, credit note) or day (losses), summed when asked for. So no two events
-- of different orders ever touch the same row, and an order that is cancelled takes its own row back.
create table read.sales (
    key              text   not null primary key collate "C",
    row              json   not null,
    position         bigint not null,
    day              text   collate "C" generated always as (row ->> 'day') stored,
    country          text   collate "C" generated always as (row ->> 'country') stored,
    currency         text   collate "C" generated always as (row ->> 'currency') stored,
    orders           bigint generated always as ((row ->> 'orders')::bigint) stored,
    units            bigint generated always as ((row ->> 'units')::bigint) stored,
    gross            bigint generated always as ((row ->> 'gross')::bigint) stored,
    cancelled_orders bigint generated always as ((row ->> 'cancelled_orders')::bigint) stored,
    cancelled        bigint generated always as ((row ->> 'cancelled')::bigint) stored,
    credit_notes     bigint generated always as ((row ->> 'credit_notes')::bigint) stored,
    credited         bigint generated always as ((row ->> 'credited')::bigint) stored,
    lost_units       bigint generated always as ((row ->> 'lost_units')::bigint) stored
);
create index sales_sums on read.sales (day, country, currency)
    include (orders, units, gross, cancelled_orders, cancelled, credit_notes, credited, lost_units);
