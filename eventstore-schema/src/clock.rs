//! The one place where time, new ids and randomness come from; everything pure takes them as arguments.

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// The clock and the source of ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

#[expect(clippy::disallowed_methods, reason = "this is the place that the rule sends everyone to")]
impl Clock {
    /// Now, to the microsecond, which is what Postgres keeps.
    pub fn now(self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    /// A new UUIDv7 (RFC 9562): ordered by time.
    pub fn new_id(self) -> Uuid {
        Uuid::now_v7()
    }
}

/// A moment without its fraction of a second.
pub fn whole_seconds(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment.trunc_subsecs(0)
}
