-- Promotions of a seller, for its own list.
alter table read.promotion_list
    add column seller text collate "C" generated always as (row -> 'terms' ->> 'seller') stored;
create index promotion_list_seller on read.promotion_list (seller, key) where seller is not null;
