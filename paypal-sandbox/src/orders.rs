//! Orders v2: create, approve, authorize, capture.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::amount::Amount;
use super::books::{Books, text};
use super::fault::{Answer, Fault, Outcome};
use super::reading::{amount, payee, platform_fees, positive};
use super::records::{
    Authorization, AuthorizationStatus, Capture, Intent, Order, OrderStatus, Payee, PlatformFee, Unit,
};

/// Letters of an id.
pub(super) const ID: usize = 17;
/// What PayPal keeps of a capture: 3.49 %, in hundredths of a percent.
const FEE_RATE: i64 = 349;
/// And 49 minor units more.
const FEE_FIXED: i64 = 49;
/// Days after which an authorization ends.
const AUTHORIZED_DAYS: i64 = 29;
/// A payee whose address begins so has a restricted account.
const RESTRICTED: &str = "restricted";
/// A payee whose id begins so has one, too; ids have no I.
const RESTRICTED_ID: &str = "RESTR";

/// What a buyer does on the approval page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Choice {
    /// Approves the order.
    Approve,
    /// Approves it with a means of payment that will be declined.
    Decline,
    /// Goes back to the shop.
    Cancel,
}

impl Books {
    /// Creates an order.
    pub(super) fn create_order(&mut self, body: &Value, is_named: bool, is_full: bool, now: DateTime<Utc>) -> Outcome {
        let has_source = body.get("payment_source").is_some();
        if has_source && body.pointer("/payment_source/paypal").is_none() {
            return Err(Fault::invalid("NOT_SUPPORTED", "/payment_source"));
        }
        if has_source && !is_named {
            return Err(Fault::invalid("PAYPAL_REQUEST_ID_REQUIRED", "/PayPal-Request-Id"));
        }
        let intent = match text(body, "/intent").as_deref() {
            Some("AUTHORIZE") => Intent::Authorize,
            Some(_) | None => Intent::Capture,
        };
        let listed = body.get("purchase_units").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut units: Vec<Unit> = Vec::new();
        for (index, requested) in listed.iter().enumerate() {
            let unit = self.unit(requested, index, listed.len())?;
            if units.iter().any(|other| other.reference_id == unit.reference_id) {
                return Err(Fault::at("DUPLICATE_REFERENCE_ID", &format!("/purchase_units/{index}/reference_id")));
            }
            if units.iter().any(|other| !other.amount.is_same_currency(unit.amount)) {
                return Err(Fault::at("MULTI_CURRENCY_ORDER", &format!("/purchase_units/{index}/amount")));
            }
            units.push(unit);
        }
        let url = |name: &str| {
            let context = text(body, &format!("/payment_source/paypal/experience_context/{name}"));
            context.or_else(|| text(body, &format!("/application_context/{name}")))
        };
        let order = Order {
            id: self.new_id(ID),
            intent,
            status: if has_source { OrderStatus::PayerActionRequired } else { OrderStatus::Created },
            is_declined: false,
            units,
            return_url: url("return_url"),
            cancel_url: url("cancel_url"),
            created: now,
            updated: now,
        };
        let answer = Answer::new(if has_source { 200 } else { 201 }, self.show_order(&order, is_full));
        self.orders.insert(order.id.clone(), order);
        Ok(answer)
    }

    fn unit(&self, requested: &Value, index: usize, count: usize) -> Outcome<Unit> {
        let field = |name: &str| format!("/purchase_units/{index}/{name}");
        let total = positive(&requested["amount"], &field("amount/value"), true)?;
        check_breakdown(requested, total, &field)?;
        let reference_id = text(requested, "/reference_id");
        if count > 1 && reference_id.is_none() {
            return Err(Fault::at("REFERENCE_ID_REQUIRED", &field("reference_id")));
        }
        let own = || Payee { merchant_id: Some(self.merchant.clone()), email_address: None };
        let payee = payee(requested.get("payee")).unwrap_or_else(own);
        let is_restricted = payee.email_address.as_ref().is_some_and(|address| address.starts_with(RESTRICTED))
            || payee.merchant_id.as_ref().is_some_and(|id| id.starts_with(RESTRICTED_ID));
        if is_restricted {
            return Err(Fault::at("PAYEE_ACCOUNT_RESTRICTED", &field("payee")));
        }
        Ok(Unit {
            reference_id: reference_id.unwrap_or_else(|| "default".to_owned()),
            amount: total,
            payee,
            platform_fees: platform_fees(requested, total, "INVALID_PLATFORM_FEES_AMOUNT", true)?,
            invoice_id: text(requested, "/invoice_id"),
            custom_id: text(requested, "/custom_id"),
            authorizations: Vec::new(),
            captures: Vec::new(),
            requested: requested.clone(),
        })
    }

