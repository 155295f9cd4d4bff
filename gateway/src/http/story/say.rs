//! The sentence of each event of an order's history: its name, which every language has, and its facts.

use byteshop_commands::notify::format;
use byteshop_domain::download;
use byteshop_domain::ids::AccountId;
use byteshop_domain::key_pool::count_of;
use byteshop_domain::money::Money;
use byteshop_domain::order::{self, CancelReason, ReturnLine};
use byteshop_domain::payment::{self, DeclineReason, FailureReason, Method, RefundCause, VoidReason};
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns;
use byteshop_domain::shipment::{self, Carrier, News};
use byteshop_domain::stored_value::{Cover, Means};
use byteshop_domain::text::Reason;
use byteshop_domain::{Actor, AnyEvent, Locale};
use chrono::NaiveTime;
use serde_json::{Value, json};

/// A sentence by its name, and its facts.
type Said = (&'static str, Value);

/// Whether only staff reads it.
pub fn is_for_staff(event: &AnyEvent) -> bool {
    matches!(event, AnyEvent::Order(_, order::Event::Noted { .. }))
}

/// Whether it says that a payment has no outcome yet.
pub fn waits(event: &AnyEvent) -> bool {
    matches!(event, AnyEvent::Payment(_, payment::Event::Pended { .. }))
}

/// The sentence; none if another event has the same sentence, or if the event is of no interest to people.
pub fn sentence(event: &AnyEvent, by: &'static str, locale: Locale) -> Option<Said> {
    let teller = Facts { by, locale };
    if let AnyEvent::Order(_, event) = event {
        return teller.of_order(event);
    }
    if let AnyEvent::Payment(_, event) = event {
        return teller.of_payment(event);
    }
    if let AnyEvent::Shipment(_, event) = event {
        return teller.of_shipment(event);
    }
    if let AnyEvent::Download(_, event) = event {
        return teller.of_download(event);
    }
    let AnyEvent::Return(_, event) = event else { return None };
    Some(teller.of_return(event))
}

/// Who acted, in one word. Members of a seller act with accounts of customers.
pub fn who(event: &AnyEvent, by: &Actor, buyer: Option<AccountId>) -> &'static str {
    match by {
        Actor::Customer { id } if is_of_a_seller(event, Some(*id) == buyer) => "seller",
        Actor::Customer { .. } => "customer",
        Actor::Guest { .. } => "guest",
        Actor::Seller { .. } => "seller",
        Actor::Support { .. } | Actor::Admin { .. } => "staff",
        Actor::Service { .. } => "program",
        Actor::Process { .. } | Actor::Operator { .. } | Actor::System { .. } => "shop",
    }
}

/// Whether an account that is neither staff nor, perhaps, the buyer could only do this for a seller.
fn is_of_a_seller(event: &AnyEvent, is_buyer: bool) -> bool {
    if let AnyEvent::Return(_, event) = event {
        return !matches!(event, returns::Event::Requested { .. } | returns::Event::Withdrawn { .. });
    }
    if let AnyEvent::Order(_, event) = event {
        return matches!(
            event,
            order::Event::ParcelPrepared { .. }
                | order::Event::ParcelDropped { .. }
                | order::Event::Replaced { .. }
                | order::Event::HandedOver { .. }
                | order::Event::LinesCancelled { reason: CancelReason::StaffRequest, .. }
                | order::Event::Cancelled { reason: CancelReason::StaffRequest, .. }
        );
    }
    if let AnyEvent::Payment(_, event) = event {
        return !is_buyer && matches!(event, payment::Event::RefundRequested { .. });
    }
    matches!(event, AnyEvent::Shipment(..))
}

fn pieces_of(lines: &[Demand]) -> i64 {
    lines.iter().map(|line| line.quantity.get()).sum()
}

/// What a refund is for, as the templates know it, and the reason that staff gave.
fn of_cause(cause: &RefundCause) -> (&'static str, Option<&Reason>) {
    match cause {
        RefundCause::OrderCancelled => ("order", None),
        RefundCause::LinesCancelled => ("lines", None),
        RefundCause::Return { .. } => ("return", None),
        RefundCause::Staff { reason } => ("staff", Some(reason)),
        RefundCause::NotDue => ("not_due", None),
        RefundCause::Dispute { .. } => ("dispute", None),
        RefundCause::Provider { .. } => ("provider", None),
    }
}

