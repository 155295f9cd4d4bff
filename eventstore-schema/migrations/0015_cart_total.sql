-- The total of a cart that its owner was last shown, so that a checkout at another one can be refused. It is no fact about the
-- shop, only what an answer said, so it is not in the log: losing a row means that the next checkout is not compared.
create table log.cart_total (
    cart     uuid        primary key,
    amount   bigint      not null,
    currency text        not null,
    shown_at timestamptz not null
);
create index cart_total_shown_at on log.cart_total (shown_at);