    /// Shows an order.
    pub(super) fn get_order(&self, id: &str) -> Outcome {
        let order = self.orders.get(id).ok_or_else(Fault::missing)?;
        Ok(Answer::new(200, self.show_order(order, true)))
    }

    /// What the buyer does: gives the address to go to, if the order named one.
    pub(super) fn choose(&mut self, id: &str, choice: Choice, now: DateTime<Utc>) -> Outcome<Option<String>> {
        let order = self.orders.get_mut(id).ok_or_else(Fault::missing)?;
        if order.status == OrderStatus::Completed {
            return Err(Fault::unprocessable("ORDER_ALREADY_CAPTURED"));
        }
        let payer = super::show::PAYER;
        match choice {
            Choice::Cancel => return Ok(order.cancel_url.as_deref().and_then(|url| with_query(url, &[("token", id)]))),
            Choice::Approve | Choice::Decline => {}
        }
        order.is_declined = choice == Choice::Decline;
        order.status = OrderStatus::Approved;
        order.updated = now;
        let back = order.return_url.as_deref().and_then(|url| with_query(url, &[("token", id), ("PayerID", payer)]));
        self.tell_order(id, "CHECKOUT.ORDER.APPROVED", "An order has been approved by buyer", now);
        Ok(back)
    }

    fn tell_order(&mut self, id: &str, kind: &str, summary: &str, now: DateTime<Utc>) {
        if let Some(shown) = self.orders.get(id).map(|order| self.show_order(order, true)) {
            self.tell(kind, "checkout-order", summary, &shown, now);
        }
    }

    /// Captures an order that the buyer has approved.
    pub(super) fn capture_order(&mut self, id: &str, is_full: bool, now: DateTime<Utc>) -> Outcome {
        let order = self.orders.get(id).ok_or_else(Fault::missing)?.clone();
        match order.status {
            OrderStatus::Completed => return Err(Fault::unprocessable("ORDER_ALREADY_CAPTURED")),
            OrderStatus::Created | OrderStatus::PayerActionRequired => {
                return Err(Fault::unprocessable("ORDER_NOT_APPROVED"));
            }
            OrderStatus::Approved => {}
        }
        if order.intent == Intent::Authorize {
            return Err(Fault::unprocessable("INCOMPATIBLE_PARAMETER_VALUE"));
        }
        if order.is_declined {
            let page = format!("{}/checkoutnow?token={id}", self.base);
            return Err(Fault::unprocessable("INSTRUMENT_DECLINED").link("redirect", page, "GET"));
        }
        self.claim_invoices(&order)?;
        let captures: Vec<String> = order
            .units
            .iter()
            .enumerate()
            .map(|(unit, it)| {
                let taken = Taken { amount: it.amount, fees: it.platform_fees.clone(), invoice: it.invoice_id.clone() };
                self.take(&order, unit, None, taken, true, now)
            })
            .collect();
        self.complete(id, now);
        for capture in captures {
            self.tell_capture(&capture, "PAYMENT.CAPTURE.COMPLETED", "Payment completed", now);
        }
        self.tell_order(id, "CHECKOUT.ORDER.COMPLETED", "Checkout Order Completed", now);
        let order = self.orders.get(id).ok_or_else(Fault::missing)?;
        Ok(Answer::new(201, self.show_order(order, is_full)))
    }

