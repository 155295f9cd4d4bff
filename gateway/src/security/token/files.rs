//! The files of token keys: a first key, and a directory with later ones.
//!
//! A new key verifies tokens at once and signs them only when every process has had the time to load it, so no process
//! receives a token that it cannot verify. An old key is removed when the last token that it signed has expired.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use byteshop_eventstore::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::key::{Key, KeyError, KeySet, LIFETIME, new_pem};
use crate::security::key_file::{KeyFileError, read_or_make};

/// How often a running shop looks at the files.
pub const POLL: Duration = Duration::from_secs(2);
/// How old a key must be to sign: some looks of every process, and clocks that are a little apart.
pub const SETTLED: TimeDelta = TimeDelta::seconds(10);
/// How long after its last token has expired a key goes.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// Where the keys are.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    first: First,
    directory: PathBuf,
}

#[derive(Debug, Clone)]
enum First {
    /// The key is in the configuration.
    Pem(String),
    /// The key is in a file that the configuration names.
    Given(PathBuf),
    /// The key is in a file that is created if it does not exist.
    Made(PathBuf),
}

/// A key as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The key id in tokens and in the key set.
    pub kid: String,
    /// Where it is; none when it is in the configuration.
    pub file: Option<PathBuf>,
    /// When it was made, if that is known.
    pub made_at: Option<DateTime<Utc>>,
    /// Whether it signs.
    pub signs: bool,
}

/// A key with what is known of it.
struct Found {
    key: Key,
    file: Option<PathBuf>,
    made_at: Option<DateTime<Utc>>,
    /// Whether it is ours to remove.
    ours: bool,
}

impl KeyFiles {
    /// A first key in PEM, and a directory with later ones.
    pub fn of_pem(pem: &str, directory: PathBuf) -> Self {
        Self { first: First::Pem(pem.to_owned()), directory }
    }

    /// A first key in a file that must be there, and a directory with later ones.
    pub fn given(file: PathBuf, directory: PathBuf) -> Self {
        Self { first: First::Given(file), directory }
    }

    /// A first key in a file that is made when there is no key at all, and a directory with later ones.
    pub fn of_file(file: PathBuf, directory: PathBuf) -> Self {
        Self { first: First::Made(file), directory }
    }

    /// Whether any key is there, without making one.
    pub fn exist(&self) -> bool {
        let first = match &self.first {
            First::Pem(_) => true,
            First::Given(file) | First::Made(file) => file.exists(),
        };
        first || self.later().is_ok_and(|later| !later.is_empty())
    }

    pub(super) fn read(&self, now: DateTime<Utc>) -> Result<KeySet, KeyError> {
        let found = self.found()?;
        let signing = signing(&found, now);
        KeySet::new(found.into_iter().map(|found| found.key).collect(), signing).ok_or(KeyError::Unreadable)
    }

    /// The keys, the oldest first.
    pub fn list(&self, now: DateTime<Utc>) -> Result<Vec<Listed>, KeyError> {
        let found = self.found()?;
        let signing = signing(&found, now);
        let listed = found.into_iter().enumerate().map(|(index, it)| Listed {
            kid: it.key.kid,
            file: it.file,
            made_at: it.made_at,
            signs: index == signing,
        });
        Ok(listed.collect())
    }

    /// Makes a new key, which signs as soon as everybody knows it.
    pub fn rotate(&self) -> Result<PathBuf, KeyError> {
        let file = self.directory.join(format!("{}.pem", Clock.new_id()));
        read_or_make(&file, new_pem)?;
        Ok(file)
    }

    /// Removes the keys whose tokens have all expired; gives their files.
    pub fn prune(&self, now: DateTime<Utc>) -> Result<Vec<PathBuf>, KeyError> {
        let found = self.found()?;
        let signing = signing(&found, now);
        let lifetime = TimeDelta::from_std(LIFETIME).unwrap_or(TimeDelta::hours(1));
        let mut removed = Vec::new();
        for pair in found[..=signing.min(found.len() - 1)].windows(2) {
            let [old, next] = pair else { continue };
            let past = next.made_at.is_some_and(|made| made + SETTLED + lifetime + MARGIN < now);
            if let Some(file) = old.file.as_ref().filter(|_| past && old.ours) {
                std::fs::remove_file(file).map_err(|error| KeyFileError::new(file, error))?;
                removed.push(file.clone());
            }
        }
        Ok(removed)
    }

