-- Entries of the accounts of sellers are found by these accounts. Most entries have none of them, so the index is small.
create function read.ledger_sellers(entry json) returns text[]
    language sql immutable strict parallel safe
    return (select array_agg(line ->> 'account')
            from json_array_elements(entry -> 'lines') as lines(line)
            where line ->> 'account' like 'seller_payable/%');

alter table read.ledger add column sellers text[] collate "C" generated always as (read.ledger_sellers(row -> 'entry')) stored;
create index ledger_sellers on read.ledger using gin (sellers) where sellers is not null;
