//! What processes cost: processor time and memory of a shop and of everything below it, from /proc.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use anyhow::{Context as _, Result};

/// The fields of /proc/PID/stat after the name, counted from the state (proc_pid_stat(5): field 3 is number 0 here).
const PARENT: usize = 1;
const TIMES: std::ops::Range<usize> = 11..15;
/// Milliseconds of a clock tick: Linux tells times to programs in hundredths of a second on every machine (USER_HZ).
const TICK_MS: f64 = 10.0;

/// One process.
#[derive(Debug, Clone)]
pub struct Process {
    pub pid: u32,
    parent: u32,
    pub name: String,
    /// Its own time and that of its children that have ended, in clock ticks.
    ticks: u64,
}

/// Milliseconds of processor time by the name of the program.
#[derive(Debug, Clone, Default)]
pub struct Cost(pub BTreeMap<String, f64>);

impl Cost {
    /// What was spent since an earlier moment.
    pub fn since(&self, earlier: &Self) -> Self {
        let spent = |(name, now): (&String, &f64)| (name.clone(), now - earlier.0.get(name).unwrap_or(&0.0));
        Self(self.0.iter().map(spent).collect())
    }

    /// All of it.
    pub fn total(&self) -> f64 {
        self.0.values().sum()
    }
}

/// A process and everything below it.
pub fn tree(root: u32) -> Result<Vec<Process>> {
    let mut below: HashMap<u32, Vec<Process>> = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // One that has ended meanwhile is counted by its parent.
        let Some(process) = read(pid) else { continue };
        if pid == root {
            below.entry(0).or_default().push(process);
        } else {
            below.entry(process.parent).or_default().push(process);
        }
    }
    let mut found = Vec::new();
    let mut open = below.remove(&0).unwrap_or_default();
    open.retain(|process| process.pid == root);
    anyhow::ensure!(!open.is_empty(), "process {root} is gone");
    while let Some(process) = open.pop() {
        open.extend(below.remove(&process.pid).unwrap_or_default());
        found.push(process);
    }
    Ok(found)
}

/// The time that each program below a process has used so far, those that have ended included.
pub fn cost(root: u32) -> Result<Cost> {
    let mut cost = Cost::default();
    for process in tree(root)? {
        *cost.0.entry(process.name).or_default() += process.ticks as f64 * TICK_MS;
    }
    Ok(cost)
}

/// Memory by the name of the program, in MB: what is its own, and its share of what is shared with others.
pub fn memory(root: u32) -> Result<BTreeMap<String, f64>> {
    let mut memory = BTreeMap::new();
    for process in tree(root)? {
        *memory.entry(process.name).or_default() += proportional(process.pid).unwrap_or(0.0);
    }
    Ok(memory)
}

/// The most memory that this process has had since [`forget_peak`], in MB.
pub fn own_peak() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    field(&status, "VmHWM:").context("the kernel says how much memory there was")
}

/// Starts a new maximum (proc_pid_clear_refs(5), value 5).
pub fn forget_peak() -> Result<f64> {
    fs::write("/proc/self/clear_refs", "5")?;
    own_peak()
}

/// The most memory that a process has had since [`forget_peak_of`], in MB.
pub fn peak_of(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    field(&status, "VmHWM:").context("the kernel says how much memory there was")
}

/// Starts a new maximum of a process.
pub fn forget_peak_of(pid: u32) -> Result<f64> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5")?;
    peak_of(pid)
}

/// What others' processes have is for the superuser to see in detail; the plain sum counts what is shared many times.
fn proportional(pid: u32) -> Option<f64> {
    let detail = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok().and_then(|text| field(&text, "Pss:"));
    detail.or_else(|| field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:"))
}

/// A value in kB as MB.
fn field(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1_024.0)
}

fn read(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(") ")?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split(' ').collect();
    let parent = fields.get(PARENT)?.parse().ok()?;
    let ticks = fields.get(TIMES)?.iter().filter_map(|text| text.parse::<u64>().ok()).sum();
    Some(Process { pid, parent, name, ticks })
}
