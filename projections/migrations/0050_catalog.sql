-- Categories come in the order that people gave them, and equals by name.
drop index read.category_list_name;
drop index read.category_list_parent;
alter table read.category_list add column rank bigint generated always as (coalesce((row ->> 'rank')::bigint, 0)) stored;
create index category_list_name on read.category_list (rank, name, key);
create index category_list_parent on read.category_list (parent, rank, name, key);
create index category_list_position on read.category_list (position);

-- The words of a product. The configuration `russian` stems Cyrillic words as Russian and Latin ones as English, so it serves
-- both languages. Words of titles are there as they stand, too, so that the first letters of one find it; and codes whole.
create function read.product_words(product json) returns tsvector immutable parallel safe language sql
set search_path = pg_catalog as $$
    select setweight(to_tsvector('russian', it.title), 'A')
        || setweight(to_tsvector('simple', it.title), 'A')
        || setweight(jsonb_to_tsvector('russian', jsonb_path_query_array(it.product, '$.attributes.*'), '["string"]'), 'B')
        || setweight(jsonb_to_tsvector('russian', jsonb_path_query_array(it.product, '$.variants[*].options.*'), '["string"]'), 'B')
        || setweight(to_tsvector('russian', it.description), 'D')
        || array_to_tsvector(array(
            select distinct lower(code #>> '{}') from jsonb_path_query(it.product, '$.variants[*].sku') code
        ))
    from (
        select product::jsonb as product,
               translate(product ->> 'title', 'ёЁ', 'ее') as title,
               translate(product ->> 'description', 'ёЁ', 'ее') as description
    ) it
$$;

-- What is filtered, counted and sorted by is kept in memory by those who answer; here are its words, and what is new.
alter table read.product_list
    drop column search,
    drop column category,
    drop column title,
    drop column price_min,
    drop column price_max,
    drop column created,
    -- The position of the event that it was created with: a short name of the product.
    add column serial bigint generated always as ((row ->> 'serial')::bigint) stored,
    add column search tsvector generated always as (read.product_words(row)) stored;
create index product_list_search on read.product_list using gin (search);
create index product_list_position on read.product_list (position);
create index stock_level_position on read.stock_level (position);
