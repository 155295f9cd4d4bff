-- The key of each person whose data is sealed in events, itself wrapped by a key of the configuration. Without its row's
-- `wrapped`, what was sealed with it is gone for good; the row stays, so that no new key ever takes its place.
create table log.subject_key (
    subject    uuid        not null primary key,
    wrapped    bytea,
    -- Which key of the configuration wraps it.
    wrapped_by text        not null collate "C",
    created_at timestamptz not null,
    erased_at  timestamptz,
    check ((wrapped is null) = (erased_at is not null))
);
