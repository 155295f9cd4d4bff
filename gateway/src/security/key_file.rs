//! Secrets that a shop on one machine makes for itself: each in a file that only its owner reads.

use std::io::{Error, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use byteshop_eventstore::Clock;

/// A key file could not be read, made or understood.
#[derive(Debug, thiserror::Error)]
#[error("the key {path} cannot be used: {reason}")]
pub struct KeyFileError {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl KeyFileError {
    /// A file and what is wrong with it.
    pub fn new(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self { path: path.display().to_string(), reason: reason.to_string() }
    }
}

/// The text of a key file, which is made with `make` when there is none.
///
/// # Errors
/// [`KeyFileError`] when it can neither be read nor made.
pub fn read_or_make<E: std::fmt::Display>(
    path: &Path,
    make: impl FnOnce() -> Result<String, E>,
) -> Result<String, KeyFileError> {
    let failed = |error: Error| KeyFileError::new(path, error);
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return read.map_err(failed),
    }
    let text = make().map_err(|error| KeyFileError::new(path, error))?;
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).map_err(failed)?;
    // Written beside and linked into place, so that no process ever reads half a key. The name is unique:
    // containers that share the directory share their process number too, and would write into each other's file.
    let beside = path.with_extension(format!("{}.new", Clock.new_id().simple()));
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside).map_err(failed)?;
    match linked {
        Ok(()) => {
            // What is sealed with it outlives a loss of power, so its name has to as well.
            std::fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
            Ok(text)
        }
        // Another process was faster: its key is the key.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => std::fs::read_to_string(path).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn of_many_who_make_it_at_once_all_have_the_key_that_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        for round in 0..50 {
            let path = directory.path().join(format!("{round}.key"));
            let key_of = |one: usize| read_or_make(&path, || Ok::<_, Error>(format!("{one}").repeat(9))).unwrap();
            let key_of = &key_of;
            let made: Vec<String> = std::thread::scope(|scope| {
                let all: Vec<_> = (0..8).map(|one| scope.spawn(move || key_of(one))).collect();
                all.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let kept = std::fs::read_to_string(&path).unwrap();
            assert!(made.iter().all(|one| *one == kept), "{made:?}, kept is {kept}");
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 50);
    }

    #[test]
    fn it_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys/some.key");
        let made = read_or_make(&path, || Ok::<_, Error>("first".to_owned())).unwrap();
        let again = read_or_make(&path, || Ok::<_, Error>("second".to_owned())).unwrap();
        assert_eq!((made.as_str(), again.as_str()), ("first", "first"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
