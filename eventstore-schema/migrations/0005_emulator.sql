-- The books of the emulated payment provider. They are not the shop's: a real provider keeps its own, elsewhere. They lie
-- beside the log so that they outlive a crash of the shop, and so that a test can compare the two.
create schema if not exists emulator;

create table emulator.charge (
    reference  text        not null primary key collate "C",
    payment    uuid        not null,
    amount     bigint      not null check (amount >= 0),
    currency   text        not null collate "C",
    -- What becomes of it, as its token said.
    scenario   text        not null collate "C",
    state      text        not null collate "C"
        check (state in ('pending', 'authorized', 'captured', 'voided', 'declined', 'insufficient', 'cancelled', 'failed')),
    -- Whether it is taken together with its authorization.
    automatic  boolean     not null,
    made_at    timestamptz not null,
    -- When a pending one is decided, unless somebody decides it before.
    settles_at timestamptz not null
);

create table emulator.refund (
    reference text        not null collate "C" references emulator.charge,
    key       uuid        not null,
    amount    bigint      not null check (amount >= 0),
    made_at   timestamptz not null,
    primary key (reference, key)
);

-- What the emulator is yet to tell the shop.
create table emulator.notification (
    id        uuid        not null primary key,
    reference text        not null collate "C",
    payment   uuid        not null,
    due_at    timestamptz not null
);
create index notification_due on emulator.notification (due_at);

-- With what the emulator signs what it tells.
create table emulator.secret (
    only_row boolean not null primary key default true check (only_row),
    secret   bytea   not null
);
