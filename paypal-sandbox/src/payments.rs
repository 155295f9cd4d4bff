//! Payments v2: authorizations, captures and refunds.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::amount::Amount;
use super::books::{Books, text};
use super::fault::{Answer, Fault, Outcome};
use super::orders::{ID, Taken};
use super::reading::{platform_fees, positive};
use super::records::{Authorization, AuthorizationStatus, Cause, PlatformFee, Refund};

/// Days for which PayPal guarantees the money; an authorization can be renewed afterwards.
const HONOURED_DAYS: i64 = 3;
/// Days after which a capture cannot be refunded.
const REFUND_DAYS: i64 = 180;

impl Books {
    /// Shows an authorization.
    pub(super) fn get_authorization(&self, id: &str) -> Outcome {
        let found = self.authorizations.get(id).ok_or_else(Fault::missing)?;
        Ok(Answer::new(200, self.show_authorization(found, true)))
    }

    /// An authorization that still holds money.
    fn held(&self, id: &str, now: DateTime<Utc>) -> Outcome<&Authorization> {
        let found = self.authorizations.get(id).ok_or_else(Fault::missing)?;
        match found.status {
            AuthorizationStatus::Voided if found.expires <= now => Err(Fault::unprocessable("AUTHORIZATION_EXPIRED")),
            AuthorizationStatus::Voided => Err(Fault::unprocessable("AUTHORIZATION_VOIDED")),
            AuthorizationStatus::Captured => Err(Fault::unprocessable("AUTHORIZATION_ALREADY_CAPTURED")),
            AuthorizationStatus::Created | AuthorizationStatus::PartiallyCaptured => Ok(found),
        }
    }

    /// Captures an authorization or a part of it.
    pub(super) fn capture_authorization(
        &mut self,
        id: &str,
        body: &Value,
        is_full: bool,
        now: DateTime<Utc>,
    ) -> Outcome {
        let held = self.held(id, now)?.clone();
        let order = self.orders.get(&held.order).ok_or_else(Fault::missing)?.clone();
        let unit = &order.units[held.unit];
        let left = held.amount.of(held.amount.minor - held.captured);
        let amount = match body.get("amount") {
            Some(asked) => positive(asked, "/amount/value", false)?,
            None => left,
        };
        if !amount.is_same_currency(left) {
            return Err(Fault::at("AUTH_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code"));
        }
        if amount.minor > left.minor {
            return Err(Fault::at("MAX_CAPTURE_AMOUNT_EXCEEDED", "/amount/value").value(&amount.value()));
        }
        let mut fees = platform_fees(body, amount, "TRANSACTION_REFUSED", false)?;
        let is_first = held.captured == 0;
        if fees.is_empty() && is_first {
            fees.clone_from(&unit.platform_fees);
        }
        if fees.iter().map(|fee| fee.amount.minor).sum::<i64>() > amount.minor {
            return Err(Fault::at("TRANSACTION_REFUSED", "/payment_instruction/platform_fees"));
        }
        let is_last = body.get("final_capture").and_then(Value::as_bool).unwrap_or_default();
        let is_final = is_last || amount.minor == left.minor;
        let invoice = text(body, "/invoice_id").or_else(|| unit.invoice_id.clone());
        let taken = Taken { amount, fees, invoice };
        let capture = self.take(&order, held.unit, Some(id), taken, is_final, now);
        if let Some(held) = self.authorizations.get_mut(id) {
            held.captured += amount.minor;
            held.updated = now;
            held.status = if is_final { AuthorizationStatus::Captured } else { AuthorizationStatus::PartiallyCaptured };
        }
        self.tell_capture(&capture, "PAYMENT.CAPTURE.COMPLETED", "Payment completed", now);
        let captured = self.captures.get(&capture).ok_or_else(Fault::missing)?;
        Ok(Answer::new(201, self.show_capture(captured, is_full)))
    }

