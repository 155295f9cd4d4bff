//! What the provider is asked, and what follows from its answer.

use super::*;
use crate::aftersales::tests::lamps;
use crate::commission::Commission;
use crate::payment::{DeclineReason, Event};
use crate::payment_book::{ManualKind, ManualMethod};
use crate::pricing::LineTax;
use crate::product::TaxClass;
use crate::seller::{self, Seller};
use crate::stock::StockLevel;
use crate::stored_value::{Cover, Means};
use crate::tax_rate::TaxRate;
use crate::testing::{cents, id, noon, text};

fn opened(history: &[Event]) -> Opened {
    let begin = Event::Opened { order: id(1), amount: cents(100) };
    let all = [&[begin][..], history].concat();
    crate::fold::<Payment>(&all).live().unwrap().clone()
}

fn attempted(reference: &str, capture: CaptureMode) -> Event {
    Event::Attempted { method: Method::Test, reference: text(reference), capture, return_url: None }
}

fn authorized(expires_at: Option<DateTime<Utc>>) -> Event {
    Event::Authorized { order: id(1), reference: text("1"), expires_at }
}

fn held() -> Vec<Event> {
    vec![attempted("1", CaptureMode::Manual), authorized(Some(noon()))]
}

fn captured() -> Vec<Event> {
    let taken = Event::Captured {
        order: id(1),
        amount: cents(100),
        method: Method::Test,
        reference: text("1"),
        covers: vec![],
    };
    vec![attempted("1", CaptureMode::Automatic), authorized(None), taken]
}

fn next(task: Task<'_>, history: &[Event]) -> Vec<Move> {
    moves(task, id(2), &opened(history), noon())
}

fn decide(command: Command) -> Vec<Move> {
    vec![Move::Decide(command)]
}

/// Carried out, by a provider that says nothing of a fee.
const DONE: Answer = Answer::Done { fee: None };

fn after(history: &[Event], request: &Request, answer: Answer) -> Vec<Move> {
    answered(&opened(history), request, answer, noon())
}

#[test]
fn an_attempt_in_progress_is_looked_up_and_its_outcome_written_down() {
    let history = [attempted("1", CaptureMode::Automatic)];
    let request = Request::LookUp(text("1"));
    assert_eq!(next(Task::Settle, &history), [Move::Ask(request.clone())]);
    assert_eq!(request.question(), Question::LookUp(&text("1")));
    let conclude = |outcome| decide(Command::RecordOutcome { reference: text("1"), outcome });
    let declined = ProviderOutcome::Declined { reason: DeclineReason::Declined };
    assert_eq!(after(&history, &request, Answer::Outcome(declined)), conclude(declined));
    let check_at = noon() + TimeDelta::seconds(1);
    assert_eq!(after(&history, &request, Answer::Silence), conclude(ProviderOutcome::Unknown { check_at }));
}

#[test]
fn an_attempt_whose_void_is_requested_is_not_carried_out_any_more() {
    let requested = Event::VoidRequested { reason: VoidReason::OrderCancelled };
    let history = [attempted("1", CaptureMode::Automatic), requested];
    let request = Request::LookUpVoided(text("1"));
    assert_eq!(next(Task::Settle, &history), [Move::Ask(request.clone())]);
    assert_eq!(request.question(), Question::Find(&text("1")));
    let conclude = |outcome| decide(Command::RecordOutcome { reference: text("1"), outcome });
    for outcome in [ProviderOutcome::Cancelled, ProviderOutcome::Authorized] {
        assert_eq!(after(&history, &request, Answer::Outcome(outcome)), conclude(outcome));
    }
    // Nor is one that no payment waits for: it has no timer, so its amount could be forgotten.
    for request in [Request::LookUpAgain(text("1")), Request::LookUpOrphaned(text("1"))] {
        assert_eq!(request.question(), Question::Find(&text("1")));
    }
}

