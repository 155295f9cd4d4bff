//! Why the private servers cannot run, and what to do about it.

use std::path::PathBuf;

/// The oldest Postgres that the shop is tested with.
pub(super) const MIN_POSTGRES: u32 = 15;
/// The oldest nats-server that the shop is tested with: Debian 12 has it.
pub(super) const MIN_NATS: (u32, u32) = (2, 9);
/// The command that installs missing programs.
pub(super) const INSTALL: &str = if cfg!(target_os = "macos") {
    "install it with `brew install postgresql@17 nats-server`"
} else {
    "install it with `apt-get install postgresql nats-server`"
};

/// The private servers cannot be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another shop holds the data directory.
    #[error("the data directory {} is in use by {holder}: stop that shop, or name another directory with --data", data.display())]
    InUse {
        /// The data directory.
        data: PathBuf,
        /// The holder, such as `process 123`.
        holder: String,
    },
    /// A program is not installed.
    #[error("{program} was not found: {INSTALL}, or set {variable}")]
    Missing {
        /// The program, such as `nats-server`.
        program: &'static str,
        /// The variable that names its place.
        variable: &'static str,
    },
    /// A program is older than what the shop works with.
    #[error(
        "{program} {found} is too old: the shop needs Postgres {MIN_POSTGRES} and nats-server {}.{} or newer",
        MIN_NATS.0,
        MIN_NATS.1
    )]
    TooOld {
        /// The program.
        program: &'static str,
        /// The version.
        found: String,
    },
    /// The data was written by another major version of Postgres.
    #[error(
        "{} was written by Postgres {written}, but only Postgres {found} is installed: install Postgres {written} or set \
         BYTESHOP_PG_BIN to its programs, move the data with pg_upgrade, or start with an empty --data",
        data.display()
    )]
    OtherMajor {
        /// The directory of Postgres.
        data: PathBuf,
        /// The major version in PG_VERSION.
        written: u32,
        /// The version that was found, such as `17.2`.
        found: String,
    },
    /// The file with the passwords is gone while the data is still there.
    #[error(
        "{} is missing, and it contains the password of the data beside it: restore it from a backup, or start with \
         an empty --data",
        file.display()
    )]
    SecretsLost {
        /// The missing file.
        file: PathBuf,
    },
    /// We are root, and there is no other user to run the servers.
    #[error(
        "Postgres refuses to run as root, and there is no user `postgres` or `nobody` to run it: start the shop as another user"
    )]
    NoAccount,
    /// The directory belongs to another user.
    #[error(
        "{} belongs to another user (uid {owner}): start the shop as that user, or name another directory with --data",
        dir.display()
    )]
    NotOurs {
        /// The directory.
        dir: PathBuf,
        /// The owner.
        owner: u32,
    },
    /// The unprivileged user cannot enter the data directory.
    #[error(
        "user {user}, who runs the servers when the shop runs as root, cannot enter {}: \
         name a directory with --data that is open to all, such as /var/lib/byteshop",
        dir.display()
    )]
    Unreachable {
        /// The directory.
        dir: PathBuf,
        /// The unprivileged user.
        user: String,
    },
    /// A program ended although it should run.
    #[error("{program} did not start ({status}); it says:\n{output}")]
    Ended {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: String,
        /// The last lines that it wrote.
        output: String,
    },
    /// A program runs and does not become ready.
    #[error("{program} was not ready within {seconds} s; its log is {}", log.display())]
    NotReady {
        /// The program.
        program: &'static str,
        /// How long we waited.
        seconds: u64,
        /// Where it writes.
        log: PathBuf,
    },
    /// A server of an earlier shop on the same data cannot be stopped.
    #[error("a {program} of this data directory is still running as process {pid}: stop it first")]
    StillRuns {
        /// The program.
        program: &'static str,
        /// The process.
        pid: i32,
    },
    /// The database of the shop cannot be made.
    #[error("the database cannot be created")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system refused something.
    #[error("cannot {doing}")]
    Io {
        /// The attempted action, as text that follows "cannot".
        doing: String,
        /// The system's error.
        source: std::io::Error,
    },
}

/// Adds the attempted action to a system error.
pub(super) trait Doing<T> {
    /// `doing` follows "cannot".
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::Io { doing: doing(), source })
    }
}
