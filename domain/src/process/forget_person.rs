//! Erases the key of a person whose account is closed, of a guest who is erased, and of a guest whose cart is discarded or merged;
//! the data that was sealed with the key can then no longer be read.
//!
//! The command erases the key itself; this process makes sure of it if the program stopped in between.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Process, Reaction};
use crate::account::{self, Account};
use crate::cart::{self, Cart};
use crate::order::{self, Order};
use crate::{AnyEvent, Reads, Subject};

/// A step of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    /// Erase a person's key, so that their sealed data can no longer be read.
    ForgetPerson {
        /// The person.
        subject: Subject,
    },
}

/// The process.
#[derive(Debug)]
pub struct ForgetPerson;

impl Process for ForgetPerson {
    const NAME: &'static str = "forget_person";
    const READS: &'static [Reads] = &[
        Reads::only::<Account>(&["erased"]),
        Reads::only::<Cart>(&["discarded", "merged_into"]),
        Reads::only::<Order>(&["buyer_forgotten"]),
    ];
    type Step = Step;

    fn react(event: &AnyEvent, _recorded_at: DateTime<Utc>) -> Vec<Reaction<Step>> {
        if let AnyEvent::Account(id, account::Event::Erased {}) = event {
            return forget(Subject::from(*id));
        }
        if let AnyEvent::Order(_, order::Event::BuyerForgotten { subject }) = event {
            return forget(*subject);
        }
        // The cart of an account has no key with this subject: its owner has their own.
        if let AnyEvent::Cart(id, cart::Event::Discarded { .. } | cart::Event::MergedInto { .. }) = event {
            return forget(Subject::of_cart(*id, None));
        }
        vec![]
    }
}

fn forget(subject: Subject) -> Vec<Reaction<Step>> {
    vec![Reaction::Now(Step::ForgetPerson { subject })]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountId, CartId, OrderId};
    use crate::testing::{id, noon};

    #[test]
    fn a_guest_is_forgotten_with_their_order() {
        let order: OrderId = id(9);
        let react = |event| ForgetPerson::react(&AnyEvent::Order(order, event), noon());
        let subject = Subject::of_cart(id(4), None);
        assert_eq!(react(order::Event::BuyerForgotten { subject }), forget(subject));
        assert_eq!(react(order::Event::Completed {}), []);
    }

    #[test]
    fn a_guest_is_forgotten_with_a_cart_that_is_never_ordered() {
        let cart: CartId = id(4);
        let react = |event| ForgetPerson::react(&AnyEvent::Cart(cart, event), noon());
        let forgotten = forget(Subject::of_cart(cart, None));
        assert_eq!(react(cart::Event::Discarded { at: noon() }), forgotten);
        assert_eq!(react(cart::Event::MergedInto { cart: id(5) }), forgotten);
        // Its order has the same key.
        assert_eq!(react(cart::Event::CheckedOut { order: id(9) }), []);
        assert_eq!(react(cart::Event::Emptied {}), []);
    }

    #[test]
    fn only_a_closed_account_is_forgotten() {
        let ada: AccountId = id(7);
        let react = |event| ForgetPerson::react(&AnyEvent::Account(ada, event), noon());
        assert_eq!(react(account::Event::Erased {}), forget(Subject::from(ada)));
        assert_eq!(react(account::Event::Banned { reason: None }), []);
    }
}