/// A stored value as the templates know it.
fn name_of(means: Means) -> &'static str {
    match means {
        Means::GiftCard { .. } => "gift_card",
        Means::StoreCredit { .. } => "store_credit",
    }
}

/// The facts that all sentences share.
struct Facts {
    by: &'static str,
    locale: Locale,
}

impl Facts {
    fn money(&self, amount: Money) -> String {
        format::money(amount, self.locale)
    }

    /// Only the actor.
    fn bare(&self) -> Value {
        json!({"by": self.by})
    }

    fn amount(&self, amount: Money) -> Value {
        json!({"by": self.by, "amount": self.money(amount)})
    }

    fn of_cover(&self, cover: &Cover) -> Value {
        json!({"by": self.by, "amount": self.money(cover.amount), "means": name_of(cover.means)})
    }

    /// What gift cards and store credit pay beside money was told when they were applied.
    fn of_capture(&self, amount: Money, method: Method, covers: &[Cover]) -> Value {
        let covered = Cover::total(covers);
        let in_money = Money { amount: amount.amount - covered, ..amount };
        let amount = if method == Method::StoredValue { amount } else { in_money };
        json!({"amount": self.money(amount), "method": method})
    }

    fn of_order(&self, event: &order::Event) -> Option<Said> {
        let said = match event {
            order::Event::Placed(placement) => {
                let pieces: i64 = placement.lines.iter().map(|line| line.quantity.get()).sum();
                ("ordered", json!({"by": self.by, "pieces": pieces, "total": self.money(placement.total)}))
            }
            order::Event::Paid { invoice, .. } => ("paid", json!({"invoice": invoice})),
            order::Event::Authorized { .. } => ("authorized", self.bare()),
            order::Event::Released { .. } => ("released", self.bare()),
            order::Event::Fulfilled { completed: true, .. } => ("handed_over_at_once", self.bare()),
            order::Event::Fulfilled { completed: false, .. } => ("all_handed_over", self.bare()),
            order::Event::Completed {} => ("all_arrived", self.bare()),
            order::Event::Cancelled { reason, was_paid, due, lost, .. } => {
                let (due, gone) = (due.map(|due| self.money(due)), pieces_of(lost));
                ("cancelled", json!({"by": self.by, "reason": reason, "was_paid": was_paid, "due": due, "gone": gone}))
            }
            order::Event::LinesCancelled { lines, amount, shipping, reason, was_paid, written_off, .. } => {
                let pieces: i64 = lines.iter().map(|line: &ReturnLine| line.quantity.get()).sum();
                let amount = shipping.map_or(Ok(*amount), |shipping| amount.plus(shipping)).unwrap_or(*amount);
                let amount = self.money(amount);
                let facts = json!({
                    "by": self.by, "pieces": pieces, "reason": reason, "was_paid": was_paid, "amount": amount,
                    "gone": pieces_of(written_off),
                });
                ("lines_cancelled", facts)
            }
            order::Event::BuyerForgotten { .. } => ("buyer_forgotten", self.bare()),
            order::Event::KeysRevealed { lines, .. } => {
                ("keys_revealed", json!({"by": self.by, "keys": pieces_of(lines)}))
            }
            order::Event::Noted { .. } => ("noted", self.bare()),
            order::Event::MovedToCart { .. } => ("moved_to_cart", self.bare()),
            order::Event::PaymentWindowExtended { pay_by } => (
                "payment_window_extended",
                json!({"pay_by": format::moment(*pay_by, format::Zone::default(), self.locale)}),
            ),
            order::Event::Returned { return_id: None, amount, .. } => ("returned", self.amount(*amount)),
            order::Event::Returned { revoked, .. } | order::Event::Credited { revoked, .. } if !revoked.is_empty() => {
                let seen: i64 = revoked.iter().map(|of| of.revealed).sum();
                (
                    "keys_revoked",
                    json!({"keys": revoked.iter().map(|of| count_of(&of.keys)).sum::<i64>(), "seen": seen}),
                )
            }
            order::Event::Credited { downloads, .. } if !downloads.is_empty() => {
                ("downloads_revoked", json!({"pieces": pieces_of(downloads)}))
            }
            order::Event::ParcelReturned { .. } => ("can_be_sent_again", self.bare()),
            order::Event::Replaced { lines } => ("replaced", json!({"by": self.by, "pieces": pieces_of(lines)})),
            order::Event::ParcelFound { extra, .. } => ("found", json!({"extra": pieces_of(extra)})),
            // The payment, the parcel and the return tell these.
            order::Event::Refunded { .. }
            | order::Event::Returned { .. }
            | order::Event::ParcelPrepared { .. }
            | order::Event::ParcelDropped { .. }
            | order::Event::HandedOver { .. }
            | order::Event::Delivered { .. }
            | order::Event::ParcelLost { .. }
            | order::Event::ReturnRequested { .. }
            | order::Event::Credited { .. }
            | order::Event::ReturnClosed { .. } => return None,
        };
        Some(said)
    }

