-- The plan of a function in PL/pgSQL is kept by its session; one in SQL is planned again by every statement that calls it.
create or replace function log.leaf_at(p_position bigint) returns bytea language plpgsql stable as $$
begin
    return (select e.leaf from log.event e where e.position = p_position);
end $$;
