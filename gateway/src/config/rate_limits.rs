//! The settings of rate limits.

use super::reader::Reader;
use super::kind;

/// How much one address and one account may ask; 0 is no limit.
#[derive(Debug, Clone, Copy)]
pub struct RateLimits {
    /// Units of work of one address in a minute; 0 lifts the limit to its connections too.
    pub address: u32,
    /// Requests of one account in a minute.
    pub account: u32,
    /// Requests of one address in a minute that hash a password or write a mail.
    pub auth: u32,
    /// Wrong passwords of one account in a row; one more may be tried each minute.
    pub guesses: u32,
    /// Coupon codes that one address may enter in a minute.
    pub coupons: u32,
    /// Guests' carts that one address may check out in a minute.
    pub checkouts: u32,
    /// Requests of one address in a minute that change something for a guest.
    pub guest_writes: u32,
    /// Requests of one customer's account in a minute that change something.
    pub account_writes: u32,
}

impl Reader {
    /// The rate limits; nothing when one of them cannot be used. `limit` is the default of development.
    pub(super) fn rate_limits(&mut self, limit: Option<&'static str>) -> Option<RateLimits> {
        let mut of = |name| self.read(name, limit, kind::number(0, 1_000_000));
        let (address, account) = (of("rate_limit_address"), of("rate_limit_account"));
        let (auth, coupons) = (of("rate_limit_auth"), of("rate_limit_coupons"));
        let (checkouts, guest_writes) = (of("rate_limit_checkouts"), of("rate_limit_guest_writes"));
        let account_writes = of("rate_limit_account_writes");
        let guesses = self.read("rate_limit_guesses", None, kind::number(0, 1_000));
        Some(RateLimits {
            address: address?,
            account: account?,
            auth: auth?,
            guesses: guesses?,
            coupons: coupons?,
            checkouts: checkouts?,
            guest_writes: guest_writes?,
            account_writes: account_writes?,
        })
    }
}
