//! Rules of sellers.

use chrono::TimeDelta;

use super::*;
use crate::testing::{given, golden, id, noon, text, well_said};
use crate::{Locale, Subject};

const ADA: u128 = 1;
const BOB: u128 = 2;
const EVE: u128 = 3;

fn sealed<T>(sealed: &str) -> Personal<T> {
    Personal::new(Subject::from(id::<AccountId>(ADA)), sealed)
}

fn applied() -> Event {
    Event::Applied {
        handle: text("copper-kettles"),
        name: text("Copper Kettles"),
        description: text("Kettles, by hand"),
        country: text("DE"),
        contact: sealed("contact"),
        owner: id(ADA),
        at: noon(),
    }
}

fn legal(sealed: &str) -> Personal<LegalData> {
    Personal::new(Subject::from(id::<SellerId>(7)), sealed)
}

fn given_legal_data(sealed: &str) -> Event {
    Event::LegalDataGiven { legal: legal(sealed) }
}

fn apply(handle: &str) -> Command {
    Command::Apply {
        handle: text(handle),
        name: text("Copper Kettles"),
        description: text("Kettles, by hand"),
        country: text("DE"),
        contact: sealed("contact"),
        owner: id(ADA),
    }
}

fn approved() -> Event {
    Event::Approved { at: noon() }
}

fn reason() -> Reason {
    text("Complaints of buyers")
}

fn suspended() -> Event {
    Event::Suspended { reason: reason() }
}

fn invited_at(number: u128, address: &str, role: Role, at: DateTime<Utc>) -> Event {
    Event::MemberInvited {
        invitation: id(number),
        email: sealed(address),
        email_hash: text(address),
        role,
        code: Personal::new(Subject::from(id::<InvitationId>(number)), "code"),
        code_hash: text(&format!("hash-{number}")),
        locale: Locale::En,
        at,
        expires_at: at + INVITED_FOR,
    }
}

fn invited(number: u128, address: &str, role: Role) -> Event {
    invited_at(number, address, role, noon())
}

fn invite(number: u128, address: &str, role: Role) -> Command {
    Command::Invite {
        invitation: id(number),
        email: sealed(address),
        email_hash: text(address),
        role,
        code: Personal::new(Subject::from(id::<InvitationId>(number)), "code"),
        code_hash: text(&format!("hash-{number}")),
        locale: Locale::En,
    }
}

fn accept(number: u128, account: u128, address: &str) -> Command {
    Command::Accept { account: id(account), email_hash: text(address), code_hash: text(&format!("hash-{number}")) }
}

fn joined(invitation: u128, account: u128, role: Role) -> Event {
    Event::MemberJoined { invitation: id(invitation), account: id(account), role }
}

fn set_role(account: u128, role: Role) -> Command {
    Command::SetRole { account: id(account), role }
}

fn remove(account: u128) -> Command {
    Command::Remove { account: id(account) }
}

fn left(account: u128) -> Event {
    Event::MemberLeft { account: id(account) }
}

/// An approved seller with two owners.
fn two_owners() -> Vec<Event> {
    vec![applied(), approved(), invited(9, "bob", Role::Owner), joined(9, BOB, Role::Owner)]
}

#[test]
fn an_application_is_decided_once() {
    given::<Seller>([]).when(&apply("copper-kettles")).then([applied()]);
    given::<Seller>([applied()]).when(&apply("copper-kettles")).then_refused(Rejection::Exists);
    given::<Seller>([applied()]).when(&Command::Approve {}).then([approved()]);
    given::<Seller>([applied(), approved()]).when(&Command::Approve {}).then_nothing();
    let rejected = Event::Rejected { reason: reason() };
    given::<Seller>([applied()]).when(&Command::Reject { reason: reason() }).then([rejected.clone()]);
    given::<Seller>([applied(), rejected.clone()]).when(&Command::Reject { reason: reason() }).then_nothing();
    given::<Seller>([applied(), rejected.clone()]).when(&Command::Approve {}).then_refused(Rejection::Over);
    given::<Seller>([applied(), rejected]).when(&Command::Close {}).then_refused(Rejection::Over);
    given::<Seller>([applied(), approved()])
        .when(&Command::Reject { reason: reason() })
        .then_refused(Rejection::Decided);
    given::<Seller>([]).when(&Command::Approve {}).then_refused(Rejection::Missing);
}