    /// Renews an authorization, once, when PayPal no longer guarantees it.
    pub(super) fn reauthorize(&mut self, id: &str, body: &Value, is_full: bool, now: DateTime<Utc>) -> Outcome {
        let found = self.authorizations.get(id).ok_or_else(Fault::missing)?;
        // The document of this operation has one issue for both ends.
        let held = match self.held(id, now) {
            Err(_) if found.status == AuthorizationStatus::Voided => {
                return Err(Fault::unprocessable("AUTHORIZATION_VOIDED"));
            }
            held => held?.clone(),
        };
        let is_renewed = held.continues.is_some();
        if is_renewed || held.captured > 0 || now < held.created + TimeDelta::days(HONOURED_DAYS) {
            return Err(Fault::unprocessable("REAUTHORIZATION_NOT_SUPPORTED"));
        }
        let amount = match body.get("amount") {
            Some(asked) => positive(asked, "/amount/value", false)?,
            None => held.amount,
        };
        if !amount.is_same_currency(held.amount) {
            return Err(Fault::at("AUTH_CURRENCY_MISMATCH", "/amount/currency_code"));
        }
        if amount.minor > held.amount.minor {
            return Err(Fault::at("TRANSACTION_REFUSED", "/amount/value").value(&amount.value()));
        }
        let renewed = self.hold(&held.order, held.unit, amount, Some(&held), now);
        self.release(id, now);
        self.tell_authorization(&renewed, "PAYMENT.AUTHORIZATION.CREATED", now);
        let renewed = self.authorizations.get(&renewed).ok_or_else(Fault::missing)?;
        Ok(Answer::new(201, self.show_authorization(renewed, is_full)))
    }

    fn release(&mut self, id: &str, now: DateTime<Utc>) {
        if let Some(held) = self.authorizations.get_mut(id) {
            held.status = AuthorizationStatus::Voided;
            held.updated = now;
        }
    }

    /// Releases the money of an authorization.
    pub(super) fn void(&mut self, id: &str, is_full: bool, now: DateTime<Utc>) -> Outcome {
        let found = self.authorizations.get(id).ok_or_else(Fault::missing)?;
        match found.status {
            AuthorizationStatus::Voided => return Err(Fault::unprocessable("PREVIOUSLY_VOIDED")),
            AuthorizationStatus::Captured => return Err(Fault::unprocessable("PREVIOUSLY_CAPTURED")),
            AuthorizationStatus::Created | AuthorizationStatus::PartiallyCaptured => {}
        }
        let (order, is_unused) = (found.order.clone(), found.captured == 0);
        self.release(id, now);
        if is_unused {
            self.invoices.retain(|_, of| *of != order);
        }
        self.tell_authorization(id, "PAYMENT.AUTHORIZATION.VOIDED", now);
        let voided = self.authorizations.get(id).ok_or_else(Fault::missing)?;
        if is_full { Ok(Answer::new(200, self.show_authorization(voided, true))) } else { Ok(Answer::empty(204)) }
    }

    /// Releases the money of an authorization that has ended.
    pub(super) fn expire(&mut self, id: &str, now: DateTime<Utc>) {
        let is_held = |it: &Authorization| {
            matches!(it.status, AuthorizationStatus::Created | AuthorizationStatus::PartiallyCaptured)
        };
        if self.authorizations.get(id).is_some_and(is_held) {
            self.release(id, now);
            self.tell_authorization(id, "PAYMENT.AUTHORIZATION.VOIDED", now);
        }
    }

    /// Refuses to move the money of another account unless the platform names it.
    pub(super) fn ensure_asked_for_payee(&self, id: &str, merchant: Option<&str>) -> Outcome<()> {
        let held = self.authorizations.get(id);
        let held = held.and_then(|held| Some(&self.orders.get(&held.order)?.units.get(held.unit)?.payee));
        let Some(payee) = held.or_else(|| self.captures.get(id).map(|capture| &capture.payee)) else { return Ok(()) };
        let account = merchant.unwrap_or(&self.merchant);
        let is_theirs = payee.merchant_id.as_deref().is_none_or(|payee| payee == account);
        if is_theirs { Ok(()) } else { Err(Fault::forbidden()) }
    }

    /// Shows a capture.
    pub(super) fn get_capture(&self, id: &str) -> Outcome {
        let found = self.captures.get(id).ok_or_else(Fault::missing)?;
        Ok(Answer::new(200, self.show_capture(found, true)))
    }

    /// Shows a refund.
    pub(super) fn get_refund(&self, id: &str) -> Outcome {
        let found = self.refunds.get(id).ok_or_else(Fault::missing)?;
        Ok(Answer::new(200, self.show_refund(found, true)))
    }

