//! What buyers and staff ask that concerns several aggregates at once: the same as in the crate `commands`, without its waiting.

use super::shop::{Refused, Shop, Unit};
use crate::credit_note::{self, CreditNote, Left};
use crate::ids::{CreditNoteId, OrderId, PaymentId, RefundId, ReturnId};
use crate::money::Money;
use crate::order::{self, CancelReason, Order, Placed, ReturnLine};
use crate::payment::{self, Payment, RefundCause};
use crate::quantity::{Demand, Quantity, summed};
use crate::returns::{self, Received, Return};
use crate::stock::{self, StockLevel};
use crate::testing::text;

impl Unit<'_> {
    fn placed(&mut self, order: OrderId) -> Result<Placed, Refused> {
        self.get::<Order>(order).placed().cloned().map_err(|it| it.to_string())
    }

    fn refundable(&mut self, payment: PaymentId) -> Money {
        self.get::<Payment>(payment).opened().unwrap().refundable()
    }

    fn left<'a>(&mut self, placed: &'a Placed) -> Left<'a> {
        let notes: Vec<CreditNote> = placed.credit_notes.iter().map(|note| self.get(*note)).collect();
        Left::after(placed, notes.iter().filter_map(CreditNote::issued)).unwrap()
    }

    fn most(&mut self, placed: &Placed, payment: PaymentId) -> Money {
        let left = self.refundable(payment);
        Money { amount: left.amount.min(self.left(placed).total().unwrap().amount), ..left }
    }

    fn back(&mut self, lines: &[ReturnLine]) -> Result<(Option<RefundId>, CreditNoteId, Money), Refused> {
        let currency = lines.first().ok_or("order.no_lines")?.amount.currency;
        let amount = Money::sum(currency, lines.iter().map(|line| line.amount)).unwrap();
        let refund = (amount.amount > 0).then(|| self.new_id());
        Ok((refund, self.new_id(), amount))
    }

    fn issue(
        &mut self,
        order: OrderId,
        lines: &[ReturnLine],
        (refund, note, total): (Option<RefundId>, CreditNoteId, Money),
    ) -> Result<(), Refused> {
        let placed = self.placed(order)?;
        let line = |line: &ReturnLine| {
            let bought = placed.placement.lines.iter().find(|bought| bought.variant == line.variant).unwrap();
            credit_note::Line {
                variant: line.variant,
                sku: bought.sku.clone(),
                quantity: line.quantity,
                unit_price: bought.unit_price,
                exact_price: None,
                amount: line.amount,
                share: true,
                order: Some(order),
            }
        };
        let left = self.left(&placed);
        // What is not for lines was paid for sending; money alone is for nothing that is named.
        let rest = total.amount - lines.iter().map(|line| line.amount.amount).sum::<i64>();
        let shipping = (rest > 0 && !lines.is_empty()).then_some(Money { amount: rest, ..total });
        let mut content = credit_note::Content {
            reference: text("CN-1"),
            buyer: placed.placement.buyer.clone(),
            country: text("DE"),
            lines: lines.iter().map(line).collect(),
            shipping,
            total,
            taxes: None,
            order: Some(order),
            refund,
            reason: None,
            seller: None,
        };
        content.taxes = Some(left.taxes(&content).unwrap());
        self.decide::<CreditNote>(note, &credit_note::Command::Issue(content))
    }

    fn put_back(&mut self, order: OrderId, lines: &[Demand]) -> Result<(), Refused> {
        let order = Some(order);
        lines.iter().try_for_each(|line| {
            let back = stock::Command::Return { quantity: line.quantity, order, reason: None };
            self.decide::<StockLevel>(line.variant, &back)
        })
    }
}