#[test]
fn a_timer_asks_about_its_own_attempt_and_about_no_other() {
    let left = Event::Declined { reference: text("1"), reason: DeclineReason::BuyerLeft };
    let first = [attempted("1", CaptureMode::Automatic)];
    let (one, two) = (text("1"), text("2"));
    assert_eq!(next(Task::settle(Some(&one)), &first), [Move::Ask(Request::LookUp(text("1")))]);
    let replaced = [&first[..], &[left, attempted("2", CaptureMode::Automatic)]].concat();
    assert_eq!(next(Task::settle(Some(&one)), &replaced), []);
    assert_eq!(next(Task::settle(Some(&two)), &replaced), [Move::Ask(Request::LookUp(text("2")))]);
    // Timers from before they named their attempt ask about the last one.
    assert_eq!(next(Task::settle(None), &replaced), [Move::Ask(Request::LookUp(text("2")))]);
}

#[test]
fn a_capture_is_written_down_before_the_provider_is_asked() {
    let ask = Move::Ask(Request::Capture(text("1")));
    assert_eq!(next(Task::Capture, &held()), [Move::Decide(Command::RequestCapture {}), ask.clone()]);
    assert_eq!(next(Task::Settle, &held()), [], "a held authorization waits for a request of its capture");
    let requested = [held(), vec![Event::CaptureRequested { order: id(1) }]].concat();
    for task in [Task::Capture, Task::Settle] {
        assert_eq!(next(task, &requested), std::slice::from_ref(&ask));
    }
    let request = Request::Capture(text("1"));
    assert_eq!(after(&requested, &request, DONE), decide(Command::Capture {}));
    let check_at = noon() + TimeDelta::seconds(1);
    assert_eq!(after(&requested, &request, Answer::Silence), decide(Command::RecordNoAnswer { check_at }));
    // What is to be voided is not captured: the payment says so.
    let voiding = [held(), vec![Event::VoidRequested { reason: VoidReason::Expired }]].concat();
    assert_eq!(next(Task::Capture, &voiding), decide(Command::Capture {}));
    assert_eq!(next(Task::Capture, &captured()), decide(Command::Capture {}));
}

#[test]
fn a_void_is_written_down_before_the_provider_is_asked() {
    let reason = VoidReason::OrderCancelled;
    let void = Task::Void(reason);
    assert_eq!(next(void, &[]), decide(Command::Void { reason }));
    assert_eq!(next(void, &held()), decide(Command::RequestVoid { reason }));
    let voiding = [held(), vec![Event::VoidRequested { reason: VoidReason::Expired }]].concat();
    let release = |reason| Request::Release { reference: text("1"), reason };
    assert_eq!(next(void, &voiding), [Move::Ask(release(reason))]);
    assert_eq!(next(Task::Settle, &voiding), [Move::Ask(release(VoidReason::Expired))]);
    assert_eq!(release(reason).question(), Question::Release(&text("1")));
    assert_eq!(after(&voiding, &release(reason), DONE), decide(Command::RecordReleased { reason }));
    let check_at = noon() + TimeDelta::seconds(1);
    assert_eq!(after(&voiding, &release(reason), Answer::Silence), decide(Command::RecordNoAnswer { check_at }));
    let (refund, amount, cause) = (payment::whole(id(2)), None, RefundCause::OrderCancelled);
    assert_eq!(next(void, &captured()), decide(Command::RequestRefund { refund, amount, cause, to: None }));
    let over = [
        captured(),
        vec![Event::Refunded { order: id(1), amount: cents(100), refund: None, cause: None, to: None, of: None }],
    ];
    assert_eq!(next(void, &over.concat()), []);
}

#[test]
fn only_what_is_held_for_too_long_expires() {
    let expire = decide(Command::RequestVoid { reason: VoidReason::Expired });
    assert_eq!(next(Task::Expire, &held()), expire);
    let later = [attempted("1", CaptureMode::Manual), authorized(Some(noon() + TimeDelta::seconds(1)))];
    assert_eq!(next(Task::Expire, &later), []);
    let requested = [held(), vec![Event::CaptureRequested { order: id(1) }]].concat();
    assert_eq!(next(Task::Expire, &requested), []);
}

