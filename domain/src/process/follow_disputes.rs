//! Follows disputes: tells when a deadline is near, gives PayPal the answers of the shop, and asks it for outcomes.
//!
//! ```text
//! opened ─▶ timer before the deadline ─▶ remind, unless there is an answer
//! opened at PayPal, answered, accepted ─▶ look: send what PayPal does not have, record what it decided, or wait
//! waited ─▶ timer ─▶ look again
//! ```
//!
//! Looking is one step with answering: what PayPal says of the dispute decides what is sent.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Process, Reaction};
use crate::dispute::{Dispute, Event, Opening};
use crate::ids::DisputeId;
use crate::payment_provider::Provider;
use crate::{AnyEvent, Reads};

/// How long before its deadline a dispute without an answer is told of: two working days for one who looks into mails once a day.
const REMIND_BEFORE: TimeDelta = TimeDelta::days(2);
/// How long after a dispute became known PayPal is asked for the first time, should its webhooks be lost.
const FIRST_LOOK: TimeDelta = TimeDelta::hours(1);

/// A step of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    /// Tell that the deadline is near, unless there is an answer.
    Remind {
        /// The dispute.
        dispute: DisputeId,
    },
    /// Ask PayPal about a dispute, and send what it does not have.
    Look {
        /// The dispute.
        dispute: DisputeId,
    },
}

/// The process.
#[derive(Debug, Clone, Copy)]
pub struct FollowDisputes;

impl Process for FollowDisputes {
    const NAME: &'static str = "follow_disputes";
    const READS: &'static [Reads] = &[Reads::all::<Dispute>()];
    type Step = Step;

    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Reaction<Step>> {
        let AnyEvent::Dispute(dispute, event) = event else { return vec![] };
        let dispute = *dispute;
        let look_at = |at| Reaction::SetTimer { at, key: look(dispute), step: Step::Look { dispute } };
        match event {
            Event::Opened { content, .. } => {
                let Opening { provider, respond_by, .. } = &**content;
                let remind = respond_by.map(|respond_by| Reaction::SetTimer {
                    at: respond_by - REMIND_BEFORE,
                    key: reminder(dispute),
                    step: Step::Remind { dispute },
                });
                let is_asked = *provider == Some(Provider::Paypal);
                let look = is_asked.then(|| look_at(recorded_at + FIRST_LOOK));
                remind.into_iter().chain(look).collect()
            }
            // Of a dispute without PayPal nothing is asked.
            Event::EvidenceSubmitted { .. } | Event::Accepted {} => {
                vec![forget(dispute), Reaction::Now(Step::Look { dispute })]
            }
            Event::Waited { check_at } => vec![look_at(*check_at)],
            Event::Won { .. } | Event::Lost { .. } => {
                vec![forget(dispute), Reaction::ClearTimer { key: look(dispute) }]
            }
            Event::EvidenceSent { .. } | Event::Reminded { .. } | Event::FeeCorrected { .. } => vec![],
        }
    }
}

fn forget(dispute: DisputeId) -> Reaction<Step> {
    Reaction::ClearTimer { key: reminder(dispute) }
}

/// The timer of the deadline of a dispute.
pub fn reminder(dispute: DisputeId) -> String {
    format!("remind {dispute}")
}

/// The timer of the next look at a dispute.
pub fn look(dispute: DisputeId) -> String {
    dispute.to_string()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::Personal;
    use crate::dispute::Cause;
    use crate::personal::Subject;
    use crate::testing::{cents, id, noon, text, timer_form};

    fn reactions(event: Event) -> Vec<Reaction<Step>> {
        FollowDisputes::react(&AnyEvent::Dispute(id(1), event), noon())
    }

    fn opened(provider: Option<Provider>, respond_by: Option<DateTime<Utc>>) -> Event {
        let content = Box::new(Opening {
            payment: id(2),
            order: id(3),
            provider,
            reference: text("PP-1"),
            cause: Cause::Other,
            amount: cents(1),
            held: cents(1),
            shares: vec![],
            respond_by,
        });
        Event::Opened { content, at: noon() }
    }

    #[test]
    fn a_deadline_has_a_timer_until_there_is_an_answer() {
        let (key, step) = (reminder(id(1)), Step::Remind { dispute: id(1) });
        let remind = Reaction::SetTimer { at: noon() - REMIND_BEFORE, key: key.clone(), step };
        assert_eq!(reactions(opened(None, Some(noon()))), [remind]);
        assert_eq!(reactions(opened(None, None)), []);
        let look_now = Reaction::Now(Step::Look { dispute: id(1) });
        let sealed = Personal::new(Subject(Uuid::nil()), "AA");
        for event in [Event::EvidenceSubmitted { text: Some(sealed), file: None, at: noon() }, Event::Accepted {}] {
            assert_eq!(reactions(event), [Reaction::ClearTimer { key: key.clone() }, look_now.clone()]);
        }
    }

    #[test]
    fn paypal_is_asked_until_it_has_decided() {
        let (key, step) = (look(id(1)), Step::Look { dispute: id(1) });
        let timer = |at| Reaction::SetTimer { at, key: key.clone(), step: step.clone() };
        assert_eq!(reactions(opened(Some(Provider::Paypal), None)), [timer(noon() + FIRST_LOOK)]);
        assert_eq!(reactions(opened(Some(Provider::Test), None)), []);
        assert_eq!(reactions(Event::Waited { check_at: noon() }), [timer(noon())]);
        let ended = [Reaction::ClearTimer { key: reminder(id(1)) }, Reaction::ClearTimer { key }];
        assert_eq!(reactions(Event::Won { order: id(3), sellers: vec![] }), ended);
    }

    #[test]
    fn a_step_in_a_timer_keeps_its_stored_form() {
        timer_form(&Step::Remind { dispute: id(1) }, r#"{"do":"remind","dispute":"dsp_00000000000000000000000001"}"#);
        timer_form(&Step::Look { dispute: id(1) }, r#"{"do":"look","dispute":"dsp_00000000000000000000000001"}"#);
    }
}
