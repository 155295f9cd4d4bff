//! What comes after an order is placed: parts of it called off, money given back, goods taken back.
//!
//! Each of these concerns the order, its payment, the stock and a credit note at once, and is appended whole or not at all.
//! Only the provider is asked later, by the process that reads what was written down here.

use byteshop_domain::Decider as _;
use byteshop_domain::credit_note::{self, CreditNote, Left};
use byteshop_domain::ids::{CreditNoteId, OrderId, RefundId, ReturnId, VariantId};
use byteshop_domain::money::{Money, MoneyError};
use byteshop_domain::order::{self, CancelReason, Order, Placed, ReturnLine};
use byteshop_domain::payment::{self, Opened, Payment, RefundCause};
use byteshop_domain::quantity::{Demand, Quantity, summed};
use byteshop_domain::returns::{self, Received, Return};
use byteshop_domain::series::Document;
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::Comment;
use byteshop_domain::{Kind, Personal};
use chrono::{DateTime, Utc};

use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::documents::number;
use money::give_shipping_back;

mod money;

pub(crate) use money::knows_of_its_money;
pub use money::{ShippingBack, refund, retry_refund};

/// Calls an order off: what is left of what was paid for it goes back, and a credit note says so. `restock` says whether pieces
/// that had left the stock are for sale again.
pub async fn cancel(unit: &Unit, order: &mut Loaded<Order>, reason: CancelReason, restock: bool) -> Result<(), Error> {
    let (before, version) = (placed(order)?.clone(), order.version);
    let to_credit = left_to_credit(unit, &before).await?;
    let total = to_credit.total().map_err(|error| uncounted(unit, error))?;
    // Money that is yet to go back has a credit note already.
    let left = before.left_of_payment();
    let left = Money { amount: left.amount.min(total.amount), ..left };
    let credit_note = (before.is_paid() && left.amount > 0).then(|| unit.new_id());
    unit.decide(order, &order::Command::Cancel { reason, credit_note, restock })?;
    // Of what was off before there is a note already.
    let Some(credit_note) = credit_note.filter(|_| order.version > version) else { return Ok(()) };
    let valued = before.valued(&before.demands(), left);
    let shipping = left.amount - valued.iter().map(|line| line.amount.amount).sum::<i64>();
    let shipping = (shipping > 0).then_some(Money { amount: shipping, ..left });
    let refund = Some(payment::whole(before.placement.payment));
    let back = Back { refund, credit_note, amount: left, shipping };
    let content = content(unit, &before, order.id, &valued, &back).await?;
    write_down(unit, &to_credit, credit_note, content)
}

