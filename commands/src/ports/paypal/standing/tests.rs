//! What an order of PayPal means, and whether it is that of an attempt.

use byteshop_domain::Currency;
use byteshop_domain::ids::{Id as _, PaymentId, SellerId};
use byteshop_domain::payment::{Direct, ProviderReference};
use byteshop_domain::text::{MerchantId, Reference};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

const ID: &str = "5O190127TN364715T";
const PAYEE: &str = "MERCHANTA2345";

fn payment() -> PaymentId {
    PaymentId::from_uuid(Uuid::from_u128(2))
}

fn euros(amount: i64) -> Money {
    Money { amount, currency: Currency::from_code("EUR").unwrap() }
}

fn order(status: &str, payments: &Value) -> Value {
    json!({"id": ID, "status": status, "intent": "CAPTURE", "purchase_units": [{
        "amount": {"currency_code": "EUR", "value": "35.00"}, "payee": {"merchant_id": PAYEE},
        "custom_id": payment(), "invoice_id": "paypal-1", "payments": payments}]})
}

fn read(order: Value) -> Order {
    serde_json::from_value(order).unwrap()
}

fn paid(status: &str) -> Value {
    json!({"captures": [{"id": "C1", "status": status, "amount": {"currency_code": "EUR", "value": "35.00"}}]})
}

fn held(status: &str) -> Value {
    json!({"authorizations": [{"id": "A1", "status": status, "amount": {"currency_code": "EUR", "value": "35.00"}}]})
}

#[test]
fn money_that_moved_says_more_than_the_status_of_the_order() {
    let standing = |status: &str, payments: &Value| {
        let order = read(order(status, payments));
        match Standing::of(&order) {
            Standing::Waiting => "waiting",
            Standing::Approved => "approved",
            Standing::Reviewed => "reviewed",
            Standing::Authorized(_) => "authorized",
            Standing::Captured(_) => "captured",
            Standing::Declined => "declined",
            Standing::Over => "over",
        }
    };
    let none = json!({});
    for status in ["CREATED", "SAVED", "PAYER_ACTION_REQUIRED"] {
        assert_eq!(standing(status, &none), "waiting");
    }
    assert_eq!(standing("APPROVED", &none), "approved");
    assert_eq!(standing("VOIDED", &none), "over");
    // A word that PayPal may add tomorrow keeps the payment where it is.
    assert_eq!(standing("SOMETHING_NEW", &none), "reviewed");
    for (status, expected) in [
        ("COMPLETED", "captured"),
        ("PARTIALLY_REFUNDED", "captured"),
        ("REFUNDED", "captured"),
        ("PENDING", "reviewed"),
        ("SOMETHING_NEW", "reviewed"),
        ("DECLINED", "declined"),
        ("FAILED", "declined"),
    ] {
        assert_eq!(standing("COMPLETED", &paid(status)), expected, "{status}");
        assert_eq!(standing("APPROVED", &paid(status)), expected, "{status}");
    }
    for (status, expected) in
        [("CREATED", "authorized"), ("PENDING", "reviewed"), ("DENIED", "declined"), ("VOIDED", "over")]
    {
        assert_eq!(standing("COMPLETED", &held(status)), expected, "{status}");
    }
    let mut both = held("CAPTURED");
    both["captures"] = paid("COMPLETED")["captures"].clone();
    assert_eq!(standing("COMPLETED", &both), "captured");
    assert_eq!(standing("COMPLETED", &none), "over");
}

#[test]
fn an_order_that_differs_from_its_attempt_moves_no_money() {
    let reference = ProviderReference::new("paypal-1").unwrap();
    let attempt = Attempt { reference: &reference, registration: None, payment: payment() };
    let checked = |order: Value| check(&read(order), attempt, ID, euros(3_500), PAYEE);
    assert_eq!(checked(order("COMPLETED", &paid("COMPLETED"))), Ok(()));
    let differs = |pointer: &str, value: Value| {
        let mut order = order("COMPLETED", &paid("COMPLETED"));
        *order.pointer_mut(pointer).unwrap() = value;
        matches!(checked(order), Err(Failure::Differs(_)))
    };
    let unit = "/purchase_units/0";
    assert!(differs("/id", json!("2GG279541U471931P")));
    assert!(differs(&format!("{unit}/custom_id"), json!("pay_00000000000000000000000003")));
    assert!(differs(&format!("{unit}/invoice_id"), json!("paypal-2")));
    assert!(differs(&format!("{unit}/amount/value"), json!("34.99")));
    assert!(differs(&format!("{unit}/amount/currency_code"), json!("USD")));
    assert!(differs(&format!("{unit}/payee/merchant_id"), json!("MERCHANTB2345")));
    assert!(differs(&format!("{unit}/payee"), Value::Null));
    assert!(differs(&format!("{unit}/payments/captures/0/amount/value"), json!("0.01")));
    assert!(differs("/purchase_units", json!([])));
    let mut two = order("COMPLETED", &paid("COMPLETED"));
    let first = two["purchase_units"][0].clone();
    two["purchase_units"].as_array_mut().unwrap().push(first);
    assert!(matches!(checked(two), Err(Failure::Differs("purchase units"))));
}

