//! Rotation of the data key: creates a new one, encrypts every subject key with it, and destroys the old one. After
//! that, the keys of erased people in older pages of the database, its write-ahead log and its backups cannot be
//! decrypted.
//!
//! ```text
//! file [old]     ──▶ file [new, old]      ──▶ database: new wraps  ──▶ every key is wrapped by new ──▶ file [new]
//! ```
//!
//! Each step is durable before the next one, and the file always has a data key for every subject key in the database,
//! so a crash at any point loses nothing; the next rotation continues where it stopped. Processes read the file again
//! when they find a subject key whose data key they do not have.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use byteshop_domain::Subject;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Connection as _;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::personal::{DataKeys, KeyName, SealError};
use crate::subject::Row;
use crate::{Connection, Log, Vault};

/// The number of keys that are re-encrypted in one transaction.
const REWRAP: i64 = 1_000;
/// The advisory lock for a rotation; the number is arbitrary.
const LOCK: i64 = 0x6279_7465_6b65_7973;
/// The minimum time between a rotation and the next one, which is due if a person was erased in the meantime.
const EVERY: TimeDelta = TimeDelta::days(1);

/// Why the data key could not be rotated. Nothing is lost: the next attempt continues where this one stopped.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Another program rotates it right now.
    #[error("another program is rotating the data key")]
    Busy,
    /// The file of the keys could not be read or written.
    #[error("the data keys in {} cannot be changed: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Some keys are still encrypted with another data key.
    #[error("{0} subject keys are still encrypted with an older data key: rotate again")]
    Left(i64),
    /// Postgres did not answer, or the keys are not those of this log.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for RotateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<SealError> for RotateError {
    fn from(error: SealError) -> Self {
        Self::Store(error.into())
    }
}

/// The result of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// The key that wraps now.
    pub current: KeyName,
    /// The number of subject keys that were re-encrypted.
    pub rewrapped: u64,
}

/// Rotates the data key that is kept in a file, while the shop runs or not.
///
/// # Errors
/// [`RotateError`]; nothing is lost by it.
pub async fn rotate_file(log: &Log, file: &Path) -> Result<Rotated, RotateError> {
    let failed = |source| RotateError::File { file: file.to_owned(), source };
    let mut lock = hold(log).await?;
    let known = DataKeys::parse(&fs::read_to_string(file).map_err(failed)?)?;
    // The keys of another log would be put beside those of this one.
    Vault::new(log.clone(), known.clone()).check().await?;
    // With two keys, an earlier rotation was interrupted: it continues.
    let keys = if known.count() == 1 {
        let keys = known.with_new()?;
        replace(file, &keys).map_err(failed)?;
        keys
    } else {
        known
    };
    let rotated = turn(log, &keys).await?;
    replace_and_destroy(file, &keys.newest()).map_err(failed)?;
    release(&mut lock).await;
    Ok(rotated)
}

/// Wraps every key by the first of the given ones; the others are of no use afterwards.
///
/// # Errors
/// [`RotateError`]; nothing is lost by it.
pub async fn rotate_given(log: &Log, keys: &DataKeys) -> Result<Rotated, RotateError> {
    let mut lock = hold(log).await?;
    Vault::new(log.clone(), keys.clone()).check().await?;
    let rotated = turn(log, keys).await?;
    release(&mut lock).await;
    Ok(rotated)
}

/// Whether the keys that wrap are the first of these, and nothing is wrapped by another.
///
/// # Errors
/// [`StoreError::Postgres`] when Postgres does not answer.
pub async fn is_turned(log: &Log, keys: &DataKeys) -> Result<bool, StoreError> {
    let wraps: Option<String> =
        sqlx::query_scalar("select current from log.data_key").fetch_optional(log.pool()).await?;
    let current = keys.current()?;
    Ok(wraps.is_none_or(|wraps| wraps == current.to_string()) && left(log, current).await? == 0)
}

/// Whether a person was erased since the last rotation, and that rotation is old enough.
///
/// # Errors
/// [`StoreError::Postgres`] when Postgres does not answer.
pub async fn is_due(log: &Log, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let rotated_at: Option<DateTime<Utc>> =
        sqlx::query_scalar("select rotated_at from log.data_key").fetch_optional(log.pool()).await?;
    let erased_at: Option<DateTime<Utc>> =
        sqlx::query_scalar("select max(erased_at) from log.subject_key where erased_at is not null")
            .fetch_one(log.pool())
            .await?;
    Ok(due(rotated_at, erased_at, now))
}

fn due(rotated_at: Option<DateTime<Utc>>, erased_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    let Some((rotated_at, erased_at)) = rotated_at.zip(erased_at) else { return false };
    erased_at > rotated_at && now - rotated_at >= EVERY
}

/// Locks the rotation for this program, until the connection ends.
async fn hold(log: &Log) -> Result<Connection, RotateError> {
    let mut connection = log.connect().await?;
    let held: bool =
        sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut connection).await?;
    if held { Ok(connection) } else { Err(RotateError::Busy) }
}

async fn release(lock: &mut Connection) {
    // It ends with the connection too.
    let _ = sqlx::query("select pg_advisory_unlock($1)").bind(LOCK).execute(lock).await;
}

