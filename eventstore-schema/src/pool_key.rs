//! The keys of the pools: encrypted, beside the log, and found again by a keyed hash.
//!
//! The key that encrypts them is a subject key like those of people, whose subject is the pool. So the data key wraps it, a rotation
//! of the data key covers it, and the edge opens the keys of a response as it opens everything else that is sealed. It is never
//! destroyed, because a pool is no person.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use byteshop_domain::ids::{Id as _, VariantId};
use byteshop_domain::key_pool::{GENERATED, KeyRange, count_of};
use byteshop_domain::licence::KeyNumber;
use byteshop_domain::text::LicenceKey;
use byteshop_domain::{Personal, Subject};
use uuid::Uuid;

use crate::error::StoreError;
use crate::personal::{HASH, SubjectKey};
use crate::{Connection, Vault};

/// An import into a pool. There is one at a time, until this is dropped.
pub struct KeyImport {
    /// It holds the lock of the pool, so that keys cannot be added without the lock.
    connection: Connection,
    key: SubjectKey,
    pool: Uuid,
    added: i32,
}

impl std::fmt::Debug for KeyImport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyImport").field("pool", &self.pool).field("added", &self.added).finish_non_exhaustive()
    }
}

impl Vault {
    /// Starts an import into a pool; none while another one runs.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn import_keys(&self, pool: Uuid) -> Result<Option<KeyImport>, StoreError> {
        let mut connection = self.log().connect().await?;
        let held: bool =
            sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(lock(pool)).fetch_one(&mut connection).await?;
        if !held {
            return Ok(None);
        }
        // The event that the keys are imported is durable only together with everything before it.
        sqlx::query("set synchronous_commit to off").execute(&mut connection).await?;
        let key = self.key_of_pool(Subject(pool)).await?;
        Ok(Some(KeyImport { connection, key, pool, added: 0 }))
    }

    /// Adds generated keys to a pool, each under its number, unless that has a key already: whichever was written first is the key of
    /// its number. Gives the numbers that have none yet, because the pool has the same key under another one.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn add_generated_keys(&self, pool: Uuid, keys: &[(u32, LicenceKey)]) -> Result<Vec<u32>, StoreError> {
        let key = self.key_of_pool(Subject(pool)).await?;
        let (mut numbers, mut hashes, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
        for (number, text) in keys {
            numbers.push(signed(*number));
            hashes.push(key.hash_of_key(text.as_str()).to_vec());
            sealed.push(key.seal_bytes(Subject(pool), &serde_json::to_vec(text)?)?);
        }
        let lacking: Vec<i32> = sqlx::query_scalar(
            "with added as (
                 insert into log.pool_key (pool, batch, number, hash, sealed)
                 select $1, $2, number, hash, sealed
                   from unnest($3::integer[], $4::bytea[], $5::bytea[]) as new (number, hash, sealed)
                     on conflict do nothing
              returning number)
             select wanted
               from unnest($3::integer[]) as wanted
              where not exists (select from added where added.number = wanted)
                and not exists (select from log.pool_key known
                                 where known.pool = $1 and known.batch = $2 and known.number = wanted)",
        )
        .bind(pool)
        .bind(signed(GENERATED))
        .bind(&numbers)
        .bind(&hashes)
        .bind(&sealed)
        .fetch_all(self.log().pool())
        .await?;
        Ok(lacking.into_iter().filter_map(|number| u32::try_from(number).ok()).collect())
    }

    /// The numbers under which these variants have a key: at most one of each. Only its keyed hash is looked for.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn find_key(&self, variants: &[VariantId], key: &str) -> Result<Vec<KeyNumber>, StoreError> {
        let subjects: Vec<Subject> = variants.iter().map(|variant| Subject(variant.uuid())).collect();
        let (mut pools, mut hashes) = (Vec::new(), Vec::new());
        // A variant without a key to encrypt with has no pool.
        for (pool, secret) in self.keys(&subjects).await? {
            pools.push(pool.0);
            hashes.push(secret.hash_of_key(key).to_vec());
        }
        let found: Vec<(Uuid, i32, i32)> = sqlx::query_as(
            "select known.pool, known.batch, known.number
               from unnest($1::uuid[], $2::bytea[]) as wanted (pool, hash)
               join log.pool_key known on known.pool = wanted.pool and known.hash = wanted.hash
              order by known.pool",
        )
        .bind(&pools)
        .bind(&hashes)
        .fetch_all(self.log().pool())
        .await?;
        let number = |(pool, batch, number): (Uuid, i32, i32)| {
            let (batch, number) = (u32::try_from(batch).ok()?, u32::try_from(number).ok()?);
            Some(KeyNumber { variant: VariantId::from_uuid(pool), batch, number })
        };
        Ok(found.into_iter().filter_map(number).collect())
    }

    /// Some keys of a pool, still encrypted, in the order of the ranges.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when one of them is not there.
    pub async fn pool_keys(&self, pool: Uuid, keys: &[KeyRange]) -> Result<Vec<Personal<LicenceKey>>, StoreError> {
        let wanted = keys.iter().flat_map(|range| {
            (range.first..range.first.saturating_add(range.count)).map(|number| (range.batch, number))
        });
        let (batches, numbers): (Vec<i32>, Vec<i32>) =
            wanted.map(|(batch, number)| (signed(batch), signed(number))).unzip();
        // Each is looked up by itself: for a range of numbers Postgres might read the whole pool.
        let sealed: Vec<Option<Vec<u8>>> = sqlx::query_scalar(
            "select (select known.sealed
                       from log.pool_key known
                      where known.pool = $1 and known.batch = wanted.batch and known.number = wanted.number)
               from unnest($2::integer[], $3::integer[]) with ordinality as wanted (batch, number, place)
              order by wanted.place",
        )
        .bind(pool)
        .bind(batches)
        .bind(numbers)
        .fetch_all(self.log().pool())
        .await?;
        let sealed: Vec<Vec<u8>> = sealed.into_iter().flatten().collect();
        if i64::try_from(sealed.len()) != Ok(count_of(keys)) {
            return Err(StoreError::Unavailable("a key of a pool is missing beside the log".into()));
        }
        Ok(sealed.iter().map(|sealed| Personal::new(Subject(pool), &STANDARD.encode(sealed))).collect())
    }
}

