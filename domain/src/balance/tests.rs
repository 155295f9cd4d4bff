//! Rules of balances: nothing is paid out that is not available, and the figures add up to what was posted.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::decider::{Actor, fold};
use crate::testing::{cents, given, golden, id as number, noon, well_said};

fn opened() -> Event {
    Event::Opened { seller: number(1), currency: Currency::EUR }
}

fn posted(order: u128, amount: i64) -> Event {
    Event::Posted { position: 7, order: Some(number(order)), amount: cents(amount), reserved: None, at: noon() }
}

fn post(order: u128, amount: i64, reserve_percent: u8) -> Command {
    let (seller, order) = (number(1), Some(number(order)));
    Command::Post { seller, position: 7, order, amount: cents(amount), reserve_percent, dispute: None }
}

fn days(days: i64) -> DateTime<Utc> {
    noon() + TimeDelta::days(days)
}

fn hold(available: i64, reserved: i64) -> Hold {
    Hold { available_at: days(available), reserved_until: days(reserved) }
}

fn held(order: u128, available: i64, reserved: i64) -> Event {
    let Hold { available_at, reserved_until } = hold(available, reserved);
    Event::HoldStarted { order: number(order), available_at, reserved_until }
}

fn pay_out(payout: u128, amount: Option<i64>) -> Command {
    Command::PayOut { payout: number(payout), amount: amount.map(cents), minimum: 500 }
}

fn started(payout: u128, amount: i64) -> Event {
    Event::PayoutStarted { payout: number(payout), amount: cents(amount), at: noon() }
}

fn figures(history: &[Event], at: DateTime<Utc>) -> Figures {
    fold::<Balance>(history).at(at)
}

#[test]
fn a_sale_is_pending_until_its_hold_ends() {
    given::<Balance>([]).when(&post(2, 1_000, 0)).then([opened(), posted(2, 1_000)]);
    let sold = [opened(), posted(2, 1_000)];
    assert_eq!(figures(&sold, days(999)), Figures { pending: 1_000, ..Figures::default() });
    let start = Command::StartHold { order: number(2), hold: hold(30, 30) };
    given::<Balance>(sold.clone()).when(&start).then([held(2, 30, 30)]);
    let delivered = [&sold[..], &[held(2, 30, 30)]].concat();
    given::<Balance>(delivered.clone()).when(&start).then_nothing();
    assert_eq!(figures(&delivered, days(29)), Figures { pending: 1_000, ..Figures::default() });
    assert_eq!(figures(&delivered, days(30)), Figures { available: 1_000, ..Figures::default() });
}

#[test]
fn a_hold_that_starts_before_its_sale_is_posted_counts() {
    let history = [held(2, 0, 0), opened(), posted(2, 1_000)];
    assert_eq!(figures(&history, noon()), Figures { available: 1_000, ..Figures::default() });
}

#[test]
fn a_part_of_the_sales_of_a_new_seller_is_held_longer() {
    let sale = Event::Posted {
        position: 7,
        order: Some(number(2)),
        amount: cents(1_005),
        reserved: Some(cents(101)),
        at: noon(),
    };
    given::<Balance>([opened()]).when(&post(2, 1_005, 10)).then([sale.clone()]);
    let history = [opened(), sale, held(2, 30, 120)];
    let at = |day| figures(&history, days(day));
    assert_eq!(at(0), Figures { pending: 904, reserved: 101, ..Figures::default() });
    assert_eq!(at(30), Figures { available: 904, reserved: 101, ..Figures::default() });
    assert_eq!(at(120), Figures { available: 1_005, ..Figures::default() });
}

