//! What an order at PayPal means for the attempt of a payment. Pure.

use byteshop_domain::ids::RefundId;
use byteshop_domain::money::{Money, MoneyError};
use byteshop_domain::payment::Registration;

use super::client::Failure;
use super::wire::{
    Authorization, AuthorizationStatus, Capture, CaptureStatus, Order, OrderStatus, Payments, RefundStatus, Unit,
};
use crate::ports::Attempt;

/// How far an order is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standing<'a> {
    /// The buyer has not approved it.
    Waiting,
    /// The buyer has approved it, and nothing was captured or authorized yet.
    Approved,
    /// PayPal has not decided about the money yet.
    Reviewed,
    /// The amount is authorized.
    Authorized(&'a Authorization),
    /// The amount is captured; some of it may be refunded.
    Captured(&'a Capture),
    /// PayPal declined it.
    Declined,
    /// Nothing is held or captured, and nothing will be.
    Over,
}

/// How far a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefundStanding {
    Done,
    /// PayPal has not decided yet.
    Pending,
    Refused,
}

impl<'a> Standing<'a> {
    /// How far an order is. Money that moved says more than the status of the order.
    pub fn of(order: &'a Order) -> Self {
        let Some(Unit { payments, .. }) = order.purchase_units.first() else { return Self::Waiting };
        let Payments { authorizations, captures, .. } = payments;
        let captured = |is: fn(CaptureStatus) -> bool| captures.iter().find(|capture| is(capture.status));
        let authorized = |is: fn(AuthorizationStatus) -> bool| authorizations.iter().find(|it| is(it.status));
        if let Some(capture) = captured(is_captured) {
            return Self::Captured(capture);
        }
        let is_undecided = |status| matches!(status, CaptureStatus::Pending | CaptureStatus::Unknown);
        if captured(is_undecided).is_some() {
            return Self::Reviewed;
        }
        if let Some(authorization) = authorized(|status| status == AuthorizationStatus::Created) {
            return Self::Authorized(authorization);
        }
        if authorized(|status| status == AuthorizationStatus::Pending).is_some() {
            return Self::Reviewed;
        }
        let is_declined = |status| matches!(status, CaptureStatus::Declined | CaptureStatus::Failed);
        if captured(is_declined).is_some() || authorized(|it| it == AuthorizationStatus::Denied).is_some() {
            return Self::Declined;
        }
        match order.status {
            OrderStatus::Created | OrderStatus::Saved | OrderStatus::PayerActionRequired => Self::Waiting,
            OrderStatus::Approved => Self::Approved,
            OrderStatus::Voided | OrderStatus::Completed => Self::Over,
            // It may hold money, and the shop cannot tell.
            OrderStatus::Unknown => Self::Reviewed,
        }
    }
}

fn is_captured(status: CaptureStatus) -> bool {
    match status {
        CaptureStatus::Completed | CaptureStatus::PartiallyRefunded | CaptureStatus::Refunded => true,
        CaptureStatus::Pending | CaptureStatus::Declined | CaptureStatus::Failed | CaptureStatus::Unknown => false,
    }
}

/// Makes sure that an order is that of an attempt: a notification, or an id that was mixed up, must not move other money.
pub(super) fn check(order: &Order, attempt: Attempt<'_>, id: &str, amount: Money, payee: &str) -> Result<(), Failure> {
    let [unit] = order.purchase_units.as_slice() else { return Err(Failure::Differs("purchase units")) };
    let merchant = unit.payee.as_ref().and_then(|payee| payee.merchant_id.as_deref());
    let is_amount = |money: Option<Money>| money == Some(amount);
    let Payments { authorizations, captures, .. } = &unit.payments;
    let same = [
        ("id", order.id == id),
        ("payment (custom_id)", unit.custom_id.as_deref() == Some(attempt.payment.to_string().as_str())),
        ("reference (invoice_id)", unit.invoice_id.as_deref() == Some(attempt.reference.as_str())),
        ("amount", is_amount(unit.amount.as_ref().and_then(super::wire::Amount::money))),
        ("payee", merchant == Some(payee)),
        ("authorized amount", authorizations.iter().all(|it| is_amount(money(it.amount.as_ref())))),
        ("captured amount", captures.iter().all(|it| is_amount(money(it.amount.as_ref())))),
    ];
    same.into_iter().find(|(_, is_same)| !is_same).map_or(Ok(()), |(field, _)| Err(Failure::Differs(field)))
}

fn money(amount: Option<&super::wire::Amount>) -> Option<Money> {
    amount.and_then(super::wire::Amount::money)
}

/// What became of a refund, by its id of the shop; none if PayPal does not know it.
pub(super) fn refund_of(order: &Order, refund: RefundId) -> Option<RefundStanding> {
    let key = refund.to_string();
    let refunds = order.purchase_units.iter().flat_map(|unit| &unit.payments.refunds);
    let ours = refunds.filter(|it| it.invoice_id.as_deref() == Some(key.as_str()));
    ours.map(|it| standing_of(it.status)).max_by_key(|standing| match standing {
        RefundStanding::Done => 2,
        RefundStanding::Pending => 1,
        RefundStanding::Refused => 0,
    })
}

/// What is left of a captured amount after its refunds, including those that PayPal has not decided about.
pub(super) fn left(order: &Order, captured: Money) -> Result<Money, MoneyError> {
    let refunds = order.purchase_units.iter().flat_map(|unit| &unit.payments.refunds);
    let taken = refunds.filter(|it| standing_of(it.status) != RefundStanding::Refused);
    taken.filter_map(|it| money(it.amount.as_ref())).try_fold(captured, Money::minus)
}

/// What PayPal keeps of the captures of an order as its fee, after what it gave back with refunds; none if it does not say, or keeps it in
/// another currency, or of what is a seller's.
pub(super) fn fee(order: &Order, registration: &Registration) -> Option<Money> {
    if registration.direct.is_some() {
        return None;
    }
    let currency = registration.amount.currency;
    let payments = || order.purchase_units.iter().map(|unit| &unit.payments);
    let read = |fee: Option<&super::wire::Amount>| money(fee).filter(|fee| fee.currency == currency);
    let taken = payments().flat_map(|it| &it.captures).filter(|it| is_captured(it.status));
    let mut taken = taken.map(|it| read(it.breakdown.paypal_fee.as_ref())).peekable();
    taken.peek()?;
    let back = payments().flat_map(|it| &it.refunds).filter(|it| standing_of(it.status) == RefundStanding::Done);
    let mut back = back.filter_map(|it| read(it.breakdown.paypal_fee.as_ref()));
    let kept = taken.try_fold(Money::zero(currency), |sum, fee| sum.plus(fee?).ok())?;
    back.try_fold(kept, Money::minus).ok()
}

/// Whether PayPal has not decided about a refund of an order.
pub(super) fn has_pending_refund(order: &Order) -> bool {
    let refunds = order.purchase_units.iter().flat_map(|unit| &unit.payments.refunds);
    refunds.into_iter().any(|it| standing_of(it.status) == RefundStanding::Pending)
}

/// How far a refund is, by its status.
pub(super) fn standing_of(status: RefundStatus) -> RefundStanding {
    match status {
        RefundStatus::Completed => RefundStanding::Done,
        RefundStatus::Pending | RefundStatus::Unknown => RefundStanding::Pending,
        RefundStatus::Failed | RefundStatus::Cancelled => RefundStanding::Refused,
    }
}

#[cfg(test)]
mod tests;
