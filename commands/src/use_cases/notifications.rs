//! Notifications, as staff handles them.

use byteshop_domain::notification::{Command, Notification};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Queues a dead notification again.
pub fn resend(unit: &Unit, notification: &mut Loaded<Notification>) -> Result<(), Error> {
    unit.decide(notification, &Command::Revive {})
}
