-- Where JetStream stands against the log: sequence + base = position. One row per JetStream stream.
create table log.delivery (
    stream     text        not null primary key collate "C",
    base       bigint      not null check (base >= 0),
    created_at timestamptz not null,
    relayed    bigint      not null default 0
);

-- How far each process has reacted to the log, and the leaf hash there.
create table log.process (
    name     text   not null primary key collate "C",
    position bigint not null,
    leaf     bytea,
    -- The error that parked it, if it is parked.
    error    text
);

-- What a process wants done later. Derived from the log together with the process's position.
create table log.timer (
    process  text        not null collate "C",
    key      text        not null collate "C",
    due_at   timestamptz not null,
    step     text        not null,
    position bigint      not null,
    primary key (process, key)
);
create index timer_due on log.timer (process, due_at);
