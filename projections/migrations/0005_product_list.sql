-- Every product as it is shown. `created` is RFC 3339 with six digits after the second, so its texts sort as its times.
create table read.product_list (
    key       text     not null primary key collate "C",
    row       json     not null,
    position  bigint   not null,
    status    text     collate "C" generated always as (row ->> 'status') stored,
    category  text     collate "C" generated always as (row ->> 'category') stored,
    title     text     collate "C" generated always as (lower(row ->> 'title')) stored,
    price_min bigint   generated always as ((row -> 'price_min' ->> 'amount')::bigint) stored,
    price_max bigint   generated always as ((row -> 'price_max' ->> 'amount')::bigint) stored,
    created   text     collate "C" generated always as (row ->> 'created_at') stored,
    -- A word in the title weighs more than one in the description. Codes are words as they stand, never stems.
    search    tsvector generated always as (
        setweight(to_tsvector('english'::regconfig, row ->> 'title'), 'A')
        || setweight(to_tsvector('english'::regconfig, row ->> 'description'), 'C')
        || setweight(jsonb_to_tsvector('simple'::regconfig, jsonb_path_query_array(row::jsonb, '$.variants[*].sku'), '["string"]'), 'B')
    ) stored
);
create index product_list_created on read.product_list (status, created, key);
create index product_list_price on read.product_list (status, price_min, key);
create index product_list_title on read.product_list (status, title, key);
create index product_list_category on read.product_list (category, status);
create index product_list_search on read.product_list using gin (search);
