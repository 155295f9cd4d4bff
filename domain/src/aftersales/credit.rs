//! The amount of an order that can still be refunded, and the credit note of a refund.

use crate::credit_note::{self, CreditNote, Left};
use crate::ids::{CreditNoteId, OrderId, PaymentId, RefundId, SellerId};
use crate::money::{Money, MoneyError};
use crate::order::{self, Order, Placed, ReturnLine, TakenBack};
use crate::payment::{self, Payment, RefundCause};
use crate::quantity::{Demand, summed};
use crate::series::Document;
use crate::work::{Refused, Work};
use crate::{Decider as _, Kind};

/// A refund and its credit note.
pub(super) struct Back {
    /// None if there is nothing to refund.
    pub(super) refund: Option<RefundId>,
    pub(super) credit_note: CreditNoteId,
    pub(super) amount: Money,
    /// The part of it that refunds the shipping price.
    pub(super) shipping: Option<Money>,
    /// The seller that supplied what it is for; none if the house did.
    pub(super) supplier: Option<SellerId>,
}

/// What one supplier gives back of an order that is cancelled.
pub(super) struct Due {
    supplier: Option<SellerId>,
    amount: Money,
    /// The goods; pieces that were cancelled before have a credit note already.
    pub(super) lines: Vec<ReturnLine>,
}

/// What each supplier gives back of an order that is cancelled, of which `left` is neither refunded nor to be refunded.
pub(super) fn by_supplier(placed: &Placed, left: Money) -> Vec<Due> {
    let demands = placed.demands();
    let mut rest = left.amount;
    let due = |supplier: Option<SellerId>| {
        let parts = || placed.parts.all().iter().filter(|part| placed.supplier_of(part.seller) == supplier);
        // With one supplier all that is left is its own.
        let own = if placed.invoices.is_empty() { rest } else { parts().map(|part| part.left().amount).sum() };
        let amount = Money { amount: own.min(rest), ..left };
        rest -= amount.amount;
        let lines: Vec<Demand> =
            demands.iter().filter(|it| parts().any(|part| part.has(it.variant))).copied().collect();
        Due { supplier, amount, lines: placed.valued(&lines, amount) }
    };
    placed.suppliers().into_iter().map(due).filter(|due| due.amount.amount > 0).collect()
}

impl Back {
    /// The refund of the whole payment of a cancelled order, as far as it is of one supplier.
    pub(super) fn of_cancelled(work: &mut Work, placed: &Placed, due: &Due) -> Self {
        let Due { supplier, amount, lines } = due;
        let shipping = amount.amount - lines.iter().map(|line| line.amount.amount).sum::<i64>();
        let shipping = (shipping > 0).then_some(Money { amount: shipping, ..*amount });
        let refund = Some(payment::whole(placed.placement.payment));
        Self { refund, credit_note: work.new_id(), amount: *amount, shipping, supplier: *supplier }
    }

    /// The refund of lines of one part.
    pub(super) fn of(work: &mut Work, placed: &Placed, lines: &[ReturnLine]) -> Result<Self, Refused> {
        let too_much = |_| Refused::because("order.wrong_total", Kind::Invalid, "the amounts cannot be summed");
        let Some(first) = lines.first() else { return Err(order::Rejection::NoLines.into()) };
        let amount = Money::sum(first.amount.currency, lines.iter().map(|line| line.amount)).map_err(too_much)?;
        let refund = (amount.amount > 0).then(|| work.new_id());
        let supplier = placed.supplier_of(placed.parts.of_variant(first.variant).and_then(|part| part.seller));
        Ok(Self { refund, credit_note: work.new_id(), amount, shipping: None, supplier })
    }

    /// Adds the shipping price if nothing is shipped any more; at most what is left of `most`.
    pub(super) fn with_shipping(self, work: &mut Work, placed: &Placed, lines: &[Demand], most: Money) -> Self {
        let left = placed.shipping_left_with(lines).amount.min(most.amount - self.amount.amount);
        if left <= 0 || !placed.shipping_falls_with(lines) {
            return self;
        }
        let amount = Money { amount: self.amount.amount + left, ..self.amount };
        let refund = self.refund.or_else(|| Some(work.new_id()));
        Self { refund, amount, shipping: Some(Money { amount: left, ..amount }), ..self }
    }

    pub(super) fn request(&self, work: &mut Work, payment: PaymentId, cause: RefundCause) -> Result<(), Refused> {
        let Some(refund) = self.refund else { return Ok(()) };
        let request = payment::Command::RequestRefund { refund, amount: Some(self.amount), cause, to: None };
        work.decide::<Payment>(payment, &request)?;
        Ok(())
    }
}

