//! Supervises one server: starts it, restarts it when it ends, and stops it on request.
//!
//! It runs in its own thread, so that it works even if the async runtime is busy.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::error::{Doing as _, Error};
use super::leftovers;
use super::reaper::Reaper;

/// How long a start may take; Postgres replays what it wrote since its last checkpoint, up to `max_wal_size`.
const START_PATIENCE: Duration = Duration::from_mins(5);
/// The interval at which a starting server is checked.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Before the first restart.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Before each later one at most: a server that cannot start costs little, and comes back soon when it can.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// A log grows to this before a start moves it aside.
const LOG_BYTES: u64 = 16 << 20;
/// The permissions of a log, which may contain confidential values.
const LOG_MODE: u32 = 0o640;
/// How much of the log an error shows.
const SHOWN_BYTES: u64 = 2_000;

/// A server that can be supervised.
pub(super) trait Program: Send + 'static {
    /// The name in messages and for the reaper.
    fn name(&self) -> &'static str;
    /// The name in the process list, and the mark there.
    fn process(&self) -> (&'static str, &str);
    /// How to start it.
    fn command(&self) -> Result<Command, Error>;
    /// Whether that process serves by now.
    fn is_ready(&self, pid: u32) -> bool;
    /// The signals that stop it, gentlest first, each with the time it is given.
    fn farewells(&self) -> &'static [(Signal, Duration)];
    /// Where it writes.
    fn log(&self) -> &Path;
}

/// A server that is kept running until [`Supervised::stop`].
#[derive(Debug)]
pub(super) struct Supervised {
    name: &'static str,
    farewells: &'static [(Signal, Duration)],
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The child process; it is reaped under the lock, so that a signal never reaches another process with the same id.
    child: Option<Child>,
    stopping: bool,
    ended: bool,
}

impl Supervised {
    /// Starts the server and returns when it is ready.
    pub(super) fn start(program: impl Program, reaper: Arc<Reaper>) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let mut keeper = Keeper { shared: Arc::clone(&shared), reaper, program };
        if let Err(error) = keeper.launch() {
            keeper.kill();
            return Err(error);
        }
        let (name, farewells) = (keeper.program.name(), keeper.program.farewells());
        let thread = std::thread::Builder::new()
            .name(format!("{name}-supervisor"))
            .spawn(move || keeper.keep())
            .doing(|| "start a thread".into())?;
        Ok(Self { name, farewells, shared, thread: Some(thread) })
    }

    /// Does not restart the server from now on.
    pub(super) fn stop_restarting(&self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
    }

    /// Stops the server and returns when it is gone.
    pub(super) fn stop(mut self) {
        self.stop_restarting();
        'farewells: for (signal, patience) in self.farewells {
            let deadline = Instant::now() + *patience;
            let mut state = self.shared.lock();
            if let Some(child) = &state.child {
                send(child, *signal);
            }
            while !state.ended {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    tracing::warn!(server = self.name, ?signal, "the server is not stopping");
                    continue 'farewells;
                }
                state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            break;
        }
        if let Some(thread) = self.thread.take() {
            // Its only panic would be one of ours, already printed.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of the supervising thread.
struct Keeper<P> {
    shared: Arc<Shared>,
    reaper: Arc<Reaper>,
    program: P,
}

impl<P: Program> Keeper<P> {
    fn keep(mut self) {
        while let Some(status) = self.wait_for_end() {
            let server = self.program.name();
            metrics::counter!("byteshop_server_restarts_total", "server" => server).increment(1);
            tracing::warn!(server, %status, "the server ended; restarting it");
            let mut pause = FIRST_PAUSE;
            while !self.pause(pause) {
                match self.launch() {
                    Ok(()) => {
                        tracing::info!(server, "the server is back");
                        break;
                    }
                    Err(error) => tracing::error!(server, %error, "the server did not start; retrying"),
                }
                self.kill();
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
    }

    /// Starts the process and waits until it is ready.
    fn launch(&mut self) -> Result<(), Error> {
        let name = self.program.name();
        let (process, mark) = self.program.process();
        leftovers::stop(process, mark)?;
        let pid = {
            let mut state = self.shared.lock();
            if state.stopping {
                return Ok(());
            }
            let (log, errors) = self.open_log()?;
            let mut command = self.program.command()?;
            let child = command.stdout(log).stderr(errors).spawn().doing(|| format!("start {name}"))?;
            let pid = child.id();
            state.child = Some(child);
            pid
        };
        self.reaper.watch(name, Some(pid));
        let started = Instant::now();
        while !self.program.is_ready(pid) {
            if let Some(child) = &mut self.shared.lock().child
                && let Ok(Some(status)) = child.try_wait()
            {
                let output = self.end_of_log();
                return Err(Error::Ended { program: name, status: status.to_string(), output });
            }
            if self.shared.lock().stopping {
                return Ok(());
            }
            if started.elapsed() > START_PATIENCE {
                let log = self.program.log().to_owned();
                return Err(Error::NotReady { program: name, seconds: START_PATIENCE.as_secs(), log });
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Waits until the process has ended; nothing when it was meant to.
    fn wait_for_end(&mut self) -> Option<std::process::ExitStatus> {
        let pid = self.shared.lock().child.as_ref().and_then(pid_of)?;
        // Not reaped here: the number stays taken until we hold the lock.
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {
        }
        let status = self.reap()?;
        (!self.shared.lock().stopping).then_some(status)
    }

    fn reap(&mut self) -> Option<std::process::ExitStatus> {
        let status = self.shared.lock().child.take().and_then(|mut child| child.wait().ok());
        self.reaper.watch(self.program.name(), None);
        status
    }

    /// Ends a process that started and is of no use.
    fn kill(&mut self) {
        if let Some(child) = &self.shared.lock().child {
            send(child, Signal::KILL);
        }
        self.reap();
    }

    /// Waits; true when asked to stop meanwhile.
    fn pause(&self, pause: Duration) -> bool {
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, pause, |state| !state.stopping);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }

    fn open_log(&self) -> Result<(fs::File, fs::File), Error> {
        let path = self.program.log();
        let doing = || format!("open {}", path.display());
        if fs::metadata(path).is_ok_and(|log| log.len() > LOG_BYTES) {
            fs::rename(path, path.with_extension("log.old")).doing(doing)?;
        }
        let log = OpenOptions::new().append(true).create(true).mode(LOG_MODE).open(path).doing(doing)?;
        // One of an earlier program may be open to everybody.
        log.set_permissions(fs::Permissions::from_mode(LOG_MODE)).doing(doing)?;
        let errors = log.try_clone().doing(doing)?;
        Ok((log, errors))
    }

    fn end_of_log(&self) -> String {
        let read = || {
            let mut log = fs::File::open(self.program.log())?;
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(length.saturating_sub(SHOWN_BYTES)))?;
            let mut bytes = Vec::new();
            log.read_to_end(&mut bytes)?;
            std::io::Result::Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
        };
        read().unwrap_or_else(|error| format!("(its log cannot be read: {error})"))
    }
}

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn send(child: &Child, signal: Signal) {
    if let Some(pid) = pid_of(child) {
        // It may have ended already; it is not reaped, so the number is still its own.
        let _ = kill_process(pid, signal);
    }
}
