//! The memory that this process may use, and the part of it for unread responses.
//!
//! A container has less than its machine, and the kernel kills a process that exceeds the limit: Linux reports the
//! limit of a control group in `memory.max` (cgroup v2) or `memory.limit_in_bytes` (v1), of the group itself and of
//! every group around it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The part of the memory that is for unread responses: the rest is for pictures, passwords, and what the shop does.
const PARTS: u64 = 4;
/// Most bytes for unread responses, however large the machine is.
const MOST: u64 = 1 << 30;
/// Where the limits of control groups are.
const GROUPS: &str = "/sys/fs/cgroup";

static HELD: LazyLock<usize> = LazyLock::new(|| {
    let cgroup = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = places(&cgroup).into_iter().filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    let machine = fs::read_to_string("/proc/meminfo").ok().as_deref().and_then(total);
    share(limits.chain(machine))
});

/// Bytes of responses that all visitors of this process may have in memory.
pub(super) fn held() -> usize {
    *HELD
}

/// The bytes for unread responses where these limits hold; all of them do, so the smallest counts.
pub fn share(limits: impl IntoIterator<Item = u64>) -> usize {
    let least = limits.into_iter().min().map_or(MOST, |limit| (limit / PARTS).min(MOST));
    usize::try_from(least).unwrap_or(usize::MAX)
}

/// The files that may hold a limit of these control groups (`/proc/self/cgroup`, cgroups(7)).
fn places(cgroup: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in cgroup.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let (root, name) = match controllers {
            "" => (Path::new(GROUPS).to_owned(), "memory.max"),
            "memory" => (Path::new(GROUPS).join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        let around = Path::new(group.trim_start_matches('/')).ancestors();
        files.extend(around.map(|group| root.join(group).join(name)));
    }
    files
}

/// The memory of the machine in bytes (`/proc/meminfo`, proc(5)).
fn total(meminfo: &str) -> Option<u64> {
    let kilobytes = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kilobytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_responses_take_a_quarter_of_the_smallest_limit_and_never_more_than_their_maximum() {
        assert_eq!(share([16 << 30, 512 << 20]), 128 << 20);
        assert_eq!(share([2 << 30]), 512 << 20);
        assert_eq!(share([u64::MAX, 64 << 30]), 1 << 30);
        assert_eq!(share([]), 1 << 30);
        assert!((1..=1 << 30).contains(&held()));
    }

    #[test]
    fn a_group_and_every_group_around_it_may_have_a_limit() {
        let of = |text: &str| places(text).iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
        assert_eq!(of("0::/\n"), ["/sys/fs/cgroup/memory.max"]);
        assert_eq!(
            of("0::/shop.slice/serve\n"),
            [
                "/sys/fs/cgroup/shop.slice/serve/memory.max",
                "/sys/fs/cgroup/shop.slice/memory.max",
                "/sys/fs/cgroup/memory.max"
            ]
        );
        let old = "5:cpu,cpuacct:/x\n4:memory:/docker/1\n";
        assert_eq!(of(old)[0], "/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes");
        assert_eq!((of(old).len(), of("").len()), (3, 0));
    }

    #[test]
    fn the_machine_says_its_memory_in_kilobytes() {
        assert_eq!(total("MemTotal:        4030016 kB\nMemFree:  1 kB\n"), Some(4_030_016 << 10));
        assert_eq!(total("MemFree: 1 kB\n"), None);
    }
}
