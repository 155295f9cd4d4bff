//! The vault: the keys of people, kept apart from the log so that they can be destroyed, and what is done with them.

mod files;
mod listed;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use byteshop_domain::Subject;
use byteshop_domain::personal::{MARK, Personal};
use lru::LruCache;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Log;
use crate::clock::Clock;
use crate::erased::ErasedList;
use crate::error::StoreError;
use crate::personal::{DataKeys, KEY, KeyName, SealError, SubjectKey};

/// Keys that are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("a positive number");
/// How long a cached key is used, and so how long another process may still show a person who was erased.
const FRESH: Duration = Duration::from_secs(5);
/// The subject of the key that hashes names: it is no person, so the key is never destroyed, and a rotation changes no
/// name.
const SHOP: Subject = Subject(Uuid::nil());
/// How often a new key is stored again because the data key was rotated meanwhile: rotations take longer than that.
const TRIES: u32 = 5;

/// The keys of people. Clones share everything.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    log: Log,
    keys: RwLock<DataKeys>,
    erased: OnceLock<Arc<dyn ErasedList>>,
    remembered: Mutex<LruCache<Subject, (Option<SubjectKey>, Instant)>>,
    blinding: tokio::sync::OnceCell<SubjectKey>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("keys", &*self.keys_now()).finish_non_exhaustive()
    }
}

pub(crate) struct Row {
    pub(crate) subject: Uuid,
    pub(crate) wrapped: Option<Vec<u8>>,
    pub(crate) wrapped_by: String,
}

crate::from_row!(Row { subject, wrapped, wrapped_by });

impl Vault {
    /// The vault beside a log.
    pub fn new(log: Log, keys: DataKeys) -> Self {
        let remembered = Mutex::new(LruCache::new(REMEMBERED));
        let (keys, erased, blinding) = (RwLock::new(keys), OnceLock::new(), tokio::sync::OnceCell::new());
        Self { inner: Arc::new(Inner { log, keys, erased, remembered, blinding }) }
    }

    /// The data key without which this log cannot be read; none when nothing was ever sealed.
    pub async fn key_in_use(log: &Log) -> Result<Option<KeyName>, StoreError> {
        let name = sqlx::query_scalar("select wrapped_by from log.subject_key where wrapped is not null limit 1");
        let name: Option<String> = name.fetch_optional(log.pool()).await?;
        Ok(name.as_deref().and_then(KeyName::read))
    }

