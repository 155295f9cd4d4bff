-- Receipts of callers expire; those of processes, the import and the demo shop are kept, as only they make a repeated step harmless.
alter table log.receipt add column expires_at timestamptz;

-- What accounts ("acc_…"), API keys ("key_…"), guests ("cart:…") and anonymous callers (a keyed hash of their address) left before.
update log.receipt set expires_at = recorded_at + interval '24 hours'
where who ~ '^(acc_|key_|cart:)' or who ~ '^[0-9a-f]{64}$';

create index receipt_expiry on log.receipt (expires_at) where expires_at is not null;

-- As before (0001), with the moment at which each receipt expires. The function of before stays for programs of an older version that
-- run during an upgrade: their receipts are kept.
create function log.append(
    x_append int[], x_category text[], x_stream uuid[], x_version bigint[],
    e_append int[], e_id uuid[], e_category text[], e_stream uuid[], e_version bigint[], e_type text[], e_schema smallint[],
    e_data text[], e_meta text[], e_correlation uuid[], e_recorded_at timestamptz[], e_leaf bytea[],
    r_append int[], r_who text[], r_key text[], r_fingerprint bytea[], r_response text[], r_recorded_at timestamptz[],
    r_first bigint[], r_last bigint[], r_expires_at timestamptz[],
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
        insert into log.receipt (who, key, fingerprint, first_position, last_position, response, recorded_at, expires_at)
        select r.who, r.key, r.fingerprint, before + r.first - s.moved, before + r.last - s.moved, r.response, r.recorded_at, r.expires_at
        from unnest(r_append, r_who, r_key, r_fingerprint, r_response, r_recorded_at, r_first, r_last, r_expires_at)
             r(a, who, key, fingerprint, response, recorded_at, first, last, expires_at)
        cross join lateral (select count(*) as moved from unnest(skipped) k(n) where k.n < r.first) s
        where r.a <> all (refused);
    end if;

    if total > 0 then
        update log.head h set position = before + total;
    end if;
end $$;
