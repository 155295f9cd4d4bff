//! The directory of one server, and the unprivileged user who runs it when the shop runs as root.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Doing as _, Error};

/// Users to run the servers as, the best first. Those of packages exist where the package is installed.
const ACCOUNTS: [&str; 3] = ["postgres", "_postgres", "nobody"];
/// Where Linux shows a process the directory that it was handed, whatever stands between that and the root.
const HANDED_DIRECTORY: &str = "/proc/self/fd/9";
/// Runs a program with our standard input, a directory, as its file descriptor 9.
const PASS_DIRECTORY_ON: &str = "exec \"$@\" 9<&0 </dev/null";

/// The default search path of programs.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The user who runs the servers instead of root.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// None if we are not root: then the servers run as our user.
    pub(super) fn instead_of_root() -> Result<Option<Self>, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let found = ACCOUNTS.iter().find_map(|name| {
            let (uid, gid) = (id_of("-u", name)?, id_of("-g", name)?);
            (uid != 0).then(|| Self { name: (*name).to_owned(), uid, gid })
        });
        found.map(Some).ok_or(Error::NoAccount)
    }
}

/// `id` asks the user database whatever it is: files, a directory server, or that of macOS.
fn id_of(what: &str, name: &str) -> Option<u32> {
    let output = bare(Path::new("id")).args([what, name]).stderr(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// A directory that one server owns.
#[derive(Debug, Clone)]
pub(super) struct Home {
    dir: PathBuf,
    account: Option<Account>,
    /// The user cannot walk there from the root, as below /root: the server is handed the open directory instead.
    closed: bool,
}

impl Home {
    /// Makes the directory when it is missing and gives it to the user who runs the server.
    pub(super) fn prepare(dir: PathBuf, account: Option<&Account>) -> Result<Self, Error> {
        fs::create_dir_all(&dir).doing(|| format!("create the directory {}", dir.display()))?;
        let owner = fs::metadata(&dir).doing(|| format!("look at {}", dir.display()))?.uid();
        match account {
            Some(account) if account.uid != owner => give(&dir, account)?,
            None if owner != rustix::process::geteuid().as_raw() => return Err(Error::NotOurs { dir, owner }),
            Some(_) | None => {}
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))
            .doing(|| format!("close {} to others", dir.display()))?;
        let mut home = Self { dir, account: account.cloned(), closed: false };
        home.closed = !home.can_be_walked_to()?;
        if home.closed && !cfg!(target_os = "linux") {
            let user = home.account.map(|account| account.name).unwrap_or_default();
            return Err(Error::Unreachable { dir: home.dir, user });
        }
        Ok(home)
    }

    /// The directory, for us.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory, for a program that [`Home::command`] starts.
    pub(super) fn dir_inside(&self) -> &Path {
        if self.closed { Path::new(HANDED_DIRECTORY) } else { &self.dir }
    }

    /// Hands a file in the directory to the user who runs the server.
    pub(super) fn give(&self, file: &Path) -> Result<(), Error> {
        self.account.as_ref().map_or(Ok(()), |account| give(file, account))
    }

    /// A program as the right user, in a process group of its own: the Ctrl-C of a terminal is for the shop, which then
    /// stops its servers in order.
    pub(super) fn command(&self, program: &Path) -> Result<Command, Error> {
        let mut command = if self.closed {
            let dir = File::open(&self.dir).doing(|| format!("open {}", self.dir.display()))?;
            let mut command = bare(Path::new("/bin/sh"));
            command.args(["-c", PASS_DIRECTORY_ON, "sh"]).arg(program).stdin(dir);
            command
        } else {
            let mut command = bare(program);
            command.stdin(Stdio::null());
            command
        };
        if let Some(account) = &self.account {
            command.uid(account.uid).gid(account.gid);
        }
        // Postgres goes back to where it was started, which must be a place that its user can enter.
        command.current_dir("/").process_group(0);
        Ok(command)
    }

    fn can_be_walked_to(&self) -> Result<bool, Error> {
        let mut command = self.command(Path::new("/bin/sh"))?;
        command.args(["-c", "cd \"$1\" && test -w .", "sh"]).arg(&self.dir);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status().doing(|| "start /bin/sh".into())?.success())
    }
}

/// A program that a server consists of, or that serves one, with nothing of our environment but where programs are: what is
/// secret there would be in the environment of a process of another user, and in its core dumps.
pub(super) fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    #[expect(clippy::disallowed_methods, reason = "it is handed on as it is, and is no setting of ours")]
    let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    // Postgres on macOS becomes multithreaded, and then refuses to run, when no locale is set.
    command.env_clear().env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC");
    command
}

/// Closes the data directory to other users: they may not look into it, and pass through only when one of them runs the
/// servers in it.
pub(super) fn close(data: &Path, account: Option<&Account>) -> Result<(), Error> {
    let doing = || format!("close {} to others", data.display());
    let wanted = if account.is_some() { 0o711 } else { 0o700 };
    let found = fs::metadata(data).doing(doing)?;
    let user = rustix::process::geteuid();
    let ours = user.is_root() || user.as_raw() == found.uid();
    if ours && found.permissions().mode() & 0o777 != wanted {
        fs::set_permissions(data, fs::Permissions::from_mode(wanted)).doing(doing)?;
    }
    Ok(())
}

fn give(path: &Path, account: &Account) -> Result<(), Error> {
    let doing = || format!("give {} to user {}", path.display(), account.name);
    chown(path, Some(account.uid), Some(account.gid)).doing(doing)?;
    if fs::symlink_metadata(path).doing(doing)?.is_dir() {
        for entry in fs::read_dir(path).doing(doing)? {
            let entry = entry.doing(doing)?;
            // A link may lead out of the data directory, to files that are not ours to give away.
            if !entry.file_type().doing(doing)?.is_symlink() {
                give(&entry.path(), account)?;
            }
        }
    }
    Ok(())
}