impl KeyImport {
    /// Deletes the keys of batches that never were imported.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn delete(&mut self, batches: &[u32]) -> Result<(), StoreError> {
        let batches: Vec<i32> = batches.iter().copied().map(signed).collect();
        sqlx::query("delete from log.pool_key where pool = $1 and batch = any ($2)")
            .bind(self.pool)
            .bind(batches)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Adds keys to a batch; says of each whether it was added, or the pool has it already.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn add(&mut self, batch: u32, keys: &[LicenceKey]) -> Result<Vec<bool>, StoreError> {
        let hashes: Vec<[u8; HASH]> = keys.iter().map(|key| self.key.hash_of_key(key.as_str())).collect();
        let known: Vec<Vec<u8>> =
            sqlx::query_scalar("select hash from log.pool_key where pool = $1 and hash = any ($2)")
                .bind(self.pool)
                .bind(hashes.iter().map(<[u8; HASH]>::as_slice).collect::<Vec<_>>())
                .fetch_all(&mut self.connection)
                .await?;
        let mut known: HashSet<Vec<u8>> = known.into_iter().collect();
        let is_new: Vec<bool> = hashes.iter().map(|hash| known.insert(hash.to_vec())).collect();
        let (mut new, mut sealed) = (Vec::new(), Vec::new());
        for ((key, hash), _) in keys.iter().zip(&hashes).zip(&is_new).filter(|(_, is_new)| **is_new) {
            new.push(hash.as_slice());
            sealed.push(self.key.seal_bytes(Subject(self.pool), &serde_json::to_vec(key)?)?);
        }
        sqlx::query(
            "insert into log.pool_key (pool, batch, number, hash, sealed)
             select $1, $2, ($3 + place - 1)::integer, hash, sealed
               from unnest($4::bytea[], $5::bytea[]) with ordinality as new (hash, sealed, place)",
        )
        .bind(self.pool)
        .bind(signed(batch))
        .bind(i64::from(self.added))
        .bind(&new)
        .bind(&sealed)
        .execute(&mut self.connection)
        .await?;
        self.added = self.added.saturating_add(i32::try_from(new.len()).unwrap_or(i32::MAX));
        Ok(is_new)
    }

    /// How many keys were added.
    pub fn added(&self) -> i64 {
        i64::from(self.added)
    }
}

/// The advisory lock for imports into a pool: the random half of its id.
fn lock(pool: Uuid) -> i64 {
    let (_, random) = pool.as_u64_pair();
    random.cast_signed()
}

/// Numbers of batches and keys are far below the limit of both types.
fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
