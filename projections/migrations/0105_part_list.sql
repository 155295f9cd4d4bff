-- Orders with parts of sellers, without anything personal. `stages` has the seller and the statuses of each part: rows are found by
-- what one of its elements contains. `placed` is RFC 3339 with six digits after the second, so its texts sort as its times.
create table read.part_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    number   text collate "C" generated always as (row ->> 'number') stored,
    placed   text collate "C" generated always as (row ->> 'placed_at') stored,
    stages   jsonb generated always as ((row -> 'stages')::jsonb) stored
);
create index part_list_placed on read.part_list (placed, key);
create index part_list_stages on read.part_list using gin (stages jsonb_path_ops);
