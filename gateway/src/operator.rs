//! The operator at the command line: the name of the operating system's user, for the log.
//!
//! Anyone with a shell on the machine can do what no role of the shop allows, so the log has to record who it was. The
//! name comes from the user id of the process, which a user cannot choose; `SUDO_USER` is trusted only if that user is
//! root.

use byteshop_domain::Actor;

use crate::edge::trail::SECURITY;

/// Where the names of users are (passwd(5)).
const PASSWD: &str = "/etc/passwd";
/// Longest name that is written down: Linux has 32 characters, directories of companies use addresses.
const NAME_MAX: usize = 100;

/// The operator of this process, as the actor of what it does.
pub fn actor() -> Actor {
    let uid = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string(PASSWD).unwrap_or_default();
    let variable = |name: &str| {
        let found = std::env::vars_os().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.into_string().ok())
    };
    Actor::Operator { name: name(uid, &passwd, variable) }
}

/// Notes who does what changes nothing but what is made from the log, and so is no event of it.
pub fn note(did: &str) {
    tracing::info!(target: SECURITY, operator = %actor(), "{did}");
}

/// The name of a user; for root, that of the user who called `sudo`.
fn name(uid: u32, passwd: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let fits = |name: &String| {
        let letters = name.chars().count();
        (1..=NAME_MAX).contains(&letters) && !name.chars().any(|letter| letter.is_control() || letter.is_whitespace())
    };
    let by_sudo = || variable("SUDO_USER").filter(|_| uid == 0).filter(fits);
    let by_id = || named(uid, passwd).filter(fits);
    // A directory of users may know them and the file not; then there is only their own word.
    let by_environment = || variable("USER").or_else(|| variable("LOGNAME")).filter(fits);
    by_sudo().or_else(by_id).or_else(by_environment).unwrap_or_else(|| format!("uid-{uid}"))
}

/// The name of a user id in the file of users.
fn named(uid: u32, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n+:::\n";

    #[test]
    fn an_operator_is_who_they_are_and_not_who_they_say() {
        let set = |known: &'static [(&str, &str)]| {
            move |name: &str| known.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(name(1000, USERS, set(&[("USER", "bob"), ("SUDO_USER", "carol")])), "alice");
        assert_eq!(name(0, USERS, set(&[("SUDO_USER", "alice"), ("USER", "root")])), "alice");
        assert_eq!(name(0, USERS, set(&[("SUDO_USER", "two words")])), "root");
        assert_eq!(name(1001, USERS, set(&[("USER", "dave")])), "dave");
        assert_eq!(name(1001, USERS, set(&[])), "uid-1001");
    }
}
