-- Every key of a program in one line. `created` is RFC 3339 with six digits after the second, so its texts sort as its times.
create table read.api_key_list (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    created  text collate "C" generated always as (row ->> 'created_at') stored
);
create index api_key_list_created on read.api_key_list (created, key);
