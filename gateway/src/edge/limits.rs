//! How much one address and one account may ask: enough for any person and any shop, too little for a flood.

pub mod cost;
pub mod guesses;
pub mod memory;
pub mod permits;

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use byteshop_domain::ids::{AccountId, ApiKeyId, Id as _};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderValue, StatusCode};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::edge::problem::Problem;
use crate::edge::proxies::Proxies;
use guesses::Guesses;
use permits::{ConcurrencyLimit, Full, Permit};

/// Units of work of one address a minute ([`cost`]): a whole office or a mobile carrier may share one.
pub const PER_ADDRESS: u32 = 60_000;
/// Changes by guests of one address per minute: a hundred visitors behind one address who fill their carts. Each change
/// is kept in the log forever.
pub const GUEST_WRITES_PER_ADDRESS: u32 = 300;
/// Changes by one customer's account per minute: ten a second, more than any storefront sends. Each change is kept in
/// the log forever, and accounts cost nothing.
pub const WRITES_PER_ACCOUNT: u32 = 600;
/// Requests of one account a minute: a program that keeps a catalog in step sends some hundreds a second.
pub const PER_ACCOUNT: u32 = 60_000;
/// Requests of one address a minute that hash a password or write a mail: an office in the morning.
pub const AUTH_PER_ADDRESS: u32 = 60;
/// Coupon codes that one address may enter per minute: a person has one or two, an attacker who guesses has thousands.
pub const COUPONS_PER_ADDRESS: u32 = 20;
/// Licence keys that one address may check, activate or deactivate a minute: an office whose programs start in the morning, and far
/// too few to find a key.
pub const LICENCES_PER_ADDRESS: u32 = 60;
/// Streams of changes of one process at a time: each is kept alive and looks for news.
const STREAMS: usize = 1_000;
/// Streams of one visitor at a time: an office that waits for its orders.
pub const STREAMS_EACH: usize = 50;
/// Connections of one visitor at a time, where requests of an address are limited: an office whose browsers open six each.
const CONNECTIONS_EACH: usize = 2_000;
/// Concurrent requests of one visitor, if requests of an address are limited: far more than an office needs, and few
/// enough that unread responses do not fill the memory. An HTTP/2 client could leave hundreds unread on each
/// connection.
const UNDER_WAY_EACH: usize = 500;
/// Bytes of responses that one visitor may hold in memory, if requests of an address are limited: thirty copies of the
/// largest response, which leave the memory within milliseconds unless they stay unread.
const HELD_EACH: usize = 16 << 20;
/// Seconds after which a refused client of a stream retries.
const COME_BACK_S: u32 = 5;
/// Guests' carts that one address checks out a minute: each holds goods until its payment window has passed.
pub const CHECKOUTS_PER_ADDRESS: u32 = 10;
/// The window that the quotas are of.
const WINDOW_S: u64 = 60;
/// How often what is idle is forgotten: without it the table of keys only grows.
const SWEEP: Duration = Duration::from_mins(1);

type Keyed<K> = DefaultKeyedRateLimiter<K, StateInformationMiddleware>;