#[test]
fn each_refund_that_is_requested_is_asked_for_under_its_key() {
    let requested = |refund: u128, amount: i64| Event::RefundRequested {
        order: id(1),
        refund: id(refund),
        amount: cents(amount),
        cause: RefundCause::OrderCancelled,
        retries: None,
        manual: false,
        to: None,
        of: None,
    };
    let history = [captured(), vec![requested(3, 10), requested(4, 20)]].concat();
    let refund = |refund, amount| Request::Refund { reference: text("1"), refund: id(refund), amount: cents(amount) };
    assert_eq!(next(Task::Settle, &history), [Move::Ask(refund(3, 10)), Move::Ask(refund(4, 20))]);
    assert_eq!(refund(3, 10).question(), Question::Refund(&text("1"), id(3), cents(10)));
    let answers = [
        (DONE, RefundOutcome::Done),
        (Answer::Refused, RefundOutcome::Refused),
        (Answer::Silence, RefundOutcome::Unknown { check_at: noon() + TimeDelta::seconds(1) }),
    ];
    for (answer, outcome) in answers {
        let concluded = decide(Command::RecordRefundOutcome { refund: id(3), outcome });
        assert_eq!(after(&history, &refund(3, 10), answer), concluded);
    }
}

#[test]
fn a_failed_attempt_is_looked_up_again_and_recorded_or_released() {
    let declined = Event::Declined { reference: text("1"), reason: DeclineReason::NotReceived };
    let open = vec![attempted("1", CaptureMode::Automatic), declined];
    let reference = text::<ProviderReference>("1");
    let again = Request::LookUpAgain(reference.clone());
    assert_eq!(next(Task::Hear(&reference), &open), [Move::Ask(again.clone())]);
    let granted = Answer::Outcome(ProviderOutcome::Authorized);
    let outcome = ProviderOutcome::Authorized;
    assert_eq!(after(&open, &again, granted), decide(Command::RecordOutcome { reference: text("1"), outcome }));
    assert_eq!(after(&open, &again, Answer::Outcome(ProviderOutcome::NotFound)), []);
    let check_at = noon() + TimeDelta::seconds(1);
    let later = decide(Command::RecordNoAnswerOrphaned { reference: text("1"), check_at });
    assert_eq!(after(&open, &again, Answer::Silence), later);
    // No payment waits for it any more: what it holds is released.
    let voided = Event::Voided { order: id(1), reason: VoidReason::OrderCancelled };
    let orphaned = Request::LookUpOrphaned(reference.clone());
    for history in
        [[open.clone(), vec![attempted("2", CaptureMode::Automatic)]].concat(), [open, vec![voided]].concat()]
    {
        assert_eq!(next(Task::Hear(&reference), &history), [Move::Ask(orphaned.clone())]);
        let release = Request::ReleaseOrphaned(reference.clone());
        assert_eq!(after(&history, &orphaned, granted), [Move::Ask(release.clone())]);
        assert_eq!(after(&history, &orphaned, Answer::Outcome(ProviderOutcome::NotFound)), []);
        assert_eq!(after(&history, &orphaned, Answer::Silence), later);
        let released = decide(Command::ReleaseOrphaned { reference: text("1") });
        assert_eq!(after(&history, &release, DONE), released);
        assert_eq!(after(&history, &release, Answer::Silence), later);
    }
    let unknown = text::<ProviderReference>("9");
    assert_eq!(next(Task::Hear(&unknown), &captured()), []);
    assert_eq!(next(Task::Hear(&reference), &held()), []);
}

