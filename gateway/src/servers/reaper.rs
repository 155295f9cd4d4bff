//! A small process that stops the servers when the shop has died without doing so.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Mutex, PoisonError};

use super::error::{Doing as _, Error};
use super::home::bare;

/// The end of the pipe closes when the shop ends for any reason, so this works on every Unix and after SIGKILL.
#[derive(Debug)]
pub(super) struct Reaper {
    process: Mutex<Option<(Child, ChildStdin)>>,
}

impl Reaper {
    /// Starts it; `remove` is a directory to remove once the servers are gone.
    pub(super) fn start(remove: Option<&Path>) -> Result<Self, Error> {
        // Data that will be removed needs no checkpoint.
        let signal = if remove.is_some() { "QUIT" } else { "INT" };
        let mut command = bare(Path::new("/bin/sh"));
        command.args(["-c", include_str!("reaper.sh"), "byteshop-reaper", signal]);
        command.arg(remove.unwrap_or(Path::new("")));
        command.current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().doing(|| "start /bin/sh".into())?;
        let pipe = child.stdin.take().ok_or(std::io::ErrorKind::BrokenPipe.into()).doing(|| "start /bin/sh".into())?;
        Ok(Self { process: Mutex::new(Some((child, pipe))) })
    }

    /// Sets the process of the server with this name.
    pub(super) fn watch(&self, name: &str, pid: Option<u32>) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pipe)) = process.as_mut()
            && let Err(error) = writeln!(pipe, "{name} {}", pid.unwrap_or(0))
        {
            tracing::warn!(
                %error,
                "the watcher of the private servers has ended: if the shop is killed, they run until its next start"
            );
        }
    }

    /// Lets it do its work; the returned process ends when that is done.
    pub(super) fn release(&self) -> Option<Child> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.take().map(|(child, _pipe)| child)
    }
}