/// The limits of one process. Clones share everything.
#[derive(Clone)]
pub struct Limits {
    address: Option<Arc<Limit<IpAddr>>>,
    account: Option<Arc<Limit<Uuid>>>,
    /// By address, for requests that hash passwords or send mails.
    auth: Option<Arc<Limit<IpAddr>>>,
    /// By address, for coupon codes.
    coupons: Option<Arc<Limit<IpAddr>>>,
    /// By address, for checks of licences.
    licences: Option<Arc<Limit<IpAddr>>>,
    /// By address, for codes of gift cards.
    gift_cards: Option<Arc<Limit<IpAddr>>>,
    /// By address, for guest checkouts.
    checkouts: Option<Arc<Limit<IpAddr>>>,
    /// By address, for changes by guests.
    guest_writes: Option<Arc<Limit<IpAddr>>>,
    /// By a customer's account, for changes.
    account_writes: Option<Arc<Limit<Uuid>>>,
    guesses: Arc<Guesses>,
    streams: ConcurrencyLimit,
    connections_each: Option<usize>,
    under_way: Option<ConcurrencyLimit>,
    held: ConcurrencyLimit,
    proxies: Proxies,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            address: None,
            account: None,
            auth: None,
            coupons: None,
            licences: None,
            gift_cards: None,
            checkouts: None,
            guest_writes: None,
            account_writes: None,
            guesses: Arc::default(),
            streams: ConcurrencyLimit::new(STREAMS, STREAMS_EACH),
            connections_each: None,
            under_way: None,
            held: ConcurrencyLimit::new(memory::held(), usize::MAX),
            proxies: Proxies::default(),
        }
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits")
            .field("per_address", &self.address.as_ref().map(|limit| limit.quota))
            .field("per_account", &self.account.as_ref().map(|limit| limit.quota))
            .field("auth_per_address", &self.auth.as_ref().map(|limit| limit.quota))
            .field("coupons_per_address", &self.coupons.as_ref().map(|limit| limit.quota))
            .field("licences_per_address", &self.licences.as_ref().map(|limit| limit.quota))
            .field("gift_cards_per_address", &self.gift_cards.as_ref().map(|limit| limit.quota))
            .field("checkouts_per_address", &self.checkouts.as_ref().map(|limit| limit.quota))
            .field("guest_writes_per_address", &self.guest_writes.as_ref().map(|limit| limit.quota))
            .field("writes_per_account", &self.account_writes.as_ref().map(|limit| limit.quota))
            .finish_non_exhaustive()
    }
}

struct Limit<K: Hash + Eq + Clone> {
    name: &'static str,
    quota: u32,
    policy: HeaderValue,
    keyed: Keyed<K>,
}

/// The state of a quota, for the response headers.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The quota.
    pub policy: HeaderValue,
    /// The rest of the quota.
    pub left: HeaderValue,
}

impl Limits {
    /// Limits by units of work of an address and requests of an account a minute; 0 is no limit.
    pub fn per_minute(address: u32, account: u32) -> Self {
        Self {
            address: Limit::new("address", address),
            account: Limit::new("account", account),
            // Where addresses are not limited they may be those of an unknown proxy.
            connections_each: (address > 0).then_some(CONNECTIONS_EACH),
            under_way: (address > 0).then(|| ConcurrencyLimit::new(usize::MAX, UNDER_WAY_EACH)),
            held: ConcurrencyLimit::new(memory::held(), if address > 0 { HELD_EACH } else { usize::MAX }),
            ..Self::default()
        }
    }

    /// The same limits behind these proxies: visitors are identified by the header of the proxies.
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// The trusted proxies.
    pub fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// The same, with a limit to what one address may do a minute about logging in, and to wrong passwords of one account
    /// in a row; 0 is no limit.
    pub fn with_auth(self, address: u32, guesses: u32) -> Self {
        Self { auth: Limit::new("auth", address), guesses: Arc::new(Guesses::with(guesses)), ..self }
    }

    /// Counts a request of an address about logging in.
    pub fn auth(&self, address: IpAddr) -> Result<(), Problem> {
        of_visitor(self.auth.as_deref(), address).map(drop)
    }

    /// The same, with a limit to the coupon codes that one address may enter a minute; 0 is no limit.
    pub fn with_coupons(self, address: u32) -> Self {
        Self { coupons: Limit::new("coupons", address), ..self }
    }

    /// Counts coupon codes that an address enters.
    pub fn coupons(&self, address: IpAddr) -> Result<(), Problem> {
        of_visitor(self.coupons.as_deref(), address).map(drop)
    }

    /// The same, with a limit to the keys that one address may check, activate or deactivate a minute; 0 is no limit.
    pub fn with_licences(self, address: u32) -> Self {
        Self { licences: Limit::new("licences", address), ..self }
    }

    /// Counts a key that an address checks, activates or deactivates.
    pub fn licences(&self, address: IpAddr) -> Result<(), Problem> {
        of_visitor(self.licences.as_deref(), address).map(drop)
    }

