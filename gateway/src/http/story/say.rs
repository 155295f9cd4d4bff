//! What each event of an order's story says in a sentence.

use byteshop_domain::order::{self, CancelReason, ReturnLine};
use byteshop_domain::payment::{self, DeclineReason, FailureReason, Method, RefundCause, VoidReason};
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns::{self, Why};
use byteshop_domain::shipment::{self, Carrier, News};
use byteshop_domain::{Actor, AnyEvent};

/// Whether only staff reads it.
pub fn is_for_staff(event: &AnyEvent) -> bool {
    matches!(event, AnyEvent::Order(_, order::Event::Noted { .. }))
}

/// Whether it says that a payment has no outcome yet.
pub fn waits(event: &AnyEvent) -> bool {
    matches!(event, AnyEvent::Payment(_, payment::Event::Pended { .. }))
}

/// The sentence; none for what another event tells as well, or nobody needs to know.
pub fn sentence(event: &AnyEvent, by: &Actor) -> Option<String> {
    let who = who(by);
    if let AnyEvent::Order(_, event) = event {
        return of_order(event, who);
    }
    if let AnyEvent::Payment(_, event) = event {
        return of_payment(event, who);
    }
    if let AnyEvent::Shipment(_, event) = event {
        return of_shipment(event, who);
    }
    let AnyEvent::Return(_, event) = event else { return None };
    Some(of_return(event, who))
}

fn who(by: &Actor) -> &'static str {
    match by {
        Actor::Customer { .. } => "The customer",
        Actor::Guest { .. } => "A guest",
        Actor::Seller { .. } => "The seller",
        Actor::Support { .. } | Actor::Admin { .. } => "Staff",
        Actor::Service { .. } => "A program",
        Actor::Process { .. } | Actor::System { .. } => "The shop",
    }
}

fn pieces(count: i64) -> String {
    if count == 1 { "1 piece".to_owned() } else { format!("{count} pieces") }
}

fn pieces_of(lines: &[Demand]) -> String {
    pieces(lines.iter().map(|line| line.quantity.get()).sum())
}

fn of_order(event: &order::Event, who: &str) -> Option<String> {
    let told = match event {
        order::Event::Placed(placement) => {
            let bought = pieces(placement.lines.iter().map(|line| line.quantity.get()).sum());
            format!("{who} ordered {bought} for {}.", placement.total)
        }
        order::Event::Paid { .. } => "The order is paid.".to_owned(),
        order::Event::Authorized { .. } => "The money is set aside; it is taken later.".to_owned(),
        order::Event::Fulfilled { completed: true, .. } => {
            format!("{who} handed everything over. The order is completed.")
        }
        order::Event::Fulfilled { completed: false, .. } => "Everything is handed over.".to_owned(),
        order::Event::Completed {} => "Everything has arrived. The order is completed.".to_owned(),
        order::Event::Cancelled { reason, was_paid, due, .. } => {
            let money = match (was_paid, due) {
                (false, _) => String::new(),
                (true, Some(due)) => format!(" {due} go back."),
                (true, None) => " The money goes back.".to_owned(),
            };
            format!("{who} cancelled the order{}.{money}", because(*reason))
        }
        order::Event::LinesCancelled { lines, amount, reason, was_paid, .. } => {
            let off = pieces(lines.iter().map(|line: &ReturnLine| line.quantity.get()).sum());
            let money = if *was_paid { "go back" } else { "need not be paid" };
            format!("{who} cancelled {off}{}; {amount} {money}.", because(*reason))
        }
        order::Event::Noted { .. } => format!("{who} wrote a note."),
        order::Event::Returned { return_id: None, amount, .. } => format!("Goods came back; {amount} were paid back."),
        order::Event::ParcelReturned { .. } => "What is in it can be sent again, or cancelled.".to_owned(),
        // The payment, the parcel and the return tell these.
        order::Event::Refunded { .. }
        | order::Event::Returned { .. }
        | order::Event::ParcelPrepared { .. }
        | order::Event::ParcelDropped { .. }
        | order::Event::HandedOver { .. }
        | order::Event::Delivered { .. }
        | order::Event::ReturnRequested { .. }
        | order::Event::Credited { .. }
        | order::Event::ReturnClosed { .. } => return None,
    };
    Some(told)
}

fn because(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::BuyerRequest => " at the buyer's wish",
        CancelReason::StaffRequest => " on the shop's side",
        CancelReason::PaymentFailed => ", as the payment failed",
        CancelReason::PaymentCancelled => ", as the payment was given up",
        CancelReason::PaymentWindowPassed => ", as it was not paid in time",
        CancelReason::AuthorizationExpired => ", as nobody took the money in time",
        CancelReason::Imported => ", as it was in an older system",
    }
}

fn by_method(method: Method) -> &'static str {
    match method {
        Method::Test => "by the test provider",
        Method::External => "outside of this shop",
        Method::Free => "with nothing to pay",
    }
}