    fn of_payment(&self, event: &payment::Event) -> Option<Said> {
        let said = match event {
            payment::Event::Opened { amount, .. } => ("payment_opened", self.amount(*amount)),
            payment::Event::Attempted { method, .. } => ("attempted", json!({"by": self.by, "method": method})),
            payment::Event::Registered { .. } => ("registered", self.bare()),
            payment::Event::Pended { .. } => ("pending", self.bare()),
            payment::Event::Unresolved { .. } => ("unresolved", self.bare()),
            payment::Event::Declined { reason, .. } => match reason {
                DeclineReason::Declined => ("declined", self.bare()),
                DeclineReason::InsufficientFunds => ("insufficient_funds", self.bare()),
                DeclineReason::NotReceived => ("not_received", self.bare()),
                DeclineReason::BuyerLeft => ("left_page", self.bare()),
                DeclineReason::ProviderError => ("attempt_failed", self.bare()),
            },
            payment::Event::Failed { reason, .. } => match reason {
                FailureReason::ProviderError => ("provider_error", self.bare()),
                FailureReason::TooManyAttempts => ("too_many_attempts", self.bare()),
            },
            payment::Event::Cancelled { .. } => ("payment_cancelled", self.bare()),
            payment::Event::CaptureRequested { .. } => ("capture_requested", self.bare()),
            payment::Event::VoidRequested { .. } => ("void_requested", self.bare()),
            payment::Event::Voided { reason, .. } => match reason {
                VoidReason::OrderCancelled => ("void_by_cancelled_order", self.bare()),
                VoidReason::BuyerRequest => ("void_by_buyer", self.bare()),
                VoidReason::StaffRequest => ("void_by_staff", self.bare()),
                VoidReason::Expired => ("void_as_expired", self.bare()),
            },
            payment::Event::Captured { amount, method, covers, .. } => {
                ("captured", self.of_capture(*amount, *method, covers))
            }
            payment::Event::Covered { cover, .. } => ("covered", self.of_cover(cover)),
            payment::Event::Uncovered { cover, .. } => ("uncovered", self.of_cover(cover)),
            payment::Event::Reduced { amount } => ("amount_due_reduced", self.amount(*amount)),
            payment::Event::Delayed { .. } => ("provider_did_not_answer", self.bare()),
            payment::Event::StrayUnresolved { .. } => ("stray_unresolved", self.bare()),
            payment::Event::StrayReleased { .. } => ("stray_released", self.bare()),
            payment::Event::RefundRequested { amount, cause, retries, .. } => {
                let (cause, reason) = of_cause(cause);
                let (amount, again) = (self.money(*amount), retries.is_some());
                let it = json!({"by": self.by, "amount": amount, "cause": cause, "reason": reason, "again": again});
                ("refund_requested", it)
            }
            payment::Event::RefundFailed { amount, .. } => ("refund_failed", self.amount(*amount)),
            payment::Event::Disputed { claimed, .. } => ("disputed", self.amount(*claimed)),
            payment::Event::DisputeReleased { amount, .. } => ("dispute_released", self.amount(*amount)),
            payment::Event::Refunded { amount, cause, to, .. } => self.of_refund(*amount, cause.as_ref(), *to),
            payment::Event::MethodChosen { choice, .. } => {
                ("method_chosen", json!({"by": self.by, "title": choice.title}))
            }
            payment::Event::ReceiptRecorded { amount, reference, received_on, .. } => {
                let on = format::day(received_on.and_time(NaiveTime::MIN).and_utc(), self.locale);
                ("received", json!({"by": self.by, "amount": self.money(*amount), "on": on, "reference": reference}))
            }
            payment::Event::ReceiptVoided { reason, .. } => {
                ("receipt_voided", json!({"by": self.by, "reason": reason}))
            }
            payment::Event::RefundSettled { reference, .. } => {
                ("refund_settled", json!({"by": self.by, "reference": reference}))
            }
            // What the shop pays for its payments is no part of the story of an order.
            payment::Event::Authorized { .. }
            | payment::Event::FeeCharged { .. }
            | payment::Event::SellerPaid { .. }
            | payment::Event::SellerCharged { .. } => return None,
        };
        Some(said)
    }

