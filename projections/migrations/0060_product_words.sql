-- Who has which words is kept in memory, like everything else that products are found by; only phrases are looked up in the
-- rows, by their keys.
drop index read.product_list_search;
