//! The state of the servers in a data directory: the mark of their processes, their passwords and ports.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use byteshop_eventstore::envelope::to_hex;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::error::{Doing as _, Error};
use super::sockets;

/// Ports lie below what Linux and macOS give to outgoing connections: a client that knocks while the server
/// restarts could otherwise be given the server's own port, and keep it.
const FIRST_PORT: u16 = 20_000;
/// How many ports there are to choose from.
const PORTS: u16 = 12_000;

/// What the host of a URL needs encoded: all but letters, digits and the marks that RFC 3986 reserves for nothing.
const IN_HOST: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The role that owns the database, and whose server it is: it migrates.
pub(super) const OWNER: &str = "byteshop";
/// The role that serves.
pub(super) const SERVING: &str = "byteshop_serve";
/// The database.
const DATABASE: &str = "byteshop";
/// The user of NATS.
pub(super) const NATS_USER: &str = "byteshop";

/// The remembered part, in `servers.json`, readable by its owner alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// Stands in the command line of every server of this directory and of no other.
    pub(super) mark: String,
    /// The password of the owner of the database.
    pub(super) password: String,
    /// The password of the role that serves; made by the first start that knows of that role.
    #[serde(default)]
    pub(super) serving_password: Option<String>,
    /// The password of NATS; made by the first start that has one for it alone.
    #[serde(default)]
    pub(super) nats_password: Option<String>,
    /// The port of Postgres.
    pub(super) postgres_port: u16,
    /// The port of NATS.
    pub(super) nats_port: u16,
}

impl Remembered {
    /// Reads what an earlier start wrote, or makes it up; ports that are taken by now are replaced.
    pub(super) fn load(data: &Path, has_database: bool) -> Result<Self, Error> {
        let file = file_in(data);
        let text = match fs::read_to_string(&file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).doing(|| format!("read {}", file.display())),
        };
        match text {
            Some(text) => {
                let known: Self = serde_json::from_str(&text)
                    .map_err(Into::into)
                    .doing(|| format!("understand {}", file.display()))?;
                known.completed()
            }
            None if has_database => Err(Error::SecretsLost { file }),
            None => Self {
                mark: format!("byteshop_{}", random_hex::<6>()?),
                password: random_hex::<16>()?,
                serving_password: None,
                nats_password: None,
                postgres_port: free_port()?,
                nats_port: free_port()?,
            }
            .completed(),
        }
    }

    /// Adds missing passwords.
    fn completed(mut self) -> Result<Self, Error> {
        for password in [&mut self.serving_password, &mut self.nats_password] {
            if password.is_none() {
                *password = Some(random_hex::<16>()?);
            }
        }
        Ok(self)
    }

    /// Where Postgres, with its files in `directory`, is for its owner.
    pub(super) fn owner_url(&self, directory: &Path) -> String {
        self.postgres_url(directory, OWNER, &self.password)
    }

    /// Where Postgres, with its files in `directory`, is for the role that serves.
    pub(super) fn serving_url(&self, directory: &Path) -> String {
        self.postgres_url(directory, SERVING, self.serving_password.as_deref().unwrap_or_default())
    }

    /// A URL whose host is the directory of the socket, as libpq takes it, or the address where a socket is not possible.
    fn postgres_url(&self, directory: &Path, role: &str, password: &str) -> String {
        let socket = directory.to_str().filter(|_| sockets::is_possible(directory));
        let host = utf8_percent_encode(socket.unwrap_or("127.0.0.1"), IN_HOST);
        format!("postgres://{role}:{password}@{host}:{}/{DATABASE}", self.postgres_port)
    }

    /// Where NATS is.
    pub(super) fn nats_url(&self) -> String {
        let password = self.nats_password.as_deref().unwrap_or_default();
        format!("nats://{NATS_USER}:{password}@127.0.0.1:{}", self.nats_port)
    }

    /// Writes the file as a whole, so that it is never half there.
    pub(super) fn save(&self, data: &Path) -> Result<(), Error> {
        let file = file_in(data);
        let text = serde_json::to_string_pretty(self).map_err(Into::into).doing(|| "write servers.json".into())?;
        let fresh = file.with_extension("json.new");
        write_secret(&fresh, &text)?;
        fs::rename(&fresh, &file).doing(|| format!("write {}", file.display()))
    }
}

/// Writes a file that only its owner can read.
pub(super) fn write_secret(file: &Path, text: &str) -> Result<(), Error> {
    let write = || {
        let mut open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
        open.write_all(text.as_bytes())?;
        open.sync_all()
    };
    write().doing(|| format!("write {}", file.display()))
}

/// A data directory that is this process's until this is dropped or the process ends, however that ends.
#[derive(Debug)]
pub(super) struct DirectoryLock(File);

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Unlocked explicitly, because a child that is just being started may still have the file open. After a failure
        // the file is closed soon.
        let _ = self.0.unlock();
    }
}

/// Locks the data directory for this process.
pub(super) fn lock(data: &Path) -> Result<DirectoryLock, Error> {
    let path = data.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .doing(|| format!("open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let holder = match file.read_to_string(&mut holder) {
                Ok(read) if read > 0 => format!("process {}", holder.trim()),
                Ok(_) | Err(_) => "another shop".to_owned(),
            };
            return Err(Error::InUse { data: data.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(error).doing(|| format!("lock {}", path.display())),
    }
    let note = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    let mut lock = DirectoryLock(file);
    note(&mut lock.0).doing(|| format!("write {}", path.display()))?;
    Ok(lock)
}

/// A free port of 127.0.0.1.
pub(super) fn free_port() -> Result<u16, Error> {
    // With most of the range free, this many tries fail only when listening is impossible.
    for _ in 0..1_000 {
        let port = FIRST_PORT + u16::from_ne_bytes(random()?) % PORTS;
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(std::io::Error::from(std::io::ErrorKind::AddrInUse)).doing(|| "find a free port on 127.0.0.1".into())
}

/// Whether a server could listen there now.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn file_in(data: &Path) -> PathBuf {
    data.join("servers.json")
}

fn random_hex<const BYTES: usize>() -> Result<String, Error> {
    Ok(to_hex(&random::<BYTES>()?))
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], Error> {
    byteshop_eventstore::random().map_err(std::io::Error::other).doing(|| "ask for random numbers".into())
}