/// Calls some of an order off, or all that is left of it: what was paid for it goes back, what was reserved is free.
///
/// `restock` says whether pieces that had left the stock are for sale again. What was paid for sending goes back with the last
/// piece that is sent and stays paid before, unless `shipping` says otherwise; of what is not paid yet it need not be paid then.
pub async fn cancel_lines(
    unit: &Unit,
    order: &mut Loaded<Order>,
    lines: &[Demand],
    reason: CancelReason,
    restock: bool,
    shipping: Option<ShippingBack>,
) -> Result<(), Error> {
    let placed = placed(order)?.clone();
    let lines = merged(unit, lines)?;
    if placed.is_all_that_is_left(&lines) {
        if let Some(ShippingBack::Some(_) | ShippingBack::Nothing) = shipping {
            let said =
                "this is all that is left of the order, and all of the shipping goes back with it: leave shipping out";
            return Err(unit.refuse("order.all_goes_back", Kind::Invalid, said));
        }
        return cancel(unit, order, reason, restock).await;
    }
    let mut payment = unit.load::<Payment>(placed.placement.payment).await?;
    knows_of_its_money(order, &payment)?;
    if !placed.is_paid() {
        // What need not be paid is not given back; and where nothing is sent, sending is not charged.
        if let Some(ShippingBack::Some(_) | ShippingBack::Nothing) = shipping {
            return Err(Error::Rejected(Rejected::of::<Order>(&order::Rejection::NotPaid)));
        }
        if shipping.is_some() && !placed.shipping_falls_with(&lines) {
            return Err(Error::Rejected(Rejected::of::<Order>(&order::Rejection::NotPaid)));
        }
        return cancel_unpaid(unit, order, &mut payment, &lines, reason).await;
    }
    let left = left_to_credit(unit, &placed).await?;
    let most = most(unit, &left, &payment)?;
    let valued = placed.valued(&lines, most);
    let back = Back::of(unit, &valued)?;
    let back = if shipping.is_none() { back.with_shipping(unit, &placed, &lines, most) } else { back };
    // What was to be had for nothing, or was given back for before, takes no number.
    let credit_note = back.refund.map(|_| back.credit_note);
    let (lines_off, refund) = (valued.clone(), back.refund);
    let cancel =
        order::Command::CancelLines { lines: lines_off, shipping: back.shipping, reason, refund, credit_note, restock };
    unit.decide(order, &cancel)?;
    if credit_note.is_some() {
        back.request(unit, &mut payment, RefundCause::LinesCancelled)?;
        issue(unit, (&placed, order.id), &left, &valued, &back).await?;
    }
    give_shipping_back(unit, order, &mut payment, shipping).await?;
    if restock {
        // What was lost on its way does not come back.
        put_back(unit, order, &placed.at_hand(&lines)).await?;
    }
    Ok(())
}

/// Nothing is paid yet: less is to be paid, and less is reserved.
async fn cancel_unpaid(
    unit: &Unit,
    order: &mut Loaded<Order>,
    payment: &mut Loaded<Payment>,
    lines: &[Demand],
    reason: CancelReason,
) -> Result<(), Error> {
    let before = placed(order)?;
    let valued = before.valued(lines, before.payable());
    let shipping = Some(before.shipping_left()).filter(|it| it.amount > 0 && before.shipping_falls_with(lines));
    let (refund, credit_note, restock) = (None, None, true);
    let command = order::Command::CancelLines { lines: valued, shipping, reason, refund, credit_note, restock };
    unit.decide(order, &command)?;
    let placed = placed(order)?;
    unit.decide(payment, &payment::Command::Reduce { amount: placed.payable() })?;
    let variants: Vec<VariantId> = lines.iter().map(|line| line.variant).collect();
    for mut stock in unit.load_all::<StockLevel>(&variants).await? {
        let Some(held) = stock.state.reservations.get(&order.id).copied() else { continue };
        let left = placed.bought(stock.id) - placed.off(stock.id);
        // A promise is taken back whole; what is still wanted is promised again in the same append.
        unit.decide(&mut stock, &stock::Command::Release { order: order.id, reason: None })?;
        if let Ok(quantity) = Quantity::new(left) {
            let expires_at = held.expires_at;
            unit.decide(&mut stock, &stock::Command::Reserve { order: order.id, quantity, expires_at })?;
        }
    }
    Ok(())
}

/// Asks to send goods of an order back. What was handed over before `since` is not taken back any more.
pub fn request_return(
    unit: &Unit,
    order: &mut Loaded<Order>,
    lines: &[Demand],
    why: returns::Why,
    comment: Option<Personal<Comment>>,
    since: DateTime<Utc>,
) -> Result<Loaded<Return>, Error> {
    let id: ReturnId = unit.new_id();
    let lines = merged(unit, lines)?;
    let ask = order::Command::RequestReturn { return_id: id, lines: lines.clone(), since: Some(since) };
    unit.decide(order, &ask)?;
    let mut it = unit.start::<Return>(id);
    unit.decide(&mut it, &returns::Command::Request { order: order.id, lines, why, comment })?;
    Ok(it)
}

/// Ends a return of which nothing comes: `command` rejects or withdraws it.
pub async fn close_return(unit: &Unit, it: &mut Loaded<Return>, command: &returns::Command) -> Result<(), Error> {
    unit.decide(it, command)?;
    let mut order = unit.load::<Order>(requested(it)?.order).await?;
    unit.decide(&mut order, &order::Command::CloseReturn { return_id: it.id })
}

