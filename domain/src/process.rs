//! Processes: the reactions to events. Pure: an event in, reactions out; the runner carries them out.
//!
//! A step that is carried out twice changes nothing the second time, as each aggregate sees that it is done.
//! A refusal of a step is final, too: [`Process::when_refused`] gives the step to carry out instead, mostly none.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rejected::Rejected;
use crate::{AnyEvent, Reads};

pub mod follow_disputes;
pub mod forget_person;
mod notification_task;
pub mod notify;
pub mod post_balances;
pub mod schedule_products;
pub mod send_payouts;
pub mod settle_order;

/// A reaction to an event; `S` is the step of the process.
#[derive(Debug, Clone, PartialEq)]
pub enum Reaction<S> {
    /// Carry out a step now.
    Now(S),
    /// Carry out a step later: a durable timer. Another timer with the same key replaces it.
    SetTimer {
        /// The time at which the timer is due.
        at: DateTime<Utc>,
        /// The key of the timer, unique in its process.
        key: String,
        /// The step.
        step: S,
    },
    /// Clear a timer, if it is still there.
    ClearTimer {
        /// Its key.
        key: String,
    },
}

/// A process: reacts to events.
pub trait Process {
    /// The name of the process, which its checkpoint, its timers and its actor have.
    const NAME: &'static str;
    /// The events that it reads; others are not shown to it.
    const READS: &'static [Reads];
    /// Whether people wait for its reactions, such as a buyer for the order to be paid: then it reads the log more often.
    const WAITED_FOR: bool = false;
    /// A step that the process issues. Timers store steps as JSON, perhaps from an earlier version: a stored form stays readable for ever.
    type Step: Serialize + DeserializeOwned + Debug + Send + Sync + 'static;

    /// The reactions to an event. It has no memory and no clock: what needs memory is an aggregate.
    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Reaction<Self::Step>>;

    /// The step to carry out in place of one that was refused.
    fn when_refused(_step: &Self::Step, _rejected: &Rejected) -> Option<Self::Step> {
        None
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::follow_disputes::FollowDisputes;
    use super::forget_person::ForgetPerson;
    use super::notify::{Notify, SendNotifications};
    use super::post_balances::PostBalances;
    use super::schedule_products::ScheduleProducts;
    use super::send_payouts::SendPayouts;
    use super::settle_order::SettleOrder;
    use super::*;
    use crate::catalogue;
    use crate::testing::noon;

    /// The events that each process ignores, of the categories that it reads: one process and event a line.
    const IGNORED: &str = include_str!("process/ignored_events.txt");

    const READERS: &[(&str, &[Reads])] = &[
        (SettleOrder::NAME, SettleOrder::READS),
        (Notify::NAME, Notify::READS),
        (SendNotifications::NAME, SendNotifications::READS),
        (ForgetPerson::NAME, ForgetPerson::READS),
        (ScheduleProducts::NAME, ScheduleProducts::READS),
        (PostBalances::NAME, PostBalances::READS),
        (SendPayouts::NAME, SendPayouts::READS),
        (FollowDisputes::NAME, FollowDisputes::READS),
    ];

    #[test]
    fn processes_declare_events_that_exist() {
        for (process, reads) in READERS {
            for reads in *reads {
                assert!(reads.unknown().is_empty(), "{process} reads {:?}, which are no events", reads.unknown());
            }
        }
    }

    #[test]
    fn a_process_reacts_to_no_event_that_it_does_not_declare() {
        only_to_declared::<SettleOrder>();
        only_to_declared::<Notify>();
        only_to_declared::<SendNotifications>();
        only_to_declared::<ForgetPerson>();
        only_to_declared::<ScheduleProducts>();
        only_to_declared::<PostBalances>();
        only_to_declared::<SendPayouts>();
        only_to_declared::<FollowDisputes>();
    }

    fn only_to_declared<P: Process>() {
        for form in catalogue() {
            if Reads::cover(P::READS, form.category, &form.event_type) {
                continue;
            }
            let data = form.example.to_string();
            let event = AnyEvent::decode(form.category, Uuid::nil(), &form.event_type, form.schema, &data).unwrap();
            let reactions = P::react(&event, noon());
            assert!(reactions.is_empty(), "{} reacts to {}.{}", P::NAME, form.category, form.event_type);
        }
    }

    #[test]
    fn an_event_is_declared_by_a_process_or_listed_as_ignored() {
        let ignored = READERS.iter().flat_map(|(process, reads)| {
            let ignored = reads.iter().flat_map(|reads| reads.ignored());
            ignored.map(move |event| format!("{process} {event}\n"))
        });
        let ignored: String = ignored.collect();
        assert_eq!(
            ignored, IGNORED,
            "decide for each event whether the process reacts to it: declare it in READS, or list it in ignored_events.txt"
        );
    }
}
