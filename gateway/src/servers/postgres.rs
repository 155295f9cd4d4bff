//! The private Postgres: made when new, and how it is run.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::binaries::PostgresPrograms;
use super::error::{Doing as _, Error};
use super::home::{Account, Home};
use super::leftovers;
use super::sockets;
use super::state::{OWNER, Remembered, write_secret};
use super::supervisor::Program;

/// Locales for what is a letter, the best first; sorting is by code point in each case, which never changes with the
/// operating system, so that no index breaks by an upgrade.
const CHARACTER_LOCALES: [&str; 3] = ["C.UTF-8", "en_US.UTF-8", "C"];
/// The status line in postmaster.pid when Postgres accepts connections.
const READY: &str = "ready";
/// The line of postmaster.pid with the state, counted from 0.
const STATE_LINE: usize = 7;

/// Settings of every private server. The data files are the shop's memory: what is acknowledged is on the disk.
const SETTINGS: [&str; 11] = [
    "listen_addresses=127.0.0.1",
    "max_wal_size=4GB",
    "random_page_cost=1.1",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    "log_min_messages=warning",
    "log_line_prefix=%m [%p] ",
    "logging_collector=off",
    "ssl=off",
];
/// For data that is kept.
const DURABLE: [&str; 6] = [
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "wal_compression=on",
    "shared_buffers=256MB",
    "max_connections=200",
];
/// For data that is thrown away at the end anyway, such as that of a test; many tests run beside each other.
const THROW_AWAY: [&str; 6] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_compression=off",
    "shared_buffers=128MB",
    "max_connections=500",
];

/// How it is stopped: fast with a checkpoint, at once without, and by force.
const FAREWELLS: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(5)),
];

/// The private Postgres of a data directory.
#[derive(Debug)]
pub(super) struct Postgres {
    programs: PostgresPrograms,
    home: Home,
    log: PathBuf,
    mark: String,
    port: u16,
    throw_away: bool,
}

/// Where Postgres keeps its files.
pub(super) fn directory(data: &Path) -> PathBuf {
    data.join("postgres")
}

/// The major version that wrote the directory; nothing when it is new.
pub(super) fn written_by(data: &Path) -> Result<Option<u32>, Error> {
    let file = directory(data).join("PG_VERSION");
    match fs::read_to_string(&file) {
        Ok(text) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(std::io::Error::other)
            .doing(|| format!("understand {}", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).doing(|| format!("read {}", file.display())),
    }
}

impl Postgres {
    /// Makes the directory ready for a start; runs initdb when it is new.
    pub(super) fn prepare(
        data: &Path,
        programs: PostgresPrograms,
        account: Option<&Account>,
        remembered: &Remembered,
        throw_away: bool,
    ) -> Result<Self, Error> {
        if written_by(data)?.is_none() {
            create(data, &programs, account, &remembered.password, throw_away)?;
        }
        Ok(Self {
            programs,
            home: Home::prepare(directory(data), account)?,
            log: data.join("postgres.log"),
            mark: remembered.mark.clone(),
            port: remembered.postgres_port,
            throw_away,
        })
    }

    fn lock_file(&self) -> PathBuf {
        self.home.dir().join("postmaster.pid")
    }

    /// Postgres detects that the process of a lock file is gone, but mistakes another program with the same process id,
    /// as after a restart of the machine, for a live Postgres, and also a killed process that is not reaped.
    fn remove_stale_lock(&self) {
        let file = self.lock_file();
        let holder = fs::read_to_string(&file).ok().and_then(|text| text.lines().next()?.trim().parse().ok());
        let in_nobodys_hand =
            |pid| leftovers::is_another_program(pid, "postgres", self.home.dir()) || leftovers::is_dead(pid);
        if holder.is_some_and(in_nobodys_hand) {
            tracing::warn!(file = %file.display(), "removing the lock file of a process that has ended");
            // Postgres says so itself if the file is still in its way.
            let _ = fs::remove_file(file);
        }
    }
}

/// Runs initdb beside the final place and moves the result there: a directory that is there is whole.
fn create(
    data: &Path,
    programs: &PostgresPrograms,
    account: Option<&Account>,
    password: &str,
    throw_away: bool,
) -> Result<(), Error> {
    let fresh = data.join("postgres.new");
    let password_file = data.join("initdb.password");
    let mut last = String::new();
    for locale in CHARACTER_LOCALES {
        if fresh.exists() {
            fs::remove_dir_all(&fresh).doing(|| format!("remove {}", fresh.display()))?;
        }
        let home = Home::prepare(fresh.clone(), account)?;
        write_secret(&password_file, password)?;
        home.give(&password_file)?;
        let mut command = home.command(&programs.initdb)?;
        command.arg("-D").arg(home.dir_inside());
        // Proving a password takes thousands of hashes, which unoptimized tests feel; no other user enters the directory of the socket.
        let local = if throw_away { "--auth-local=trust" } else { "--auth-local=scram-sha-256" };
        command.args(["-U", OWNER, local, "--auth-host=scram-sha-256", "--encoding=UTF8", "--pwfile"]);
        command.arg(home.dir_inside().join("../initdb.password"));
        command.args(["--locale=C".to_owned(), format!("--lc-ctype={locale}")]);
        if throw_away {
            command.arg("--no-sync");
        }
        let output = command.output().doing(|| format!("start {}", programs.initdb.display()))?;
        fs::remove_file(&password_file).doing(|| format!("remove {}", password_file.display()))?;
        if output.status.success() {
            return fs::rename(&fresh, directory(data)).doing(|| format!("rename {}", fresh.display()));
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let is_about_locale = said.contains("locale");
        last = format!("{said}\n{}", output.status);
        if !is_about_locale {
            break;
        }
    }
    Err(Error::Ended { program: "initdb", status: "it failed".into(), output: last })
}

impl Program for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn process(&self) -> (&'static str, &str) {
        ("postgres", &self.mark)
    }

    fn command(&self) -> Result<Command, Error> {
        self.remove_stale_lock();
        sockets::remove_stale(self.home.dir());
        let mut command = self.home.command(&self.programs.postgres)?;
        command.arg("-D").arg(self.home.dir_inside());
        command.arg("-c").arg(format!("cluster_name={}", self.mark));
        command.arg("-c").arg(format!("port={}", self.port));
        let mut socket_directory = OsString::from("unix_socket_directories=");
        if sockets::is_possible(self.home.dir()) {
            socket_directory.push(self.home.dir_inside());
        }
        command.arg("-c").arg(socket_directory);
        for setting in SETTINGS.iter().chain(if self.throw_away { &THROW_AWAY } else { &DURABLE }) {
            command.args(["-c", setting]);
        }
        Ok(command)
    }

    fn is_ready(&self, pid: u32) -> bool {
        let Ok(text) = fs::read_to_string(self.lock_file()) else { return false };
        let mut lines = text.lines();
        lines.next().is_some_and(|first| first.trim() == pid.to_string())
            && lines.nth(STATE_LINE - 1).is_some_and(|state| state.trim() == READY)
    }

    fn farewells(&self) -> &'static [(Signal, Duration)] {
        &FAREWELLS
    }

    fn log(&self) -> &Path {
        &self.log
    }
}
