-- The general ledger: one row per event that moves money. The lines of an entry are columns, too, as a trial balance adds up
-- all of them; `at` is RFC 3339 with six digits after the second, so its texts sort as its times.
create function read.ledger_accounts(entry json) returns text[]
    language sql immutable strict parallel safe
    return (select array_agg(line ->> 'account' order by number)
            from json_array_elements(entry -> 'lines') with ordinality as lines(line, number));

create function read.ledger_amounts(entry json) returns bigint[]
    language sql immutable strict parallel safe
    return (select array_agg((line -> 'debit' ->> 'amount')::bigint - (line -> 'credit' ->> 'amount')::bigint order by number)
            from json_array_elements(entry -> 'lines') with ordinality as lines(line, number));

create table read.ledger (
    key      text   not null primary key collate "C",
    row      json   not null,
    position bigint not null,
    posted   bigint generated always as ((row -> 'entry' ->> 'position')::bigint) stored,
    at       text   collate "C" generated always as (row -> 'entry' ->> 'at') stored,
    kind     text   collate "C" generated always as (row -> 'entry' ->> 'kind') stored,
    of_order text   collate "C" generated always as (row -> 'entry' ->> 'order') stored,
    currency text   collate "C" generated always as (row -> 'entry' ->> 'currency') stored,
    accounts text[] collate "C" generated always as (read.ledger_accounts(row -> 'entry')) stored,
    amounts  bigint[] generated always as (read.ledger_amounts(row -> 'entry')) stored
);
create index ledger_posted on read.ledger (posted) where posted is not null;
create index ledger_at on read.ledger (at) where posted is not null;
create index ledger_order on read.ledger (of_order, posted) where posted is not null;
