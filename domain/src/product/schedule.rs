//! When a product is shown: now, from some moment on, until another.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Created, Decision, Event, Rejection, Status};
use crate::text::{Label, Reason};

/// When a product is to be shown and to be hidden by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// From when on it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl Schedule {
    /// Whether nothing is planned.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a product was not shown when its moment came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The moment.
    pub at: DateTime<Utc>,
    /// The code of what forbade it.
    pub code: Label,
    /// The same in words.
    pub because: Reason,
}

impl Created {
    /// Whether it waits for this moment to be shown.
    pub fn is_due(&self, at: DateTime<Utc>) -> bool {
        self.schedule.at == Some(at) && self.status != Status::Published
    }

    /// Whether it is shown, or will be by itself.
    pub fn is_to_be_seen(&self) -> bool {
        self.status == Status::Published || self.schedule.at.is_some()
    }

    /// Shows it from a moment on, or now, until another, or for good.
    pub(super) fn publish_within(&self, schedule: Schedule, now: DateTime<Utc>) -> Decision {
        let schedule = Schedule { at: schedule.at.filter(|at| *at > now), ..schedule };
        if self.variants.is_empty() {
            return Err(Rejection::NoVariant);
        }
        if schedule.until.is_some_and(|until| until <= schedule.at.unwrap_or(now)) {
            return Err(Rejection::ScheduleOrder);
        }
        let shown = self.status == Status::Published;
        if shown && schedule.at.is_some() {
            return Err(Rejection::AlreadyPublished);
        }
        let mut events = Vec::new();
        if schedule != self.schedule {
            events.push(Event::Scheduled(schedule));
        }
        if !shown && schedule.at.is_none() {
            events.push(Event::Published {});
        }
        Ok(events)
    }

    pub(super) fn publish(&self) -> Decision {
        match self.status {
            Status::Published => Ok(vec![]),
            Status::Draft | Status::Unpublished if self.variants.is_empty() => Err(Rejection::NoVariant),
            Status::Draft | Status::Unpublished => Ok(vec![Event::Published {}]),
            Status::Archived => Err(Rejection::Archived),
        }
    }

    /// Shows it when its moment has come; a moment that was planned otherwise meanwhile is none.
    pub(super) fn publish_due(&self, at: DateTime<Utc>) -> Decision {
        if self.schedule.at == Some(at) { self.publish() } else { Ok(vec![]) }
    }

    pub(super) fn unpublish(&self) -> Decision {
        match self.status {
            Status::Published => Ok(vec![Event::Unpublished {}]),
            Status::Draft | Status::Unpublished if self.schedule.is_empty() => Ok(vec![]),
            // Not shown yet: what was planned is taken back.
            Status::Draft | Status::Unpublished => Ok(vec![Event::Scheduled(Schedule::default())]),
            Status::Archived => Err(Rejection::Archived),
        }
    }

    /// Hides it when its time is over; a moment that was planned otherwise meanwhile is none.
    pub(super) fn unpublish_due(&self, until: DateTime<Utc>) -> Decision {
        if self.schedule.until == Some(until) { self.unpublish() } else { Ok(vec![]) }
    }
}
