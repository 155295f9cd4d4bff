//! Metrics of the operating system about this process, as the client libraries of Prometheus report them. Linux has
//! them in files; on other systems there are none.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// The fields of `/proc/self/stat` after the name of the program, counted from 0 (proc(5) counts the state as 3).
mod field {
    pub(super) const USER: usize = 11;
    pub(super) const SYSTEM: usize = 12;
    pub(super) const THREADS: usize = 17;
    pub(super) const STARTED: usize = 19;
    pub(super) const VIRTUAL: usize = 20;
    pub(super) const RESIDENT: usize = 21;
}

/// The metrics of the process, by name.
pub(super) fn read() -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Some(fields) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(fields) {
        let ticks = clock_ticks_per_second().max(1);
        let [user, system, started] = [field::USER, field::SYSTEM, field::STARTED].map(|index| fields[index]);
        found.push(("process_cpu_seconds_total", seconds(user + system, ticks)));
        if let Some(booted) = booted() {
            found.push(("process_start_time_seconds", seconds(booted * ticks + started, ticks)));
        }
        let resident = fields[field::RESIDENT].saturating_mul(page_size() as u64);
        found.push(("process_resident_memory_bytes", resident.to_string()));
        found.push(("process_virtual_memory_bytes", fields[field::VIRTUAL].to_string()));
        found.push(("process_threads", fields[field::THREADS].to_string()));
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        found.push(("process_open_fds", files.count().to_string()));
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        found.push(("process_max_fds", most.to_string()));
    }
    found
}

/// The numbers after the name, which may hold spaces and brackets itself. What is no number, such as the state, is 0.
fn fields(stat: &str) -> Option<Vec<u64>> {
    let (_, after) = stat.rsplit_once(')')?;
    let fields: Vec<u64> = after.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect();
    (fields.len() > field::RESIDENT).then_some(fields)
}

/// When the machine was started, in seconds since 1970.
fn booted() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// Clock ticks as decimal seconds.
fn seconds(ticks: u64, per_second: u64) -> String {
    format!("{}.{:03}", ticks / per_second, ticks % per_second * 1_000 / per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_may_hold_anything() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 4 0 900 1000 50 18446744073709551615 1 1";
        let fields = fields(stat).unwrap();
        assert_eq!((fields[field::USER], fields[field::SYSTEM], fields[field::THREADS]), (150, 25, 4));
        assert_eq!((fields[field::STARTED], fields[field::VIRTUAL], fields[field::RESIDENT]), (900, 1000, 50));
        assert_eq!(seconds(175, 100), "1.750");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_all_of_them() {
        let names: Vec<&str> = read().into_iter().map(|(name, _)| name).collect();
        let known = super::super::catalog::READ.iter().map(|metric| metric.name);
        let wanted: Vec<&str> = known.filter(|name| name.starts_with("process_")).collect();
        assert_eq!(names, wanted);
    }
}
