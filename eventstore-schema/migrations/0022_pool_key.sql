-- The keys of the pools, each encrypted with the subject key of its pool. They lie beside the log, so that no event, view or
-- message holds one; the events of a pool say which numbers of which batches are assigned, withdrawn or revoked. Rows of a batch
-- that no event calls imported are left over from an import that was broken off: the next import into the pool deletes them.
create table log.pool_key (
    -- The variant whose pool it is, also the subject of the key that encrypts.
    pool   uuid    not null,
    batch  integer not null,
    -- The number in its batch, from 0.
    number integer not null,
    -- A keyed hash, by which a key that is imported again is found.
    hash   bytea   not null,
    sealed bytea   not null,
    primary key (pool, batch, number)
);
create unique index pool_key_hash on log.pool_key (pool, hash);
