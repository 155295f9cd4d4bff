//! Rules of payouts: one file, one outcome, and no outcome of staff while PayPal has it.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::balance::{self, Balance, Hold};
use crate::decider::Actor;
use crate::ids::OrderId;
use crate::ledger::Entry;
use crate::personal::Subject;
use crate::testing::{cents, given, golden, id as number, noon, text, well_said};

fn sealed() -> Personal<Destination> {
    Personal::new(Subject(Uuid::from_u128(7)), "AAECAw")
}

fn requested(means: Means) -> Event {
    Event::Requested { seller: number(1), amount: cents(5_000), means, destination: sealed(), at: noon() }
}

fn submitted() -> Event {
    Event::Submitted { batch: text("BATCH1"), check_at: noon() }
}

fn exported() -> Event {
    Event::Exported { file: number(3) }
}

fn paid(means: Means) -> Event {
    Event::Paid { seller: number(1), amount: cents(5_000), means, reference: Some(text("T-1")) }
}

fn failed(means: Means, failure: Failure) -> Event {
    Event::Failed { seller: number(1), amount: cents(5_000), means, failure, reference: None, because: None }
}

fn returned(reference: Option<&str>) -> Event {
    Event::Returned {
        seller: number(1),
        amount: cents(5_000),
        means: Means::Sepa,
        failure: Failure::SentBack,
        reference: reference.map(text),
        because: None,
    }
}

fn settle(outcome: Outcome) -> Command {
    let reference = (outcome == Outcome::Paid).then(|| text("T-1"));
    Command::Settle { outcome, reference, because: None }
}

#[test]
fn it_begins_once() {
    let request =
        Command::Request { seller: number(1), amount: cents(5_000), means: Means::Sepa, destination: sealed() };
    given::<Payout>([]).when(&request).then([requested(Means::Sepa)]);
    given::<Payout>([requested(Means::Sepa)]).when(&request).then_nothing();
    given::<Payout>([]).when(&Command::GiveUp {}).then_refused(Rejection::Missing);
}

#[test]
fn it_is_in_one_file() {
    let export = |file| Command::Export { file: number(file) };
    given::<Payout>([requested(Means::Sepa)]).when(&export(3)).then([exported()]);
    given::<Payout>([requested(Means::Sepa), exported()]).when(&export(3)).then_nothing();
    given::<Payout>([requested(Means::Sepa), exported()]).when(&export(4)).then_refused(Rejection::NotDue);
    given::<Payout>([requested(Means::Paypal)]).when(&export(3)).then_refused(Rejection::NotDue);
}

#[test]
fn what_paypal_has_is_not_settled_by_staff_until_paypal_is_not_asked_any_more() {
    let sent = [requested(Means::Paypal), submitted()];
    given::<Payout>(sent.clone()).when(&settle(Outcome::Paid)).then_refused(Rejection::Automatic);
    given::<Payout>(sent.clone()).when(&Command::GiveUp {}).then([Event::Unresolved {}]);
    let open = [&sent[..], &[Event::Unresolved {}]].concat();
    given::<Payout>(open.clone()).when(&settle(Outcome::Paid)).then([paid(Means::Paypal)]);
    given::<Payout>(open.clone()).when(&Command::Wait { check_at: noon() }).then_nothing();
    given::<Payout>(open).when(&Command::GiveUp {}).then_nothing();
    let submit = Command::Submit { batch: text("BATCH1"), check_at: noon() };
    given::<Payout>([requested(Means::Paypal)]).when(&submit).then([submitted()]);
    given::<Payout>(sent).when(&submit).then_nothing();
    let wait = Command::Wait { check_at: noon() };
    given::<Payout>([requested(Means::Paypal)]).when(&wait).then([Event::Waited { check_at: noon() }]);
    given::<Payout>([requested(Means::Sepa)]).when(&wait).then_nothing();
}

#[test]
fn it_has_one_outcome_and_may_come_back_after_it_arrived() {
    let sent = [requested(Means::Sepa), exported()];
    given::<Payout>(sent.clone()).when(&settle(Outcome::Paid)).then([paid(Means::Sepa)]);
    let refused = Outcome::Failed(Failure::Refused);
    given::<Payout>(sent.clone()).when(&settle(refused)).then([failed(Means::Sepa, Failure::Refused)]);
    let back = Outcome::Returned(Failure::SentBack);
    given::<Payout>(sent.clone()).when(&settle(back)).then_refused(Rejection::NotPaid { status: Status::Exported });
    let arrived = [&sent[..], &[paid(Means::Sepa)]].concat();
    given::<Payout>(arrived.clone()).when(&settle(Outcome::Paid)).then_nothing();
    given::<Payout>(arrived.clone()).when(&settle(refused)).then_refused(Rejection::Ended { status: Status::Paid });
    given::<Payout>(arrived.clone()).when(&settle(back)).then([returned(None)]);
    let over = [&arrived[..], &[returned(None)]].concat();
    given::<Payout>(over.clone()).when(&settle(back)).then_nothing();
    given::<Payout>(over).when(&settle(Outcome::Paid)).then_refused(Rejection::Ended { status: Status::Returned });
    let lost = [&sent[..], &[failed(Means::Sepa, Failure::Refused)]].concat();
    given::<Payout>(lost).when(&settle(Outcome::Paid)).then_refused(Rejection::Ended { status: Status::Failed });
}

