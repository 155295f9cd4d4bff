//! The shop that runs: found by its data directory or by the configured URLs.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use byteshop_commands::relay::NatsConfig;
use byteshop_eventstore::Log;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::config::Config;

/// How long a shop may take to say in which mode it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// The file in the data directory.
const FILE: &str = "run.json";

/// The file `run.json`, which `up` writes into its data directory for other commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Where HTTP is served.
    pub http: String,
    /// Where operators reach the process.
    #[serde(default)]
    pub operations: String,
    /// Where Postgres is, as the role that serves, with its password: it reads everything, and changes no event.
    pub database_url: String,
    /// Where Postgres is, as the owner of the database, with their password: for migrations, `pg_dump` and `pg_restore`.
    #[serde(default)]
    pub migration_database_url: Option<String>,
    /// Where NATS is, with the password.
    pub nats_url: String,
    /// The process of the shop.
    pub pid: u32,
    /// Whether the shop is in development.
    #[serde(default)]
    pub dev: bool,
}

impl Run {
    /// Writes the file as a whole, readable by its owner alone.
    pub fn write(&self, data: &Path) -> std::io::Result<()> {
        let (file, fresh) = (Self::file(data), data.join("run.json.new"));
        let mut open = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        serde_json::to_writer(&mut open, self)?;
        open.write_all(b"\n")?;
        fs::rename(fresh, file)
    }

    /// The file of a data directory.
    pub fn file(data: &Path) -> PathBuf {
        data.join(FILE)
    }

    /// Removes the file when the shop has stopped.
    pub fn remove(data: &Path) {
        // It may never have been written.
        let _ = fs::remove_file(Self::file(data));
    }

    /// The shop of a data directory, if it runs.
    pub fn find(data: &Path) -> Result<Option<Self>, Failure> {
        let file = Self::file(data);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::refused(format!("{} cannot be read: {error}", file.display()))),
        };
        let run: Self = serde_json::from_str(&text).map_err(|error| {
            Failure::refused(format!("{} is damaged ({error}): start the shop again", file.display()))
        })?;
        Ok(run.is_alive().then_some(run))
    }

    fn is_alive(&self) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw);
        // A process that we may not signal is there all the same.
        pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
    }
}

/// Where a running shop is.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Where Postgres is.
    pub database_url: String,
    /// Where it is for the owner of the database, when that is another role.
    pub migration_url: Option<String>,
    /// Where NATS is, when that is known.
    pub nats_url: Option<String>,
    /// Where it answers, as far as that is known.
    http: String,
    /// Whether it is in development, as far as that is known without asking it.
    dev: bool,
    /// Where its files are.
    pub data: PathBuf,
}

/// Why a command failed that found a shop when it began: when its Postgres is away and the shop is gone by now, that is why.
pub fn in_hindsight(config: &Config, failure: Failure) -> Failure {
    let is_away = match &failure {
        Failure::Refused(error) => byteshop_eventstore::advice(error.as_ref()) == Some(byteshop_eventstore::AWAY),
        Failure::Usage(_) | Failure::FoundWanting => false,
    };
    if is_away { Shop::find(config).err().unwrap_or(failure) } else { failure }
}

/// The mode that the shop reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Development mode.
    Development,
    /// Production.
    Production,
    /// The shop does not answer.
    Silent,
}

impl Shop {
    /// Finds the shop: in the data directory of the command line, by the configured URLs, in the usual data directory.
    pub fn find(config: &Config) -> Result<Self, Failure> {
        if config.data_by_flag()
            && let Some(run) = Run::find(&config.data)?
        {
            return Ok(Self::of(run, config));
        }
        if let Some(database_url) = config.database_url.clone() {
            let (nats_url, data) = (config.nats_url.clone(), config.data.clone());
            let address = if config.address.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { config.address };
            let http = format!("http://{}", SocketAddr::new(address, config.port));
            let migration_url = config.migration_database_url.clone();
            return Ok(Self { database_url, migration_url, nats_url, http, dev: config.dev, data });
        }
        match Run::find(&config.data)? {
            Some(run) => Ok(Self::of(run, config)),
            None => Err(Failure::refused(format!(
                "no shop runs in {}: start one with `byteshop up`, name its directory with --data, or set BYTESHOP_DATABASE_URL",
                config.data.display()
            ))),
        }
    }

    fn of(run: Run, config: &Config) -> Self {
        let Run { http, database_url, migration_database_url: migration_url, nats_url, dev, .. } = run;
        Self { database_url, migration_url, nats_url: Some(nats_url), http, dev, data: config.data.clone() }
    }

    /// The mode that the running shop reports, which may differ from the configuration of this command.
    pub async fn mode(&self) -> Result<Mode, Failure> {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let Ok(answer) = client.get(format!("{}/dev", self.http)).send().await else { return Ok(Mode::Silent) };
        // In production there is nothing at this address.
        Ok(if answer.status().is_success() { Mode::Development } else { Mode::Production })
    }

    /// Whether it is in development: by its own word, and where nothing answers by the configuration.
    pub async fn is_in_development(&self) -> Result<bool, Failure> {
        // The configuration alone does not make it so, and need not be asked about when it says no.
        Ok(self.dev && self.mode().await? != Mode::Production)
    }

    /// Where it answers.
    pub fn http(&self) -> &str {
        &self.http
    }

    /// The URL of Postgres for migrations.
    pub fn owner_url(&self) -> &str {
        self.migration_url.as_deref().unwrap_or(&self.database_url)
    }

    /// The configuration of JetStream, if known.
    pub fn nats(&self, config: &Config) -> Option<NatsConfig> {
        let stream = config.nats_stream.clone();
        self.nats_url.as_deref().map(|url| NatsConfig { stream, ..NatsConfig::new(url) })
    }

    /// The log.
    pub fn log(&self, config: &Config) -> Result<Log, Failure> {
        Ok(Log::open_with(&self.database_url, config.database_connections)?)
    }
}