    /// Makes sure that the configured keys are the ones that this shop's people are sealed with.
    ///
    /// # Errors
    /// [`SealError::OtherDataKey`] when they are not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.learn_current().await?;
        self.blinding().await.map(|_| ())
    }

    /// Seals a value with a person's key, which is made when they have none.
    ///
    /// # Errors
    /// [`SealError::Erased`] when the person's data was erased.
    pub async fn seal<T: Serialize>(&self, subject: Subject, value: &T) -> Result<Personal<T>, StoreError> {
        let key = self.key_or_new(subject).await?;
        let sealed = key.seal(subject, &serde_json::to_vec(value)?)?;
        Ok(Personal::new(subject, &sealed))
    }

    /// Opens a value; none when the person's data was erased.
    pub async fn open<T: DeserializeOwned>(&self, personal: &Personal<T>) -> Result<Option<T>, StoreError> {
        let subject = personal.subject();
        let Some(key) = self.keys(&[subject]).await?.remove(&subject) else { return Ok(None) };
        let plain = key.open(subject, personal.sealed())?;
        Ok(Some(serde_json::from_slice(&plain)?))
    }

    /// A JSON text with every sealed value in it opened; null where the person's data was erased.
    pub async fn open_json(&self, text: &str) -> Result<String, StoreError> {
        self.open_json_of(text).await.map(|(opened, _)| opened)
    }

    /// The same, with the people whose data was in it.
    pub async fn open_json_of(&self, text: &str) -> Result<(String, Vec<Subject>), StoreError> {
        let mut value: Value = serde_json::from_str(text)?;
        let mut subjects = Vec::new();
        walk(&mut value, &mut |subject, _| {
            subjects.push(subject);
            None
        });
        subjects.sort_unstable();
        subjects.dedup();
        let keys = self.keys(&subjects).await?;
        let mut outcome = Ok(());
        walk(&mut value, &mut |subject, sealed| {
            let Some(key) = keys.get(&subject) else { return Some(Value::Null) };
            let opened = key.open(subject, sealed).map_err(StoreError::from);
            let read = opened.and_then(|plain| serde_json::from_slice(&plain).map_err(StoreError::from));
            Some(read.unwrap_or_else(|error| {
                outcome = Err(error);
                Value::Null
            }))
        });
        outcome?;
        Ok((serde_json::to_string(&value)?, subjects))
    }

    /// A keyed hash in place of a personal text, such as an e-mail address that must be unique; it is useless without
    /// the shop's keys.
    pub async fn blind(&self, kind: &str, text: &str) -> Result<String, StoreError> {
        Ok(self.blinding().await?.blind(kind, text))
    }

    /// A key for one purpose, derived from the shop's own (HMAC-SHA256, RFC 2104): every process of the shop derives the same
    /// one, and it stays the same when the data key changes.
    pub async fn derive(&self, purpose: &str) -> Result<[u8; KEY], StoreError> {
        Ok(self.blinding().await?.derive(purpose))
    }

    /// Erases a person: nothing that was or will be sealed for them can be read again, and stored messages to them are
    /// deleted. False if the person was erased before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the list of the erased cannot be written: then nothing was done yet.
    pub async fn erase(&self, subject: Subject) -> Result<bool, StoreError> {
        let mut held = self.inner.log.pool().begin().await?;
        if let Some(list) = self.inner.erased.get() {
            // The request that erases and the process that makes sure of it do so at once; the list has everyone once.
            sqlx::query("select pg_advisory_xact_lock(hashtextextended('byteshop erase ' || $1, 0))")
                .bind(subject.0.to_string())
                .execute(&mut *held)
                .await?;
            let listed: Option<bool> =
                sqlx::query_scalar("select erased_at is not null from log.subject_key where subject = $1")
                    .bind(subject.0)
                    .fetch_optional(&mut *held)
                    .await?;
            // First, so that no backup of this database brings back who is not on the list.
            if listed != Some(true) {
                list.add(vec![subject]).await.map_err(StoreError::Unavailable)?;
            }
        }
        let erased = Self::destroy_key(&mut held, subject).await?;
        held.commit().await?;
        self.forget(subject).await?;
        Ok(erased)
    }

    /// Destroys a key, and what was kept in the clear for its person.
    pub(crate) async fn erase_key(&self, subject: Subject) -> Result<bool, StoreError> {
        let mut connection = self.inner.log.pool().acquire().await?;
        let erased = Self::destroy_key(&mut connection, subject).await?;
        drop(connection);
        self.forget(subject).await?;
        Ok(erased)
    }

    async fn destroy_key(connection: &mut PgConnection, subject: Subject) -> Result<bool, StoreError> {
        let erased = sqlx::query(
            "insert into log.subject_key (subject, wrapped, wrapped_by, created_at, erased_at) values ($1, null, '', $2, $2)
             on conflict (subject) do update set wrapped = null, erased_at = excluded.erased_at
              where subject_key.wrapped is not null",
        )
        .bind(subject.0)
        .bind(Clock.now())
        .execute(connection)
        .await?;
        Ok(erased.rows_affected() > 0)
    }

    /// Forgets what was kept in the clear for a person whose key is destroyed.
    async fn forget(&self, subject: Subject) -> Result<(), StoreError> {
        self.remembered().put(subject, (None, Instant::now()));
        // After the key: a message that is kept just now finds none.
        let kept = sqlx::query("delete from log.kept_message where person = $1").bind(subject.0);
        kept.execute(self.inner.log.pool()).await?;
        Ok(())
    }

    /// The key of a pool, which is made when it has none.
    pub(crate) async fn key_of_pool(&self, pool: Subject) -> Result<SubjectKey, StoreError> {
        self.key_or_new(pool).await
    }

    async fn blinding(&self) -> Result<&SubjectKey, StoreError> {
        self.inner.blinding.get_or_try_init(|| self.key_or_new(SHOP)).await
    }

    async fn key_or_new(&self, subject: Subject) -> Result<SubjectKey, StoreError> {
        if let Some(known) = self.recall(subject) {
            return known.ok_or(SealError::Erased.into());
        }
        let new = SubjectKey::random()?;
        for _ in 0..TRIES {
            let (wrapped, by) = self.keys_now().wrap(subject, &new)?;
            // Two who make the first key of a person at once get the same: the one that was stored. The row of the data key is
            // held until the key is stored, so that a rotation meets it.
            let row: Option<Row> = sqlx::query_as(
                "with wrapping as (select current from log.data_key for share)
                 insert into log.subject_key as k (subject, wrapped, wrapped_by, created_at)
                 select $1, $2, $3, $4 from wrapping where current = $3
                 on conflict (subject) do update set subject = excluded.subject
                 returning k.subject, k.wrapped, k.wrapped_by",
            )
            .bind(subject.0)
            .bind(wrapped)
            .bind(by.to_string())
            .bind(Clock.now())
            .fetch_optional(self.inner.log.pool())
            .await?;
            match row {
                Some(row) => return self.remember(row)?.ok_or(SealError::Erased.into()),
                // Another data key wraps by now.
                None => self.learn_current().await?,
            }
        }
        Err(StoreError::Unavailable("the data key keeps changing".into()))
    }

    /// Looks up the data key in use; the first one of the configuration if there is none yet.
    ///
    /// # Errors
    /// [`SealError::OtherDataKey`] when it is none of ours, nor of the file that ours are kept in.
    pub(crate) async fn learn_current(&self) -> Result<(), StoreError> {
        let first = self.keys_now().current()?;
        sqlx::query("insert into log.data_key (current, rotated_at) values ($1, $2) on conflict do nothing")
            .bind(first.to_string())
            .bind(Clock.now())
            .execute(self.inner.log.pool())
            .await?;
        let current: String =
            sqlx::query_scalar("select current from log.data_key").fetch_one(self.inner.log.pool()).await?;
        let current = KeyName::read(&current).ok_or(SealError::Broken)?;
        // Each lock is released before the next one is taken.
        let mut known = self.keys_mut().prefer(current);
        if !known && self.read_keys_again() {
            known = self.keys_mut().prefer(current);
        }
        if known { Ok(()) } else { Err(SealError::OtherDataKey(current).into()) }
    }

    /// Opens the key of a person, with the keys of the file when ours do not open it.
    pub(crate) fn unwrap(&self, subject: Subject, wrapped: Vec<u8>, by: KeyName) -> Result<SubjectKey, SealError> {
        let opened = self.keys_now().unwrap(subject, wrapped.clone(), by);
        match opened {
            Err(SealError::OtherDataKey(_)) if self.read_keys_again() => self.keys_now().unwrap(subject, wrapped, by),
            opened => opened,
        }
    }

    fn read_keys_again(&self) -> bool {
        let read = self.keys_now().read_again();
        let found = read.is_some();
        if let Some(keys) = read {
            *self.keys_mut() = keys;
        }
        found
    }

    pub(crate) fn keys_now(&self) -> RwLockReadGuard<'_, DataKeys> {
        self.inner.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys_mut(&self) -> RwLockWriteGuard<'_, DataKeys> {
        self.inner.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> &Log {
        &self.inner.log
    }

    /// Sets the list of the erased outside of the database, once; until then there is none.
    pub fn list_erased(&self, list: Arc<dyn ErasedList>) {
        if self.inner.erased.set(list).is_err() {
            tracing::error!("the list of the erased is already set");
        }
    }

    /// The list of those who were erased, if there is one.
    pub(crate) fn erased_list(&self) -> Option<&Arc<dyn ErasedList>> {
        self.inner.erased.get()
    }

    /// The keys of some people; those who were forgotten, or never had one, are missing.
    pub(crate) async fn keys(&self, subjects: &[Subject]) -> Result<BTreeMap<Subject, SubjectKey>, StoreError> {
        let mut keys = BTreeMap::new();
        let mut missing = Vec::new();
        for subject in subjects {
            match self.recall(*subject) {
                Some(Some(key)) => drop(keys.insert(*subject, key)),
                Some(None) => {}
                None => missing.push(subject.0),
            }
        }
        if missing.is_empty() {
            return Ok(keys);
        }
        let rows: Vec<Row> =
            sqlx::query_as("select subject, wrapped, wrapped_by from log.subject_key where subject = any ($1)")
                .bind(missing)
                .fetch_all(self.inner.log.pool())
                .await?;
        for row in rows {
            let subject = Subject(row.subject);
            if let Some(key) = self.remember(row)? {
                keys.insert(subject, key);
            }
        }
        Ok(keys)
    }

    fn remember(&self, row: Row) -> Result<Option<SubjectKey>, StoreError> {
        let subject = Subject(row.subject);
        let by = KeyName::read(&row.wrapped_by);
        let key = match (row.wrapped, by) {
            (Some(wrapped), Some(by)) => Some(self.unwrap(subject, wrapped, by)?),
            (Some(_), None) => return Err(SealError::Broken.into()),
            (None, _) => None,
        };
        self.remembered().put(subject, (key.clone(), Instant::now()));
        Ok(key)
    }

    /// The cached knowledge about a subject: none, erased, or the key.
    fn recall(&self, subject: Subject) -> Option<Option<SubjectKey>> {
        let mut remembered = self.remembered();
        let (key, since) = remembered.get(&subject)?;
        // Who was forgotten stays so.
        (key.is_none() || since.elapsed() < FRESH).then(|| key.clone())
    }

    fn remembered(&self) -> MutexGuard<'_, LruCache<Subject, (Option<SubjectKey>, Instant)>> {
        self.inner.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows every sealed value to `with`, and puts what it gives in its place.
fn walk(value: &mut Value, with: &mut impl FnMut(Subject, &str) -> Option<Value>) {
    match value {
        Value::Object(fields) => {
            if let Some((subject, sealed)) = sealed(fields) {
                if let Some(opened) = with(subject, sealed) {
                    *value = opened;
                }
                return;
            }
            fields.values_mut().for_each(|field| walk(field, with));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, with)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn sealed(fields: &serde_json::Map<String, Value>) -> Option<(Subject, &str)> {
    let sealed = fields.get(MARK)?.as_str()?;
    let subject = fields.get("subject")?.as_str()?.parse().ok()?;
    Some((Subject(subject), sealed))
}

#[cfg(test)]
mod tests;
