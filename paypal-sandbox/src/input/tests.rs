//! The rules of the books: idempotency, exact amounts, and that no sequence of inputs creates or loses money.

use proptest::prelude::*;
use serde_json::json;

use super::super::books::Webhook;
use super::super::schema;
use super::*;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn books() -> Books {
    let mut books = Books { base: "http://localhost".into(), merchant: "MERCHANTA2345".into(), ..Books::default() };
    books.webhooks.insert(
        "HOOK".into(),
        Webhook { id: "HOOK".into(), url: "http://localhost/hook".into(), event_types: vec!["*".into()] },
    );
    books
}

/// The books and the time: what a test acts on.
struct Desk {
    books: Books,
    now: DateTime<Utc>,
}

impl Desk {
    fn new() -> Self {
        Self { books: books(), now: start() }
    }

    fn wait(&mut self, hours: i64) {
        self.now += TimeDelta::hours(hours);
    }

    /// Every response is as its document says.
    fn call(&mut self, operation: Operation, id: &str, request_id: &str, body: Value) -> Answer {
        let request_id = Some(request_id.to_owned()).filter(|id| !id.is_empty());
        let call =
            Call { operation, id: id.to_owned(), request_id, merchant: None, is_full: true, body, files: vec![] };
        let answer = self.books.apply(&Input::Call(call), self.now);
        let breaches = schema::response(operation, answer.status, answer.body.as_ref());
        assert_eq!(breaches, [], "{operation:?}: {answer:?}");
        answer
    }

    fn order(&mut self, intent: &str, value: &str) -> String {
        let body = json!({"intent": intent, "purchase_units": [{
            "amount": {"currency_code": "EUR", "value": value},
            "payment_instruction": {"platform_fees": [{"amount": {"currency_code": "EUR", "value": "0.10"}}]},
        }]});
        let answer = self.call(Operation::CreateOrder, "", "", body);
        let id = id_of(&answer);
        self.books.apply(&Input::Choose { order: id.clone(), choice: Choice::Approve }, self.now);
        id
    }

    fn captured(&mut self, value: &str) -> String {
        let order = self.order("CAPTURE", value);
        let answer = self.call(Operation::CaptureOrder, &order, "", Value::Null);
        text(&answer, "/purchase_units/0/payments/captures/0/id")
    }
}

fn text(answer: &Answer, pointer: &str) -> String {
    let body = answer.body.as_ref().unwrap();
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {body}")).to_owned()
}

fn id_of(answer: &Answer) -> String {
    text(answer, "/id")
}

fn issue(answer: &Answer) -> (u16, String) {
    (answer.status, text(answer, "/details/0/issue"))
}

fn euros(value: &str) -> Value {
    json!({"amount": {"currency_code": "EUR", "value": value}})
}

#[test]
fn the_same_request_is_executed_once_until_it_is_forgotten() {
    let mut desk = Desk::new();
    let capture = desk.captured("50.00");
    let first = desk.call(Operation::Refund, &capture, "R1", euros("1.00"));
    desk.wait(45 * 24 - 1);
    assert_eq!(desk.call(Operation::Refund, &capture, "R1", euros("1.00")), first);
    assert_eq!(desk.call(Operation::Refund, &capture, "R1", euros("2.00")).status, 409);
    assert_eq!(desk.books.captures[&capture].refunded, 100);
    desk.wait(1);
    assert_ne!(id_of(&desk.call(Operation::Refund, &capture, "R1", euros("1.00"))), id_of(&first));
    assert_eq!(desk.books.captures[&capture].refunded, 200);
}