    fn of_refund(&self, amount: Money, cause: Option<&RefundCause>, to: Option<Means>) -> Said {
        if let Some(RefundCause::Dispute { .. }) = cause {
            return ("dispute_lost", self.amount(amount));
        }
        if let Some(RefundCause::Provider { .. }) = cause {
            return ("refunded_by_provider", self.amount(amount));
        }
        ("refunded", json!({"by": self.by, "amount": self.money(amount), "to": to.map(name_of)}))
    }

    fn of_shipment(&self, event: &shipment::Event) -> Option<Said> {
        let said = match event {
            shipment::Event::Prepared { lines, .. } => {
                ("parcel_prepared", json!({"by": self.by, "pieces": pieces_of(lines)}))
            }
            shipment::Event::Packed { weight_g } => {
                ("parcel_packed", json!({"by": self.by, "weight": weight_g.map(|it| format::weight(it, self.locale))}))
            }
            shipment::Event::Cancelled { .. } => ("parcel_unpacked", self.bare()),
            shipment::Event::HandedOver { carrier, tracking, .. } => {
                let carrier = match carrier {
                    Carrier::Simulated { .. } => None,
                    Carrier::Other { name } => Some(name),
                };
                ("parcel_handed_over", json!({"by": self.by, "carrier": carrier, "tracking": tracking}))
            }
            shipment::Event::Moved { status, place, .. } => match status {
                News::OutForDelivery => ("out_for_delivery", json!({"place": place})),
                News::InTransit | News::AttemptFailed | News::Delivered | News::ReturningToSender | News::Lost => {
                    ("on_its_way", json!({"place": place}))
                }
            },
            shipment::Event::AttemptFailed { reason, .. } => ("delivery_failed", json!({"reason": reason})),
            shipment::Event::Delivered { .. } => ("delivered", self.bare()),
            shipment::Event::ReturningToSender { reason, .. } => ("on_its_way_back", json!({"reason": reason})),
            shipment::Event::ReturnedToSender { .. } => ("parcel_received_back", self.bare()),
            shipment::Event::Lost { reason, .. } => ("parcel_lost", json!({"reason": reason})),
            shipment::Event::Waited { .. } => return None,
        };
        Some(said)
    }

    fn of_download(&self, event: &download::Event) -> Option<Said> {
        match event {
            download::Event::Started { .. } => Some(("downloaded", self.bare())),
            // The payment tells it.
            download::Event::Granted { .. } => None,
        }
    }

    fn of_return(&self, event: &returns::Event) -> Said {
        match event {
            returns::Event::Requested { lines, why, .. } => {
                ("return_requested", json!({"by": self.by, "pieces": pieces_of(lines), "why": why}))
            }
            returns::Event::Approved { .. } => ("return_approved", self.bare()),
            returns::Event::Rejected { reason, .. } => ("return_rejected", json!({"by": self.by, "reason": reason})),
            returns::Event::Withdrawn { .. } => ("return_withdrawn", self.bare()),
            returns::Event::Received { lines, amount, .. } => {
                let pieces: i64 = lines.iter().map(|line| line.quantity.get()).sum();
                ("return_received", json!({"by": self.by, "pieces": pieces, "amount": self.money(*amount)}))
            }
            returns::Event::Refunded { .. } => ("return_settled", self.bare()),
        }
    }
}
