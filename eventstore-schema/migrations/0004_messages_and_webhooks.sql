-- Messages that development keeps and does not send. Each notification is kept once.
create table log.kept_message (
    number    bigint generated always as identity primary key,
    id        uuid        not null unique,
    channel   text        not null collate "C",
    recipient text        not null,
    subject   text        not null,
    text      text        not null,
    html      text,
    kept_at   timestamptz not null
);

-- How far the events have been delivered to each webhook endpoint. Not events themselves: they say what the shop did about
-- events, many times over, and nobody decides anything on them.
create table log.webhook_cursor (
    endpoint      uuid   not null primary key,
    -- Everything up to here was delivered, or is not wanted.
    position      bigint not null,
    -- How many deliveries were ever tried: the number of the last.
    deliveries    bigint not null default 0,
    -- How often the next wanted event was tried in vain, since when, and when it is tried again.
    attempts      integer not null default 0,
    failing_since timestamptz,
    retry_at      timestamptz,
    -- The version of the endpoint whose wish to start again from somewhere was last granted.
    rewound       bigint not null default 0
);

-- What was tried, the last of it; the number counts up within an endpoint.
create table log.webhook_delivery (
    endpoint    uuid        not null,
    number      bigint      not null,
    position    bigint      not null,
    event_type  text        not null collate "C",
    attempt     integer     not null,
    by_hand     boolean     not null,
    delivered   boolean     not null,
    -- What the endpoint answered; nothing when it did not.
    status      smallint,
    answer      text        not null,
    duration_ms integer     not null,
    at          timestamptz not null,
    primary key (endpoint, number)
);
