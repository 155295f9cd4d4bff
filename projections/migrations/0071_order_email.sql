-- Orders of guests by the keyed hash of the e-mail address that they gave.
create table read.order_email (
    key        text   not null primary key collate "C",
    row        json   not null,
    position   bigint not null,
    email_hash text collate "C" generated always as (row ->> 'email_hash') stored
);
create index order_email_hash on read.order_email (email_hash);