    /// Authorizes an order that the buyer has approved.
    pub(super) fn authorize_order(&mut self, id: &str, is_full: bool, now: DateTime<Utc>) -> Outcome {
        let order = self.orders.get(id).ok_or_else(Fault::missing)?.clone();
        if order.intent == Intent::Capture {
            return Err(Fault::unprocessable("ACTION_DOES_NOT_MATCH_INTENT"));
        }
        match order.status {
            OrderStatus::Completed => return Err(Fault::unprocessable("ORDER_ALREADY_AUTHORIZED")),
            OrderStatus::Created | OrderStatus::PayerActionRequired => {
                return Err(Fault::unprocessable("ORDER_NOT_APPROVED"));
            }
            OrderStatus::Approved => {}
        }
        if order.is_declined {
            return Err(Fault::unprocessable("PAYER_CANNOT_PAY"));
        }
        self.claim_invoices(&order)?;
        let mut held = Vec::new();
        for (unit, it) in order.units.iter().enumerate() {
            held.push(self.hold(&order.id, unit, it.amount, None, now));
        }
        self.complete(id, now);
        for authorization in held {
            self.tell_authorization(&authorization, "PAYMENT.AUTHORIZATION.CREATED", now);
        }
        let order = self.orders.get(id).ok_or_else(Fault::missing)?;
        Ok(Answer::new(201, self.show_order(order, is_full)))
    }

    fn complete(&mut self, id: &str, now: DateTime<Utc>) {
        if let Some(order) = self.orders.get_mut(id) {
            order.status = OrderStatus::Completed;
            order.updated = now;
        }
    }

    /// An invoice is paid once: another order with its number is refused.
    fn claim_invoices(&mut self, order: &Order) -> Outcome<()> {
        let numbers = || order.units.iter().filter_map(|unit| unit.invoice_id.clone());
        if numbers().any(|number| self.invoices.get(&number).is_some_and(|other| *other != order.id)) {
            return Err(Fault::unprocessable("DUPLICATE_INVOICE_ID"));
        }
        self.invoices.extend(numbers().map(|number| (number, order.id.clone())));
        Ok(())
    }

    /// Holds money.
    pub(super) fn hold(
        &mut self,
        order: &str,
        unit: usize,
        amount: Amount,
        continues: Option<&Authorization>,
        now: DateTime<Utc>,
    ) -> String {
        let expires = continues.map_or(now + TimeDelta::days(AUTHORIZED_DAYS), |it| it.expires);
        let id = self.new_id(ID);
        let authorization = Authorization {
            id: id.clone(),
            order: order.to_owned(),
            unit,
            amount,
            captured: 0,
            status: AuthorizationStatus::Created,
            continues: continues.map(|it| it.id.clone()),
            created: now,
            updated: now,
            expires,
        };
        self.authorizations.insert(id.clone(), authorization);
        if let Some(unit) = self.orders.get_mut(order).and_then(|order| order.units.get_mut(unit)) {
            unit.authorizations.push(id.clone());
        }
        self.look_again(expires, &id);
        id
    }

    /// Takes money.
    pub(super) fn take(
        &mut self,
        order: &Order,
        unit: usize,
        authorization: Option<&str>,
        taken: Taken,
        is_final: bool,
        now: DateTime<Utc>,
    ) -> String {
        let id = self.new_id(ID);
        let amount = taken.amount;
        let capture = Capture {
            id: id.clone(),
            order: order.id.clone(),
            unit,
            authorization: authorization.map(str::to_owned),
            amount,
            payee: order.units[unit].payee.clone(),
            paypal_fee: paypal_fee(amount.minor),
            platform_fees: taken.fees,
            refunds: Vec::new(),
            refunded: 0,
            platform_fees_refunded: 0,
            disputed: 0,
            reversed: 0,
            is_final,
            invoice_id: taken.invoice,
            custom_id: order.units[unit].custom_id.clone(),
            created: now,
            updated: now,
        };
        self.captures.insert(id.clone(), capture);
        if let Some(unit) = self.orders.get_mut(&order.id).and_then(|order| order.units.get_mut(unit)) {
            unit.captures.push(id.clone());
        }
        id
    }