fn of_payment(event: &payment::Event, who: &str) -> Option<String> {
    let told = match event {
        payment::Event::Opened { amount, .. } => format!("A payment of {amount} was opened."),
        payment::Event::Attempted { method, .. } => format!("{who} tried to pay {}.", by_method(*method)),
        payment::Event::Pended { .. } => "The payment waits for the provider's answer.".to_owned(),
        payment::Event::Unresolved { .. } => "The provider gave no answer; it will be asked how it went.".to_owned(),
        payment::Event::Declined { reason, .. } => match reason {
            DeclineReason::Declined => "The payment was declined.".to_owned(),
            DeclineReason::InsufficientFunds => "The payment was declined for want of money.".to_owned(),
            DeclineReason::NotReceived => "The payment never reached the provider.".to_owned(),
        },
        payment::Event::Failed { reason, .. } => match reason {
            FailureReason::ProviderError => "The payment failed at the provider.".to_owned(),
            FailureReason::TooManyAttempts => "The payment failed: there were too many attempts.".to_owned(),
        },
        payment::Event::Cancelled { .. } => "The buyer gave the payment up.".to_owned(),
        payment::Event::VoidRequested { .. } => format!("{who} asked for the payment to be undone."),
        payment::Event::Voided { reason, .. } => match reason {
            VoidReason::OrderCancelled => "Nothing was taken, as the order is off.".to_owned(),
            VoidReason::BuyerRequest => "The buyer gave the payment up; nothing was taken.".to_owned(),
            VoidReason::StaffRequest => "Staff gave the payment up; nothing was taken.".to_owned(),
            VoidReason::Expired => "What was set aside was let go, as nobody took it in time.".to_owned(),
        },
        payment::Event::Captured { amount, method, .. } => format!("{amount} were taken {}.", by_method(*method)),
        payment::Event::Reduced { amount } => format!("{amount} are left to pay."),
        payment::Event::Delayed { .. } => "The provider was silent; it will be asked again.".to_owned(),
        payment::Event::StrayUnresolved { .. } => {
            "The provider does not say whether money of an earlier attempt came.".to_owned()
        }
        payment::Event::StrayReleased { .. } => "Money of an earlier attempt came late and was let go.".to_owned(),
        payment::Event::RefundRequested { amount, cause, .. } => {
            format!("{who} asked to give {amount} back{}.", for_cause(cause))
        }
        payment::Event::RefundFailed { amount, .. } => format!("The provider would not give {amount} back."),
        payment::Event::Refunded { amount, .. } => format!("{amount} were given back."),
        payment::Event::Authorized { .. } => return None,
    };
    Some(told)
}

fn for_cause(cause: &RefundCause) -> String {
    match cause {
        RefundCause::OrderCancelled => ", as the order is off".to_owned(),
        RefundCause::LinesCancelled => " for what was cancelled".to_owned(),
        RefundCause::Return { .. } => " for what came back".to_owned(),
        RefundCause::Staff { reason } => format!(": {reason}"),
    }
}

fn of_shipment(event: &shipment::Event, who: &str) -> Option<String> {
    let why = |reason: &Option<byteshop_domain::text::Reason>| {
        reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"))
    };
    let told = match event {
        shipment::Event::Prepared { lines, .. } => format!("{who} put {} in a parcel.", pieces_of(lines)),
        shipment::Event::Packed { weight_g: Some(weight) } => format!("{who} packed the parcel: {weight} g."),
        shipment::Event::Packed { weight_g: None } => format!("{who} packed the parcel."),
        shipment::Event::Cancelled { .. } => format!("{who} unpacked the parcel."),
        shipment::Event::HandedOver { carrier, tracking, .. } => {
            let carrier = match carrier {
                Carrier::Simulated { .. } => "the simulated carrier",
                Carrier::Other { name } => name.as_str(),
            };
            format!("{who} gave the parcel to {carrier}, number {tracking}.")
        }
        shipment::Event::Moved { status, place, .. } => {
            let where_ = place.as_ref().map_or_else(String::new, |place| format!(" in {place}"));
            match status {
                News::OutForDelivery => format!("The parcel is out for delivery{where_}."),
                News::InTransit | News::AttemptFailed | News::Delivered | News::ReturningToSender => {
                    format!("The parcel is on its way{where_}.")
                }
            }
        }
        shipment::Event::AttemptFailed { reason, .. } => format!("The parcel could not be delivered{}.", why(reason)),
        shipment::Event::Delivered { .. } => "The parcel was delivered.".to_owned(),
        shipment::Event::ReturningToSender { reason, .. } => format!("The parcel is on its way back{}.", why(reason)),
        shipment::Event::ReturnedToSender { .. } => format!("{who} took the parcel in again."),
        shipment::Event::Waited { .. } => return None,
    };
    Some(told)
}

fn of_return(event: &returns::Event, who: &str) -> String {
    match event {
        returns::Event::Requested { lines, why, .. } => {
            let why = match why {
                Why::ChangedMind => "a change of mind",
                Why::DoesNotFit => "it does not fit",
                Why::Damaged => "it is damaged",
                Why::NotAsDescribed => "it is not as described",
                Why::WrongItem => "it is the wrong thing",
                Why::TooLate => "it came too late",
                Why::Other => "another reason",
            };
            format!("{who} asked to send {} back: {why}.", pieces_of(lines))
        }
        returns::Event::Approved { .. } => format!("{who} agreed to the return."),
        returns::Event::Rejected { reason, .. } => format!("{who} refused the return: {reason}."),
        returns::Event::Withdrawn { .. } => format!("{who} keeps the goods after all."),
        returns::Event::Received { lines, amount, .. } => {
            let came = pieces(lines.iter().map(|line| line.quantity.get()).sum());
            format!("{who} took {came} back, worth {amount}.")
        }
        returns::Event::Refunded { .. } => "The return is settled.".to_owned(),
    }
}