    /// Refunds a capture or a part of it. The fee of PayPal is not given back, and that of the platform only as far as the request says.
    pub(super) fn refund(&mut self, id: &str, body: &Value, is_full: bool, now: DateTime<Utc>) -> Outcome {
        let capture = self.captures.get(id).ok_or_else(Fault::missing)?;
        if capture.kept() == 0 {
            let is_reversed = capture.reversed > 0;
            let issue = if is_reversed { "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK" } else { "CAPTURE_FULLY_REFUNDED" };
            return Err(Fault::unprocessable(issue));
        }
        if now > capture.created + TimeDelta::days(REFUND_DAYS) {
            return Err(Fault::unprocessable("REFUND_TIME_LIMIT_EXCEEDED"));
        }
        let amount = match body.get("amount") {
            Some(asked) => positive(asked, "/amount/value", false)?,
            None => capture.amount.of(capture.kept()),
        };
        if !amount.is_same_currency(capture.amount) {
            return Err(Fault::at("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code"));
        }
        if amount.minor > capture.kept() {
            return Err(Fault::at("REFUND_AMOUNT_EXCEEDED", "/amount/value").value(&amount.value()));
        }
        if amount.minor > capture.refundable() {
            return Err(Fault::unprocessable("TRANSACTION_DISPUTED"));
        }
        let kept: i64 = capture.platform_fees.iter().map(|fee| fee.amount.minor).sum();
        let most = capture.amount.of(kept - capture.platform_fees_refunded);
        let fees = platform_fees(body, most, "PLATFORM_FEE_EXCEEDED", false)?;
        let back = GivenBack {
            amount,
            cause: Cause::Refund,
            fees,
            invoice: text(body, "/invoice_id"),
            custom: text(body, "/custom_id"),
            note: text(body, "/note_to_payer"),
        };
        let refund = self.give_back(id, back, now);
        let shown = self.refunds.get(&refund).ok_or_else(Fault::missing)?;
        let answer = Answer::new(201, self.show_refund(shown, is_full));
        self.tell_refund(&refund, "PAYMENT.CAPTURE.REFUNDED", now);
        Ok(answer)
    }

    /// Records that money went back.
    pub(super) fn give_back(&mut self, capture: &str, back: GivenBack, now: DateTime<Utc>) -> String {
        let id = self.new_id(ID);
        let mut total = back.amount.minor;
        let fees: i64 = back.fees.iter().map(|fee| fee.amount.minor).sum();
        if let Some(capture) = self.captures.get_mut(capture) {
            match back.cause {
                Cause::Refund | Cause::ClaimAccepted => capture.refunded += back.amount.minor,
                Cause::Reversal | Cause::DisputeLost => capture.reversed += back.amount.minor,
            }
            capture.refunds.push(id.clone());
            capture.platform_fees_refunded += fees;
            capture.updated = now;
            total = capture.amount.minor - capture.kept();
        }
        let refund = Refund {
            id: id.clone(),
            capture: capture.to_owned(),
            amount: back.amount,
            cause: back.cause,
            platform_fees: back.fees,
            total_refunded: total,
            invoice_id: back.invoice,
            custom_id: back.custom,
            note_to_payer: back.note,
            created: now,
        };
        self.refunds.insert(id.clone(), refund);
        id
    }

    /// Tells of a refund or a reversal.
    pub(super) fn tell_refund(&mut self, id: &str, kind: &str, now: DateTime<Utc>) {
        let Some(refund) = self.refunds.get(id) else { return };
        let summary = format!("{} {} went back to the buyer", refund.amount.value(), refund.amount.code());
        let shown = self.show_refund(refund, true);
        self.tell(kind, "refund", &summary, &shown, now);
    }

    /// Reverses a capture: PayPal takes back what the buyer has not got back yet.
    pub(super) fn reverse(&mut self, id: &str, now: DateTime<Utc>) -> Outcome {
        let capture = self.captures.get(id).ok_or_else(Fault::missing)?;
        if capture.refundable() == 0 {
            return Err(Fault::unprocessable("CAPTURE_FULLY_REFUNDED"));
        }
        let amount = capture.amount.of(capture.refundable());
        let refund = self.give_back(id, GivenBack::of(amount, Cause::Reversal), now);
        self.tell_refund(&refund, "PAYMENT.CAPTURE.REVERSED", now);
        let refund = self.refunds.get(&refund).ok_or_else(Fault::missing)?;
        Ok(Answer::new(201, self.show_refund(refund, true)))
    }
}

/// Money that goes back.
#[derive(Debug)]
pub(super) struct GivenBack {
    /// How much.
    pub amount: Amount,
    /// Why.
    pub cause: Cause,
    /// What the platform gives back of its fees.
    pub fees: Vec<PlatformFee>,
    /// The invoice of the caller.
    pub invoice: Option<String>,
    /// The caller's own reference.
    pub custom: Option<String>,
    /// A note to the buyer.
    pub note: Option<String>,
}

impl GivenBack {
    /// An amount without references.
    pub(super) fn of(amount: Amount, cause: Cause) -> Self {
        Self { amount, cause, fees: Vec::new(), invoice: None, custom: None, note: None }
    }
}
