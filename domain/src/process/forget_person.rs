//! Erases the key of a person whose account is closed, of a guest who is erased, of a guest whose cart is discarded or merged, and of
//! a person whose invitation has ended; the data that was sealed with the key can then no longer be read.
//!
//! The command erases the key itself; this process makes sure of it if the program stopped in between.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Process, Reaction};
use crate::account::{self, Account};
use crate::cart::{self, Cart};
use crate::order::{self, Order};
use crate::seller::{self, Seller};
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
        Reads::only::<Seller>(&["member_invited", "invitation_revoked", "member_joined"]),
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
        if let AnyEvent::Seller(_, event) = event {
            return of_invitation(event);
        }
        vec![]
    }
}

fn forget(subject: Subject) -> Vec<Reaction<Step>> {
    vec![Reaction::Now(Step::ForgetPerson { subject })]
}

/// An invitation is forgotten when it is accepted, revoked or expired.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_invitation(event: &seller::Event) -> Vec<Reaction<Step>> {
    match event {
        seller::Event::MemberInvited { invitation, expires_at, .. } => {
            let step = Step::ForgetPerson { subject: Subject::from(*invitation) };
            vec![Reaction::SetTimer { at: *expires_at, key: invitation.to_string(), step }]
        }
        seller::Event::InvitationRevoked { invitation } | seller::Event::MemberJoined { invitation, .. } => {
            let clear = Reaction::ClearTimer { key: invitation.to_string() };
            forget(Subject::from(*invitation)).into_iter().chain([clear]).collect()
        }
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountId, CartId, InvitationId, OrderId};
    use crate::testing::{id, noon, text, timer_form};
    use crate::{Locale, Personal};

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

    #[test]
    fn an_invitation_is_forgotten_when_it_ends() {
        let invitation: InvitationId = id(5);
        let subject = Subject::from(invitation);
        let react = |event| ForgetPerson::react(&AnyEvent::Seller(id(1), event), noon());
        let invited = seller::Event::MemberInvited {
            invitation,
            email: Personal::new(subject, "email"),
            email_hash: text("hash"),
            role: seller::Role::Staff,
            code: Personal::new(subject, "code"),
            code_hash: text("code"),
            locale: Locale::En,
            at: noon(),
            expires_at: noon() + seller::INVITED_FOR,
        };
        let (at, key) = (noon() + seller::INVITED_FOR, invitation.to_string());
        let step = Step::ForgetPerson { subject };
        assert_eq!(react(invited), [Reaction::SetTimer { at, key: key.clone(), step }]);
        let ended = [forget(subject), vec![Reaction::ClearTimer { key }]].concat();
        assert_eq!(react(seller::Event::InvitationRevoked { invitation }), ended);
        assert_eq!(react(seller::Event::MemberJoined { invitation, account: id(7), role: seller::Role::Staff }), ended);
        assert_eq!(react(seller::Event::Closed {}), []);
    }

    #[test]
    fn a_step_in_a_timer_keeps_its_stored_form() {
        timer_form(
            &Step::ForgetPerson { subject: Subject::from(id::<InvitationId>(5)) },
            r#"{"do":"forget_person","subject":"00000000-0000-0000-0000-000000000005"}"#,
        );
    }
}