#[test]
fn an_order_is_remembered_for_six_hours_and_a_payout_for_thirty_days() {
    let mut desk = Desk::new();
    let body = json!({"intent": "CAPTURE", "purchase_units": [{"amount": {"currency_code": "EUR", "value": "5"}}]});
    let create = |desk: &mut Desk| id_of(&desk.call(Operation::CreateOrder, "", "O1", body.clone()));
    let first = create(&mut desk);
    desk.wait(5);
    assert_eq!(create(&mut desk), first);
    desk.wait(1);
    assert_ne!(create(&mut desk), first);

    let body = json!({"sender_batch_header": {"sender_batch_id": "B1"},
        "items": [{"receiver": "a@example.org", "amount": {"currency": "EUR", "value": "5.00"}}]});
    let first = desk.call(Operation::CreatePayout, "", "P1", body.clone());
    desk.wait(30 * 24 - 1);
    assert_eq!(desk.call(Operation::CreatePayout, "", "P1", body.clone()), first);
    assert_eq!(desk.call(Operation::CreatePayout, "", "P2", body.clone()).status, 400);
    desk.wait(1);
    assert_eq!(desk.call(Operation::CreatePayout, "", "P1", body).status, 201);
    assert_eq!(desk.books.batches.len(), 2);
}

#[test]
fn a_request_that_failed_may_be_sent_again() {
    let mut desk = Desk::new();
    let body = json!({"intent": "CAPTURE", "purchase_units": [{"amount": {"currency_code": "EUR", "value": "5"}}]});
    let order = id_of(&desk.call(Operation::CreateOrder, "", "", body));
    let early = desk.call(Operation::CaptureOrder, &order, "C1", Value::Null);
    assert_eq!(issue(&early), (422, "ORDER_NOT_APPROVED".to_owned()));
    let choose = |desk: &mut Desk, choice| {
        desk.books.apply(&Input::Choose { order: order.clone(), choice }, desk.now);
    };
    choose(&mut desk, Choice::Decline);
    let declined = desk.call(Operation::CaptureOrder, &order, "C1", Value::Null);
    assert_eq!(issue(&declined), (422, "INSTRUMENT_DECLINED".to_owned()));
    choose(&mut desk, Choice::Approve);
    let first = desk.call(Operation::CaptureOrder, &order, "C1", Value::Null);
    assert_eq!(first.status, 201);
    assert_eq!(desk.call(Operation::CaptureOrder, &order, "C1", Value::Null), first);
    let again = desk.call(Operation::CaptureOrder, &order, "C2", Value::Null);
    assert_eq!(issue(&again), (422, "ORDER_ALREADY_CAPTURED".to_owned()));
    assert_eq!(desk.books.captures.len(), 1);
}