impl Unit<'_> {
    /// Calls an order off: what is left of what was paid for it goes back, and a credit note says so.
    fn cancel(&mut self, order: OrderId, reason: CancelReason, restock: bool) -> Result<(), Refused> {
        let before = self.placed(order)?;
        let to_credit = self.left(&before).total().unwrap();
        let left = before.left_of_payment();
        let left = Money { amount: left.amount.min(to_credit.amount), ..left };
        let credit_note = (before.is_paid() && left.amount > 0).then(|| self.new_id());
        self.decide::<Order>(order, &order::Command::Cancel { reason, credit_note, restock })?;
        let was_off = matches!(before.status, order::Status::Cancelled | order::Status::Expired);
        let Some(note) = credit_note.filter(|_| !was_off) else { return Ok(()) };
        let refund = payment::whole(before.placement.payment);
        self.issue(order, &before.valued(&before.demands(), left), (Some(refund), note, left))
    }
}

impl Shop {
    pub fn cancel(&mut self, chain: usize, order: OrderId, reason: CancelReason) -> Result<(), Refused> {
        self.run(chain, |unit| unit.cancel(order, reason, true))
    }

    pub fn cancel_lines(
        &mut self,
        chain: usize,
        order: OrderId,
        lines: &[Demand],
        restock: bool,
    ) -> Result<(), Refused> {
        let reason = CancelReason::StaffRequest;
        let trashed = self.run(chain, |unit| {
            let placed = unit.placed(order)?;
            let lines = summed(lines.iter().copied()).map_err(|it| it.to_string())?;
            let payment = placed.placement.payment;
            if placed.is_all_that_is_left(&lines) {
                unit.cancel(order, reason, restock)?;
                let is_spoilt = !restock && placed.is_paid() && placed.status == order::Status::Open;
                return Ok(if is_spoilt { placed.at_hand(&lines) } else { vec![] });
            }
            if !placed.is_paid() {
                let valued = placed.valued(&lines, placed.payable());
                let falls = |it: &Money| it.amount > 0 && placed.shipping_falls_with(&lines);
                let (refund, credit_note, shipping) = (None, None, Some(placed.shipping_left()).filter(falls));
                let off = order::Command::CancelLines { lines: valued, shipping, reason, refund, credit_note, restock };
                unit.decide::<Order>(order, &off)?;
                let placed = unit.placed(order)?;
                unit.decide::<Payment>(payment, &payment::Command::Reduce { amount: placed.payable() })?;
                for line in &lines {
                    let held = unit.get::<StockLevel>(line.variant).reservations.get(&order).copied();
                    let Some(held) = held else { continue };
                    let release = stock::Command::Release { order, reason: None };
                    unit.decide::<StockLevel>(line.variant, &release)?;
                    if let Ok(quantity) = Quantity::new(placed.bought(line.variant) - placed.off(line.variant)) {
                        let again = stock::Command::Reserve { order, quantity, expires_at: held.expires_at };
                        unit.decide::<StockLevel>(line.variant, &again)?;
                    }
                }
                return Ok(vec![]);
            }
            let most = unit.most(&placed, payment);
            let valued = placed.valued(&lines, most);
            let (refund, credit_note, of_lines) = unit.back(&valued)?;
            let left = placed.shipping_left().amount.min(most.amount - of_lines.amount);
            let sent = (left > 0 && placed.shipping_falls_with(&lines)).then_some(Money { amount: left, ..most });
            let refund = refund.or_else(|| sent.map(|_| unit.new_id()));
            let amount = sent.map_or(of_lines, |sent| of_lines.plus(sent).unwrap());
            let back = (refund, credit_note, amount);
            let (credit_note, lines_off) = (refund.map(|_| credit_note), valued.clone());
            let off =
                order::Command::CancelLines { lines: lines_off, shipping: sent, reason, refund, credit_note, restock };
            unit.decide::<Order>(order, &off)?;
            if let Some(refund) = refund {
                let (amount, cause) = (Some(amount), RefundCause::LinesCancelled);
                unit.decide::<Payment>(payment, &payment::Command::RequestRefund { refund, amount, cause })?;
                unit.issue(order, &valued, back)?;
            }
            if restock {
                unit.put_back(order, &placed.at_hand(&lines))?;
                return Ok(vec![]);
            }
            Ok(placed.at_hand(&lines))
        })?;
        self.goods.write_off(&trashed);
        Ok(())
    }

