//! Security rules for staff, beyond a password.

use byteshop_domain::money::Money;
use chrono::TimeDelta;

/// Hours that a session of staff lives at most: a working day, so that a forgotten one does not outlive the night.
pub const SESSION_HOURS: u16 = 12;
/// From how much on a refund is large, in whole units of its currency: more than most baskets of the demo shop hold.
pub const LARGE_REFUND: u32 = 500;

/// The rules for accounts with the role support or admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaffRules {
    /// Whether they need a second factor: without one they can log in, and do nothing but set it up.
    pub second_factor: bool,
    /// How long their sessions live at most.
    pub session: TimeDelta,
    /// From how much on refunds of one payment take a recent proof of identity, in whole units of its currency.
    pub large_refund: u32,
}

impl Default for StaffRules {
    /// The rules in development.
    fn default() -> Self {
        let session = TimeDelta::hours(i64::from(SESSION_HOURS));
        Self { second_factor: false, session, large_refund: LARGE_REFUND }
    }
}

impl StaffRules {
    /// Whether money that goes back takes a recent proof of identity: all of it together, with what went back of the same payment
    /// before.
    pub fn is_large(&self, back: &[Money]) -> bool {
        let Some(first) = back.first() else { return false };
        let unit = 10_i128.pow(u32::from(first.currency.exponent().unwrap_or(0)));
        let sum: i128 = back.iter().map(|money| i128::from(money.amount)).sum();
        sum >= i128::from(self.large_refund) * unit
    }
}

#[cfg(test)]
mod tests {
    use byteshop_domain::Currency;

    use super::*;

    #[test]
    fn a_refund_is_large_by_the_units_of_its_currency() {
        let rules = StaffRules { large_refund: 500, ..StaffRules::default() };
        let euro = |amount| Money::new(amount, Currency::EUR);
        assert!(!rules.is_large(&[]) && !rules.is_large(&[euro(49_999)]));
        assert!(rules.is_large(&[euro(50_000)]) && rules.is_large(&[euro(30_000), euro(20_000)]));
        assert!(rules.is_large(&[Money::new(500, Currency::JPY)]));
        assert!(StaffRules { large_refund: 0, ..rules }.is_large(&[euro(1)]));
    }
}