#[test]
fn a_refund_takes_from_its_order_first_and_may_make_the_balance_negative() {
    let sold = [opened(), posted(2, 1_000), held(2, 30, 30), posted(3, 500), held(3, 0, 0)];
    let refunded = [&sold[..], &[posted(2, -400)]].concat();
    assert_eq!(figures(&refunded, noon()), Figures { pending: 600, available: 500, ..Figures::default() });
    let all = [&refunded[..], &[posted(2, -900)]].concat();
    assert_eq!(figures(&all, noon()), Figures { available: 200, ..Figures::default() });
    let beyond = [&all[..], &[posted(3, -500)]].concat();
    assert_eq!(figures(&beyond, noon()), Figures { available: -300, ..Figures::default() });
    let refused = Rejection::NothingAvailable { available: cents(-300) };
    given::<Balance>(beyond.clone()).when(&pay_out(9, None)).then_refused(refused.clone());
    given::<Balance>(beyond.clone()).when(&pay_out(9, Some(600))).then_refused(refused);
    let later = [&beyond[..], &[posted(4, 1_000), held(4, 0, 0)]].concat();
    given::<Balance>(later).when(&pay_out(9, None)).then([started(9, 700)]);
}

fn withheld(dispute: u128, order: u128, amount: i64) -> Event {
    Event::Withheld { dispute: number(dispute), order: number(order), amount: cents(amount), at: noon() }
}

fn ended(dispute: u128) -> Event {
    Event::DisputeEnded { dispute: number(dispute), at: noon() }
}

#[test]
fn what_is_disputed_is_not_paid_out_and_goes_back_to_where_it_was() {
    let withhold = |amount| {
        let (dispute, order) = (number(8), number(2));
        Command::Withhold { dispute, order, amount: cents(amount) }
    };
    let sold = [opened(), posted(2, 1_000), posted(3, 500), held(3, 0, 0)];
    given::<Balance>(sold.clone()).when(&withhold(1_200)).then([withheld(8, 2, 1_200)]);
    let disputed = [&sold[..], &[withheld(8, 2, 1_200)]].concat();
    assert_eq!(figures(&disputed, noon()), Figures { available: 300, disputed: 1_200, ..Figures::default() });
    given::<Balance>(disputed.clone()).when(&withhold(1_200)).then_nothing();
    let too_little = Rejection::TooLittle { minimum: cents(500), available: cents(300) };
    given::<Balance>(disputed.clone()).when(&pay_out(9, None)).then_refused(too_little);
    // The goods are delivered while it is open.
    let delivered = [&disputed[..], &[held(2, 30, 30)]].concat();
    let end = Command::EndDispute { dispute: number(8) };
    given::<Balance>(delivered.clone()).when(&end).then([ended(8)]);
    let won = [&delivered[..], &[ended(8)]].concat();
    assert_eq!(figures(&won, noon()), Figures { pending: 1_000, available: 500, ..Figures::default() });
    assert_eq!(figures(&won, days(30)), Figures { available: 1_500, ..Figures::default() });
    given::<Balance>(won.clone()).when(&end).then_nothing();
    // A dispute that has ended keeps nothing back any more, in whichever order both are carried out.
    given::<Balance>(won).when(&withhold(1_200)).then_nothing();
    // The first sale of a seller may be posted after its dispute.
    let early = [withheld(8, 2, 1_200), opened(), posted(2, 1_200)];
    given::<Balance>([]).when(&withhold(1_200)).then([withheld(8, 2, 1_200)]);
    assert_eq!(
        figures(&early, noon()),
        Figures { pending: 1_200, available: -1_200, disputed: 1_200, ..Figures::default() }
    );
    given::<Balance>(early.clone()).when(&end).then([ended(8)]);
    given::<Balance>([withheld(8, 2, 1_200)]).when(&end).then([ended(8)]);
    let over = [&early[..], &[ended(8)]].concat();
    assert_eq!(figures(&over, noon()), Figures { pending: 1_200, ..Figures::default() });
}

#[test]
fn what_is_lost_is_taken_in_the_append_that_ends_what_is_withheld() {
    let disputed = [opened(), posted(2, 1_000), held(2, 0, 0), withheld(8, 2, 600)];
    let dispute = Some(number(8));
    let Command::Post { seller, position, order, amount, reserve_percent, .. } = post(2, -600, 0) else { panic!() };
    let post = Command::Post { seller, position, order, amount, reserve_percent, dispute };
    given::<Balance>(disputed.clone()).when(&post).then([ended(8), posted(2, -600)]);
    let lost = [&disputed[..], &[ended(8), posted(2, -600)]].concat();
    assert_eq!(figures(&lost, noon()), Figures { available: 400, ..Figures::default() });
}

