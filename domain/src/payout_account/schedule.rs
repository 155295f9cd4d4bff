//! When payouts are made without being asked for.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

/// The hour (UTC) at which scheduled payouts are made: before the working day of European banks.
const HOUR: u32 = 4;

/// When payouts are made without being asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Never.
    #[default]
    OnRequest,
    /// On Mondays.
    Weekly,
    /// On the first of each month.
    Monthly,
}

impl Schedule {
    /// The next moment after this one.
    pub fn next(self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = after.date_naive();
        let at = |day: NaiveDate| NaiveTime::from_hms_opt(HOUR, 0, 0).map(|hour| day.and_time(hour).and_utc());
        let (this, following) = match self {
            Self::OnRequest => return None,
            Self::Weekly => {
                let monday = today.checked_sub_days(Days::new(u64::from(today.weekday().num_days_from_monday())))?;
                (monday, monday.checked_add_days(Days::new(7))?)
            }
            Self::Monthly => {
                let first = today.with_day(1)?;
                (first, first.checked_add_months(Months::new(1))?)
            }
        };
        at(this).filter(|moment| *moment > after).or_else(|| at(following))
    }
}
