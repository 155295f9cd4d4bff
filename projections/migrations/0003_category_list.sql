-- The tree of categories.
create table read.category_list (
    key      text    not null primary key collate "C",
    row      json    not null,
    position bigint  not null,
    parent   text    collate "C" generated always as (row ->> 'parent') stored,
    name     text    collate "C" generated always as (lower(row ->> 'name')) stored,
    archived boolean generated always as ((row ->> 'archived')::boolean) stored
);
create index category_list_name on read.category_list (name, key);
create index category_list_parent on read.category_list (parent, name, key);
