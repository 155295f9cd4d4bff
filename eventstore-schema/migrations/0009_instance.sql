-- Which database this log was last known to be in, and since when and why payments wait for somebody to confirm it. A restored
-- backup brings the identity of another database along: of another server, timeline, database or table.
create table log.instance (
    only_row  boolean     not null primary key default true check (only_row),
    identity  text        not null collate "C",
    known_at  timestamptz not null,
    closed_at timestamptz,
    reason    text,
    check ((closed_at is null) = (reason is null))
);