#[test]
fn what_the_provider_keeps_is_recorded_together_with_what_it_did() {
    let (reference, reason) = (text::<ProviderReference>("1"), VoidReason::OrderCancelled);
    let refund = Request::Refund { reference: reference.clone(), refund: id(3), amount: cents(10) };
    let outcome = RefundOutcome::Done;
    for (request, command) in [
        (Request::Capture(reference.clone()), Command::Capture {}),
        (Request::Release { reference: reference.clone(), reason }, Command::RecordReleased { reason }),
        (Request::ReleaseOrphaned(reference.clone()), Command::ReleaseOrphaned { reference: reference.clone() }),
        (refund, Command::RecordRefundOutcome { refund: id(3), outcome }),
    ] {
        let fee = Command::RecordFee { reference: reference.clone(), total: cents(4) };
        let both = [Move::DecideAll(vec![command, fee])];
        assert_eq!(after(&captured(), &request, Answer::Done { fee: Some(cents(4)) }), both);
    }
}

#[test]
fn a_provider_with_ids_of_its_own_is_asked_for_the_capture() {
    let reference = text::<ProviderReference>("1");
    let registration = Registration { id: text("5O1"), amount: cents(100), page: None, direct: None };
    let stage = |registration: Option<&Registration>| {
        let (mut work, _, payment) = unpaid();
        let state = Payment::Opened(Box::new(opened(&[attempted("1", CaptureMode::Automatic)])));
        work.hold::<Payment>(payment, std::sync::Arc::new(state));
        record_outcome(&mut work, payment, &reference, registration, ProviderOutcome::Authorized).unwrap();
        work.get::<Payment>(payment).unwrap().live().unwrap().stage
    };
    assert_eq!(stage(None), Stage::Captured);
    assert_eq!(stage(Some(&registration)), Stage::Authorized(Authorization::Capturing));
}

#[test]
fn a_task_is_looked_at_again_when_the_provider_was_faster() {
    let is = |rejection: payment::Rejection| was_overtaken(&rejection.into());
    assert!(is(payment::Rejection::AlreadyAuthorized) && is(payment::Rejection::Captured));
    // Another attempt replaced it while the provider was asked: what it holds is released.
    assert!(is(payment::Rejection::OtherAttempt));
    assert!(!is(payment::Rejection::Closed) && !is(payment::Rejection::VoidRequested));
    // Of another aggregate the same word is another rejection.
    let other = Rejected { code: "order.captured".to_owned(), ..payment::Rejection::Captured.into() };
    assert!(!was_overtaken(&other));
}

#[test]
fn only_what_the_shop_has_recorded_or_does_not_have_is_a_final_refusal() {
    let status = dispute::Status::Won;
    for rejected in [
        dispute::Rejection::Exists.into(),
        dispute::Rejection::Ended { status }.into(),
        dispute::Rejection::LostOtherwise { amount: cents(1), fee: None }.into(),
        payment::Rejection::PaidElsewhere.into(),
    ] {
        assert!(is_known_better(&rejected), "{rejected:?}");
    }
    // Each of these can end: another dispute is decided, the attempt is released on the next look, the payment is recorded.
    for rejected in [
        payment::Rejection::TooManyDisputes.into(),
        payment::Rejection::ConcludedOtherwise.into(),
        payment::Rejection::Closed.into(),
        payment::Rejection::OtherAttempt.into(),
        payment::Rejection::NotCaptured.into(),
        dispute::Rejection::NotAnAmount { most: cents(1) }.into(),
        order::Rejection::NotPaid.into(),
        order::Rejection::Cancelled.into(),
    ] {
        assert!(!is_known_better(&rejected), "{rejected:?}");
    }
}

/// An unpaid order of 3.00, and its payment.
fn unpaid() -> (Work, OrderId, PaymentId) {
    let mut work = crate::aftersales::tests::work(false);
    work.begin::<crate::series::Series>(crate::series::of_invoices(None, 2026));
    (work, id(1), id(2))
}