fn posted_direct(order: u128, amount: i64) -> Event {
    Event::PostedDirect { position: 7, order: number(order), amount: cents(amount), at: noon() }
}

#[test]
fn what_a_provider_pays_itself_settles_the_sale_in_whichever_order_they_are_posted() {
    let direct =
        |amount| Command::PostDirect { seller: number(1), position: 7, order: number(2), amount: cents(amount) };
    given::<Balance>([]).when(&direct(0)).then_nothing();
    given::<Balance>([]).when(&direct(-900)).then([opened(), posted_direct(2, -900)]);
    let first = [opened(), posted_direct(2, -900)];
    assert_eq!(figures(&first, noon()), Figures { available: -900, ..Figures::default() });
    // Only what was not paid yet is reserved.
    let reserved = Some(cents(50));
    let sale = Event::Posted { position: 7, order: Some(number(2)), amount: cents(1_000), reserved, at: noon() };
    given::<Balance>(first.clone()).when(&post(2, 1_000, 50)).then([sale]);
    for history in [
        [&first[..], &[posted(2, 900)]].concat(),
        vec![opened(), posted(2, 900), posted_direct(2, -900)],
        vec![opened(), held(2, 30, 30), posted(2, 900), posted_direct(2, -900)],
    ] {
        assert_eq!(figures(&history, noon()), Figures::default());
        assert_eq!(figures(&history, days(30)), Figures::default());
        // A refund of a part: the credit note takes it back, and the provider took it from the seller.
        let refunded = [&history[..], &[posted(2, -450), posted_direct(2, 451)]].concat();
        assert_eq!(figures(&refunded, noon()), Figures { available: 1, ..Figures::default() });
    }
    // The order was cancelled before it was paid: all goes back, and a later sale is held as any other.
    let back = [&first[..], &[posted_direct(2, 900), posted(2, 300)]].concat();
    assert_eq!(figures(&back, noon()), Figures { pending: 300, ..Figures::default() });
}

#[test]
fn no_more_than_is_available_is_paid_out_and_no_less_than_the_minimum() {
    let history = [opened(), posted(2, 1_000), held(2, 0, 0), posted(3, 5_000)];
    given::<Balance>(history.clone()).when(&pay_out(9, None)).then([started(9, 1_000)]);
    given::<Balance>(history.clone()).when(&pay_out(9, Some(600))).then([started(9, 600)]);
    let not_enough = Rejection::NotEnough { available: cents(1_000) };
    given::<Balance>(history.clone()).when(&pay_out(9, Some(1_001))).then_refused(not_enough);
    let too_little = Rejection::BelowMinimum { minimum: cents(500), amount: cents(499) };
    given::<Balance>(history.clone()).when(&pay_out(9, Some(499))).then_refused(too_little);
    let (minimum, available) = (cents(500), cents(499));
    given::<Balance>([opened(), posted(2, 499), held(2, 0, 0)])
        .when(&pay_out(9, None))
        .then_refused(Rejection::TooLittle { minimum, available });
    given::<Balance>([opened(), posted(2, 499)])
        .when(&pay_out(9, None))
        .then_refused(Rejection::NothingAvailable { available: cents(0) });
    let dollars = Command::PayOut { payout: number(9), amount: Some(Money::new(600, Currency::USD)), minimum: 500 };
    given::<Balance>(history.clone()).when(&dollars).then_refused(Rejection::OtherCurrency { currency: Currency::EUR });
    given::<Balance>([]).when(&pay_out(9, None)).then_refused(Rejection::Missing);
    let after = [&history[..], &[started(9, 600)]].concat();
    given::<Balance>(after.clone()).when(&pay_out(9, Some(600))).then_nothing();
    let left = Rejection::NotEnough { available: cents(400) };
    given::<Balance>(after).when(&pay_out(10, Some(600))).then_refused(left);
}

