//! What PayPal says of a captured charge: what went back of it, and what it keeps as its fee.

use byteshop_domain::money::Money;
use byteshop_domain::payment::{GivenBack, Registration};
use byteshop_domain::text::Reference;

use super::client::{Client, Failure};
use super::disputes::named;
use super::orders;
use super::standing::{self, RefundStanding, Standing};
use super::wire::{Amount, Order, Refund};
use crate::ports::{Attempt, NoAnswer};

/// A captured charge, as PayPal shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeStanding {
    /// What PayPal calls the capture.
    pub capture: Reference,
    /// What was captured.
    pub captured: Money,
    /// What PayPal has of it: it was captured and did not go back, without what a seller has.
    pub kept: Money,
    /// What PayPal gave back of it, whether the shop asked for that or not.
    pub given_back: Vec<GivenBack>,
    /// What PayPal keeps as its fee in all, if it says so.
    pub fee: Option<Money>,
}

/// What PayPal says of the charge of an attempt; none if it captured nothing.
pub(super) async fn look(client: &Client, attempt: Attempt<'_>) -> Result<Option<ChargeStanding>, NoAnswer> {
    let Some(registration) = attempt.registration else { return Ok(None) };
    let order = match orders::read(client, attempt, registration).await {
        Ok(order) => order,
        Err(Failure::Refused(refusal)) if refusal.is_missing() => return Ok(None),
        Err(failure) => return Err(failure.into()),
    };
    standing(&order, registration)
}

fn standing(order: &Order, registration: &Registration) -> Result<Option<ChargeStanding>, NoAnswer> {
    let captured = registration.amount;
    let Standing::Captured(capture) = Standing::of(order) else { return Ok(None) };
    let refunds = order.purchase_units.iter().flat_map(|unit| &unit.payments.refunds);
    let done = refunds.filter(|it| standing::standing_of(it.status) == RefundStanding::Done);
    let given_back = done.map(|refund| given_back(refund, captured)).collect::<Result<Vec<_>, _>>()?;
    let kept = if registration.direct.is_none() {
        captured.amount - given_back.iter().map(|it| it.amount.amount).sum::<i64>()
    } else {
        let fee =
            capture.breakdown.platform_fee(captured.currency).ok_or_else(|| unreadable("capture", &capture.id))?;
        fee.amount - given_back.iter().map(|it| it.fee_back.amount).sum::<i64>()
    };
    let kept = Money { amount: kept, ..captured };
    let fee = standing::fee(order, registration);
    Ok(Some(ChargeStanding { capture: named(&capture.id)?, captured, kept, given_back, fee }))
}

fn given_back(refund: &Refund, captured: Money) -> Result<GivenBack, NoAnswer> {
    let amount = refund.amount.as_ref().and_then(Amount::money).filter(|it| it.currency == captured.currency);
    let fee_back = refund.breakdown.platform_fee(captured.currency);
    let (Some(amount), Some(fee_back)) = (amount, fee_back) else { return Err(unreadable("refund", &refund.id)) };
    let refund_of_shop = refund.invoice_id.as_deref().and_then(|id| id.parse().ok());
    Ok(GivenBack { reference: named(&refund.id)?, refund: refund_of_shop, amount, fee_back })
}

fn unreadable(what: &str, id: &str) -> NoAnswer {
    NoAnswer(format!("the {what} {id} at PayPal has an amount that the shop does not understand"))
}

#[cfg(test)]
mod tests {
    use byteshop_domain::Currency;
    use serde_json::{Value, json};

    use super::*;

    fn of(refunds: &Value) -> Result<Option<ChargeStanding>, NoAnswer> {
        let amount = json!({"currency_code": "EUR", "value": "35.00"});
        let capture = json!({"id": "C1", "status": "PARTIALLY_REFUNDED", "amount": amount,
            "seller_receivable_breakdown": {"paypal_fee": {"currency_code": "EUR", "value": "1.71"}}});
        let payments = json!({"captures": [capture], "refunds": refunds});
        let order = json!({"id": "O1", "status": "COMPLETED", "purchase_units": [{"payments": payments}]});
        let amount = Money::new(3_500, Currency::EUR);
        let registration = Registration { id: Reference::new("O1").unwrap(), amount, page: None, direct: None };
        standing(&serde_json::from_value(order).unwrap(), &registration)
    }

    fn refund(id: &str, status: &str, value: &str, invoice: Option<&str>) -> Value {
        let amount = json!({"currency_code": "EUR", "value": value});
        json!({"id": id, "status": status, "amount": amount, "invoice_id": invoice})
    }

    #[test]
    fn what_went_back_is_known_with_the_refund_of_the_shop_that_it_is() {
        let ours = "rfd_00000000000000000000000002";
        let refunds = [
            refund("R1", "COMPLETED", "5.00", Some(ours)),
            refund("R2", "COMPLETED", "7.00", None),
            refund("R3", "PENDING", "1.00", None),
            refund("R4", "FAILED", "1.00", None),
            refund("R5", "COMPLETED", "1.00", Some("an invoice of PayPal's pages")),
        ];
        let it = of(&json!(refunds)).unwrap().unwrap();
        let back: Vec<_> = it.given_back.iter().map(|it| (it.reference.as_str(), it.refund.is_some())).collect();
        assert_eq!(back, [("R1", true), ("R2", false), ("R5", false)]);
        assert_eq!((it.capture.as_str(), it.kept.amount, it.fee.unwrap().amount), ("C1", 2_200, 171));
    }

    #[test]
    fn a_refund_that_cannot_be_read_is_no_answer() {
        for (id, value) in [("R/1", "5.00"), ("", "5.00"), ("R1", "-5"), ("R1", "5.001")] {
            assert!(of(&json!([refund(id, "COMPLETED", value, None)])).is_err(), "{id} {value}");
        }
    }
}
