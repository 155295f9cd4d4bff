//! Finds the programs of Postgres and NATS on this machine and reads their versions.

use std::path::{Path, PathBuf};

use super::error::{Error, MIN_NATS, MIN_POSTGRES};
use super::home::bare;

/// Where packages put Postgres by its major version: Debian, Red Hat, Homebrew on ARM and on Intel.
const POSTGRES_PLACES: [(&str, &str); 4] = [
    ("/usr/lib/postgresql/", "/bin"),
    ("/usr/pgsql-", "/bin"),
    ("/opt/homebrew/opt/postgresql@", "/bin"),
    ("/usr/local/opt/postgresql@", "/bin"),
];
/// Majors to look for, newest first; far above today's, so that the next ones are found too.
const NEWEST_MAJOR: u32 = 40;
/// Where packages put nats-server; Debian's place is not in the PATH of everybody.
const NATS_PLACES: [&str; 4] = ["/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin"];

/// The programs of one Postgres.
#[derive(Debug, Clone)]
pub(super) struct PostgresPrograms {
    pub(super) postgres: PathBuf,
    pub(super) initdb: PathBuf,
    pub(super) version: String,
}

/// The nats-server.
#[derive(Debug, Clone)]
pub(super) struct NatsProgram {
    pub(super) path: PathBuf,
    pub(super) version: String,
}

/// Finds Postgres: only in `given` when there is one, otherwise in PATH and then where packages put it, newest first.
/// For a directory that exists, `written` is its major version and decides.
pub(super) fn find_postgres(
    given: Option<&Path>,
    data: &Path,
    written: Option<u32>,
) -> Result<PostgresPrograms, Error> {
    let mut passed_over = None;
    for dir in postgres_places(given) {
        let (postgres, initdb) = (dir.join("postgres"), dir.join("initdb"));
        let Some(version) = version_of(&postgres, 2) else { continue };
        // A PATH may hold the programs of two installations; they work together only when they are of one.
        if version_of(&initdb, 2).as_ref() != Some(&version) {
            continue;
        }
        let major = numbers(&version).0;
        if major < MIN_POSTGRES || written.is_some_and(|written| written != major) {
            passed_over.get_or_insert(version);
            continue;
        }
        return Ok(PostgresPrograms { postgres, initdb, version });
    }
    Err(match (passed_over, written) {
        (None, _) => Error::Missing { program: "Postgres", variable: "BYTESHOP_PG_BIN" },
        (Some(found), Some(written)) if written >= MIN_POSTGRES => {
            Error::OtherMajor { data: data.to_owned(), written, found }
        }
        (Some(found), _) => Error::TooOld { program: "Postgres", found },
    })
}

/// Finds nats-server: only `given` when there is one, otherwise in PATH and then where packages put it.
pub(super) fn find_nats(given: Option<&Path>) -> Result<NatsProgram, Error> {
    let places = match given {
        Some(path) => vec![path.to_owned()],
        None => std::iter::once(PathBuf::new())
            .chain(NATS_PLACES.map(PathBuf::from))
            .map(|dir| dir.join("nats-server"))
            .collect(),
    };
    for path in places {
        let Some(version) = version_of(&path, 1) else { continue };
        if numbers(&version) < MIN_NATS {
            return Err(Error::TooOld { program: "nats-server", found: version });
        }
        return Ok(NatsProgram { path, version });
    }
    Err(Error::Missing { program: "nats-server", variable: "BYTESHOP_NATS_SERVER" })
}

/// Directories to look in; the empty one means PATH.
fn postgres_places(given: Option<&Path>) -> Vec<PathBuf> {
    if let Some(dir) = given {
        return vec![dir.to_owned()];
    }
    let majors = (MIN_POSTGRES..=NEWEST_MAJOR).rev();
    let packaged = majors.flat_map(|major| POSTGRES_PLACES.map(|(before, after)| format!("{before}{major}{after}")));
    std::iter::once(PathBuf::new()).chain(packaged.map(PathBuf::from).filter(|dir| dir.is_dir())).collect()
}

/// The version in the output of `PROGRAM --version`, as in `15.18`: the word at the given place, without a leading v.
fn version_of(program: &Path, word: usize) -> Option<String> {
    let output = bare(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(word)?.trim_start_matches('v').to_owned();
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(version)
}

/// The first two numbers of a version; `18beta1` is 18.
fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    });
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_numbers() {
        assert_eq!(numbers("15.18"), (15, 18));
        assert_eq!(numbers("18beta1"), (18, 0));
        assert_eq!(numbers("2.9.10"), (2, 9));
        assert!(numbers("2.15.1") > MIN_NATS);
    }

    #[test]
    fn a_missing_program_says_what_to_install() {
        let error = find_postgres(Some(Path::new("/nowhere")), Path::new("/data"), None).unwrap_err();
        assert!(error.to_string().contains("install postgresql"), "{error}");
        let error = find_nats(Some(Path::new("/nowhere/nats-server"))).unwrap_err();
        assert!(error.to_string().contains("BYTESHOP_NATS_SERVER"), "{error}");
    }

    #[test]
    fn data_of_another_major_is_refused_with_both_versions() {
        let error = find_postgres(None, Path::new("/data"), Some(39)).unwrap_err();
        assert!(matches!(error, Error::OtherMajor { written: 39, .. }), "{error}");
    }
}