    pub fn refund(&mut self, chain: usize, payment: PaymentId, amount: Money) -> Result<(), Refused> {
        self.run(chain, |unit| {
            let order = unit.get::<Payment>(payment).opened().unwrap().order;
            let (refund, note) = (unit.new_id(), unit.new_id());
            let cause = RefundCause::Staff { reason: text("a scratch") };
            let request = payment::Command::RequestRefund { refund, amount: Some(amount), cause };
            unit.decide::<Payment>(payment, &request)?;
            let placed = unit.placed(order)?;
            if amount.amount > unit.left(&placed).total().unwrap().amount {
                return Err("payment.credited_already".to_owned());
            }
            let credit = order::Command::Credit { credit_note: note, refund, amount, shipping: false };
            unit.decide::<Order>(order, &credit)?;
            unit.issue(order, &[], (Some(refund), note, amount))
        })
    }

    pub fn retry_refund(&mut self, chain: usize, payment: PaymentId, which: usize) -> Result<(), Refused> {
        self.run(chain, |unit| {
            let state = unit.get::<Payment>(payment);
            let failed: Vec<RefundId> = state.opened().unwrap().failed_refunds().map(|(id, _)| id).collect();
            let failed = *failed.get(which % failed.len().max(1)).ok_or("nothing failed")?;
            let refund = unit.new_id();
            unit.decide::<Payment>(payment, &payment::Command::RetryRefund { failed, refund })
        })
    }

    pub fn request_return(&mut self, chain: usize, order: OrderId, lines: &[Demand]) -> Result<(), Refused> {
        self.run(chain, |unit| {
            let return_id: ReturnId = unit.new_id();
            let lines = summed(lines.iter().copied()).map_err(|it| it.to_string())?;
            let since = Some(unit.now() - chrono::TimeDelta::days(14));
            unit.decide::<Order>(order, &order::Command::RequestReturn { return_id, lines: lines.clone(), since })?;
            let why = returns::Why::Other;
            unit.decide::<Return>(return_id, &returns::Command::Request { order, lines, why, comment: None })
        })
    }

    pub fn close_return(&mut self, chain: usize, id: ReturnId, command: &returns::Command) -> Result<(), Refused> {
        self.run(chain, |unit| {
            unit.decide::<Return>(id, command)?;
            let order = unit.get::<Return>(id).requested().map_err(|it| it.to_string())?.order;
            unit.decide::<Order>(order, &order::Command::CloseReturn { return_id: id })
        })
    }

    pub fn receive_return(&mut self, chain: usize, id: ReturnId, lines: &[Received]) -> Result<(), Refused> {
        self.run(chain, |unit| {
            let order = unit.get::<Return>(id).requested().map_err(|it| it.to_string())?.order;
            let placed = unit.placed(order)?;
            if !placed.is_paid() {
                return Err("order.not_paid".to_owned());
            }
            let payment = placed.placement.payment;
            let demand = |line: &Received| Demand { variant: line.variant, quantity: line.quantity };
            let came = summed(lines.iter().map(demand)).map_err(|it| it.to_string())?;
            let whole = summed(lines.iter().filter(|line| line.restock).map(demand)).map_err(|it| it.to_string())?;
            let valued = placed.valued(&came, unit.most(&placed, payment));
            let back = unit.back(&valued)?;
            let (refund, credit_note, amount) = back;
            unit.decide::<Return>(
                id,
                &returns::Command::Receive { lines: lines.to_vec(), amount, refund, credit_note },
            )?;
            let take_back = order::Command::Return {
                credit_note,
                lines: valued.clone(),
                amount,
                restock: whole.clone(),
                refund,
                return_id: Some(id),
            };
            unit.decide::<Order>(order, &take_back)?;
            if let Some(refund) = refund {
                let (amount, cause) = (Some(amount), RefundCause::Return { id });
                unit.decide::<Payment>(payment, &payment::Command::RequestRefund { refund, amount, cause })?;
            }
            unit.issue(order, &valued, back)?;
            unit.put_back(order, &whole)
        })
    }
}
