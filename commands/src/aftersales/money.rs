//! Money alone that goes back: for sending, or because the shop wants it so.

use byteshop_domain::Kind;
use byteshop_domain::credit_note::Left;
use byteshop_domain::ids::RefundId;
use byteshop_domain::money::Money;
use byteshop_domain::order::{self, Order};
use byteshop_domain::payment::{self, Payment, RefundCause};
use byteshop_domain::text::Reason;

use super::{Back, content, left_to_credit, most, opened, placed, uncounted, write_down};
use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};

/// How much of what was paid for sending an order goes back.
#[derive(Debug, Clone, Copy)]
pub enum ShippingBack {
    /// All that is left of it.
    All,
    /// So much.
    Some(Money),
    /// Nothing, even where nothing is sent any more.
    Nothing,
}

/// Gives back what was paid for sending, all of it or some.
pub(super) async fn give_shipping_back(
    unit: &Unit,
    order: &mut Loaded<Order>,
    payment: &mut Loaded<Payment>,
    wanted: Option<ShippingBack>,
) -> Result<(), Error> {
    let Some(wanted) = wanted else { return Ok(()) };
    let before = placed(order)?.clone();
    let left = left_to_credit(unit, &before).await?;
    let paid = before.shipping_left();
    let most = Money { amount: paid.amount.min(most(unit, &left, payment)?.amount), ..paid };
    let amount = match wanted {
        ShippingBack::Some(amount) if amount.currency != most.currency || amount.amount < 0 => {
            return Err(no_shipping(most));
        }
        ShippingBack::Some(amount) if amount.amount > most.amount => {
            return Err(Error::Rejected(Rejected::of::<Order>(&order::Rejection::TooMuchShipping { left: most })));
        }
        ShippingBack::Some(amount) => amount,
        ShippingBack::All => most,
        ShippingBack::Nothing => return Ok(()),
    };
    if amount.amount == 0 {
        return Ok(());
    }
    let reason = Reason::new("shipping");
    let reason = reason.map_err(|error| unit.refuse("order.reason", Kind::Invalid, error.to_string()))?;
    credit(unit, order, payment, &left, amount, &reason, true).await
}

/// The payment would refuse it as well, but knows nothing of the field that it came in.
fn no_shipping(most: Money) -> Error {
    let currency = most.currency.code();
    Error::Rejected(Rejected {
        detail: format!("what goes back of the shipping is an amount in {currency}, and not below nothing"),
        pointer: Some("/shipping".to_owned()),
        ..Rejected::of::<Payment>(&payment::Rejection::NotAnAmount)
    })
}

/// Tries a refund again that the provider refused: as much (of an order that is off, all that is left), for the same reason,
/// under the credit note that it has.
pub fn retry_refund(unit: &Unit, payment: &mut Loaded<Payment>, failed: RefundId) -> Result<(), Error> {
    unit.decide(payment, &payment::Command::RetryRefund { failed, refund: unit.new_id() })
}

/// Gives a piece of a payment back because the shop wants it so, with a credit note for the money alone.
pub async fn refund(unit: &Unit, payment: &mut Loaded<Payment>, amount: Money, reason: &Reason) -> Result<(), Error> {
    let mut order = unit.load::<Order>(opened(payment)?.order).await?;
    knows_of_its_money(&order, payment)?;
    let before = placed(&order)?.clone();
    let left = left_to_credit(unit, &before).await?;
    credit(unit, &mut order, payment, &left, amount, reason, false).await
}

/// Gives an amount back, with a credit note of what those before it have left.
async fn credit(
    unit: &Unit,
    order: &mut Loaded<Order>,
    payment: &mut Loaded<Payment>,
    left: &Left<'_>,
    amount: Money,
    reason: &Reason,
    shipping: bool,
) -> Result<(), Error> {
    let refund = unit.new_id();
    let command = payment::Command::RequestRefund {
        refund,
        amount: Some(amount),
        cause: RefundCause::Staff { reason: reason.clone() },
    };
    unit.decide(payment, &command)?;
    let back = Back { refund: Some(refund), credit_note: unit.new_id(), amount, shipping: shipping.then_some(amount) };
    let credit_note = back.credit_note;
    unit.decide(order, &order::Command::Credit { credit_note, refund, amount, shipping })?;
    let not_credited = left.total().map_err(|error| uncounted(unit, error))?;
    if amount.amount > not_credited.amount {
        return Err(credited_already(payment, not_credited));
    }
    let mut content = content(unit, placed(order)?, order.id, &[], &back).await?;
    content.reason = Some(reason.clone());
    write_down(unit, left, credit_note, content)
}

/// Refuses for a moment what takes a paid order: its payment is ours, and it is about to hear of that.
pub(crate) fn knows_of_its_money(order: &Loaded<Order>, payment: &Loaded<Payment>) -> Result<(), Error> {
    if opened(payment)?.is_taken() && placed(order)?.awaits(payment.id) {
        let mut not_paid = Rejected::of::<Order>(&order::Rejection::NotPaid);
        not_paid.detail = "the payment is taken, and the order is about to hear of it: ask again in a moment".into();
        return Err(Error::NotYet(not_paid));
    }
    Ok(())
}

/// The rest of what could go back was to, and failed: it goes back under the credit note that it has.
fn credited_already(payment: &Loaded<Payment>, left: Money) -> Error {
    let failed = payment.state.opened().ok().and_then(|opened| opened.failed_refunds().next());
    let again = failed.map(|(id, _)| format!(": try {id} again, which failed")).unwrap_or_default();
    Error::Rejected(Rejected {
        code: "payment.credited_already".to_owned(),
        kind: Kind::Conflict,
        detail: format!("there is a credit note for all but {left} already{again}"),
        pointer: Some("/amount".to_owned()),
    })
}