async fn turn(log: &Log, keys: &DataKeys) -> Result<Rotated, RotateError> {
    let current = keys.current()?;
    // Waits for every key that is being stored, and from now on none is wrapped by another.
    sqlx::query("update log.data_key set current = $1, rotated_at = $2")
        .bind(current.to_string())
        .bind(Clock.now())
        .execute(log.pool())
        .await?;
    let rewrapped = rewrap(log, keys).await?;
    match left(log, current).await? {
        0 => Ok(Rotated { current, rewrapped }),
        left => Err(RotateError::Left(left)),
    }
}

async fn left(log: &Log, current: KeyName) -> Result<i64, StoreError> {
    let left = "select count(*) from log.subject_key where wrapped is not null and wrapped_by <> $1";
    Ok(sqlx::query_scalar(left).bind(current.to_string()).fetch_one(log.pool()).await?)
}

/// Re-encrypts every subject key that an older data key encrypts. Returns their number.
async fn rewrap(log: &Log, keys: &DataKeys) -> Result<u64, RotateError> {
    let current = keys.current()?;
    let mut after = None;
    let mut count = 0;
    loop {
        let mut connection = log.pool().acquire().await?;
        let mut transaction = connection.begin().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "select subject, wrapped, wrapped_by from log.subject_key
              where ($1::uuid is null or subject > $1) and wrapped is not null and wrapped_by <> $3
              order by subject limit $2 for update",
        )
        .bind(after)
        .bind(REWRAP)
        .bind(current.to_string())
        .fetch_all(&mut *transaction)
        .await?;
        let Some(last) = rows.last() else { return Ok(count) };
        after = Some(last.subject);
        for row in rows {
            count += u64::from(rewrap_in(&mut transaction, keys, row).await?);
        }
        transaction.commit().await?;
    }
}

async fn rewrap_in(connection: &mut Connection, keys: &DataKeys, row: Row) -> Result<bool, StoreError> {
    let Some(by) = KeyName::read(&row.wrapped_by).filter(|by| !keys.is_current(*by)) else { return Ok(false) };
    let subject = Subject(row.subject);
    let Some(wrapped) = row.wrapped else { return Ok(false) };
    let key = keys.unwrap(subject, wrapped, by)?;
    let (wrapped, by) = keys.wrap(subject, &key)?;
    sqlx::query("update log.subject_key set wrapped = $2, wrapped_by = $3 where subject = $1")
        .bind(subject.0)
        .bind(wrapped)
        .bind(by.to_string())
        .execute(connection)
        .await?;
    Ok(true)
}

/// Replaces the keys in the file, atomically and durably.
fn replace(file: &Path, keys: &DataKeys) -> std::io::Result<()> {
    let beside = beside(file, &format!("{}.new", Clock.new_id().simple()));
    let owner = fs::metadata(file)?;
    let mut fresh = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    let written = fresh
        .write_all(keys.to_text().as_bytes())
        .and_then(|()| fresh.sync_all())
        // Root may rotate the key of a shop that another user runs.
        .and_then(|()| chown(&beside, Some(owner.uid()), Some(owner.gid())))
        .and_then(|()| fs::rename(&beside, file));
    if let Err(error) = written {
        // What was in the way is told; the keys are in the file as before.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    sync_directory(file)
}

/// The same, and overwrites the file that was there before: its blocks would keep the old keys until something else needs them.
fn replace_and_destroy(file: &Path, keys: &DataKeys) -> std::io::Result<()> {
    let old = beside(file, "old");
    // Left by a rotation that was cut short just here.
    if old.exists() {
        destroy(&old)?;
    }
    fs::hard_link(file, &old)?;
    replace(file, keys)?;
    destroy(&old)
}

fn destroy(old: &Path) -> std::io::Result<()> {
    let length = fs::metadata(old)?.len();
    let mut open = OpenOptions::new().write(true).open(old)?;
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), length), &mut open)?;
    open.sync_all()?;
    fs::remove_file(old)?;
    sync_directory(old)
}

/// A name beside the file's, which says what it is.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    file.with_file_name(name)
}

fn sync_directory(file: &Path) -> std::io::Result<()> {
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_due_a_day_after_the_last_one_if_somebody_was_erased() {
        let at = |hours: i64| DateTime::from_timestamp(1_767_268_800 + hours * 3_600, 0);
        let now = at(30).unwrap();
        assert!(due(at(0), at(1), now));
        assert!(!due(at(0), None, now), "no one has been erased");
        assert!(!due(at(2), at(1), now), "no one has been erased since the last rotation");
        assert!(!due(at(7), at(8), now), "it was rotated less than a day ago");
        assert!(!due(None, at(1), now));
    }

    #[test]
    fn a_linked_old_file_is_overwritten_and_only_the_newest_key_stays() {
        let directory = std::env::temp_dir().join(format!("byteshop-rotate-{}", Clock.new_id().simple()));
        fs::create_dir(&directory).unwrap();
        let file = directory.join("data.key");
        let old = DataKeys::new([1; crate::personal::KEY], &[]);
        fs::write(&file, old.to_text()).unwrap();
        let both = old.with_new().unwrap();
        replace(&file, &both).unwrap();
        fs::hard_link(&file, directory.join("watched")).unwrap();
        replace_and_destroy(&file, &both.newest()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), both.newest().to_text());
        assert!(fs::read(directory.join("watched")).unwrap().iter().all(|byte| *byte == 0));
        let names: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        fs::remove_dir_all(&directory).unwrap();
    }
}
