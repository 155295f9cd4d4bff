//! The private Postgres and nats-server of one machine's shop: started, watched, restarted and stopped with it.
//!
//! Both listen on 127.0.0.1 alone, Postgres with a password and on a socket too, keep everything in the data directory, and run as an
//! unprivileged user when the shop runs as root. A server that ends is started again on its port. When the shop
//! ends without stopping them, a small process does it, and the next start stops whatever is left.

mod binaries;
mod error;
mod home;
mod leftovers;
mod nats;
mod postgres;
mod reaper;
mod sockets;
mod state;
mod supervisor;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;

use binaries::{NatsProgram, PostgresPrograms};
use error::Doing as _;
pub use error::Error;
use home::Account;
use nats::Nats;
use postgres::Postgres;
use reaper::Reaper;
use state::{DirectoryLock, Remembered};
use supervisor::{Program, Supervised};

/// Starts again when the port was taken between choosing it and listening on it.
const PORT_TRIES: u32 = 5;

/// The settings of the servers.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A Postgres that already runs (BYTESHOP_DATABASE_URL): none is started.
    pub database_url: Option<String>,
    /// The same for the owner of the database (BYTESHOP_MIGRATION_DATABASE_URL), when that is another role.
    pub migration_database_url: Option<String>,
    /// A nats-server that already runs (BYTESHOP_NATS_URL): none is started.
    pub nats_url: Option<String>,
    /// The directory of `postgres` and `initdb` (BYTESHOP_PG_BIN); looked for when absent.
    pub pg_bin: Option<PathBuf>,
    /// The file `nats-server` (BYTESHOP_NATS_SERVER); looked for when absent.
    pub nats_server: Option<PathBuf>,
    /// For tests: nothing is synced to the disk, and the data directory is removed in the end.
    pub throw_away: bool,
}

/// The versions of the servers that were started, such as `15.18` and `2.9.10`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// The private Postgres; absent when a running one is used.
    pub postgres: Option<String>,
    /// The private nats-server; absent when a running one is used.
    pub nats: Option<String>,
}

/// The servers of one data directory. Dropping it stops them too, without waiting.
#[derive(Debug)]
pub struct Servers {
    database_url: String,
    migration_url: String,
    nats_url: String,
    versions: Versions,
    postgres: Option<Supervised>,
    nats: Option<Supervised>,
    reaper: Arc<Reaper>,
    mark: String,
    _lock: DirectoryLock,
}

impl Servers {
    /// Starts what the options do not name, in the data directory `data`, which is made when it is missing.
    ///
    /// Returns when both servers take connections and the database exists.
    ///
    /// # Errors
    /// Each says what to do: the directory is in use, a program is missing or too old, or a server does not start.
    pub async fn start(data: &Path, options: Options) -> Result<Self, Error> {
        let data = data.to_owned();
        let servers = tokio::task::spawn_blocking(move || Self::start_blocking(&data, options))
            .await
            .map_err(Into::into)
            .doing(|| "start the servers".into())??;
        if servers.postgres.is_some() {
            byteshop_eventstore::database::create_when_missing(&servers.migration_url)
                .await
                .map_err(|error| Error::Database(error.into()))?;
        }
        Ok(servers)
    }

    /// Where Postgres is for the owner of the database, who brings it up to date, with the password.
    pub fn migration_url(&self) -> &str {
        &self.migration_url
    }

    /// Where Postgres is for the role that serves, with the password. A private server has that role once the database was
    /// brought up to date ([`database::migrate`](crate::database::migrate)).
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Where NATS is.
    pub fn nats_url(&self) -> &str {
        &self.nats_url
    }

    /// The versions that were found.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Stops both servers in order and returns when they are gone.
    pub async fn stop(self) {
        // Only a panic of ours could be reported here, and it has been.
        let _ = tokio::task::spawn_blocking(move || self.stop_blocking()).await;
    }

    fn start_blocking(data: &Path, options: Options) -> Result<Self, Error> {
        fs::create_dir_all(data).doing(|| format!("create the directory {}", data.display()))?;
        let data = &data.canonicalize().doing(|| format!("find {}", data.display()))?;
        let lock = state::lock(data)?;
        let written = postgres::written_by(data)?;
        let mut remembered = Remembered::load(data, written.is_some())?;
        let programs = Programs::find(data, written, &options)?;
        home::close(data, programs.account.as_ref())?;
        let versions = programs.versions();
        // The password must be on the disk before there is data that asks for it.
        remembered.save(data)?;
        let mut servers = Self {
            database_url: String::new(),
            migration_url: String::new(),
            nats_url: String::new(),
            versions,
            postgres: None,
            nats: None,
            reaper: Arc::new(Reaper::start(options.throw_away.then_some(data.as_path()))?),
            mark: remembered.mark.clone(),
            _lock: lock,
        };
        if let Err(error) = servers.start_both(data, programs, &mut remembered, options.throw_away) {
            servers.stop_blocking();
            return Err(error);
        }
        remembered.save(data)?;
        let directory = postgres::directory(data);
        (servers.migration_url, servers.database_url) = match options.database_url {
            Some(url) => (options.migration_database_url.unwrap_or_else(|| url.clone()), url),
            None => (remembered.owner_url(&directory), remembered.serving_url(&directory)),
        };
        servers.nats_url = options.nats_url.unwrap_or_else(|| remembered.nats_url());
        Ok(servers)
    }

