//! Rules of how sellers are paid: a new destination waits for a day, and schedules run once for each moment.

use uuid::Uuid;

use chrono::TimeDelta;

use super::*;
use crate::decider::fold;
use crate::personal::Subject;
use crate::testing::{given, golden, id as number, noon, text, well_said};

const DELAY: TimeDelta = TimeDelta::days(1);

fn sealed(text: &str) -> Personal<Destination> {
    Personal::new(Subject(Uuid::from_u128(7)), text)
}

fn chosen(text: &str, days: i64) -> Event {
    let at = noon() + TimeDelta::days(days);
    Event::DestinationChosen { destination: sealed(text), means: Means::Sepa, at, usable_from: at + DELAY }
}

fn in_use(history: &[Event], days: i64) -> Option<String> {
    let account: PayoutAccount = fold(history);
    account.in_use(noon() + TimeDelta::days(days)).map(|it| it.destination.sealed().to_owned())
}

#[test]
fn its_id_is_that_of_the_seller() {
    let of = id(number(5));
    assert_eq!(seller(of), number(5));
}

#[test]
fn a_new_destination_is_used_after_a_day_and_the_previous_one_until_then() {
    let choose = Command::Choose { destination: sealed("A"), means: Means::Sepa, delay: DELAY };
    given::<PayoutAccount>([]).when(&choose).then([chosen("A", 0)]);
    let history = [chosen("A", 0), chosen("B", 10)];
    assert_eq!(in_use(&history[..1], 0), None);
    assert_eq!(in_use(&history[..1], 1).as_deref(), Some("A"));
    assert_eq!(in_use(&history, 10).as_deref(), Some("A"));
    assert_eq!(in_use(&history, 11).as_deref(), Some("B"));
    let account: PayoutAccount = fold(&history[..1]);
    assert_eq!(account.usable(noon()), Err(Rejection::Waits { usable_from: noon() + DELAY }));
    assert_eq!(PayoutAccount::default().usable(noon()), Err(Rejection::NoDestination));
}

#[test]
fn a_choice_that_was_never_used_is_replaced_and_can_be_cancelled() {
    let in_the_same_hour = [chosen("A", -10), chosen("B", 0), chosen("C", 0)];
    assert_eq!(in_use(&in_the_same_hour, 0).as_deref(), Some("A"));
    assert_eq!(in_use(&in_the_same_hour, 1).as_deref(), Some("C"));
    given::<PayoutAccount>(in_the_same_hour.clone()).when(&Command::CancelChoice {}).then([Event::ChoiceCancelled {}]);
    let cancelled = [&in_the_same_hour[..], &[Event::ChoiceCancelled {}]].concat();
    assert_eq!(in_use(&cancelled, 5).as_deref(), Some("A"));
    given::<PayoutAccount>(cancelled).when(&Command::CancelChoice {}).then_refused(Rejection::NothingWaits);
    given::<PayoutAccount>([]).when(&Command::CancelChoice {}).then_refused(Rejection::NothingWaits);
    given::<PayoutAccount>([chosen("A", -10)]).when(&Command::CancelChoice {}).then_refused(Rejection::NothingWaits);
}

#[test]
fn scheduled_payouts_are_on_mondays_or_on_the_first_of_the_month() {
    let moment = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
    // Noon of the tests is on a Thursday.
    assert_eq!(Schedule::Weekly.next(noon()), Some(moment("2026-01-05T04:00:00Z")));
    assert_eq!(Schedule::Weekly.next(moment("2026-01-05T03:59:59Z")), Some(moment("2026-01-05T04:00:00Z")));
    assert_eq!(Schedule::Weekly.next(moment("2026-01-05T04:00:00Z")), Some(moment("2026-01-12T04:00:00Z")));
    assert_eq!(Schedule::Monthly.next(noon()), Some(moment("2026-02-01T04:00:00Z")));
    assert_eq!(Schedule::Monthly.next(moment("2026-12-31T23:00:00Z")), Some(moment("2027-01-01T04:00:00Z")));
    assert_eq!(Schedule::OnRequest.next(noon()), None);
}

#[test]
fn a_schedule_runs_once_for_each_moment() {
    let next = Schedule::Weekly.next(noon());
    let weekly = Command::Schedule { schedule: Schedule::Weekly };
    let scheduled = Event::Scheduled { schedule: Schedule::Weekly, next };
    given::<PayoutAccount>([]).when(&weekly).then([scheduled.clone()]);
    given::<PayoutAccount>([scheduled.clone()]).when(&weekly).then_nothing();
    let run = Command::Run { due: next.unwrap() };
    // The tests are at noon, before that moment, so it comes next again.
    let ran = Event::Ran { next };
    given::<PayoutAccount>([scheduled.clone()]).when(&run).then([ran]);
    let off = Event::Scheduled { schedule: Schedule::OnRequest, next: None };
    given::<PayoutAccount>([scheduled.clone(), off.clone()]).when(&run).then_nothing();
    given::<PayoutAccount>([scheduled]).when(&Command::Schedule { schedule: Schedule::OnRequest }).then([off]);
}

#[test]
fn a_currency_is_noted_once() {
    let note = Command::NoteCurrency { currency: Currency::EUR };
    let noted = Event::CurrencyNoted { currency: Currency::EUR };
    given::<PayoutAccount>([]).when(&note).then([noted.clone()]);
    given::<PayoutAccount>([noted]).when(&note).then_nothing();
}

#[test]
fn a_bank_account_must_be_in_sepa() {
    let of = |iban: &str| Destination::Iban { iban: text(iban), holder: text("Ada Lovelace") };
    assert_eq!(of("DE89370400440532013000").ensure_reachable(), Ok(()));
    assert_eq!(of("SA0380000000608010167519").ensure_reachable(), Err(Rejection::NotInSepa));
    let paypal = Destination::Paypal { email: text("ada@example.org") };
    assert_eq!((paypal.means(), paypal.ensure_reachable()), (Means::Paypal, Ok(())));
}

#[test]
fn events_keep_their_stored_form() {
    golden(
        include_str!("golden.json"),
        &[
            chosen("AAECAw", 0),
            Event::ChoiceCancelled {},
            Event::Scheduled { schedule: Schedule::Weekly, next: Schedule::Weekly.next(noon()) },
            Event::Scheduled { schedule: Schedule::OnRequest, next: None },
            Event::Ran { next: Schedule::Monthly.next(noon()) },
            Event::CurrencyNoted { currency: Currency::EUR },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    well_said(&[
        Rejection::NoDestination,
        Rejection::Waits { usable_from: noon() },
        Rejection::NothingWaits,
        Rejection::NotInSepa,
        Rejection::NotInCurrency,
    ]);
}
