//! An account that is closed: its owner's key is destroyed, and with it all that was sealed for them.
//!
//! Whoever closes the account does so at once; this makes sure of it when they could not.

use chrono::{DateTime, Utc};

use super::{Process, Step};
use crate::decider::Decider as _;
use crate::{AnyEvent, Subject, account};

/// The process.
#[derive(Debug)]
pub struct ForgetPerson;

impl Process for ForgetPerson {
    const NAME: &'static str = "forget_person";
    const READS: &'static [&'static str] = &[account::Account::CATEGORY];

    fn react(event: &AnyEvent, _recorded_at: DateTime<Utc>) -> Vec<Step> {
        // The one event that leads to something; all others of accounts and of everything else lead to nothing.
        if let AnyEvent::Account(id, account::Event::Erased {}) = event {
            return vec![Step::ForgetPerson { subject: Subject::from(*id) }];
        }
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AccountId;
    use crate::testing::{id, noon};

    #[test]
    fn only_a_closed_account_is_forgotten() {
        let ada: AccountId = id(7);
        let react = |event| ForgetPerson::react(&AnyEvent::Account(ada, event), noon());
        assert_eq!(react(account::Event::Erased {}), [Step::ForgetPerson { subject: Subject::from(ada) }]);
        assert_eq!(react(account::Event::Banned { reason: None }), []);
    }
}
