-- Entries are found by the sellers that have a part in them, also those of which nothing is owed: a sale that is all commission.
create function read.ledger_parties(line json) returns text[]
    language sql immutable strict parallel safe
    return (select array_agg(distinct account)
            from (select posting ->> 'account' as account
                  from json_array_elements(line -> 'entry' -> 'lines') as lines(posting)
                  union all
                  select 'seller_payable/' || (share ->> 'seller')
                  from json_array_elements(line -> 'sellers') as shares(share)) as accounts
            where account like 'seller_payable/%');

alter table read.ledger drop column sellers;
alter table read.ledger add column sellers text[] collate "C" generated always as (read.ledger_parties(row)) stored;
create index ledger_sellers on read.ledger using gin (sellers) where sellers is not null;
drop function read.ledger_sellers(json);
