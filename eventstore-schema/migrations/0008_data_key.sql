-- Which key of the configuration wraps the keys of people from now on. Whoever stores a key holds this row shared, so that a
-- rotation that changed it meets every key that was wrapped before.
create table log.data_key (
    only_row   boolean     not null primary key default true check (only_row),
    current    text        not null collate "C",
    rotated_at timestamptz not null
);

-- Whether somebody was erased since the last rotation, and who was.
create index subject_key_erased on log.subject_key (erased_at) where erased_at is not null;