    /// The same, with so many codes of gift cards per minute and address.
    pub fn with_gift_cards(self, address: u32) -> Self {
        Self { gift_cards: Limit::new("gift_cards", address), ..self }
    }

    /// Counts a code of a gift card that an address checks or pays with.
    pub fn gift_cards(&self, address: IpAddr) -> Result<(), Problem> {
        of_visitor(self.gift_cards.as_deref(), address).map(drop)
    }

    /// The same, with so many requests of one visitor under way at a time.
    pub fn with_under_way(self, each: usize) -> Self {
        Self { under_way: Some(ConcurrencyLimit::new(usize::MAX, each)), ..self }
    }

    /// The same, with so many bytes of responses in memory, of all visitors and of each.
    pub fn with_held(self, all: usize, each: usize) -> Self {
        Self { held: ConcurrencyLimit::new(all, each), ..self }
    }

    /// Counts a request of an address, and takes a place among those that are under way, until the response was sent.
    ///
    /// # Errors
    /// When the address asks too much, or reads too little of what it asked for.
    pub fn admit(&self, address: IpAddr, cost: NonZeroU32) -> Result<(Option<Standing>, Option<Permit>), Problem> {
        let standing = self.address(address, cost)?;
        self.held.has_room_for(address).map_err(Self::unread)?;
        Ok((standing, self.under_way(address)?))
    }

    /// The bytes of responses that visitors have in memory.
    pub(crate) fn held(&self) -> &ConcurrencyLimit {
        &self.held
    }

    /// Responses that are not read take up all the memory that there is for them.
    pub(crate) fn unread(full: Full) -> Problem {
        let problem = match full {
            Full::All => {
                let detail = "too many responses are unread; read them first";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "server.busy", detail)
            }
            Full::Each => {
                let detail = "this address has too many unread responses; read them first";
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "request.too_many", detail)
            }
        };
        problem.retry_after(COME_BACK_S)
    }

    /// Acquires a permit for a concurrent request, until the response is sent.
    pub fn under_way(&self, address: IpAddr) -> Result<Option<Permit>, Problem> {
        let full = |_| {
            let detail = "this address has too many concurrent requests";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "request.too_many", detail);
            problem.retry_after(COME_BACK_S)
        };
        self.under_way.as_ref().map(|limit| limit.acquire(address)).transpose().map_err(full)
    }

    /// The same, with a limit to the guests' carts that one address may check out a minute; 0 is no limit.
    pub fn with_checkouts(self, address: u32) -> Self {
        Self { checkouts: Limit::new("checkouts", address), ..self }
    }

    /// Counts a guest's cart that an address checks out.
    pub fn checkouts(&self, address: IpAddr) -> Result<(), Problem> {
        of_visitor(self.checkouts.as_deref(), address).map(drop)
    }

    /// The same, with a limit to the requests of one address a minute that change something for a guest; 0 is no limit.
    pub fn with_guest_writes(self, address: u32) -> Self {
        Self { guest_writes: Limit::new("guest-writes", address), ..self }
    }

    /// Counts a request of an address that changes something for a guest.
    pub fn guest_writes(&self, address: IpAddr) -> Result<(), Problem> {
        of_visitor(self.guest_writes.as_deref(), address).map(drop)
    }

    /// The same, with a limit to the requests of one customer's account a minute that change something; 0 is no limit.
    pub fn with_account_writes(self, account: u32) -> Self {
        Self { account_writes: Limit::new("account-writes", account), ..self }
    }

    /// Counts a request of a customer's account that changes something.
    pub fn account_writes(&self, account: AccountId) -> Result<(), Problem> {
        self.account_writes.as_ref().map(|limit| limit.take(&account.uuid())).transpose().map(drop)
    }

    /// The guesses at passwords.
    pub fn guesses(&self) -> &Guesses {
        &self.guesses
    }

    /// Acquires a permit for an open stream of changes.
    pub fn stream(&self, address: IpAddr) -> Result<Permit, Problem> {
        let (status, code, detail) = match self.streams.acquire(address) {
            Ok(permit) => return Ok(permit),
            Err(Full::All) => (StatusCode::SERVICE_UNAVAILABLE, "server.busy", "too many streams are open".to_owned()),
            Err(Full::Each) => {
                let detail = format!("one address may have {STREAMS_EACH} open streams");
                (StatusCode::TOO_MANY_REQUESTS, "request.too_many", detail)
            }
        };
        Err(Problem::new(status, code, detail).retry_after(COME_BACK_S))
    }

    /// How many connections one visitor may have, if that is limited.
    pub fn connections_each(&self) -> Option<usize> {
        self.connections_each
    }

    /// Counts a request with the key of a program.
    pub fn key(&self, key: ApiKeyId) -> Result<Option<Standing>, Problem> {
        self.account.as_ref().map(|limit| limit.take(&key.uuid())).transpose()
    }

    /// Counts a request of an address, by its cost.
    pub fn address(&self, address: IpAddr, units: NonZeroU32) -> Result<Option<Standing>, Problem> {
        let limit = self.address.as_ref();
        limit.map(|limit| limit.take_many(&crate::edge::proxies::network(address), units)).transpose()
    }

    /// Counts a request of an account.
    pub fn account(&self, account: AccountId) -> Result<Option<Standing>, Problem> {
        self.account.as_ref().map(|limit| limit.take(&account.uuid())).transpose()
    }

    /// Forgets those who have their whole quota again, until the program ends.
    pub async fn sweep(self, cancel: CancellationToken) {
        let mut every = tokio::time::interval(SWEEP);
        while cancel.run_until_cancelled(every.tick()).await.is_some() {
            let of_addresses = [&self.address, &self.auth, &self.coupons, &self.checkouts, &self.guest_writes];
            for limit in of_addresses.into_iter().flatten() {
                limit.keyed.retain_recent();
            }
            for limit in [&self.account, &self.account_writes].into_iter().flatten() {
                limit.keyed.retain_recent();
            }
        }
    }
}