    /// Starts both beside each other. What has started is in its place also when the other fails.
    fn start_both(
        &mut self,
        data: &Path,
        programs: Programs,
        remembered: &mut Remembered,
        throw_away: bool,
    ) -> Result<(), Error> {
        let Programs { postgres, nats, account } = programs;
        let (before, account, reaper) = (remembered.clone(), account.as_ref(), &self.reaper);
        let start_postgres = || {
            leftovers::stop("postgres", &before.mark)?;
            let Some(programs) = postgres else { return Ok(None) };
            start_on_a_port(before.postgres_port, reaper, |port| {
                let remembered = Remembered { postgres_port: port, ..before.clone() };
                Postgres::prepare(data, programs.clone(), account, &remembered, throw_away)
            })
        };
        let start_nats = || {
            leftovers::stop("nats-server", &before.mark)?;
            let Some(program) = nats else { return Ok(None) };
            start_on_a_port(before.nats_port, reaper, |port| {
                let remembered = Remembered { nats_port: port, ..before.clone() };
                Nats::prepare(data, program.clone(), account, &remembered)
            })
        };
        let (postgres, nats) = std::thread::scope(|scope| {
            let nats = scope.spawn(start_nats);
            (start_postgres(), nats.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let mut failed = None;
        match postgres {
            Ok(Some((port, server))) => (remembered.postgres_port, self.postgres) = (port, Some(server)),
            Ok(None) => {}
            Err(error) => failed = Some(error),
        }
        match nats {
            Ok(Some((port, server))) => (remembered.nats_port, self.nats) = (port, Some(server)),
            Ok(None) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
        failed.map_or(Ok(()), Err)
    }

    fn stop_blocking(mut self) {
        std::thread::scope(|scope| {
            for server in [self.nats.take(), self.postgres.take()].into_iter().flatten() {
                scope.spawn(|| server.stop());
            }
        });
        // A server that had to be killed may leave processes below it.
        for program in ["postgres", "nats-server"] {
            if let Err(error) = leftovers::stop(program, &self.mark) {
                tracing::error!(%error, "cannot stop a process of a private server");
            }
        }
        wait_for(self.reaper.release());
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for server in [&self.nats, &self.postgres].into_iter().flatten() {
            server.stop_restarting();
        }
        // The reaper does what is left to do.
        drop(self.reaper.release());
    }
}

/// The programs to start, found before any is started: a missing program is reported without side effects.
struct Programs {
    postgres: Option<PostgresPrograms>,
    nats: Option<NatsProgram>,
    account: Option<Account>,
}

impl Programs {
    fn find(data: &Path, written: Option<u32>, options: &Options) -> Result<Self, Error> {
        let postgres = match options.database_url {
            None => Some(binaries::find_postgres(options.pg_bin.as_deref(), &postgres::directory(data), written)?),
            Some(_) => None,
        };
        let nats = match options.nats_url {
            None => Some(binaries::find_nats(options.nats_server.as_deref())?),
            Some(_) => None,
        };
        let account = if postgres.is_some() || nats.is_some() { Account::instead_of_root()? } else { None };
        Ok(Self { postgres, nats, account })
    }

    fn versions(&self) -> Versions {
        Versions {
            postgres: self.postgres.as_ref().map(|found| found.version.clone()),
            nats: self.nats.as_ref().map(|found| found.version.clone()),
        }
    }
}

fn wait_for(child: Option<Child>) {
    if let Some(mut child) = child {
        // It cannot fail for a child that no other code waits for.
        let _ = child.wait();
    }
}

/// Starts a server on the given port, or on another one if that is in use.
fn start_on_a_port<P: Program>(
    mut port: u16,
    reaper: &Arc<Reaper>,
    prepare: impl Fn(u16) -> Result<P, Error>,
) -> Result<Option<(u16, Supervised)>, Error> {
    for _ in 1..PORT_TRIES {
        if state::is_free(port) {
            match Supervised::start(prepare(port)?, Arc::clone(reaper)) {
                Ok(server) => return Ok(Some((port, server))),
                Err(error) if state::is_free(port) => return Err(error),
                Err(_) => {}
            }
        }
        port = state::free_port()?;
    }
    Ok(Some((port, Supervised::start(prepare(port)?, Arc::clone(reaper))?)))
}