#[test]
fn the_bank_s_reference_of_what_failed_or_came_back_is_kept() {
    let say = |outcome, reference: &str| Command::Settle {
        outcome,
        reference: Some(text(reference)),
        because: Some(text("the account is closed")),
    };
    let sent = [requested(Means::Sepa), exported()];
    let refused = say(Outcome::Failed(Failure::Refused), "st 9");
    let Ok(events) = crate::fold::<Payout>(&sent).decide(&refused, &Books::asked()) else { panic!("refused") };
    let known = crate::fold::<Payout>(&[&sent[..], &events].concat());
    let known = known.live().unwrap();
    assert_eq!((&known.reference, &known.because), (&Some(text("st 9")), &Some(text("the account is closed"))));
    let entry = Entry::of_payout(number(7), &events[0]).unwrap();
    assert_eq!(entry.document, Some(text("st 9")));

    let back = say(Outcome::Returned(Failure::SentBack), "st 44/9");
    let arrived = [&sent[..], &[paid(Means::Sepa)]].concat();
    let Ok(events) = crate::fold::<Payout>(&arrived).decide(&back, &Books::asked()) else { panic!("refused") };
    let over = [&arrived[..], &events].concat();
    let known = crate::fold::<Payout>(&over);
    let known = known.live().unwrap();
    assert_eq!((&known.reference, &known.return_reference), (&Some(text("T-1")), &Some(text("st 44/9"))));
    let entry = Entry::of_payout(number(7), &events[0]).unwrap();
    assert_eq!(entry.document, Some(text("st 44/9")));
    // The same again is no change, and another reference is no repetition.
    given::<Payout>(over.clone()).when(&back).then_nothing();
    let other = say(Outcome::Returned(Failure::SentBack), "st 45/1");
    given::<Payout>(over).when(&other).then_refused(Rejection::Ended { status: Status::Returned });
}

#[test]
fn an_entry_names_its_payout_until_a_reference_is_known() {
    let id: PayoutId = number(7);
    let document = |event: &Event| Entry::of_payout(id, event).unwrap().document.unwrap().to_string();
    let unnamed = Event::Paid { seller: number(1), amount: cents(5_000), means: Means::Sepa, reference: None };
    for event in [requested(Means::Sepa), unnamed, failed(Means::Sepa, Failure::Refused), returned(None)] {
        assert_eq!(document(&event), id.to_string());
    }
    assert_eq!(document(&paid(Means::Sepa)), "T-1");
}

#[test]
fn what_paypal_says_is_recorded_once() {
    let sent = [requested(Means::Paypal), submitted()];
    let said = Command::Conclude { outcome: Outcome::Paid, reference: Some(text("T-1")) };
    given::<Payout>(sent.clone()).when(&said).then([paid(Means::Paypal)]);
    given::<Payout>([&sent[..], &[paid(Means::Paypal)]].concat()).when(&said).then_nothing();
    let unclaimed = Command::Conclude { outcome: Outcome::Failed(Failure::Unclaimed), reference: None };
    given::<Payout>(sent).when(&unclaimed).then([failed(Means::Paypal, Failure::Unclaimed)]);
}