    /// Tells of a capture.
    pub(super) fn tell_capture(&mut self, id: &str, kind: &str, summary: &str, now: DateTime<Utc>) {
        let Some(capture) = self.captures.get(id) else { return };
        let summary = format!("{summary} for {} {}", capture.amount.value(), capture.amount.code());
        let shown = self.show_capture(capture, true);
        self.tell(kind, "capture", &summary, &shown, now);
    }

    /// Tells of an authorization.
    pub(super) fn tell_authorization(&mut self, id: &str, kind: &str, now: DateTime<Utc>) {
        if let Some(shown) = self.authorizations.get(id).map(|it| self.show_authorization(it, true)) {
            self.tell(kind, "authorization", "A payment authorization changed", &shown, now);
        }
    }
}

/// What a capture takes.
#[derive(Debug)]
pub(super) struct Taken {
    /// From the buyer.
    pub amount: Amount,
    /// For the platform.
    pub fees: Vec<PlatformFee>,
    /// For this invoice.
    pub invoice: Option<String>,
}

/// What PayPal keeps of a capture: half a minor unit and more is rounded up, and it never takes more than there is.
pub(super) fn paypal_fee(minor: i64) -> i64 {
    ((minor * FEE_RATE + 5_000) / 10_000 + FEE_FIXED).min(minor)
}

/// The parts of an amount add up, and the items to their parts.
fn check_breakdown(requested: &Value, total: Amount, field: &impl Fn(&str) -> String) -> Outcome<()> {
    let part = |name: &str| -> Outcome<i64> {
        let pointer = format!("/amount/breakdown/{name}");
        let Some(body) = requested.pointer(&pointer) else { return Ok(0) };
        let place = field(&format!("amount/breakdown/{name}"));
        let part = amount(body, &place, true)?;
        if part.is_same_currency(total) { Ok(part.minor) } else { Err(Fault::at("MULTI_CURRENCY_ORDER", &place)) }
    };
    let mut sum = 0;
    for name in ["item_total", "tax_total", "shipping", "handling", "insurance"] {
        sum += part(name)?;
    }
    sum -= part("shipping_discount")? + part("discount")?;
    if requested.pointer("/amount/breakdown").is_some() && sum != total.minor {
        return Err(Fault::at("AMOUNT_MISMATCH", &field("amount/value")).value(&total.value()));
    }
    let Some(items) = requested.get("items").and_then(Value::as_array).filter(|items| !items.is_empty()) else {
        return Ok(());
    };
    if requested.pointer("/amount/breakdown/item_total").is_none() {
        return Err(Fault::at("ITEM_TOTAL_REQUIRED", &field("amount/breakdown/item_total")));
    }
    let (mut price, mut tax) = (0_i64, 0_i64);
    for (index, item) in items.iter().enumerate() {
        let quantity: i64 = text(item, "/quantity").and_then(|it| it.parse().ok()).unwrap_or_default();
        let each = |name: &str| -> Outcome<i64> {
            let Some(body) = item.get(name) else { return Ok(0) };
            Ok(amount(body, &field(&format!("items/{index}/{name}")), true)?.minor)
        };
        price = price.saturating_add(each("unit_amount")?.saturating_mul(quantity));
        tax = tax.saturating_add(each("tax")?.saturating_mul(quantity));
    }
    if price != part("item_total")? {
        return Err(Fault::at("ITEM_TOTAL_MISMATCH", &field("amount/breakdown/item_total")));
    }
    if tax > 0 && requested.pointer("/amount/breakdown/tax_total").is_none() {
        return Err(Fault::at("TAX_TOTAL_REQUIRED", &field("amount/breakdown/tax_total")));
    }
    if tax > 0 && tax != part("tax_total")? {
        return Err(Fault::at("TAX_TOTAL_MISMATCH", &field("amount/breakdown/tax_total")));
    }
    Ok(())
}

/// An address with more parameters.
fn with_query(url: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let mut url = reqwest::Url::parse(url).ok()?;
    url.query_pairs_mut().extend_pairs(parameters);
    Some(url.into())
}