/// Takes in what came back: it is worth what was paid for it, goes back on the shelf if it can, and the money goes back; what
/// was paid for sending stays paid, unless `shipping` says otherwise.
pub async fn receive_return(
    unit: &Unit,
    it: &mut Loaded<Return>,
    lines: &[Received],
    shipping: Option<ShippingBack>,
) -> Result<(), Error> {
    let mut order = unit.load::<Order>(requested(it)?.order).await?;
    let placed = placed(&order)?.clone();
    if !placed.is_paid() {
        return Err(Error::Rejected(Rejected::of::<Order>(&order::Rejection::NotPaid)));
    }
    let mut payment = unit.load::<Payment>(placed.placement.payment).await?;
    let demand = |line: &Received| Demand { variant: line.variant, quantity: line.quantity };
    let came = merged(unit, &lines.iter().map(demand).collect::<Vec<_>>())?;
    let whole = merged(unit, &lines.iter().filter(|line| line.restock).map(demand).collect::<Vec<_>>())?;
    let left = left_to_credit(unit, &placed).await?;
    let valued = placed.valued(&came, most(unit, &left, &payment)?);
    let back = Back::of(unit, &valued)?;
    let (amount, refund, credit_note) = (back.amount, back.refund, back.credit_note);
    unit.decide(it, &returns::Command::Receive { lines: lines.to_vec(), amount, refund, credit_note })?;
    let take_back = order::Command::Return {
        credit_note,
        lines: valued.clone(),
        amount,
        restock: whole.clone(),
        refund,
        return_id: Some(it.id),
    };
    unit.decide(&mut order, &take_back)?;
    back.request(unit, &mut payment, RefundCause::Return { id: it.id })?;
    issue(unit, (&placed, order.id), &left, &valued, &back).await?;
    give_shipping_back(unit, &mut order, &mut payment, shipping).await?;
    put_back(unit, &order, &whole).await
}

/// Money on its way back, and the document that says so.
struct Back {
    /// None when there is nothing to give back.
    refund: Option<RefundId>,
    credit_note: CreditNoteId,
    amount: Money,
    /// What of it was paid for sending.
    shipping: Option<Money>,
}

impl Back {
    fn of(unit: &Unit, lines: &[ReturnLine]) -> Result<Self, Error> {
        let too_much = |_| unit.refuse("order.wrong_total", Kind::Invalid, "the amounts cannot be summed");
        let Some(first) = lines.first() else {
            return Err(Error::Rejected(Rejected::of::<Order>(&order::Rejection::NoLines)));
        };
        let amount = Money::sum(first.amount.currency, lines.iter().map(|line| line.amount)).map_err(too_much)?;
        let refund = (amount.amount > 0).then(|| unit.new_id());
        Ok(Self { refund, credit_note: unit.new_id(), amount, shipping: None })
    }

    /// With what was paid for sending, where nothing is sent any more; at most what is left of `most`.
    fn with_shipping(self, unit: &Unit, placed: &Placed, lines: &[Demand], most: Money) -> Self {
        let left = placed.shipping_left().amount.min(most.amount - self.amount.amount);
        if left <= 0 || !placed.shipping_falls_with(lines) {
            return self;
        }
        let amount = Money { amount: self.amount.amount + left, ..self.amount };
        let refund = self.refund.or_else(|| Some(unit.new_id()));
        Self { refund, amount, shipping: Some(Money { amount: left, ..amount }), ..self }
    }

    fn request(&self, unit: &Unit, payment: &mut Loaded<Payment>, cause: RefundCause) -> Result<(), Error> {
        let Some(refund) = self.refund else { return Ok(()) };
        unit.decide(payment, &payment::Command::RequestRefund { refund, amount: Some(self.amount), cause })
    }
}