#[test]
fn an_attempt_is_recorded_for_what_is_to_be_paid_and_only_while_the_order_waits() {
    let (mut work, order, payment) = unpaid();
    let by = Payer { method: Method::Paypal, reference: &text("1"), capture: CaptureMode::Automatic, return_url: None };
    assert_eq!(attempt(&mut work, order, by).unwrap(), (payment, cents(300)));
    let stage = work.get::<Payment>(payment).unwrap().live().unwrap().stage;
    assert_eq!(stage, Stage::Attempted);
    let mut paid = crate::aftersales::tests::work(true);
    let refused = attempt(&mut paid, order, by).unwrap_err();
    assert!(matches!(&refused, Refused::Rejected(rejected) if rejected.code == "order.already_paid"), "{refused:?}");
}

#[test]
fn a_buyer_who_chooses_a_method_is_told_how_to_pay() {
    let (mut work, order, payment) = unpaid();
    let transfer = ManualMethod {
        method: text("sepa"),
        kind: ManualKind::BankTransfer,
        title: text("Bank transfer"),
        instructions: text("IBAN DE02 1203 0000 0000 2020 51"),
        countries: [text("DE")].into(),
        currencies: [].into(),
        days: Some(7),
        accounts_only: false,
        max_total: None,
    };
    let abroad = ManualMethod { method: text("abroad"), countries: [text("FR")].into(), ..transfer.clone() };
    let book = [transfer, abroad].map(payment_book::Event::MethodSet);
    work.hold::<PaymentBook>(payment_book::id(), std::sync::Arc::new(crate::fold(&book)));
    let refused = choose(&mut work, order, &text("abroad")).unwrap_err();
    assert!(matches!(&refused, Refused::Rejected(it) if it.code == "payment_book.not_offered"), "{refused:?}");
    assert_eq!(choose(&mut work, order, &text("sepa")).unwrap(), payment);
    let state = work.get::<Payment>(payment).unwrap();
    let choice = state.live().unwrap().choice.clone().unwrap();
    assert_eq!((choice.amount, choice.reference), (cents(300), text("0000-0000-001Y")));
    // An order without a payment window has none afterwards.
    assert_eq!(choice.pay_by, None);
    let mut paid = crate::aftersales::tests::work(true);
    paid.hold::<PaymentBook>(payment_book::id(), std::sync::Arc::default());
    let refused = choose(&mut paid, order, &text("sepa")).unwrap_err();
    assert!(matches!(&refused, Refused::Rejected(it) if it.code == "order.already_paid"), "{refused:?}");
}

/// An unpaid order of a lamp of the house and a kettle of a seller, of which this is known.
fn unpaid_of_two(history: &[seller::Event]) -> Work {
    let (mut work, order, _) = unpaid();
    let placed = work.get::<Order>(order).unwrap().live().unwrap().placement.clone();
    let (house, share) = (&placed.lines[0], cents(100));
    let commission = Some(Commission { amount: cents(10), tax: None, rule: None });
    let line = order::Line { quantity: crate::testing::pieces(1), amount: share, ..house.clone() };
    let of_seller = order::Line { variant: id(5), seller: Some(id(71)), commission, ..line.clone() };
    let placement = order::Placement { lines: vec![line, of_seller], total: cents(200), ..placed };
    work.hold::<Order>(order, std::sync::Arc::new(crate::fold(&[order::Event::Placed(placement)])));
    let stock = work.get::<StockLevel>(lamps(1).variant).unwrap();
    work.hold::<StockLevel>(id(5), stock);
    work.hold::<Seller>(id(71), std::sync::Arc::new(crate::fold(history)));
    work.begin::<crate::series::Series>(crate::series::of_invoices(Some(id(71)), 2026));
    work
}

fn applied() -> seller::Event {
    seller::Event::Applied {
        handle: text("kettles"),
        name: text("Kettles"),
        description: text(""),
        country: text("DE"),
        contact: crate::Personal::new(crate::Subject::from(id::<crate::ids::AccountId>(1)), "contact"),
        owner: id(1),
        at: noon(),
    }
}

fn legal_data_given() -> seller::Event {
    let legal = crate::Personal::new(crate::Subject::from(id::<crate::ids::SellerId>(71)), "legal");
    seller::Event::LegalDataGiven { legal }
}

