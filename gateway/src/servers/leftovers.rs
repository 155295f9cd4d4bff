//! Servers of a data directory that outlived their shop: found by the mark in their command line, and stopped.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::error::Error;
use super::home::bare;

/// How long a whole server may take to stop by itself; a checkpoint of Postgres is part of it.
const SERVER_PATIENCE: Duration = Duration::from_secs(20);
/// How long parts of a dead Postgres may take: they notice the death of their parent by themselves.
const PARTS_PATIENCE: Duration = Duration::from_secs(3);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process that carries the mark.
#[derive(Debug, Clone, Copy)]
struct Leftover {
    pid: Pid,
    /// A whole server, not one of the processes that Postgres keeps below it.
    is_server: bool,
}

/// Stops every process of `program` (`postgres` or `nats-server`) with that mark, and returns when none is left.
///
/// Postgres must not start while a part of an earlier one still writes to the same files.
///
/// # Errors
/// When one cannot be stopped: it hangs in the kernel, or is not ours to stop.
pub(super) fn stop(program: &'static str, mark: &str) -> Result<(), Error> {
    let first = find(program, mark);
    if first.is_empty() {
        return Ok(());
    }
    let mut patience = PARTS_PATIENCE;
    for leftover in first.iter().filter(|leftover| leftover.is_server) {
        tracing::warn!(pid = leftover.pid.as_raw_nonzero().get(), "stopping a {program} of an earlier run");
        patience = SERVER_PATIENCE;
        signal(leftover.pid, Signal::INT);
    }
    let asked = Instant::now();
    loop {
        let left = find(program, mark);
        let Some(any) = left.first().map(|leftover| leftover.pid.as_raw_nonzero().get()) else { return Ok(()) };
        if asked.elapsed() > patience {
            for leftover in &left {
                signal(leftover.pid, Signal::KILL);
            }
        }
        if asked.elapsed() > patience * 2 {
            return Err(Error::StillRuns { program, pid: any });
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Whether a process lives and is surely not that program at work in `dir`.
pub(super) fn is_another_program(pid: i32, program: &str, dir: &Path) -> bool {
    let Some(pid) = Pid::from_raw(pid) else { return false };
    let Some((_, line)) = command_lines().into_iter().find(|(other, _)| *other == pid) else { return false };
    let first = line.split_whitespace().next().unwrap_or_default();
    let name = first.rsplit('/').next().unwrap_or_default().trim_end_matches(':');
    let elsewhere = std::fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero())).is_ok_and(|cwd| cwd != dir);
    !name.is_empty() && (name != program || elsewhere)
}

/// Whether a process is dead and only waits to be reaped, which takes time in containers without an init process. A
/// process that is exiting, and so has no command line, is waited for.
pub(super) fn is_dead(pid: i32) -> bool {
    let asked = Instant::now();
    while asked.elapsed() < PARTS_PATIENCE {
        // The state follows the name, which is in parentheses and may have some itself. No file: gone, or not Linux.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        if matches!(state, Some('Z' | 'X')) {
            return true;
        }
        if std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty()) {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    false
}

fn signal(pid: Pid, signal: Signal) {
    // It may have ended since we looked.
    let _ = kill_process(pid, signal);
}

fn find(program: &str, mark: &str) -> Vec<Leftover> {
    let found = command_lines().into_iter().filter_map(|(pid, line)| {
        let first = line.split_whitespace().next()?;
        let name = first.rsplit('/').next()?;
        // Postgres renames the processes below it to "postgres: <mark>: checkpointer" and the like.
        let is_server = name == program;
        let is_part = name.strip_suffix(':') == Some(program);
        ((is_server || is_part) && line.contains(mark)).then_some(Leftover { pid, is_server })
    });
    found.collect()
}

/// Every process with its command line.
#[cfg(target_os = "linux")]
fn command_lines() -> Vec<(Pid, String)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return command_lines_by_ps() };
    let lines = entries.flatten().filter_map(|entry| {
        let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some((pid, String::from_utf8_lossy(&line).replace('\0', " ")))
    });
    lines.collect()
}

/// Every process with its command line.
#[cfg(not(target_os = "linux"))]
fn command_lines() -> Vec<(Pid, String)> {
    command_lines_by_ps()
}

fn command_lines_by_ps() -> Vec<(Pid, String)> {
    let Ok(output) = bare(Path::new("ps")).args(["-axww", "-o", "pid=,command="]).output() else { return Vec::new() };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter_map(|line| {
        let (pid, line) = line.trim_start().split_once(' ')?;
        Some((Pid::from_raw(pid.parse().ok()?)?, line.to_owned()))
    });
    lines.collect()
}