async fn issue(
    unit: &Unit,
    (placed, order): (&Placed, OrderId),
    left: &Left<'_>,
    lines: &[ReturnLine],
    back: &Back,
) -> Result<(), Error> {
    let content = content(unit, placed, order, lines, back).await?;
    write_down(unit, left, back.credit_note, content)
}

/// Issues a credit note, which says how much of it is tax: of what those before it have left.
fn write_down(unit: &Unit, left: &Left<'_>, id: CreditNoteId, mut content: credit_note::Content) -> Result<(), Error> {
    content.taxes = Some(left.taxes(&content).map_err(|error| uncounted(unit, error))?);
    let mut note = unit.start::<CreditNote>(id);
    unit.decide(&mut note, &credit_note::Command::Issue(content))
}

/// What of an order there is no credit note for. What was issued stays as it is; but one that was issued just now may not be seen
/// yet where the order already names it, so the append expects those that are seen.
async fn left_to_credit<'a>(unit: &Unit, order: &'a Placed) -> Result<Left<'a>, Error> {
    let earlier = unit.load_all::<CreditNote>(&order.credit_notes).await?;
    let issued = earlier.iter().filter_map(|note| note.state.issued());
    Left::after(order, issued).map_err(|error| uncounted(unit, error))
}

fn uncounted(unit: &Unit, error: MoneyError) -> Error {
    unit.refuse("credit_note.wrong_total", Kind::Invalid, error.to_string())
}

/// What stands in a credit note, except how much of it is tax: [`write_down`] says that of what is known of it in the end.
async fn content(
    unit: &Unit,
    placed: &Placed,
    order: OrderId,
    lines: &[ReturnLine],
    back: &Back,
) -> Result<credit_note::Content, Error> {
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
    Ok(credit_note::Content {
        reference: number(unit, Document::CreditNote { credit_note: back.credit_note }).await?,
        buyer: placement.buyer.clone(),
        country: placement.destination.country.clone(),
        lines: lines.iter().filter_map(line).collect(),
        shipping: back.shipping,
        total: back.amount,
        taxes: None,
        order: Some(order),
        refund: back.refund,
        reason: None,
        seller: unit.commands().seller().cloned(),
    })
}

/// Pieces that had left with an order are for sale again.
async fn put_back(unit: &Unit, order: &Loaded<Order>, lines: &[Demand]) -> Result<(), Error> {
    let variants: Vec<VariantId> = lines.iter().map(|line| line.variant).collect();
    for (mut stock, line) in unit.load_all::<StockLevel>(&variants).await?.into_iter().zip(lines) {
        let order = Some(order.id);
        unit.decide(&mut stock, &stock::Command::Return { quantity: line.quantity, order, reason: None })?;
    }
    Ok(())
}

fn merged(unit: &Unit, lines: &[Demand]) -> Result<Vec<Demand>, Error> {
    summed(lines.iter().copied()).map_err(|error| {
        let category = Order::CATEGORY;
        unit.refuse(&format!("{category}.too_many_lines"), Kind::Invalid, error.to_string())
    })
}

/// The most that goods, or sending, can be worth that comes back now: what is left of the payment, and has no credit note.
fn most(unit: &Unit, left: &Left<'_>, payment: &Loaded<Payment>) -> Result<Money, Error> {
    let not_credited = left.total().map_err(|error| uncounted(unit, error))?;
    let refundable = opened(payment)?.refundable();
    Ok(Money { amount: refundable.amount.min(not_credited.amount), ..refundable })
}

fn opened(payment: &Loaded<Payment>) -> Result<&Opened, Error> {
    payment.state.opened().map_err(|rejection| Error::Rejected(Rejected::of::<Payment>(&rejection)))
}

fn placed(order: &Loaded<Order>) -> Result<&Placed, Error> {
    order.state.placed().map_err(|rejection| Error::Rejected(Rejected::of::<Order>(&rejection)))
}

fn requested(it: &Loaded<Return>) -> Result<&returns::Requested, Error> {
    it.state.requested().map_err(|rejection| Error::Rejected(Rejected::of::<Return>(&rejection)))
}