/// An unpaid order of a kettle of a seller alone, for 1.00 with 0.10 of tax, of which 0.20 are commission.
fn unpaid_of_seller() -> Order {
    let (work, order, _) = unpaid();
    let placed = work.get::<Order>(order).unwrap().live().unwrap().placement.clone();
    let commission = Some(Commission { amount: cents(20), tax: None, rule: None });
    let tax = Some(LineTax {
        class: TaxClass::Standard,
        rate: TaxRate::new(100_000).unwrap(),
        included: true,
        amount: cents(10),
    });
    let (quantity, amount, seller) = (crate::testing::pieces(1), cents(100), Some(id(71)));
    let line = order::Line { quantity, amount, seller, tax, commission, ..placed.lines[0].clone() };
    let placement = order::Placement { lines: vec![line], total: cents(100), ..placed };
    crate::fold(&[order::Event::Placed(placement)])
}

#[test]
fn an_order_of_one_seller_is_paid_to_its_account_less_what_the_house_keeps() {
    let order = unpaid_of_seller();
    let placed = order.live().unwrap();
    assert_eq!(only_seller(placed), Some(id(71)));
    let linked = seller::Event::PaypalLinked { account: text("SELLERB234567") };
    let of_unit = |unit: i64, history: &[seller::Event], payment: &[Event]| {
        let (seller, payment) = (crate::fold::<Seller>(history), crate::fold::<Payment>(payment));
        let direct = direct(placed, payment.live().unwrap(), id(71), seller.live().unwrap(), unit)?;
        Some((direct.seller, direct.account.to_string(), direct.fee.amount))
    };
    let of = |history: &[seller::Event], payment: &[Event]| of_unit(1, history, payment);
    let opened = Event::Opened { order: id(1), amount: cents(100) };
    let approved = seller::Event::Approved { at: noon() };
    let active = [applied(), approved.clone(), linked.clone()];
    let expected = |fee| Some((id(71), "SELLERB234567".to_owned(), fee));
    assert_eq!(of(&active, std::slice::from_ref(&opened)), expected(30));
    // Where the provider moves no less than 0.50, or 1.00, the fee is rounded up.
    assert_eq!(of_unit(50, &active, std::slice::from_ref(&opened)), expected(50));
    assert_eq!(of_unit(100, &active, std::slice::from_ref(&opened)), None);
    // A seller that supplies in its own name owes the tax itself.
    let supplies = [&active[..], &[legal_data_given()]].concat();
    assert_eq!(of(&supplies, std::slice::from_ref(&opened)), expected(20));
    let suspended = seller::Event::Suspended { reason: text("Complaints") };
    for history in [vec![applied(), approved], [&active[..], &[suspended]].concat()] {
        assert_eq!(of(&history, std::slice::from_ref(&opened)), None);
    }
    let cover = Cover { means: Means::StoreCredit { account: id(9) }, amount: cents(10) };
    let covered = [opened, Event::Covered { order: id(1), cover }];
    assert_eq!(of(&active, &covered), None);
    let two = unpaid_of_two(&active);
    let two = two.get::<Order>(id::<OrderId>(1)).unwrap();
    assert_eq!(only_seller(two.live().unwrap()), None);
}

#[test]
fn each_supplier_of_a_paid_order_issues_an_invoice_in_its_own_series() {
    let (applied, given) = (applied(), legal_data_given());
    let numbers = |history: &[seller::Event]| {
        let mut work = unpaid_of_two(history);
        let order = work.get::<Order>(id::<OrderId>(1)).unwrap();
        let series = series_of_invoices(&work, order.live().unwrap()).unwrap();
        invoices::issue(&mut work, id(1), order.live().unwrap()).map(|issued| {
            let own = issued.invoices.iter().map(|it| it.number.to_string()).collect::<Vec<_>>();
            (series.len(), issued.invoice.map(|it| it.to_string()), own)
        })
    };
    let house = Some("INV-2026-000001".to_owned());
    assert_eq!(numbers(std::slice::from_ref(&applied)), Ok((1, house.clone(), vec![])));
    assert_eq!(numbers(&[applied, given]), Ok((2, house, vec!["INV-KETTLES-2026-000001".to_owned()])));
}

