//! The rules of the house for what it owes to sellers.

use byteshop_domain::Currency;
use byteshop_domain::payout_file::Debtor;
use chrono::TimeDelta;

/// The smallest payout, in whole units of its currency, where the configuration does not name another: the fees of a transfer stay
/// far below it.
pub const MINIMUM: u32 = 10;
/// For how many days a seller is new, where the configuration does not name another number.
pub const RESERVE_DAYS: i64 = 90;

/// How many hours a new destination waits, where the configuration does not name another number: long enough for an owner to read the
/// mail about it.
pub const DESTINATION_HOURS: i64 = 24;

/// The rules, as the configuration names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRules {
    /// How long after its delivery a sale becomes available.
    pub hold: TimeDelta,
    /// How much of the sales of a new seller is held longer, in percent.
    pub reserve_percent: u8,
    /// For how long a seller is new, and by how much longer that share is held.
    pub reserve_for: TimeDelta,
    /// The smallest payout, in whole units of its currency.
    pub minimum: u32,
    /// How long a new destination waits until it is used.
    pub destination_delay: TimeDelta,
    /// The bank account of the house, if payouts are made from one.
    pub debtor: Option<Debtor>,
}

impl Default for PayoutRules {
    /// The hold is as long as the return window, and there is no reserve.
    fn default() -> Self {
        let (hold, reserve_for) = (TimeDelta::days(30), TimeDelta::days(RESERVE_DAYS));
        let destination_delay = TimeDelta::hours(DESTINATION_HOURS);
        Self { hold, reserve_percent: 0, reserve_for, minimum: MINIMUM, destination_delay, debtor: None }
    }
}

impl PayoutRules {
    /// The smallest payout in a currency, in minor units.
    pub fn minimum_in(&self, currency: Currency) -> i64 {
        i64::from(self.minimum) * 10_i64.pow(u32::from(currency.exponent().unwrap_or(0)))
    }
}