#[test]
fn a_payout_arrives_or_comes_back() {
    let paying = [opened(), posted(2, 1_000), held(2, 0, 0), started(9, 1_000)];
    assert_eq!(figures(&paying, noon()), Figures { in_transit: 1_000, ..Figures::default() });
    let paid = Event::PaidOut { payout: number(9), amount: cents(1_000) };
    given::<Balance>(paying.clone()).when(&Command::Conclude { payout: number(9) }).then([paid.clone()]);
    given::<Balance>(paying.clone()).when(&Command::Conclude { payout: number(8) }).then_nothing();
    let back = Event::PayoutReturned { payout: number(9), amount: cents(1_000) };
    let take_back = Command::TakeBack { payout: number(9), amount: cents(1_000) };
    given::<Balance>(paying.clone()).when(&take_back).then([back.clone()]);
    given::<Balance>([]).when(&take_back).then_nothing();
    let available = Figures { available: 1_000, ..Figures::default() };
    assert_eq!(figures(&[&paying[..], std::slice::from_ref(&back)].concat(), noon()), available);
    let arrived = [&paying[..], &[paid]].concat();
    assert_eq!(figures(&arrived, noon()), Figures { paid_out: 1_000, ..Figures::default() });
    assert_eq!(figures(&[&arrived[..], &[back]].concat(), noon()), available);
}

#[test]
fn nothing_absurd_is_posted() {
    given::<Balance>([]).when(&post(2, 0, 0)).then_nothing();
    given::<Balance>([opened()]).when(&post(2, i64::MAX, 0)).then_refused(Rejection::OutOfRange);
}

/// What happens to a balance, in any order.
#[derive(Debug, Clone)]
enum Act {
    Post { order: u128, amount: i64, reserve: u8 },
    PostDirect { order: u128, amount: i64 },
    Hold { order: u128, after: i64, longer: i64 },
    PayOut { amount: Option<i64> },
    Conclude { nth: usize },
    TakeBack { nth: usize },
    Withhold { dispute: u128, order: u128, amount: i64 },
    EndDispute { dispute: u128 },
    Wait { days: i64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (0..4_u128, -3_000..5_000_i64, 0..=100_u8).prop_map(|(order, amount, reserve)| Act::Post {
            order,
            amount,
            reserve
        }),
        (0..4_u128, -3_000..3_000_i64).prop_map(|(order, amount)| Act::PostDirect { order, amount }),
        (0..4_u128, 0..20_i64, 0..20_i64).prop_map(|(order, after, longer)| Act::Hold { order, after, longer }),
        proptest::option::of(1..4_000_i64).prop_map(|amount| Act::PayOut { amount }),
        (0..6_usize).prop_map(|nth| Act::Conclude { nth }),
        (0..6_usize).prop_map(|nth| Act::TakeBack { nth }),
        (0..4_u128, 0..4_u128, 1..4_000_i64).prop_map(|(dispute, order, amount)| Act::Withhold {
            dispute,
            order,
            amount
        }),
        (0..4_u128).prop_map(|dispute| Act::EndDispute { dispute }),
        (0..15_i64).prop_map(|days| Act::Wait { days }),
    ];
    proptest::collection::vec(act, 0..60)
}

/// A payout as the test remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Going,
    Arrived,
    Back,
}