#[test]
fn a_refund_is_found_by_its_id_and_the_rest_is_counted() {
    let ours = RefundId::from_uuid(Uuid::from_u128(7));
    let refund = |id: &str, status: &str, value: &str| json!({"status": status, "invoice_id": id, "amount": {"currency_code": "EUR", "value": value}});
    let with = |refunds: Value| {
        let mut payments = paid("PARTIALLY_REFUNDED");
        payments["refunds"] = refunds;
        read(order("COMPLETED", &payments))
    };
    let key = ours.to_string();
    assert_eq!(refund_of(&with(json!([])), ours), None);
    assert_eq!(refund_of(&with(json!([refund("rfd_other", "COMPLETED", "1.00")])), ours), None);
    for (status, expected) in [
        ("COMPLETED", RefundStanding::Done),
        ("PENDING", RefundStanding::Pending),
        ("SOMETHING_NEW", RefundStanding::Pending),
        ("FAILED", RefundStanding::Refused),
        ("CANCELLED", RefundStanding::Refused),
    ] {
        assert_eq!(refund_of(&with(json!([refund(&key, status, "1.00")])), ours), Some(expected));
    }
    let again = with(json!([refund(&key, "FAILED", "1.00"), refund(&key, "COMPLETED", "1.00")]));
    assert_eq!(refund_of(&again, ours), Some(RefundStanding::Done));
    assert_eq!(left(&again, euros(3_500)), Ok(euros(3_400)));
    let pending = with(json!([refund("a", "PENDING", "5.00")]));
    assert_eq!(left(&pending, euros(3_500)), Ok(euros(3_000)));
    assert!(has_pending_refund(&pending) && !has_pending_refund(&again));
}

#[test]
fn a_fee_is_what_paypal_keeps_after_its_refunds() {
    let amount = |value: &str| json!({"currency_code": "EUR", "value": value});
    let capture = |fee: &Value| {
        json!([{"id": "C1", "status": "PARTIALLY_REFUNDED", "amount": amount("35.00"),
            "seller_receivable_breakdown": {"gross_amount": amount("35.00"), "paypal_fee": fee}}])
    };
    let refund = |status: &str, back: &str| {
        json!([{"id": "R1", "status": status, "amount": amount("10.00"),
            "seller_payable_breakdown": {"gross_amount": amount("10.00"), "paypal_fee": amount(back)}}])
    };
    let registration =
        |direct| Registration { id: Reference::new("O1").unwrap(), amount: euros(3500), page: None, direct };
    let of = |payments: &Value| fee(&read(order("COMPLETED", payments)), &registration(None));
    let (taken, none) = (capture(&amount("1.71")), json!([]));
    let kept = |refunds: Value| of(&json!({"captures": taken.clone(), "refunds": refunds}));
    assert_eq!(kept(none), Some(euros(171)));
    assert_eq!(kept(refund("COMPLETED", "0.35")), Some(euros(136)));
    assert_eq!(kept(refund("COMPLETED", "0.00")), Some(euros(171)));
    assert_eq!(kept(refund("FAILED", "0.35")), Some(euros(171)));
    // What PayPal keeps of a payment to a seller is the seller's.
    let account = MerchantId::new("SELLERB234567").unwrap();
    let direct = Direct { seller: SellerId::from_uuid(Uuid::from_u128(71)), account, fee: euros(100), unit: 1 };
    let of_seller = fee(&read(order("COMPLETED", &json!({"captures": taken.clone()}))), &registration(Some(direct)));
    assert_eq!(of_seller, None);
    // PayPal does not say it yet, keeps it in another currency, or has captured nothing.
    assert_eq!(of(&paid("COMPLETED")), None);
    assert_eq!(of(&json!({"captures": capture(&json!({"currency_code": "USD", "value": "1.71"}))})), None);
    assert_eq!(of(&held("CREATED")), None);
}
