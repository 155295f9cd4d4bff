//! Rules of returns.

use serde_json::json;

use super::*;
use crate::testing::{cents, given, golden, id, pieces, text, well_said};

fn lines() -> Vec<Demand> {
    vec![Demand { variant: id(7), quantity: pieces(2) }]
}

fn requested() -> Event {
    Event::Requested { order: id(1), lines: lines(), why: Why::Damaged, comment: None }
}

fn approved() -> Event {
    Event::Approved { order: id(1) }
}

fn came(number: i64) -> Vec<Received> {
    vec![Received { variant: id(7), quantity: pieces(number), condition: Condition::Used, restock: true }]
}

fn receive(number: i64) -> Command {
    Command::Receive { lines: came(number), amount: cents(20), refund: Some(id(4)), credit_note: id(5) }
}

fn received() -> Event {
    let (lines, credit_note) = (came(2), id(5));
    Event::Received { order: id(1), lines, amount: cents(20), refund: Some(id(4)), credit_note }
}

#[test]
fn it_is_asked_for_once() {
    let ask = |lines| Command::Request { order: id(1), lines, why: Why::Damaged, comment: None };
    given::<Return>([]).when(&ask(lines())).then([requested()]);
    given::<Return>([]).when(&ask(vec![])).then_refused(Rejection::NoLines);
    given::<Return>([requested()]).when(&ask(lines())).then_nothing();
    given::<Return>([requested()]).when(&ask([lines(), lines()].concat())).then_refused(Rejection::Exists);
    given::<Return>([]).when(&Command::Approve {}).then_refused(Rejection::Missing);
}

#[test]
fn it_is_decided_once() {
    let reject = |reason: &str| Command::Reject { reason: text(reason) };
    let rejected = Event::Rejected { order: id(1), reason: text("worn") };
    given::<Return>([requested()]).when(&Command::Approve {}).then([approved()]);
    given::<Return>([requested(), approved()]).when(&Command::Approve {}).then_nothing();
    given::<Return>([requested(), approved()]).when(&reject("worn")).then_refused(Rejection::Decided);
    given::<Return>([requested()]).when(&reject("worn")).then([rejected.clone()]);
    given::<Return>([requested(), rejected.clone()]).when(&reject("worn")).then_nothing();
    given::<Return>([requested(), rejected.clone()]).when(&Command::Approve {}).then_refused(Rejection::Decided);
    given::<Return>([requested(), rejected]).when(&receive(1)).then_refused(Rejection::Closed);
}

#[test]
fn it_can_be_withdrawn_until_it_is_here() {
    let withdrawn = Event::Withdrawn { order: id(1) };
    given::<Return>([requested(), approved()]).when(&Command::Withdraw {}).then([withdrawn.clone()]);
    given::<Return>([requested(), withdrawn]).when(&Command::Withdraw {}).then_nothing();
    let here = [requested(), approved(), received()];
    given::<Return>(here).when(&Command::Withdraw {}).then_refused(Rejection::AlreadyReceived);
}

#[test]
fn what_was_approved_is_received_and_paid_back_once() {
    given::<Return>([requested()]).when(&receive(2)).then_refused(Rejection::NotApproved);
    given::<Return>([requested(), approved()]).when(&receive(2)).then([received()]);
    let two = Rejection::TooMany { variant: id(7), left: 2 };
    given::<Return>([requested(), approved()]).when(&receive(3)).then_refused(two);
    let here = [requested(), approved(), received()];
    given::<Return>(here.clone()).when(&receive(2)).then_nothing();
    let other = Command::Receive { lines: came(2), amount: cents(20), refund: Some(id(4)), credit_note: id(6) };
    given::<Return>(here.clone()).when(&other).then_refused(Rejection::AlreadyReceived);
    let refunded = Event::Refunded { order: id(1), refund: id(4) };
    let mark = |refund| Command::MarkRefunded { refund: id(refund) };
    given::<Return>(here.clone()).when(&mark(4)).then([refunded.clone()]);
    given::<Return>([&here[..], &[refunded]].concat()).when(&mark(4)).then_nothing();
    // It was refused at first, and tried again.
    let again = Event::Refunded { order: id(1), refund: id(9) };
    given::<Return>(here.clone()).when(&mark(9)).then([again.clone()]);
    let state = crate::fold::<Return>(&[&here[..], &[again]].concat());
    assert_eq!(state.live().unwrap().progress.arrival().unwrap().refund, Some(id(9)));
    given::<Return>([requested()]).when(&mark(9)).then_refused(Rejection::NotApproved);
}

#[test]
fn a_state_shows_how_far_a_return_is() {
    let shown = |events: &[Event]| serde_json::to_value(crate::fold::<Return>(events)).unwrap();
    let asked = shown(&[requested()]);
    assert_eq!(
        (&asked["status"], &asked["rejected"], &asked["received"]),
        (&json!("requested"), &json!(null), &json!([]))
    );
    for fact in ["amount", "refund", "credit_note"] {
        assert_eq!(asked[fact], json!(null), "{fact}");
    }
    let rejected = shown(&[requested(), Event::Rejected { order: id(1), reason: text("worn") }]);
    assert_eq!((&rejected["status"], &rejected["rejected"]), (&json!("rejected"), &json!("worn")));
    let here = shown(&[requested(), approved(), received()]);
    assert_eq!((&here["status"], &here["received"]), (&json!("received"), &json!(came(2))));
    assert_eq!((&here["amount"], &here["refund"]), (&json!(cents(20)), &json!(id::<RefundId>(4))));
    assert_eq!(here["credit_note"], json!(id::<CreditNoteId>(5)));
    let nothing_left =
        Event::Received { order: id(1), lines: came(1), amount: cents(0), refund: None, credit_note: id(5) };
    let over = shown(&[requested(), approved(), nothing_left]);
    assert_eq!((&over["status"], &over["refund"]), (&json!("refunded"), &json!(null)));
}

#[test]
fn every_stored_form_is_golden() {
    let whys = [Why::ChangedMind, Why::DoesNotFit, Why::NotAsDescribed, Why::WrongItem, Why::TooLate, Why::Other];
    let asked = whys.map(|why| Event::Requested { order: id(1), lines: lines(), why, comment: None });
    let conditions = [Condition::New, Condition::Damaged, Condition::Incomplete];
    let came = conditions.map(|condition| Event::Received {
        order: id(1),
        lines: vec![Received { condition, restock: false, ..came(1)[0] }],
        amount: cents(0),
        refund: None,
        credit_note: id(5),
    });
    let others = [
        requested(),
        approved(),
        Event::Rejected { order: id(1), reason: text("worn") },
        Event::Withdrawn { order: id(1) },
        received(),
        Event::Refunded { order: id(1), refund: id(4) },
    ];
    let comment = Personal::new(crate::Subject(uuid::Uuid::from_u128(2)), "AAECAw");
    let said = Event::Requested { order: id(1), lines: lines(), why: Why::Other, comment: Some(comment) };
    golden(include_str!("golden.json"), &[&others[..], &asked, &came, &[said]].concat());
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::Exists,
        R::NoLines,
        R::NotApproved,
        R::Decided,
        R::AlreadyReceived,
        R::Closed,
        R::TooMany { variant: id(1), left: 0 },
    ]);
}