/// Counts what a visitor asks against a limit, where there is one.
fn of_visitor(limit: Option<&Limit<IpAddr>>, address: IpAddr) -> Result<Option<Standing>, Problem> {
    limit.map(|limit| limit.take(&crate::edge::proxies::network(address))).transpose()
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(name: &'static str, quota: u32) -> Option<Arc<Self>> {
        let burst = NonZeroU32::new(quota)?;
        let keyed = RateLimiter::dashmap(Quota::per_minute(burst));
        let policy = HeaderValue::try_from(format!("\"{name}\";q={quota};w={WINDOW_S}")).ok()?;
        Some(Arc::new(Self { name, quota, policy, keyed: keyed.with_middleware() }))
    }

    fn take(&self, key: &K) -> Result<Standing, Problem> {
        self.take_many(key, NonZeroU32::MIN)
    }

    fn take_many(&self, key: &K, units: NonZeroU32) -> Result<Standing, Problem> {
        // What is larger than the whole quota takes all of it.
        let units = NonZeroU32::new(self.quota).map_or(units, |quota| units.min(quota));
        match self.keyed.check_key_n(key, units).map_err(|_| Problem::internal())? {
            Ok(snapshot) => {
                let left = snapshot.remaining_burst_capacity();
                // The bucket fills evenly, so the whole quota is back after its missing part of the window.
                let missing = u64::from(self.quota.saturating_sub(left));
                let reset_s = (missing * WINDOW_S).div_ceil(u64::from(self.quota));
                let left = HeaderValue::try_from(format!("\"{}\";r={left};t={reset_s}", self.name));
                Ok(Standing { policy: self.policy.clone(), left: left.unwrap_or_else(|_| self.policy.clone()) })
            }
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                let seconds = u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX);
                let detail = format!(
                    "the quota of {} per minute is used up: wait, or spread the requests ({})",
                    self.quota, self.name
                );
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "request.too_many", detail);
                Err(problem.retry_after(seconds))
            }
        }
    }
}

#[cfg(test)]
mod tests;
