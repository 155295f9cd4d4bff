//! The money of an order: the amount to pay, the share of each piece, and what was refunded.

use chrono::{DateTime, Utc};

use super::{
    Credit, Decision, Event, Fulfilment, LineKeys, PaymentStatus, Placed, Placement, Progress, Rejection, ReturnLine,
    SellerInvoice, Status, Taxed,
};
use crate::ids::{CreditNoteId, PaymentId, RefundId, VariantId};
use crate::issuer::Issuer;
use crate::money::{Money, MoneyError};
use crate::payment_book::Sale;
use crate::quantity::Demand;
use crate::text::Reference;

/// The house's invoice, the house as it names it, and the invoices of sellers.
type Papers<'a> = (Option<&'a Reference>, Option<&'a Issuer>, &'a [SellerInvoice]);

impl Placed {
    /// The amount to pay: the total without what was cancelled before the payment.
    pub fn payable(&self) -> Money {
        self.progress.payable
    }

    /// What decides about the manual methods that are offered for it.
    pub fn sale(&self) -> Sale<'_> {
        let Placement { buyer, destination, total, .. } = &self.placement;
        Sale {
            country: &destination.country,
            currency: total.currency,
            has_account: buyer.account.is_some(),
            total: self.payable(),
            // Digital goods would be delivered with the payment, and the money for goods of sellers is the house's.
            can_be_paid_on_delivery: self.placement.lines.iter().all(|line| line.travels() && line.seller.is_none()),
        }
    }

    /// The amount that need not be paid, as it was cancelled before the payment.
    pub fn reduced(&self) -> Money {
        Money { amount: self.placement.total.amount - self.payable().amount, ..self.placement.total }
    }

    /// The part of the payment that is neither refunded nor to be refunded.
    pub fn left_of_payment(&self) -> Money {
        let deducted = self.credited.amount.max(self.progress.refunded.amount);
        Money { amount: self.payable().amount - deducted, ..self.placement.total }
    }

    /// Whether the order was paid, regardless of refunds.
    pub fn is_paid(&self) -> bool {
        match self.progress.payment_status {
            PaymentStatus::Paid | PaymentStatus::PartlyRefunded | PaymentStatus::Refunded => true,
            PaymentStatus::Awaiting
            | PaymentStatus::Authorized
            | PaymentStatus::OnDelivery
            | PaymentStatus::RefundDue
            | PaymentStatus::Voided => false,
        }
    }

    /// Whether it is paid on delivery, and not paid yet.
    pub fn is_on_delivery(&self) -> bool {
        self.progress.payment_status == PaymentStatus::OnDelivery
    }

    /// Until when it has to be paid; none if it is paid on delivery.
    pub fn pay_by(&self) -> Option<DateTime<Utc>> {
        self.placement.pay_by.filter(|_| !self.is_on_delivery())
    }

    /// Whether its pieces have left the stock: it is paid, or its goods leave before it is paid.
    pub fn has_left_stock(&self) -> bool {
        self.is_paid() || self.is_on_delivery()
    }

    /// Whether the order is paid or authorized, and goods of it are still to be delivered; or it is paid on delivery, and not paid yet.
    pub fn is_waited_for(&self) -> bool {
        let paid = match self.progress.payment_status {
            PaymentStatus::Authorized
            | PaymentStatus::OnDelivery
            | PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded => true,
            PaymentStatus::Awaiting | PaymentStatus::Refunded | PaymentStatus::RefundDue | PaymentStatus::Voided => {
                false
            }
        };
        paid && self.progress.status == Status::Open
    }

    /// Whether the order waits for its payment and reserves goods.
    pub fn is_unpaid(&self) -> bool {
        self.progress.payment_status == PaymentStatus::Awaiting && self.progress.status == Status::Open
    }

    /// The price of each line, in their order: after its discounts, with its tax.
    pub(super) fn shares(&self) -> Vec<i128> {
        // Placing checked that each of these can be counted.
        let paid = |line: &super::Line| line.total().map_or(0, |total| i128::from(total.amount));
        self.placement.lines.iter().map(paid).collect()
    }

    /// The share of the next pieces to be cancelled or returned: their part of what was paid for their line.
    ///
    /// The pieces of a variant have their shares in turn: the n-th has the share of the first n less the share of the first n −
    /// 1. So the shares of all pieces, in however many steps they are cancelled or returned, add up to what was paid.
    pub fn worth(&self, wanted: Demand) -> Money {
        let Demand { variant, quantity } = wanted;
        let before = self.off(variant) + self.returned.get(&variant).copied().unwrap_or(0);
        let worth = self.worth_of_first(variant, before + quantity.get()) - self.worth_of_first(variant, before);
        Money { amount: i64::try_from(worth).unwrap_or(0), ..self.placement.total }
    }

    fn worth_of_first(&self, variant: VariantId, pieces: i64) -> i128 {
        let mut left = i128::from(pieces);
        let mut worth = 0;
        for (line, share) in self.placement.lines.iter().zip(self.shares()) {
            if line.variant == variant {
                let all = i128::from(line.quantity.get());
                let counted = left.min(all);
                worth += share * counted / all;
                left -= counted;
            }
        }
        worth
    }

    /// These pieces with their shares, together at most this amount.
    pub fn valued(&self, lines: &[Demand], at_most: Money) -> Vec<ReturnLine> {
        let mut left = at_most.amount;
        let valued = lines.iter().map(|line| {
            let amount = self.worth(*line).amount.min(left).max(0);
            left -= amount;
            ReturnLine { variant: line.variant, quantity: line.quantity, amount: Money { amount, ..at_most } }
        });
        valued.collect()
    }

    /// Whether the order waits for this payment, so that marking it paid has an effect.
    pub fn awaits(&self, payment: PaymentId) -> bool {
        let waits = match self.progress.payment_status {
            PaymentStatus::Awaiting | PaymentStatus::Authorized | PaymentStatus::OnDelivery => true,
            PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::RefundDue
            | PaymentStatus::Voided => false,
        };
        waits && payment == self.placement.payment
    }

    pub(super) fn mark_paid(
        &self,
        payment: PaymentId,
        (invoice, seller, invoices): Papers<'_>,
        keys: &[LineKeys],
        at: DateTime<Utc>,
    ) -> Decision {
        if payment != self.placement.payment {
            return Err(Rejection::OtherPayment);
        }
        match self.progress.payment_status {
            PaymentStatus::Awaiting | PaymentStatus::Authorized | PaymentStatus::OnDelivery => {
                let (commit, invoice, seller) = (self.stock_to_commit(), invoice.cloned(), seller.cloned());
                // An import moves its stock itself, and what is paid on delivery has left.
                let stock_moved = !commit.is_empty();
                let then = self.arrived_with_payment(at);
                let (keys, in_part) = (keys.to_vec(), then.is_empty() && self.is_given_in_part());
                let invoices = invoices.to_vec();
                let paid = Event::Paid { payment, commit, invoice, seller, invoices, stock_moved, keys, in_part };
                Ok([vec![paid], then].concat())
            }
            PaymentStatus::RefundDue | PaymentStatus::Voided => Err(Rejection::Cancelled),
            // The same payment again: already done.
            PaymentStatus::Paid | PaymentStatus::PartlyRefunded | PaymentStatus::Refunded => Ok(vec![]),
        }
    }

    pub(super) fn note_paid(&mut self, (invoice, seller, invoices): Papers<'_>) {
        self.invoice = invoice.cloned();
        self.seller = seller.cloned();
        self.invoices = invoices.to_vec();
        // Placing checked that the sums can be counted.
        self.invoiced = self.taxed_of_payable().unwrap_or_default();
        self.shared = self.kept.shares();
        self.owed_by_sellers = self.kept.taxed_by_sellers();
    }

    /// Whether some of its pieces are handed over with the payment, and nothing else was before.
    fn is_given_in_part(&self) -> bool {
        let given = self.variants().into_iter().any(|variant| self.weightless(variant) > 0);
        given && self.progress.fulfilment == Fulfilment::Unfulfilled
    }

    /// What is completed by the payment: lines that are not shipped are handed over then, and perhaps nothing else is left.
    fn arrived_with_payment(&self, at: DateTime<Utc>) -> Vec<Event> {
        let progress = Progress { payment_status: PaymentStatus::Paid, ..self.progress };
        let paid = Self { progress, ..self.clone() };
        let kept = progress.kept;
        let travelling = paid.variants().into_iter().map(|variant| paid.travelling(variant, 0));
        if travelling.sum::<i64>() == 0 {
            return vec![Event::Fulfilled { completed: true, at: Some(at) }];
        }
        let mut events = vec![];
        if paid.handed_over_pieces() == kept && progress.fulfilment != Fulfilment::Fulfilled {
            events.push(Event::Fulfilled { completed: false, at: Some(at) });
        }
        if paid.delivered_pieces() == kept && progress.status == Status::Open {
            events.push(Event::Completed {});
        }
        events
    }

    pub(super) fn mark_authorized(&self, payment: PaymentId) -> Decision {
        if payment != self.placement.payment {
            return Err(Rejection::OtherPayment);
        }
        match self.progress.payment_status {
            PaymentStatus::Awaiting => Ok(vec![Event::Authorized { payment }]),
            PaymentStatus::RefundDue | PaymentStatus::Voided => Err(Rejection::Cancelled),
            PaymentStatus::Authorized
            | PaymentStatus::OnDelivery
            | PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded => Ok(vec![]),
        }
    }

    /// Releases an order that is paid on delivery. It does not expire any more.
    pub(super) fn release(&self, payment: PaymentId) -> Decision {
        if payment != self.placement.payment {
            return Err(Rejection::OtherPayment);
        }
        match self.progress.payment_status {
            PaymentStatus::Awaiting => Ok(vec![Event::Released { payment, commit: self.stock_to_move() }]),
            PaymentStatus::OnDelivery => Ok(vec![]),
            PaymentStatus::RefundDue | PaymentStatus::Voided => Err(Rejection::Cancelled),
            PaymentStatus::Authorized
            | PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded => Err(Rejection::AlreadyPaid),
        }
    }

    pub(super) fn fulfil(&self, at: DateTime<Utc>) -> Decision {
        match self.progress.status {
            Status::Completed => Ok(vec![]),
            Status::Cancelled | Status::Expired => Err(Rejection::Cancelled),
            Status::Open if !self.is_paid() => Err(Rejection::NotPaid),
            Status::Open if self.is_being_shipped() => Err(Rejection::BeingShipped),
            Status::Open if !self.lost.is_empty() => Err(Rejection::PiecesLost),
            Status::Open => {
                let at = (!self.placement.imported).then_some(at);
                Ok(vec![Event::Fulfilled { completed: true, at }])
            }
        }
    }

    /// The part of the shipping price that is due or paid, and neither refunded nor to be refunded.
    pub fn shipping_left(&self) -> Money {
        let zero = Money::zero(self.placement.total.currency);
        // Placing checked that it can be counted.
        let paid = self.placement.shipping_due().unwrap_or(zero);
        Money { amount: paid.amount - self.shipping_waived.amount - self.shipping_credited.amount, ..zero }
    }

    /// Refunds an amount without goods: the payment decides whether enough of it is left, the order whether enough of the
    /// shipping price is left. `keys` are the pieces whose keys and downloads are revoked, summed per variant.
    pub(super) fn credit(
        &self,
        credit_note: CreditNoteId,
        refund: RefundId,
        &Credit { amount, shipping, keys, part, taken, imposed }: &Credit<'_>,
    ) -> Decision {
        if self.credit_notes.contains(&credit_note) {
            return Ok(vec![]);
        }
        if amount.amount <= 0 || amount.currency != self.placement.total.currency {
            return Err(Rejection::WrongTotal);
        }
        match self.progress.payment_status {
            // An order that has not recorded its payment yet would not accept a refund of it.
            PaymentStatus::Awaiting | PaymentStatus::Authorized | PaymentStatus::OnDelivery => {
                return Err(Rejection::NotPaid);
            }
            // All that is left is refunded automatically with its credit note, or the order never had the money.
            PaymentStatus::RefundDue | PaymentStatus::Voided => return Err(Rejection::Cancelled),
            PaymentStatus::Paid | PaymentStatus::PartlyRefunded | PaymentStatus::Refunded => {}
        }
        let left = self.shipping_left();
        if shipping && amount.amount > left.amount {
            return Err(Rejection::TooMuchShipping { left });
        }
        for Demand { variant, quantity } in keys {
            let left = self.kept_of_delivered(*variant);
            if quantity.get() > left {
                return Err(Rejection::TooManyKeys { variant: *variant, left });
            }
        }
        let (mut revoked, downloads) = (self.keys_given_up_with(keys), self.downloads_given_up_with(keys));
        for of in &mut revoked {
            of.taken = taken.iter().find(|(variant, _)| *variant == of.variant).map(|(_, amount)| *amount);
        }
        if self.sells_gift_cards() && !shipping && !imposed {
            self.check_gift_cards(amount, part, taken)?;
        }
        let parts = self.shares_of_credit(part, amount, shipping)?;
        Ok(vec![Event::Credited { credit_note, refund, amount, shipping, revoked, downloads, parts }])
    }

    pub(super) fn note_shipping_off(&mut self, shipping: Option<Money>, was_paid: bool) {
        let Some(shipping) = shipping else { return };
        // The decision checked the sums; should they ever overflow, the fold keeps the previous one.
        if was_paid {
            self.shipping_credited = self.shipping_credited.plus(shipping).unwrap_or(self.shipping_credited);
        } else {
            self.shipping_waived = self.shipping_waived.plus(shipping).unwrap_or(self.shipping_waived);
        }
    }

    pub(super) fn note_credit(&mut self, credit_note: CreditNoteId, amount: Money, shipping: bool) {
        self.credit_notes.push(credit_note);
        if shipping {
            self.shipping_credited = self.shipping_credited.plus(amount).unwrap_or(self.shipping_credited);
        }
    }

    pub(super) fn mark_refunded(
        &self,
        payment: PaymentId,
        refund: Option<RefundId>,
        amount: Option<Money>,
    ) -> Decision {
        if payment != self.placement.payment {
            return Err(Rejection::OtherPayment);
        }
        if refund.is_some_and(|refund| self.refunds.contains(&refund)) {
            return Ok(vec![]);
        }
        match (self.progress.payment_status, refund) {
            // The payment was captured after the order was cancelled, and refunded at once: the order never had the money.
            (PaymentStatus::Voided, _) | (PaymentStatus::Refunded, None) => Ok(vec![]),
            (PaymentStatus::RefundDue, _)
            | (PaymentStatus::Paid | PaymentStatus::PartlyRefunded | PaymentStatus::Refunded, Some(_)) => {
                Ok(vec![Event::Refunded { payment, refund, amount }])
            }
            (PaymentStatus::Paid | PaymentStatus::PartlyRefunded, None) => Err(Rejection::NotCancelled),
            (PaymentStatus::Awaiting | PaymentStatus::Authorized | PaymentStatus::OnDelivery, _) => {
                Err(Rejection::NotPaid)
            }
        }
    }
}

