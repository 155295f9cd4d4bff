-- The log: the only truth of the shop. Everything in schema "read" can be rebuilt from here.
create schema if not exists log;

-- `data` and `meta` are json, not jsonb: the stored text is the text that the leaf hash covers.
create table log.event (
    position    bigint      not null primary key,
    id          uuid        not null,
    category    text        not null collate "C",
    stream      uuid        not null,
    version     bigint      not null check (version > 0),
    type        text        not null collate "C",
    schema      smallint    not null check (schema > 0),
    data        json        not null,
    meta        json        not null,
    correlation uuid        not null,
    recorded_at timestamptz not null,
    leaf        bytea       not null check (octet_length(leaf) = 32),
    constraint event_stream_version unique (category, stream, version)
);

-- Both columns grow with the position, save for late effects, so a few summaries per block range find
-- what a b-tree would, at almost no cost to the append.
create index event_chain on log.event using brin (correlation uuid_minmax_multi_ops, recorded_at timestamptz_minmax_multi_ops)
    with (autosummarize = on, pages_per_range = 32);

create function log.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'log.event is append-only: % is not allowed', tg_op using errcode = 'insufficient_privilege';
end $$;
create trigger event_rows_stay before update or delete on log.event for each row execute function log.refuse_change();
create trigger event_table_stays before truncate on log.event for each statement execute function log.refuse_change();

-- The last position. Its only row is locked first in every append, which makes positions gapless and their order the
-- order of commits: no reader can see position N+1 before N.
create table log.head (
    only_row boolean not null primary key default true check (only_row),
    position bigint  not null
);
insert into log.head (position) values (0);

-- Every command that came with an idempotency key, and the first answer to it.
create table log.receipt (
    who            text        not null collate "C",
    key            text        not null collate "C",
    fingerprint    bytea       not null,
    first_position bigint,
    last_position  bigint,
    response       text        not null,
    recorded_at    timestamptz not null,
    primary key (who, key)
);

-- The leaf hash at a position: how a view proves that its checkpoint lies on this log.
create function log.leaf_at(p_position bigint) returns bytea language sql stable as $$
    select e.leaf from log.event e where e.position = p_position
$$;

-- Appends a batch of appends, numbered 1.. in their order, in one transaction.
--
-- x_*: what each append expects: the version that the stream has in the table when the batch starts. (The caller has
--      already subtracted the events that earlier appends of the same batch add to that stream.)
-- e_*: the events, in order. Their versions were given by the caller, since the leaf hash covers them.
-- r_*: the receipts; r_first and r_last number the append's own events among those of the batch, null when it has none.
--
-- Gives the last position before the batch, and the appends that were not written: duplicates, whose receipt is there
-- already, and conflicts, of which an expectation does not hold or an earlier append that they build on was not written.
-- Everything else stands at the positions that follow, in order.
create function log.append(
    x_append int[], x_category text[], x_stream uuid[], x_version bigint[],
    e_append int[], e_id uuid[], e_category text[], e_stream uuid[], e_version bigint[], e_type text[], e_schema smallint[],
    e_data text[], e_meta text[], e_correlation uuid[], e_recorded_at timestamptz[], e_leaf bytea[],
    r_append int[], r_who text[], r_key text[], r_fingerprint bytea[], r_response text[], r_recorded_at timestamptz[],
    r_first bigint[], r_last bigint[],
    out before bigint, out duplicates int[], out conflicts int[]
) language plpgsql as $$
declare
    refused int[];
    added   int[];
    skipped bigint[] := '{}';
    total   bigint   := cardinality(e_id);
begin
    select h.position into before from log.head h for update;

    duplicates := '{}';
    if r_append <> '{}' then
        duplicates := array(
            select r.a from unnest(r_append, r_who, r_key) r(a, who, key)
            where exists (select from log.receipt t where t.who = r.who and t.key = r.key));
    end if;

    conflicts := array(
        select distinct x.a from unnest(x_append, x_category, x_stream, x_version) x(a, category, stream, version)
        where coalesce((
            select e.version from log.event e
            where e.category = x.category and e.stream = x.stream
            order by e.version desc limit 1), 0) <> x.version);
    refused := duplicates || conflicts;

    if refused = '{}' then
        insert into log.event (position, id, category, stream, version, type, schema, data, meta, correlation, recorded_at, leaf)
        select before + e.n, e.id, e.category, e.stream, e.version, e.type, e.schema,
               e.data::json, e.meta::json, e.correlation, e.recorded_at, e.leaf
        from unnest(e_id, e_category, e_stream, e_version, e_type, e_schema, e_data, e_meta, e_correlation, e_recorded_at, e_leaf)
             with ordinality e(id, category, stream, version, type, schema, data, meta, correlation, recorded_at, leaf, n);
    else
        -- What builds on a refused append is refused with it.
        loop
            added := array(
                select distinct x.a
                from unnest(x_append, x_category, x_stream) x(a, category, stream)
                join unnest(e_append, e_category, e_stream) e(a, category, stream)
                  on e.category = x.category and e.stream = x.stream and e.a < x.a
                where e.a = any (refused) and x.a <> all (refused));
            exit when added = '{}';
            conflicts := conflicts || added;
            refused := refused || added;
        end loop;

        insert into log.event (position, id, category, stream, version, type, schema, data, meta, correlation, recorded_at, leaf)
        select before + row_number() over (order by e.n), e.id, e.category, e.stream, e.version, e.type, e.schema,
               e.data::json, e.meta::json, e.correlation, e.recorded_at, e.leaf
        from unnest(e_append, e_id, e_category, e_stream, e_version, e_type, e_schema, e_data, e_meta, e_correlation, e_recorded_at, e_leaf)
             with ordinality e(a, id, category, stream, version, type, schema, data, meta, correlation, recorded_at, leaf, n)
        where e.a <> all (refused)
        order by e.n;
        get diagnostics total = row_count;
        skipped := array(select e.n from unnest(e_append) with ordinality e(a, n) where e.a = any (refused));
    end if;

    if r_append <> '{}' then
        -- Every refused event before a receipt's own moves its positions down by one.
        insert into log.receipt (who, key, fingerprint, first_position, last_position, response, recorded_at)
        select r.who, r.key, r.fingerprint, before + r.first - s.moved, before + r.last - s.moved, r.response, r.recorded_at
        from unnest(r_append, r_who, r_key, r_fingerprint, r_response, r_recorded_at, r_first, r_last)
             r(a, who, key, fingerprint, response, recorded_at, first, last)
        cross join lateral (select count(*) as moved from unnest(skipped) k(n) where k.n < r.first) s
        where r.a <> all (refused);
    end if;

    if total > 0 then
        update log.head h set position = before + total;
    end if;
end $$;
