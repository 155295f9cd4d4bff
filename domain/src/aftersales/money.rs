//! Refunds without goods: of the shipping price, or of an amount that staff chooses.

use super::credit::{Back, content, left_to_credit, merged, most, uncounted, write_down};
use crate::Kind;
use crate::gift_card_delivery;
use crate::ids::{AccountId, CreditNoteId, DisputeId, OrderId, PaymentId, RefundId, VariantId};
use crate::key_delivery;
use crate::money::Money;
use crate::order::{self, Order, Placed};
use crate::payment::{self, Payment, RefundCause};
use crate::quantity::Demand;
use crate::rejected::Rejected;
use crate::settlement::ensure_payment_recorded;
use crate::stored_value::Means;
use crate::text::Reason;
use crate::work::{Refused, Work};

/// How much of the shipping price is refunded.
#[derive(Debug, Clone, Copy)]
pub enum ShippingBack {
    /// All that is left of it.
    All,
    /// This amount.
    Some(Money),
    /// Nothing, even if nothing is shipped any more.
    Nothing,
}

/// Refunds the shipping price of the part that these lines are of, in full or in part.
pub(super) fn give_shipping_back(
    work: &mut Work,
    order: OrderId,
    lines: &[Demand],
    wanted: Option<ShippingBack>,
) -> Result<(), Refused> {
    let Some(wanted) = wanted else { return Ok(()) };
    let state = work.get::<Order>(order)?;
    let before = state.live()?;
    let left = left_to_credit(work, before)?;
    let paid = before.shipping_left_with(lines);
    let most = Money { amount: paid.amount.min(most(work, &left, before, lines)?.amount), ..paid };
    let amount = match wanted {
        ShippingBack::Some(amount) if amount.currency != most.currency || amount.amount < 0 => {
            return Err(no_shipping(most));
        }
        ShippingBack::Some(amount) if amount.amount > most.amount => {
            return Err(order::Rejection::TooMuchShipping { left: most }.into());
        }
        ShippingBack::Some(amount) => amount,
        ShippingBack::All => most,
        ShippingBack::Nothing => return Ok(()),
    };
    if amount.amount == 0 {
        return Ok(());
    }
    let reason = Reason::new("shipping");
    let reason = reason.map_err(|error| Refused::because("order.reason", Kind::Invalid, error.to_string()))?;
    let part = before.part_number_of(lines);
    let taken = vec![];
    credit(
        work,
        order,
        &Credit { amount, reason, shipping: true, keys: vec![], part, to: None, taken, dispute: None, imposed: false },
    )
}

/// The payment would refuse it as well, but does not know the field of the request.
fn no_shipping(most: Money) -> Refused {
    let currency = most.currency.code();
    Refused::Rejected(Rejected {
        detail: format!("the refunded shipping must be an amount in {currency} of at least zero"),
        pointer: Some("/shipping".to_owned()),
        ..Rejected::of::<Payment>(&payment::Rejection::NotAnAmount)
    })
}

/// Retries a failed refund: for the same amount (of a cancelled order, all that is left) and cause, under its existing credit
/// note.
pub fn retry_refund(work: &mut Work, payment: PaymentId, failed: RefundId) -> Result<(), Refused> {
    let refund = work.new_id();
    work.decide::<Payment>(payment, &payment::Command::RetryRefund { failed, refund })?;
    Ok(())
}

/// Refunds an amount of a payment by decision of the shop, with a credit note without goods.
///
/// It is of the part of the order with this number, or of the part of these pieces, or split over all parts. `keys` are the pieces
/// that it is for whose keys and downloads are revoked. A refund that leaves nothing of the payment, or of the part, revokes all of
/// them. What is left of gift cards among them is taken back with it, and what was spent of them is not refunded.
/// It goes back to what paid, or all of it to the store credit of the account that bought.
pub fn refund(work: &mut Work, payment: PaymentId, amount: Money, wanted: &Wanted<'_>) -> Result<(), Refused> {
    let Wanted { reason, keys, part, to_credit } = *wanted;
    let opened = work.get::<Payment>(payment)?;
    let (order, refundable) = (opened.live()?.order, opened.live()?.refundable());
    let is_disputed = opened.live()?.disputed().amount > 0;
    ensure_payment_recorded(work, order)?;
    let state = work.get::<Order>(order)?;
    let before = state.live()?;
    let named = merged(keys)?;
    before.are_of_one_part(&named)?;
    let part = match (part, before.part_number_of(&named)) {
        (Some(part), Some(of_keys)) if part != of_keys => return Err(order::Rejection::SeveralParts.into()),
        (part, of_keys) => part.or(of_keys),
    };
    let whole = part.and_then(|number| before.parts.number(number)).filter(|part| part.left() == amount);
    let keys = match whole {
        // What is disputed may be kept.
        _ if amount == refundable && !is_disputed => before.pieces_to_revoke(),
        Some(part) => before.pieces_to_revoke().into_iter().filter(|it| part.has(it.variant)).collect(),
        None => named,
    };
    let account = account_for_credit(before, to_credit)?;
    let to = account.map(|account| Means::StoreCredit { account });
    let taken = gift_card_delivery::take_back(work, (order, before), &keys, None)?;
    let wanted = Credit {
        amount,
        reason: reason.clone(),
        shipping: false,
        keys,
        part,
        to,
        taken,
        dispute: None,
        imposed: false,
    };
    credit(work, order, &wanted)?;
    key_delivery::revoke(work, order, before, &wanted.keys)
}

