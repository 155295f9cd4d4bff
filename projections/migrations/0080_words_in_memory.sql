-- The process that answers splits texts into words by itself, in the form in which it reads what people type; Postgres only knows
-- the stems of words, which it is asked for.
alter table read.product_list drop column search;
drop function read.product_words(json);