#[test]
fn handles_that_pass_for_the_house_are_reserved() {
    given::<Seller>([]).when(&apply("support")).then_refused(Rejection::HandleReserved);
    for bad in ["ab", "Copper", "copper--kettles", "-copper", "copper_kettles", &"a".repeat(41)] {
        assert!(Handle::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_suspension_can_be_lifted_and_a_closing_cannot() {
    let suspend = Command::Suspend { reason: reason() };
    given::<Seller>([applied()]).when(&suspend).then_refused(Rejection::NotActive);
    given::<Seller>([applied(), approved()]).when(&suspend).then([suspended()]);
    given::<Seller>([applied(), approved(), suspended()]).when(&suspend).then_nothing();
    given::<Seller>([applied(), approved(), suspended()]).when(&Command::Approve {}).then_refused(Rejection::Decided);
    given::<Seller>([applied(), approved(), suspended()]).when(&Command::Reinstate {}).then([Event::Reinstated {}]);
    given::<Seller>([applied(), approved()]).when(&Command::Reinstate {}).then_nothing();
    given::<Seller>([applied()]).when(&Command::Reinstate {}).then_refused(Rejection::NotSuspended);
    for before in [vec![applied()], vec![applied(), approved()], vec![applied(), approved(), suspended()]] {
        given::<Seller>(before).when(&Command::Close {}).then([Event::Closed {}]);
    }
    let closed = [applied(), approved(), Event::Closed {}];
    given::<Seller>(closed.clone()).when(&Command::Close {}).then_nothing();
    given::<Seller>(closed.clone()).when(&Command::Reinstate {}).then_refused(Rejection::Over);
    given::<Seller>(closed).when(&suspend).then_refused(Rejection::Over);
}

#[test]
fn only_an_approved_seller_sells() {
    let active = |history: &[Event]| crate::fold::<Seller>(history).is_active();
    assert!(!active(&[]) && !active(&[applied()]));
    assert!(active(&[applied(), approved()]));
    assert!(!active(&[applied(), approved(), suspended()]));
    assert!(active(&[applied(), approved(), suspended(), Event::Reinstated {}]));
    let seller = crate::fold::<Seller>(&[applied(), approved(), suspended()]);
    assert_eq!(seller.live().unwrap().reason, Some(reason()));
    let seller = crate::fold::<Seller>(&[applied(), approved(), suspended(), Event::Reinstated {}]);
    assert_eq!((seller.live().unwrap().reason.as_ref(), seller.live().unwrap().since), (None, Some(noon())));
}

#[test]
fn only_what_changes_is_recorded() {
    let revise = |name: &str| Command::Revise { name: Some(text(name)), description: None, contact: None };
    given::<Seller>([applied()]).when(&revise("Copper Kettles")).then_nothing();
    let revised = Event::Revised { name: Some(text("Copper & Co")), description: None, contact: None };
    given::<Seller>([applied()]).when(&revise("Copper & Co")).then([revised]);
    // What was approved has the name that it was approved with.
    given::<Seller>([applied(), approved()]).when(&revise("Copper & Co")).then_refused(Rejection::NameFixed);
    given::<Seller>([applied(), approved()]).when(&revise("Copper Kettles")).then_nothing();
    let closed = [applied(), approved(), Event::Closed {}];
    given::<Seller>(closed).when(&revise("Copper & Co")).then_refused(Rejection::Over);
}

#[test]
fn the_owner_of_the_invited_mailbox_joins_once() {
    let open = [applied(), approved(), invited(9, "bob", Role::Staff)];
    given::<Seller>(open[..2].to_vec()).when(&invite(9, "bob", Role::Staff)).then([invited(9, "bob", Role::Staff)]);
    given::<Seller>(open.clone()).when(&accept(9, BOB, "bob")).then([joined(9, BOB, Role::Staff)]);
    given::<Seller>(open.clone()).when(&accept(9, EVE, "eve")).then_refused(Rejection::OtherMailbox);
    given::<Seller>(open.clone()).when(&accept(8, BOB, "bob")).then_refused(Rejection::InvalidCode);
    let used = open.iter().cloned().chain([joined(9, BOB, Role::Staff)]);
    given::<Seller>(used).when(&accept(9, BOB, "bob")).then_refused(Rejection::InvalidCode);
    let revoked = open.iter().cloned().chain([Event::InvitationRevoked { invitation: id(9) }]);
    given::<Seller>(revoked).when(&accept(9, BOB, "bob")).then_refused(Rejection::InvalidCode);
    let suspended = open.iter().cloned().chain([suspended()]);
    given::<Seller>(suspended).when(&accept(9, BOB, "bob")).then_refused(Rejection::NotActive);
    let own = [applied(), approved(), invited(9, "ada", Role::Staff)];
    given::<Seller>(own).when(&accept(9, ADA, "ada")).then_refused(Rejection::AlreadyMember);
}

#[test]
fn an_invitation_expires_and_can_be_revoked() {
    let then = noon() - INVITED_FOR;
    let expired = [applied(), approved(), invited_at(9, "bob", Role::Staff, then)];
    given::<Seller>(expired.clone()).when(&accept(9, BOB, "bob")).then_refused(Rejection::InvitationExpired);
    // Another one can be sent in its place, which forgets it.
    given::<Seller>(expired.clone()).when(&invite(10, "bob", Role::Staff)).then([invited(10, "bob", Role::Staff)]);
    let again: Vec<Event> = expired.into_iter().chain([invited(10, "bob", Role::Staff)]).collect();
    assert_eq!(crate::fold::<Seller>(&again).live().unwrap().invitations.len(), 1);
    let revoke = Command::Revoke { invitation: id(10) };
    given::<Seller>(again).when(&revoke).then([Event::InvitationRevoked { invitation: id(10) }]);
    given::<Seller>([applied()]).when(&revoke).then_nothing();
}

#[test]
fn invitations_are_limited() {
    given::<Seller>([applied()]).when(&invite(9, "bob", Role::Staff)).then_refused(Rejection::NotActive);
    let open = [applied(), approved(), invited(9, "bob", Role::Staff)];
    given::<Seller>(open).when(&invite(10, "bob", Role::Owner)).then_refused(Rejection::AlreadyInvited);
    // Revoked ones count: each was a mail.
    let sent = |at| {
        let some = (100..100 + INVITATIONS_MAX as u128).flat_map(move |number| {
            [invited_at(number, "bob", Role::Staff, at), Event::InvitationRevoked { invitation: id(number) }]
        });
        [applied(), approved()].into_iter().chain(some)
    };
    given::<Seller>(sent(noon())).when(&invite(9, "bob", Role::Staff)).then_refused(Rejection::TooManyInvitations);
    let yesterday = noon() - TimeDelta::hours(24);
    given::<Seller>(sent(yesterday)).when(&invite(9, "bob", Role::Staff)).then([invited(9, "bob", Role::Staff)]);
    let many = (1..MEMBERS_MAX as u128).map(|number| joined(number, 100 + number, Role::Staff));
    let full = [applied(), approved()].into_iter().chain(many);
    given::<Seller>(full).when(&invite(9, "bob", Role::Staff)).then_refused(Rejection::TooManyMembers);
}

#[test]
fn the_last_owner_stays() {
    given::<Seller>([applied()]).when(&remove(ADA)).then_refused(Rejection::LastOwner);
    given::<Seller>([applied()]).when(&set_role(ADA, Role::Staff)).then_refused(Rejection::LastOwner);
    given::<Seller>(two_owners()).when(&remove(ADA)).then([left(ADA)]);
    let demoted = Event::MemberRoleSet { account: id(ADA), role: Role::Staff };
    given::<Seller>(two_owners()).when(&set_role(ADA, Role::Staff)).then([demoted.clone()]);
    let one = || two_owners().into_iter().chain([demoted.clone()]);
    given::<Seller>(one()).when(&set_role(BOB, Role::Staff)).then_refused(Rejection::LastOwner);
    given::<Seller>(one()).when(&remove(ADA)).then([left(ADA)]);
    given::<Seller>(one()).when(&remove(EVE)).then_nothing();
    given::<Seller>(one()).when(&set_role(EVE, Role::Owner)).then_refused(Rejection::NoSuchMember);
    given::<Seller>(one()).when(&set_role(BOB, Role::Owner)).then_nothing();
    // A seller that is over needs none.
    given::<Seller>([applied(), Event::Closed {}]).when(&remove(ADA)).then([left(ADA)]);
}

#[test]
fn a_seller_is_closed_with_its_last_owner() {
    let forget = |account: u128| Command::Forget { account: id(account) };
    given::<Seller>([applied(), approved()]).when(&forget(ADA)).then([Event::Closed {}, left(ADA)]);
    given::<Seller>(two_owners()).when(&forget(ADA)).then([left(ADA)]);
    given::<Seller>(two_owners()).when(&forget(EVE)).then_nothing();
}

#[test]
fn roles_decide_who_may_what() {
    let seller: Seller = crate::fold(&[applied(), approved(), joined(9, BOB, Role::Staff)]);
    let known = seller.live().unwrap();
    assert_eq!(known.require_owner(id(ADA)), Ok(()));
    assert_eq!(known.require_owner(id(BOB)), Err(Rejection::OwnersOnly));
    assert_eq!(known.require_owner(id(EVE)), Err(Rejection::Missing));
    assert_eq!(known.role_of(id(BOB)), Ok(Role::Staff));
}

fn linked(account: &str) -> Event {
    Event::PaypalLinked { account: text(account) }
}

#[test]
fn a_seller_has_at_most_one_account_at_paypal() {
    let link = |account: &str| Command::LinkPaypal { account: text(account) };
    let (first, second) = ("SELLERB234567", "SELLERC234567");
    given::<Seller>([applied()]).when(&link(first)).then([linked(first)]);
    given::<Seller>([applied(), linked(first)]).when(&link(first)).then_nothing();
    given::<Seller>([applied(), linked(first)]).when(&link(second)).then([linked(second)]);
    given::<Seller>([applied(), Event::Closed {}]).when(&link(first)).then_refused(Rejection::Over);
    let unlink = Command::UnlinkPaypal {};
    given::<Seller>([applied(), linked(first)]).when(&unlink).then([Event::PaypalUnlinked {}]);
    given::<Seller>([applied(), linked(first), Event::PaypalUnlinked {}]).when(&unlink).then_nothing();
    let account = |history: &[Event]| crate::fold::<Seller>(history).live().unwrap().paypal.clone();
    assert_eq!(account(&[applied(), linked(first), linked(second)]), Some(text(second)));
    assert_eq!(account(&[applied(), linked(first), Event::PaypalUnlinked {}]), None);
}

#[test]
fn with_its_legal_data_a_seller_supplies_in_its_own_name() {
    let give = |text: &str| Command::GiveLegalData { legal: legal(text) };
    let one = given_legal_data("one");
    given::<Seller>([applied(), approved()]).when(&give("one")).then([one.clone()]);
    given::<Seller>([applied(), approved(), one.clone()]).when(&give("one")).then_nothing();
    given::<Seller>([applied(), approved(), one.clone()]).when(&give("two")).then([given_legal_data("two")]);
    given::<Seller>([applied(), Event::Closed {}]).when(&give("one")).then_refused(Rejection::Over);
    let remove = Command::RemoveLegalData {};
    given::<Seller>([applied(), one.clone()]).when(&remove).then([Event::LegalDataRemoved {}]);
    given::<Seller>([applied()]).when(&remove).then_nothing();
    let supplier = |history: &[Event]| crate::fold::<Seller>(history).live().unwrap().supplier(id(7));
    let expected = Supplier { seller: id(7), handle: text("copper-kettles"), legal: legal("one") };
    assert_eq!(supplier(&[applied(), one.clone()]), Some(expected.clone()));
    // Buyers get papers of what they ordered before.
    assert_eq!(supplier(&[applied(), approved(), one.clone(), suspended()]), Some(expected));
    assert_eq!(supplier(&[applied(), one, Event::LegalDataRemoved {}]), None);
}

#[test]
fn legal_data_has_an_address() {
    let data = |address: Vec<crate::text::AddressLine>| LegalData {
        name: text("Copper Kettles GmbH"),
        address: address.into(),
        tax_id: text("DE123456789"),
    };
    assert_eq!(ensure_complete(&data(vec![])), Err(Rejection::NoAddress));
    assert_eq!(ensure_complete(&data(vec![text("Yard 7")])), Ok(()));
}

#[test]
fn every_stored_form_is_golden() {
    golden(
        include_str!("golden.json"),
        &[
            applied(),
            Event::Revised { name: Some(text("Copper & Co")), description: None, contact: None },
            Event::Revised { name: None, description: Some(text("")), contact: Some(sealed("other")) },
            approved(),
            Event::Rejected { reason: reason() },
            suspended(),
            Event::Reinstated {},
            Event::Closed {},
            invited(9, "bob", Role::Owner),
            Event::InvitationRevoked { invitation: id(9) },
            joined(9, BOB, Role::Staff),
            Event::MemberRoleSet { account: id(BOB), role: Role::Owner },
            left(BOB),
            given_legal_data("legal"),
            Event::LegalDataRemoved {},
            linked("SELLERB234567"),
            Event::PaypalUnlinked {},
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    well_said(&[
        Rejection::Missing,
        Rejection::Exists,
        Rejection::HandleReserved,
        Rejection::Decided,
        Rejection::NotActive,
        Rejection::NotSuspended,
        Rejection::NoPlatform,
        Rejection::OwnAccount,
        Rejection::Over,
        Rejection::NameFixed,
        Rejection::NoAddress,
        Rejection::OwnersOnly,
        Rejection::NoSuchMember,
        Rejection::AlreadyMember,
        Rejection::LastOwner,
        Rejection::TooManyMembers,
        Rejection::AlreadyInvited,
        Rejection::TooManyInvitations,
        Rejection::InvalidCode,
        Rejection::InvitationExpired,
        Rejection::OtherMailbox,
    ]);
}