#[test]
fn events_keep_their_stored_form() {
    let because = || Some(text("the account is closed"));
    let (seller, amount, means) = (number(1), cents(5_000), Means::Sepa);
    let back = |reference| Event::Returned {
        seller,
        amount,
        means,
        failure: Failure::SentBack,
        reference,
        because: because(),
    };
    let refused = Event::Failed {
        seller,
        amount,
        means,
        failure: Failure::Refused,
        reference: Some(text("st 9")),
        because: because(),
    };
    golden(
        include_str!("golden.json"),
        &[
            requested(Means::Sepa),
            exported(),
            submitted(),
            Event::Waited { check_at: noon() },
            Event::Unresolved {},
            paid(Means::Sepa),
            failed(Means::Paypal, Failure::Unclaimed),
            back(None),
            refused,
            back(Some(text("st 44/9"))),
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    well_said(&[
        Rejection::Missing,
        Rejection::NotDue,
        Rejection::Automatic,
        Rejection::NotPaid { status: Status::Exported },
        Rejection::Ended { status: Status::Paid },
    ]);
}

/// What happens to a seller and its payouts, in any order.
#[derive(Debug, Clone)]
enum Act {
    Sell { order: u128, amount: i64 },
    Refund { order: u128, amount: i64 },
    Deliver { order: u128 },
    Request { amount: Option<i64>, means: Means },
    Happen { nth: usize, what: Command },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let outcome = prop_oneof![
        Just(Outcome::Paid),
        Just(Outcome::Failed(Failure::Refused)),
        Just(Outcome::Returned(Failure::SentBack)),
    ];
    let what = prop_oneof![
        Just(Command::Export { file: number(3) }),
        Just(Command::Submit { batch: text("BATCH1"), check_at: noon() }),
        Just(Command::GiveUp {}),
        outcome.clone().prop_map(|outcome| Command::Conclude { outcome, reference: None }),
        outcome.prop_map(|outcome| Command::Settle { outcome, reference: None, because: None }),
    ];
    let means = prop_oneof![Just(Means::Sepa), Just(Means::Paypal)];
    let act = prop_oneof![
        (0..3_u128, 1..9_000_i64).prop_map(|(order, amount)| Act::Sell { order, amount }),
        (0..3_u128, 1..4_000_i64).prop_map(|(order, amount)| Act::Refund { order, amount }),
        (0..3_u128).prop_map(|order| Act::Deliver { order }),
        (proptest::option::of(1..5_000_i64), means).prop_map(|(amount, means)| Act::Request { amount, means }),
        (0..5_usize, what).prop_map(|(nth, what)| Act::Happen { nth, what }),
    ];
    proptest::collection::vec(act, 0..50)
}

/// A seller with its payouts, and what the ledger says of both.
#[derive(Default)]
struct Books {
    balance: Balance,
    payouts: Vec<(PayoutId, Payout)>,
    owed: i64,
    in_transit: i64,
}

impl Books {
    fn asked() -> Asked {
        Asked { at: noon(), by: Actor::System { name: "test".into() } }
    }

    fn change_balance(&mut self, command: &balance::Command) -> bool {
        let Ok(events) = self.balance.decide(command, &Self::asked()) else { return false };
        self.balance = events.iter().fold(self.balance.clone(), Balance::evolve);
        true
    }

    fn post(&mut self, order: u128, amount: i64) {
        let (order, amount) = (Some(number::<OrderId>(order)), cents(amount));
        let post =
            balance::Command::Post { seller: number(1), position: 1, order, amount, reserve_percent: 0, dispute: None };
        assert!(self.change_balance(&post));
        self.owed += amount.amount;
    }

    /// A payout decides, and its balance does in the same append what follows from that.
    fn change_payout(&mut self, nth: usize, command: &Command) {
        let Some((id, payout)) = self.payouts.get(nth).cloned() else { return };
        let before = payout.live().unwrap().status;
        let Ok(events) = payout.decide(command, &Self::asked()) else { return };
        self.write_down(id, &events);
        let payout = events.iter().fold(payout, Payout::evolve);
        let then = payout.live().unwrap().change_of_balance(id, before);
        self.payouts[nth].1 = payout;
        assert!(then.is_none_or(|then| self.change_balance(&then)));
    }

    fn request(&mut self, amount: Option<i64>, means: Means) {
        let id = number(u128::try_from(self.payouts.len()).unwrap());
        let available = self.balance.at(noon()).available;
        let pay_out = balance::Command::PayOut { payout: id, amount: amount.map(cents), minimum: 1 };
        if !self.change_balance(&pay_out) {
            return;
        }
        let amount = amount.unwrap_or(available);
        assert!(amount <= available, "{amount} of {available}");
        let request = Command::Request { seller: number(1), amount: cents(amount), means, destination: sealed() };
        let events = Payout::default().decide(&request, &Self::asked()).unwrap();
        self.write_down(id, &events);
        self.payouts.push((id, events.iter().fold(Payout::default(), Payout::evolve)));
    }

    fn write_down(&mut self, id: PayoutId, events: &[Event]) {
        for entry in events.iter().filter_map(|event| Entry::of_payout(id, event)) {
            let sum = entry.lines.iter().map(|line| line.debit.amount - line.credit.amount).sum::<i64>();
            assert_eq!(sum, 0, "{entry:?}");
            self.owed += entry.owed_to_sellers().iter().map(|(_, owed)| owed.amount).sum::<i64>();
            let of_transit = entry.lines.iter().filter(|line| line.account == "payouts_in_transit");
            self.in_transit += of_transit.map(|line| line.credit.amount - line.debit.amount).sum::<i64>();
        }
    }
}

proptest! {
    /// Whatever happens: no payout exceeds what is available, and the balance is what the ledger says of the seller.
    #[test]
    fn the_balance_is_the_account_of_the_ledger(acts in acts()) {
        let mut books = Books::default();
        for act in acts {
            match act {
                Act::Sell { order, amount } => books.post(order, amount),
                Act::Refund { order, amount } => books.post(order, -amount),
                Act::Deliver { order } => {
                    let hold = Hold { available_at: noon(), reserved_until: noon() };
                    books.change_balance(&balance::Command::StartHold { order: number(order), hold });
                }
                Act::Request { amount, means } => books.request(amount, means),
                Act::Happen { nth, what } => books.change_payout(nth, &what),
            }
            let figures = books.balance.at(noon());
            prop_assert_eq!((figures.owed(), figures.in_transit), (books.owed, books.in_transit));
        }
    }
}