/// What staff says of a refund of money alone.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The reason, for the credit note.
    pub reason: &'a Reason,
    /// The pieces whose keys are revoked.
    pub keys: &'a [Demand],
    /// The number of the part of the order.
    pub part: Option<u16>,
    /// Whether it goes to the store credit of the buyer.
    pub to_credit: bool,
}

/// The account whose store credit gets a refund; none if it goes back to what paid.
fn account_for_credit(placed: &Placed, to_credit: bool) -> Result<Option<AccountId>, Refused> {
    if !to_credit {
        return Ok(None);
    }
    let said = "the order was bought without an account, so there is no store credit that it can go to: omit `to`";
    let account = placed.placement.buyer.account.ok_or_else(|| {
        let (code, pointer) = ("payment.no_account".to_owned(), Some("/to".to_owned()));
        Refused::Rejected(Rejected { code, kind: Kind::Invalid, detail: said.to_owned(), pointer })
    })?;
    Ok(Some(account))
}

/// A refund of money alone.
pub(super) struct Credit {
    pub(super) amount: Money,
    pub(super) reason: Reason,
    /// Whether it refunds a part of the shipping price.
    pub(super) shipping: bool,
    /// The pieces whose keys and downloads are revoked.
    pub(super) keys: Vec<Demand>,
    /// The number of the part of the order that it is of.
    pub(super) part: Option<u16>,
    /// Where it goes to, if not back to what paid.
    pub(super) to: Option<Means>,
    /// What is taken back of gift cards, per variant.
    pub(super) taken: Vec<(VariantId, Money)>,
    /// The dispute that lost it.
    pub(super) dispute: Option<DisputeId>,
    /// Whether the buyer has the money already, whatever the limits of refunds are.
    pub(super) imposed: bool,
}

/// Refunds an amount, with a credit note for what the earlier ones have left. If sellers supply parts of the order in their own name, an
/// amount that is of all parts has a credit note for each of them.
fn credit(work: &mut Work, order: OrderId, wanted: &Credit) -> Result<(), Refused> {
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    let payment = placed.placement.payment;
    let refund = work.new_id();
    let cause = RefundCause::Staff { reason: wanted.reason.clone() };
    let request = payment::Command::RequestRefund { refund, amount: Some(wanted.amount), cause, to: wanted.to };
    work.decide::<Payment>(payment, &request)?;
    issue_credit(work, order, refund, wanted)?;
    Ok(())
}

/// Issues the credit notes of a refund of money alone.
pub(super) fn issue_credit(
    work: &mut Work,
    order: OrderId,
    refund: RefundId,
    wanted: &Credit,
) -> Result<Vec<CreditNoteId>, Refused> {
    let state = work.get::<Order>(order)?;
    let shares = state.live()?.split_by_supplier(wanted.part, wanted.amount, wanted.shipping)?;
    shares.into_iter().map(|share| credit_share(work, order, refund, wanted, share)).collect()
}

/// The share of a part in a refund, or all of it.
fn credit_share(
    work: &mut Work,
    order: OrderId,
    refund: RefundId,
    wanted: &Credit,
    (part, amount): (Option<u16>, Money),
) -> Result<CreditNoteId, Refused> {
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    let left = left_to_credit(work, placed)?;
    let credit_note = work.new_id();
    let of_part = part.and_then(|number| placed.parts.number(number));
    let supplier = placed.supplier_of(of_part.or(placed.parts.all().first()).and_then(|part| part.seller));
    let supplier = supplier.filter(|_| of_part.is_some() || !placed.parts.are_several());
    let shipping = wanted.shipping;
    let back = Back { refund: Some(refund), credit_note, amount, shipping: shipping.then_some(amount), supplier };
    // A refund of all parts revokes the keys of each with its share.
    let is_in = |variant| wanted.part.is_some() || of_part.is_none_or(|part| part.has(variant));
    let is_of = |it: &&Demand| is_in(it.variant);
    let keys = wanted.keys.iter().filter(is_of).copied().collect();
    let taken: Vec<(VariantId, Money)> = wanted.taken.iter().filter(|(variant, _)| is_in(*variant)).copied().collect();
    let gift_cards = Money { amount: taken.iter().map(|(_, taken)| taken.amount).sum(), ..amount };
    let imposed = wanted.imposed;
    let command = order::Command::Credit { credit_note, refund, amount, shipping, keys, part, taken, imposed };
    work.decide::<Order>(order, &command)?;
    let not_credited = left.total().map_err(uncounted)?;
    if amount.amount > not_credited.amount {
        return Err(credited_already(work, placed.placement.payment, not_credited));
    }
    let mut content = content(work, placed, order, &[], &back)?;
    content.reason = Some(wanted.reason.clone());
    content.gift_cards = Some(gift_cards).filter(|taken| taken.amount > 0);
    content.dispute = wanted.dispute;
    write_down(work, (placed, order), &left, &back, content)?;
    Ok(credit_note)
}

/// Refuses, as credit notes cover the whole payment already: a failed refund is retried under its credit note instead.
fn credited_already(work: &Work, payment: PaymentId, left: Money) -> Refused {
    let state = work.get::<Payment>(payment).ok();
    let failed = state.as_ref().and_then(|it| it.live().ok()).and_then(|opened| opened.failed_refunds().next());
    let again = failed.map(|(id, _)| format!("; retry the failed refund {id}")).unwrap_or_default();
    Refused::Rejected(Rejected {
        code: "payment.credited_already".to_owned(),
        kind: Kind::Conflict,
        detail: format!("credit notes already cover all but {left}{again}"),
        pointer: Some("/amount".to_owned()),
    })
}
