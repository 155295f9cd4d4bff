//! Sends payouts through PayPal, asks what became of them, and makes the payouts of schedules.
//!
//! ```text
//! payout requested (PayPal) ─▶ send ─▶ submitted, or no answer ─▶ timer ─▶ ask, or send again
//! schedule set, or run ─▶ timer at the next moment ─▶ request the payouts, run
//! ```
//!
//! Sending is one step with asking: what PayPal has already is asked for, and what it has not is sent under the id of the payout.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Process, Reaction};
use crate::ids::{PayoutId, SellerId};
use crate::payout::{self, Payout};
use crate::payout_account::{self, Means, PayoutAccount};
use crate::{AnyEvent, Reads};

/// A step of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    /// Send a payout, or ask what became of it, and record the answer.
    Send {
        /// The payout.
        payout: PayoutId,
    },
    /// Request the payouts of a schedule.
    RunSchedule {
        /// The seller.
        seller: SellerId,
        /// The moment at which they are due.
        due: DateTime<Utc>,
    },
}

/// The process.
#[derive(Debug, Clone, Copy)]
pub struct SendPayouts;

impl Process for SendPayouts {
    const NAME: &'static str = "send_payouts";
    const READS: &'static [Reads] = &[Reads::all::<Payout>(), Reads::only::<PayoutAccount>(&["scheduled", "ran"])];
    type Step = Step;

    fn react(event: &AnyEvent, _recorded_at: DateTime<Utc>) -> Vec<Reaction<Step>> {
        if let AnyEvent::PayoutAccount(id, event) = event {
            return scheduled(payout_account::seller(*id), event);
        }
        let AnyEvent::Payout(payout, event) = event else { return vec![] };
        payout_moved(*payout, event)
    }
}

fn payout_moved(payout: PayoutId, event: &payout::Event) -> Vec<Reaction<Step>> {
    let (key, step) = (payout.to_string(), Step::Send { payout });
    match event {
        payout::Event::Requested { means: Means::Paypal, .. } => vec![Reaction::Now(step)],
        payout::Event::Submitted { check_at, .. } | payout::Event::Waited { check_at } => {
            vec![Reaction::SetTimer { at: *check_at, key, step }]
        }
        payout::Event::Unresolved {}
        | payout::Event::Paid { means: Means::Paypal, .. }
        | payout::Event::Failed { means: Means::Paypal, .. } => vec![Reaction::ClearTimer { key }],
        // The bank carries these out, and staff records the outcome.
        payout::Event::Requested { means: Means::Sepa, .. }
        | payout::Event::Exported { .. }
        | payout::Event::Paid { means: Means::Sepa, .. }
        | payout::Event::Failed { means: Means::Sepa, .. }
        | payout::Event::Returned { .. } => vec![],
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn scheduled(seller: SellerId, event: &payout_account::Event) -> Vec<Reaction<Step>> {
    let key = schedule(seller);
    match event {
        payout_account::Event::Scheduled { next, .. } | payout_account::Event::Ran { next } => match next {
            Some(due) => vec![Reaction::SetTimer { at: *due, key, step: Step::RunSchedule { seller, due: *due } }],
            None => vec![Reaction::ClearTimer { key }],
        },
        _ => vec![],
    }
}

/// The timer of a seller's schedule.
pub fn schedule(seller: SellerId) -> String {
    format!("schedule {seller}")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::Personal;
    use crate::payout_account::Schedule;
    use crate::personal::Subject;
    use crate::testing::{cents, id, noon, text, timer_form};

    fn reactions(event: payout::Event) -> Vec<Reaction<Step>> {
        SendPayouts::react(&AnyEvent::Payout(id(1), event), noon())
    }

    #[test]
    fn what_goes_through_paypal_is_sent_and_asked_for_until_its_outcome_is_known() {
        let send = Step::Send { payout: id(1) };
        let requested = |means| payout::Event::Requested {
            seller: id(2),
            amount: cents(500),
            means,
            destination: Personal::new(Subject(Uuid::nil()), "AA"),
            at: noon(),
        };
        assert_eq!(reactions(requested(Means::Paypal)), [Reaction::Now(send.clone())]);
        assert_eq!(reactions(requested(Means::Sepa)), []);
        let key = "pyt_00000000000000000000000001".to_owned();
        for event in [
            payout::Event::Waited { check_at: noon() },
            payout::Event::Submitted { batch: text("B"), check_at: noon() },
        ] {
            let timer = Reaction::SetTimer { at: noon(), key: key.clone(), step: send.clone() };
            assert_eq!(reactions(event), [timer]);
        }
        assert_eq!(reactions(payout::Event::Unresolved {}), [Reaction::ClearTimer { key }]);
    }

    #[test]
    fn a_schedule_has_one_timer() {
        let react = |event| SendPayouts::react(&AnyEvent::PayoutAccount(id(2), event), noon());
        for event in [
            payout_account::Event::Scheduled { schedule: Schedule::Weekly, next: Some(noon()) },
            payout_account::Event::Ran { next: Some(noon()) },
        ] {
            let step = Step::RunSchedule { seller: id(2), due: noon() };
            assert_eq!(react(event), [Reaction::SetTimer { at: noon(), key: schedule(id(2)), step }]);
        }
        let off = payout_account::Event::Scheduled { schedule: Schedule::OnRequest, next: None };
        assert_eq!(react(off), [Reaction::ClearTimer { key: schedule(id(2)) }]);
    }

    #[test]
    fn a_step_in_a_timer_keeps_its_stored_form() {
        timer_form(&Step::Send { payout: id(1) }, r#"{"do":"send","payout":"pyt_00000000000000000000000001"}"#);
        timer_form(
            &Step::RunSchedule { seller: id(2), due: noon() },
            r#"{"do":"run_schedule","seller":"sel_00000000000000000000000002","due":"2026-01-01T12:00:00Z"}"#,
        );
    }
}
