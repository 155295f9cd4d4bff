-- Where each view stands. A view and its checkpoint move in one transaction.
create schema if not exists read;

create table read.checkpoint (
    view           text        not null primary key collate "C",
    version        int         not null,
    -- Raised when the rows are replaced or repaired, so that no worker goes on from what was before.
    epoch          bigint      not null default 1,
    position       bigint      not null default 0 check (position >= 0),
    -- The leaf hash at the position: another one in the log means another history.
    leaf           bytea,
    state          text        not null default 'live' check (state in ('live', 'parked', 'other_history')),
    error          text,
    error_position bigint,
    rate           bigint      not null default 0,
    moved_at       timestamptz not null default now()
) with (fillfactor = 50);