    /// All keys, the oldest first; the first one is made when there is none.
    fn found(&self) -> Result<Vec<Found>, KeyError> {
        let later = self.later()?;
        let mut found = Vec::with_capacity(later.len() + 1);
        match &self.first {
            First::Pem(pem) => found.push(Found { key: Key::from_pem(pem)?, file: None, made_at: None, ours: false }),
            First::Given(file) => found.push(read(file, false)?),
            First::Made(file) if later.is_empty() || file.exists() => {
                read_or_make(file, new_pem)?;
                found.push(read(file, true)?);
            }
            First::Made(_) => {}
        }
        for file in &later {
            found.push(read(file, true)?);
        }
        Ok(found)
    }

    /// The files of later keys, the oldest first: their names begin with the time.
    fn later(&self) -> Result<Vec<PathBuf>, KeyError> {
        let failed = |error| KeyFileError::new(&self.directory, error);
        let entries = match std::fs::read_dir(&self.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let file = entry.map_err(failed)?.path();
            if file.extension().is_some_and(|extension| extension == "pem") {
                files.push(file);
            }
        }
        files.sort();
        Ok(files)
    }
}

fn read(file: &std::path::Path, ours: bool) -> Result<Found, KeyError> {
    let pem = std::fs::read_to_string(file).map_err(|error| KeyFileError::new(file, error))?;
    let key = Key::from_pem(&pem).map_err(|error| KeyFileError::new(file, error))?;
    let id = file.file_stem().and_then(|stem| Uuid::parse_str(stem.to_str()?).ok());
    let made_at = id.and_then(|id| id.get_timestamp()).and_then(|made| {
        let (seconds, nanos) = made.to_unix();
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
    });
    Ok(Found { key, file: Some(file.to_owned()), made_at, ours })
}

/// Which key signs: the newest that everybody has had the time to see, or else the oldest.
fn signing(found: &[Found], now: DateTime<Utc>) -> usize {
    let settled = |found: &Found| found.made_at.is_none_or(|made| made + SETTLED <= now);
    found.iter().rposition(settled).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::token::Tokens;

    fn kids(files: &KeyFiles, now: DateTime<Utc>) -> (Vec<String>, String) {
        let listed = files.list(now).unwrap();
        let signs = listed.iter().find(|key| key.signs).unwrap().kid.clone();
        (listed.into_iter().map(|key| key.kid).collect(), signs)
    }

    #[test]
    fn a_new_key_checks_at_once_signs_soon_and_the_old_one_goes_later() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyFiles::of_file(directory.path().join("token.pem"), directory.path().join("keys"));
        assert!(!files.exist());
        let now = Clock.now();
        let (first, signs) = kids(&files, now);
        assert_eq!(first, std::slice::from_ref(&signs));
        files.rotate().unwrap();
        let (both, still) = kids(&files, now);
        assert_eq!((both.len(), &still), (2, &signs), "a key signs before others can know it");
        let later = Clock.now() + SETTLED;
        let (_, then) = kids(&files, later);
        assert_eq!(then, both[1]);
        assert_eq!(files.prune(later).unwrap(), Vec::<PathBuf>::new(), "tokens of the old key are still good");
        let pruned = files.prune(later + TimeDelta::from_std(LIFETIME).unwrap() + MARGIN).unwrap();
        assert_eq!(pruned, [directory.path().join("token.pem")]);
        assert_eq!(kids(&files, later), (vec![both[1].clone()], both[1].clone()));
        assert!(files.prune(later + TimeDelta::days(9)).unwrap().is_empty(), "the key that signs is removed");
    }

    #[test]
    fn a_running_shop_takes_up_new_keys_and_keeps_old_tokens() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyFiles::of_file(directory.path().join("token.pem"), directory.path().join("keys"));
        let (running, beside) = (Tokens::from_files(files.clone()).unwrap(), files);
        let account = byteshop_domain::ids::Id::from_uuid(Uuid::nil());
        let before = running.issue(crate::security::token::Role::Customer, account, LIFETIME).unwrap();
        assert!(!running.reload().unwrap());
        beside.rotate().unwrap();
        assert!(running.reload().unwrap());
        assert!(running.check(&before).is_ok());
        assert_eq!(running.jwks().matches("\"kid\"").count(), 2);
    }

    #[test]
    fn a_key_of_the_configuration_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("given.pem");
        std::fs::write(&file, new_pem().unwrap()).unwrap();
        for files in [
            KeyFiles::given(file.clone(), directory.path().join("keys")),
            KeyFiles::of_pem(&new_pem().unwrap(), directory.path().join("others")),
        ] {
            files.rotate().unwrap();
            assert!(files.prune(Clock.now() + TimeDelta::days(1)).unwrap().is_empty());
        }
        assert!(file.exists());
        let nowhere = KeyFiles::given(directory.path().join("nothing"), directory.path().join("nowhere"));
        assert!(matches!(nowhere.read(Clock.now()), Err(KeyError::File(_))));
    }
}