pub(super) fn issue(
    work: &mut Work,
    (placed, order): (&Placed, OrderId),
    left: &Left<'_>,
    lines: &[ReturnLine],
    back: &Back,
) -> Result<(), Refused> {
    let content = content(work, placed, order, lines, back)?;
    write_down(work, (placed, order), left, back, content)
}

/// Issues a credit note for what the order decided; `before` is its state before that. The tax in it is taken from what the earlier
/// credit notes have left.
pub(super) fn write_down(
    work: &mut Work,
    (before, order): (&Placed, OrderId),
    left: &Left<'_>,
    back: &Back,
    mut content: credit_note::Content,
) -> Result<(), Refused> {
    if before.kept.is_shared() {
        let TakenBack { taxes, sellers } =
            work.get::<Order>(order)?.live()?.kept.taken_since(&before.kept, back.supplier);
        (content.taxes, content.sellers) = (Some(taxes), sellers);
    } else {
        content.taxes = Some(left.taxes(&content).map_err(uncounted)?);
    }
    work.begin::<CreditNote>(back.credit_note);
    work.decide::<CreditNote>(back.credit_note, &credit_note::Command::Issue(content))?;
    Ok(())
}

/// The part of an order without a credit note. Issued credit notes do not change; but one that was issued just now may not be
/// visible yet although the order already names it, so the append expects those that are visible.
pub(super) fn left_to_credit<'a>(work: &Work, order: &'a Placed) -> Result<Left<'a>, Refused> {
    let earlier = order.credit_notes.iter().map(|id| work.get::<CreditNote>(*id)).collect::<Result<Vec<_>, _>>()?;
    Left::after(order, earlier.iter().filter_map(|note| note.issued())).map_err(uncounted)
}

/// The pieces of lines, summed per variant.
pub(super) fn merged(lines: &[Demand]) -> Result<Vec<Demand>, Refused> {
    summed(lines.iter().copied()).map_err(|error| {
        let category = Order::CATEGORY;
        Refused::because(&format!("{category}.too_many_lines"), Kind::Invalid, error.to_string())
    })
}

pub(super) fn uncounted(error: MoneyError) -> Refused {
    Refused::because("credit_note.wrong_total", Kind::Invalid, error.to_string())
}

/// The content of a credit note, except the tax and what sellers have of it, which [`write_down`] adds when everything else is known.
pub(super) fn content(
    work: &mut Work,
    placed: &Placed,
    order: OrderId,
    lines: &[ReturnLine],
    back: &Back,
) -> Result<credit_note::Content, Refused> {
    let placement = &placed.placement;
    let line = |line: &ReturnLine| {
        let bought = placement.lines.iter().find(|bought| bought.variant == line.variant)?;
        Some(credit_note::Line {
            variant: line.variant,
            sku: bought.sku.clone(),
            quantity: line.quantity,
            unit_price: bought.unit_price,
            exact_price: bought.exact_price.clone(),
            amount: line.amount,
            share: true,
            order: Some(order),
        })
    };
    let (credit_note, seller) = (back.credit_note, back.supplier);
    let supplier = placed.invoices.iter().map(|it| &it.supplier).find(|it| Some(it.seller) == seller);
    let reference = work.number(Document::CreditNote { credit_note, seller }, supplier.map(|it| &it.handle))?;
    Ok(credit_note::Content {
        reference,
        buyer: placement.buyer.clone(),
        country: placement.destination.country.clone(),
        lines: lines.iter().filter_map(line).collect(),
        shipping: back.shipping,
        total: back.amount,
        taxes: None,
        sellers: vec![],
        gift_cards: None,
        order: Some(order),
        refund: back.refund,
        dispute: None,
        reason: None,
        seller: work.issuer().filter(|_| supplier.is_none()).cloned(),
        supplier: supplier.cloned(),
    })
}

/// The most that returned goods, or shipping, can be worth now: what is left of the payment, and of the part that these lines are
/// of, and has no credit note.
pub(super) fn most(work: &Work, left: &Left<'_>, placed: &Placed, lines: &[Demand]) -> Result<Money, Refused> {
    let not_credited = left.total().map_err(uncounted)?;
    let refundable = work.get::<Payment>(placed.placement.payment)?.live()?.refundable();
    let of_part = placed.part_of(lines).map_or(refundable.amount, |part| part.left().amount);
    Ok(Money { amount: refundable.amount.min(not_credited.amount).min(of_part), ..refundable })
}