#[test]
fn an_order_that_is_paid_on_delivery_is_released_with_its_stock_and_paid_later() {
    let (mut work, order, payment) = unpaid();
    let cash = ManualMethod {
        method: text("cash"),
        kind: ManualKind::CashOnDelivery,
        title: text("Cash on delivery"),
        instructions: text("Pay the carrier."),
        countries: [].into(),
        currencies: [].into(),
        days: None,
        accounts_only: false,
        max_total: None,
    };
    let book = crate::fold(&[payment_book::Event::MethodSet(cash)]);
    work.hold::<PaymentBook>(payment_book::id(), std::sync::Arc::new(book));
    assert_eq!(choose(&mut work, order, &text("cash")).unwrap(), payment);
    let state = work.get::<Payment>(payment).unwrap();
    let opened = state.live().unwrap();
    assert_eq!((opened.stage, opened.choice.as_ref().unwrap().pay_by), (Stage::OnDelivery, None));
    assert!(work.get::<Order>(order).unwrap().live().unwrap().is_on_delivery());
    let stock = work.get::<StockLevel>(lamps(1).variant).unwrap();
    assert_eq!((stock.on_hand, stock.reserved), (7, 0));
    // Neither another choice nor an attempt follows.
    let by = Payer { method: Method::Paypal, reference: &text("1"), capture: CaptureMode::Automatic, return_url: None };
    for refused in [choose(&mut work, order, &text("cash")).unwrap_err(), attempt(&mut work, order, by).unwrap_err()] {
        assert!(matches!(&refused, Refused::Rejected(it) if it.code == "payment.paid_on_delivery"), "{refused:?}");
    }
    mark_paid(&mut work, order, payment, &Cards::new()).unwrap();
    let stock = work.get::<StockLevel>(lamps(1).variant).unwrap();
    assert_eq!((stock.on_hand, stock.reserved), (7, 0));
    let kinds: Vec<&str> = work.decided().events.iter().map(crate::AnyEvent::category).collect();
    assert_eq!(kinds, ["payment", "order", "stock", "series", "order"]);
}

#[test]
fn a_late_charge_of_an_order_that_is_paid_on_delivery_is_released() {
    let choice = Choice {
        method: text("cash"),
        kind: ManualKind::CashOnDelivery,
        title: text("Cash on delivery"),
        instructions: text("Pay the carrier."),
        amount: cents(100),
        reference: text("0000-0000-0010"),
        pay_by: None,
    };
    let unknown = Event::Declined { reference: text("1"), reason: DeclineReason::NotReceived };
    let chosen = Event::MethodChosen { order: id(1), choice: Box::new(choice) };
    let history = [attempted("1", CaptureMode::Automatic), unknown, chosen];
    let reference = text::<ProviderReference>("1");
    assert_eq!(next(Task::Hear(&reference), &history), [Move::Ask(Request::LookUpOrphaned(reference.clone()))]);
    assert_eq!(next(Task::Settle, &history), []);
    let (reason, void) = (VoidReason::OrderCancelled, Task::Void(VoidReason::OrderCancelled));
    assert_eq!(next(void, &history), decide(Command::Void { reason }));
}

#[test]
fn an_order_is_marked_paid_once_takes_one_number_and_commits_its_stock() {
    let (mut work, order, payment) = unpaid();
    for _ in 0..2 {
        mark_paid(&mut work, order, payment, &Cards::new()).unwrap();
    }
    assert!(!work.get::<Order>(order).unwrap().live().unwrap().awaits(payment));
    let stock = work.get::<StockLevel>(lamps(1).variant).unwrap();
    assert_eq!((stock.on_hand, stock.reserved), (7, 0));
    let events = work.decided().events;
    let kinds: Vec<&str> = events.iter().map(crate::AnyEvent::category).collect();
    assert_eq!(kinds, ["series", "order", "stock"]);
}