#[test]
fn amounts_are_checked_exactly() {
    let mut desk = Desk::new();
    let unit = |currency: &str, value: &str| json!({"intent": "CAPTURE", "purchase_units": [{"amount": {"currency_code": currency, "value": value}}]});
    for (currency, value, expected) in [
        ("EUR", "1.001", "DECIMAL_PRECISION"),
        ("JPY", "1.5", "DECIMAL_PRECISION"),
        ("XXX", "1", "INVALID_CURRENCY_CODE"),
        ("EUR", "0.00", "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("EUR", "-1", "CANNOT_BE_NEGATIVE"),
    ] {
        let answer = desk.call(Operation::CreateOrder, "", "", unit(currency, value));
        assert_eq!(issue(&answer), (422, expected.to_owned()), "{currency} {value}");
    }
    let mut body = unit("EUR", "10.00");
    body["purchase_units"][0]["amount"]["breakdown"] = json!({"item_total": {"currency_code": "EUR", "value": "9.99"}, "shipping": {"currency_code": "EUR", "value": "0.02"}});
    assert_eq!(issue(&desk.call(Operation::CreateOrder, "", "", body)).1, "AMOUNT_MISMATCH");

    let capture = desk.captured("10.00");
    let over = desk.call(Operation::Refund, &capture, "", euros("10.01"));
    assert_eq!(issue(&over), (422, "REFUND_AMOUNT_EXCEEDED".to_owned()));
    let mut fees = euros("1.00");
    fees["payment_instruction"] = json!({"platform_fees": [euros("0.11")]});
    assert_eq!(issue(&desk.call(Operation::Refund, &capture, "", fees.clone())).1, "PLATFORM_FEE_EXCEEDED");
    fees["payment_instruction"] = json!({"platform_fees": [euros("0.10")]});
    assert_eq!(desk.call(Operation::Refund, &capture, "", fees).status, 201);
    assert_eq!(desk.call(Operation::Refund, &capture, "", json!({})).status, 201);
    assert_eq!(issue(&desk.call(Operation::Refund, &capture, "", json!({}))).1, "CAPTURE_FULLY_REFUNDED");
    let kept = &desk.books.captures[&capture];
    assert_eq!((kept.refunded, kept.platform_fees_refunded, kept.paypal_fee), (1_000, 10, 84));
}

#[test]
fn an_authorization_is_captured_in_parts_renewed_voided_or_ends() {
    let mut desk = Desk::new();
    let authorize = |desk: &mut Desk| {
        let order = desk.order("AUTHORIZE", "10.00");
        let answer = desk.call(Operation::AuthorizeOrder, &order, "", Value::Null);
        text(&answer, "/purchase_units/0/payments/authorizations/0/id")
    };
    let held = authorize(&mut desk);
    assert_eq!(desk.call(Operation::CaptureAuthorization, &held, "", euros("4.00")).status, 201);
    let over = desk.call(Operation::CaptureAuthorization, &held, "", euros("6.01"));
    assert_eq!(issue(&over).1, "MAX_CAPTURE_AMOUNT_EXCEEDED");
    assert_eq!(desk.call(Operation::CaptureAuthorization, &held, "", json!({})).status, 201);
    assert_eq!(issue(&desk.call(Operation::Void, &held, "", Value::Null)).1, "PREVIOUSLY_CAPTURED");

    let held = authorize(&mut desk);
    assert_eq!(issue(&desk.call(Operation::Reauthorize, &held, "", json!({}))).1, "REAUTHORIZATION_NOT_SUPPORTED");
    desk.wait(3 * 24);
    let renewed = id_of(&desk.call(Operation::Reauthorize, &held, "", json!({})));
    assert_eq!(issue(&desk.call(Operation::CaptureAuthorization, &held, "", json!({}))).1, "AUTHORIZATION_VOIDED");
    assert_eq!(desk.call(Operation::Void, &renewed, "", Value::Null).status, 200);
    assert_eq!(issue(&desk.call(Operation::Void, &renewed, "", Value::Null)).1, "PREVIOUSLY_VOIDED");

    let held = authorize(&mut desk);
    desk.wait(29 * 24);
    assert_eq!(issue(&desk.call(Operation::CaptureAuthorization, &held, "", json!({}))).1, "AUTHORIZATION_EXPIRED");
}

#[test]
fn a_payout_ends_as_its_receiver_says() {
    let mut desk = Desk::new();
    let receivers = ["a@example.org", "unclaimed@example.org", "unclaimed2@example.org", "failed@example.org"];
    let items: Vec<Value> = receivers
        .iter()
        .map(|receiver| json!({"receiver": receiver, "amount": {"currency": "EUR", "value": "1.00"}}))
        .collect();
    let body = json!({"sender_batch_header": {"sender_batch_id": "B"}, "items": items});
    let batch = text(&desk.call(Operation::CreatePayout, "", "", body), "/batch_header/payout_batch_id");
    desk.books.apply(&Input::Tick {}, desk.now);
    let shown = desk.call(Operation::GetPayout, &batch, "", Value::Null);
    let ids: Vec<String> = desk.books.batches[&batch].items.clone();
    let status = |desk: &mut Desk, id: &str| {
        text(&desk.call(Operation::GetPayoutItem, id, "", Value::Null), "/transaction_status")
    };
    assert_eq!(text(&shown, "/batch_header/batch_status"), "SUCCESS");
    assert_eq!(text(&shown, "/batch_header/fees/value"), "0.75");
    let all: Vec<String> = ids.iter().map(|id| status(&mut desk, id)).collect();
    assert_eq!(all, ["SUCCESS", "UNCLAIMED", "UNCLAIMED", "FAILED"]);
    assert_eq!(desk.call(Operation::CancelPayoutItem, &ids[1], "", Value::Null).status, 200);
    assert_eq!(desk.call(Operation::CancelPayoutItem, &ids[0], "", Value::Null).status, 400);
    desk.wait(30 * 24);
    desk.books.apply(&Input::Tick {}, desk.now);
    let all: Vec<String> = ids.iter().map(|id| status(&mut desk, id)).collect();
    assert_eq!(all, ["SUCCESS", "RETURNED", "RETURNED", "FAILED"]);
}

#[test]
fn a_dispute_holds_the_money_and_ends_once() {
    let mut desk = Desk::new();
    let capture = desk.captured("10.00");
    let open = |desk: &mut Desk, amount: &str| {
        let input = Input::Dispute { capture: capture.clone(), amount: Some(amount.to_owned()), reason: None };
        desk.books.apply(&input, desk.now)
    };
    let opened = open(&mut desk, "6.00");
    let dispute = text(&opened, "/dispute_id");
    assert_eq!(issue(&open(&mut desk, "4.01")).1, "REFUND_AMOUNT_EXCEEDED");
    assert_eq!(issue(&desk.call(Operation::Refund, &capture, "", euros("4.01"))).1, "TRANSACTION_DISPUTED");
    assert_eq!(desk.call(Operation::Refund, &capture, "", euros("4.00")).status, 201);
    let evidence = json!({"evidences": [{"evidence_type": "PROOF_OF_FULFILLMENT", "notes": "Sent."}]});
    assert_eq!(desk.call(Operation::ProvideEvidence, &dispute, "", evidence.clone()).status, 200);
    assert_eq!(desk.call(Operation::ProvideEvidence, &dispute, "", evidence).status, 422);
    let decide = |desk: &mut Desk| {
        let outcome = DisputeOutcome::ResolvedBuyerFavour;
        desk.books.apply(&Input::Decide { dispute: dispute.clone(), outcome }, desk.now)
    };
    assert_eq!(decide(&mut desk).status, 200);
    assert_eq!(decide(&mut desk).status, 422);
    assert_eq!(desk.call(Operation::GetDispute, &dispute, "", Value::Null).status, 200);
    let kept = &desk.books.captures[&capture];
    assert_eq!((kept.refunded, kept.reversed, kept.disputed), (400, 600, 0));
    assert_eq!(desk.call(Operation::GetCapture, &capture, "", Value::Null).status, 200);

    // Without an answer the buyer gets the money when the time is up; an accepted claim is a refund.
    let other = desk.captured("5.00");
    desk.books.apply(&Input::Dispute { capture: other.clone(), amount: None, reason: None }, desk.now);
    desk.wait(10 * 24);
    desk.books.apply(&Input::Tick {}, desk.now);
    assert_eq!(desk.books.captures[&other].reversed, 500);
    let third = desk.captured("5.00");
    let opened = desk.books.apply(&Input::Dispute { capture: third.clone(), amount: None, reason: None }, desk.now);
    let id = text(&opened, "/dispute_id");
    assert_eq!(desk.call(Operation::AcceptClaim, &id, "", json!({"note": "Sorry."})).status, 200);
    assert_eq!(desk.books.captures[&third].refunded, 500);
}

#[test]
fn webhooks_are_lost_sent_twice_and_sent_late_as_often_as_the_switches_say() {
    let mut desk = Desk::new();
    let switches =
        Switches { seed: 3, loss_percent: 5, duplicate_percent: 30, reorder_percent: 20, ..Switches::default() };
    desk.books.apply(&Input::Switch { switches }, desk.now);
    for _ in 0..1_000 {
        desk.captured("1.00");
    }
    let (events, deliveries) = (desk.books.events.len(), desk.books.pending.len());
    assert_eq!(events, 3_000);
    // 95 % are sent, and 30 % of them twice.
    assert!(deliveries.abs_diff(3_705) < 150, "{deliveries}");
    let late = desk.books.pending.keys().filter(|(due, _)| *due > desk.now).count();
    assert!(late.abs_diff(741) < 100, "{late}");
    let (due, number) = *desk.books.pending.first_key_value().unwrap().0;
    desk.books.apply(&Input::Delivered { due, number, is_taken: false }, desk.now);
    assert_eq!(desk.books.pending.len(), deliveries);
    let (due, number) = *desk.books.pending.iter().find(|(_, it)| it.failed == 1).unwrap().0;
    assert_eq!(due, desk.now + TimeDelta::seconds(2));
    desk.books.apply(&Input::Delivered { due, number, is_taken: true }, desk.now);
    assert_eq!(desk.books.pending.len(), deliveries - 1);
}

/// Something that a test does by chance.
#[derive(Debug, Clone, Copy)]
enum Act {
    Buy(u16),
    Refund(usize, u16),
    Dispute(usize, u16),
    Decide(usize, bool),
    Reverse(usize),
    Wait(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (1..5_000_u16).prop_map(Act::Buy),
        (any::<usize>(), 1..3_000_u16).prop_map(|(at, minor)| Act::Refund(at, minor)),
        (any::<usize>(), 1..3_000_u16).prop_map(|(at, minor)| Act::Dispute(at, minor)),
        (any::<usize>(), any::<bool>()).prop_map(|(at, is_lost)| Act::Decide(at, is_lost)),
        any::<usize>().prop_map(Act::Reverse),
        any::<u8>().prop_map(Act::Wait),
    ]
}

fn major(minor: u16) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn perform(desk: &mut Desk, act: Act) {
    let captures: Vec<String> = desk.books.captures.keys().cloned().collect();
    let capture = |at: usize| captures.get(at % captures.len().max(1)).cloned().unwrap_or_default();
    let input = match act {
        Act::Buy(minor) => {
            let order = desk.order("CAPTURE", &major(minor.max(10)));
            desk.call(Operation::CaptureOrder, &order, "", Value::Null);
            return;
        }
        Act::Refund(at, minor) => {
            desk.call(Operation::Refund, &capture(at), "", euros(&major(minor)));
            return;
        }
        Act::Wait(hours) => return desk.wait(i64::from(hours)),
        Act::Dispute(at, minor) => Input::Dispute { capture: capture(at), amount: Some(major(minor)), reason: None },
        Act::Decide(at, is_lost) => {
            let all: Vec<String> = desk.books.disputes.keys().cloned().collect();
            let dispute = all.get(at % all.len().max(1)).cloned().unwrap_or_default();
            let lost = DisputeOutcome::ResolvedBuyerFavour;
            Input::Decide { dispute, outcome: if is_lost { lost } else { DisputeOutcome::ResolvedSellerFavour } }
        }
        Act::Reverse(at) => Input::Reverse { capture: capture(at) },
    };
    desk.books.apply(&input, desk.now);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_creates_or_loses_money(acts in prop::collection::vec(act(), 1..40)) {
        let mut desk = Desk::new();
        for act in acts {
            perform(&mut desk, act);
            for capture in desk.books.captures.values() {
                let back: i64 = desk.books.refunds.values().filter(|it| it.capture == capture.id).map(|it| it.amount.minor).sum();
                prop_assert_eq!(back, capture.refunded + capture.reversed);
                prop_assert!(capture.refundable() >= 0 && capture.disputed >= 0 && back <= capture.amount.minor);
            }
        }
    }
}
