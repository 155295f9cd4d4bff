//! Disposable e-mail addresses, which are meant for one use only.

use std::collections::HashSet;
use std::sync::LazyLock;

static DOMAINS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../data/disposable_email_domains.txt").lines().collect());

/// Whether an address, in lower case, is at a host of disposable e-mail addresses, or below one.
pub fn is_disposable(email: &str) -> bool {
    let (_, mut domain) = email.rsplit_once('@').unwrap_or_default();
    loop {
        if DOMAINS.contains(domain) {
            return true;
        }
        match domain.split_once('.') {
            Some((_, parent)) => domain = parent,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throw_away_mailbox_is_known_by_its_host() {
        assert!(is_disposable("x@0-mail.com"));
        assert!(is_disposable("x@a.b.0-mail.com"));
        assert!(!is_disposable("x@example.org"));
        assert!(!is_disposable("0-mail.com@example.org"));
    }
}