impl Placed {
    /// The taxed amounts of what is due or was paid: of everything ordered, without what was cancelled before the payment.
    pub fn taxed_of_payable(&self) -> Result<Vec<Taxed>, MoneyError> {
        if self.kept.is_shared() {
            return Ok(self.kept.taxed());
        }
        let mut all = self.placement.taxed()?;
        let sent = self.placement.shipping.as_ref().filter(|_| self.shipping_waived.amount > 0);
        if let Some(tax) = sent.and_then(|shipping| shipping.tax)
            && let Some(taxed) = all.iter_mut().find(|it| it.is_like(&tax))
        {
            // All of the shipping of a part includes all of its tax; what is left at this rate is the tax of everything else.
            let waived = self.waived_shipping_tax();
            taxed.tax = taxed.tax.minus(waived)?;
            taxed.net = taxed.net.minus(self.shipping_waived.minus(waived)?)?;
        }
        let mut off = self.cancelled_quantities.clone();
        for (line, share) in self.placement.lines.iter().zip(self.shares()) {
            let Some(left) = off.get_mut(&line.variant) else { continue };
            let all_of_line = line.quantity.get();
            let gone = all_of_line.min(*left);
            *left -= gone;
            let Some(taxed) = line.tax.and_then(|tax| all.iter_mut().find(|it| it.is_like(&tax))) else { continue };
            let worth = share * i128::from(gone) / i128::from(all_of_line);
            let worth = i64::try_from(worth).map_err(|_| MoneyError::Overflow)?;
            let gross = taxed.gross()?;
            *taxed = taxed.part(Money { amount: gross.amount - worth, ..gross })?;
        }
        all.retain(|it| it.net.amount != 0 || it.tax.amount != 0);
        Ok(all)
    }
}