proptest! {
    /// Whatever happens: no payout exceeds what is available, and the figures are the sums of what was posted and paid.
    #[test]
    fn the_figures_are_the_sums_of_what_happened(acts in acts()) {
        let (mut balance, mut now, mut position) = (Balance::default(), noon(), 0);
        let mut payouts: Vec<(i64, Way)> = vec![];
        let mut all = 0;
        let mut withheld = BTreeMap::<DisputeId, i64>::new();
        for act in acts {
            position += 1;
            let payout = |nth: usize| number::<PayoutId>(u128::try_from(nth).unwrap());
            let before = balance.at(now);
            let command = match act {
                Act::Wait { days } => { now += TimeDelta::days(days); continue }
                Act::Post { order, amount, reserve } => Command::Post {
                    seller: number(1), position, order: Some(number(order)), amount: cents(amount), reserve_percent: reserve,
                    dispute: None,
                },
                Act::PostDirect { order, amount } => Command::PostDirect {
                    seller: number(1), position, order: number(order), amount: cents(amount),
                },
                Act::Hold { order, after, longer } => Command::StartHold { order: number(order), hold: Hold {
                    available_at: now + TimeDelta::days(after), reserved_until: now + TimeDelta::days(after + longer),
                } },
                Act::PayOut { amount } => Command::PayOut { payout: payout(payouts.len()), amount: amount.map(cents), minimum: 1 },
                Act::Conclude { nth } => Command::Conclude { payout: payout(nth) },
                Act::Withhold { dispute, order, amount } => {
                    Command::Withhold { dispute: number(dispute), order: number(order), amount: cents(amount) }
                }
                Act::EndDispute { dispute } => Command::EndDispute { dispute: number(dispute) },
                // The payout itself refuses to be returned twice.
                Act::TakeBack { nth } => match payouts.get(nth) {
                    Some((amount, Way::Going | Way::Arrived)) => Command::TakeBack { payout: payout(nth), amount: cents(*amount) },
                    Some((_, Way::Back)) | None => continue,
                },
            };
            let asked = Asked { at: now, by: Actor::System { name: "test".into() } };
            for event in balance.decide(&command, &asked).unwrap_or_default() {
                match &event {
                    Event::Posted { amount, .. } | Event::PostedDirect { amount, .. } => all += amount.amount,
                    Event::PayoutStarted { amount, .. } => {
                        prop_assert!(amount.amount <= before.available && amount.amount > 0);
                        payouts.push((amount.amount, Way::Going));
                    }
                    Event::PaidOut { payout, .. } => payouts[usize::try_from(payout.uuid().as_u128()).unwrap()].1 = Way::Arrived,
                    Event::PayoutReturned { payout, .. } => payouts[usize::try_from(payout.uuid().as_u128()).unwrap()].1 = Way::Back,
                    Event::Withheld { dispute, amount, .. } => drop(withheld.insert(*dispute, amount.amount)),
                    Event::DisputeEnded { dispute, .. } => drop(withheld.remove(dispute)),
                    Event::Opened { .. } | Event::HoldStarted { .. } => {}
                }
                balance = balance.evolve(&event);
            }
            let sum = |way| payouts.iter().filter(|(_, it)| *it == way).map(|(amount, _)| amount).sum::<i64>();
            let figures = balance.at(now);
            prop_assert_eq!((figures.in_transit, figures.paid_out), (sum(Way::Going), sum(Way::Arrived)));
            prop_assert_eq!(figures.disputed, withheld.values().sum::<i64>());
            // What the ledger owes the seller: what was posted, less what left.
            prop_assert_eq!(figures.owed(), all - figures.in_transit - figures.paid_out);
            prop_assert!(figures.pending >= 0 && figures.reserved >= 0);
        }
    }
}

#[test]
fn events_keep_their_stored_form() {
    let reserved = Event::Posted {
        position: 7,
        order: Some(number(2)),
        amount: cents(1_000),
        reserved: Some(cents(100)),
        at: noon(),
    };
    let alone = Event::Posted { position: 8, order: None, amount: cents(-250), reserved: None, at: noon() };
    let paid = Event::PaidOut { payout: number(9), amount: cents(1_000) };
    let back = Event::PayoutReturned { payout: number(9), amount: cents(1_000) };
    let samples =
        [opened(), reserved, alone, held(2, 30, 120), started(9, 1_000), paid, back, withheld(8, 2, 600), ended(8)];
    golden(include_str!("golden.json"), &samples);
    golden(include_str!("golden.json"), &[posted_direct(2, -900)]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[
        Rejection::Missing,
        Rejection::OtherCurrency { currency: Currency::EUR },
        Rejection::NotEnough { available: cents(1_000) },
        Rejection::BelowMinimum { minimum: cents(500), amount: cents(499) },
        Rejection::NothingAvailable { available: cents(-300) },
        Rejection::TooLittle { minimum: cents(500), available: cents(499) },
        Rejection::OutOfRange,
    ]);
}
