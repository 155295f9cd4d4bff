//! Limits guesses at a secret, with a token bucket that refills slowly.
//!
//! A guess is counted before it is checked, so that concurrent ones count too, and returned if it was right.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use lru::LruCache;

use crate::edge::problem::Problem;

/// Guesses that are left at first: people try the passwords they know.
pub const GUESSES: u32 = 10;
/// How long it takes until one more may be made: some 1,400 a day, of passwords that are not the common ones.
pub const ONE_MORE: TimeDelta = TimeDelta::minutes(1);
/// The number of remembered secrets; to evict one an attacker has to guess at as many others, from rate-limited
/// addresses.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(100_000).expect("a positive number");

/// The guesses at many secrets, each known by a text.
#[derive(Debug)]
pub struct Guesses {
    most: u32,
    made: Mutex<LruCache<String, Made>>,
}

/// The guesses at one secret, as they were at a moment.
#[derive(Debug, Clone, Copy)]
struct Made {
    wrong: u32,
    at: DateTime<Utc>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self::with(GUESSES)
    }
}

impl Guesses {
    /// With so many guesses at first; 0 is no limit.
    pub fn with(most: u32) -> Self {
        Self { most, made: Mutex::new(LruCache::new(REMEMBERED)) }
    }

    /// Counts a guess, if one is left.
    pub fn take(&self, secret: &str, now: DateTime<Utc>) -> Result<(), Problem> {
        if self.most == 0 {
            return Ok(());
        }
        let mut made = self.made();
        let known = made.get(secret).copied().map_or(Made { wrong: 0, at: now }, |known| known.later(now));
        if known.wrong >= self.most {
            let wait = (known.at + ONE_MORE - now).num_seconds().max(0);
            let detail = "too many wrong attempts; wait, or request a password reset";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "auth.too_many_attempts", detail);
            return Err(problem.retry_after(u32::try_from(wait + 1).unwrap_or(u32::MAX)));
        }
        made.put(secret.to_owned(), Made { wrong: known.wrong + 1, ..known });
        Ok(())
    }

    /// Returns a guess that was right.
    pub fn give_back(&self, secret: &str) {
        if let Some(made) = self.made().get_mut(secret) {
            made.wrong = made.wrong.saturating_sub(1);
        }
    }

    fn made(&self) -> MutexGuard<'_, LruCache<String, Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Made {
    /// The state after some time.
    fn later(self, now: DateTime<Utc>) -> Self {
        let back = (now - self.at).num_seconds().max(0) / ONE_MORE.num_seconds();
        let back = u32::try_from(back).unwrap_or(u32::MAX);
        match self.wrong.checked_sub(back) {
            Some(wrong) if wrong > 0 => Self { wrong, at: self.at + ONE_MORE * i32::try_from(back).unwrap_or(0) },
            Some(_) | None => Self { wrong: 0, at: now },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_268_800, 0).unwrap()
    }

    fn left(guesses: &Guesses, secret: &str, now: DateTime<Utc>) -> u32 {
        (0..100).take_while(|_| guesses.take(secret, now).is_ok()).count().try_into().unwrap()
    }

    #[test]
    fn so_many_are_made_at_first_and_one_more_each_minute() {
        let guesses = Guesses::with(3);
        assert_eq!(left(&guesses, "ada", noon()), 3);
        assert_eq!(left(&guesses, "berta", noon()), 3);
        assert_eq!(left(&guesses, "ada", noon() + ONE_MORE - TimeDelta::seconds(1)), 0);
        assert_eq!(left(&guesses, "ada", noon() + ONE_MORE), 1);
        assert_eq!(left(&guesses, "ada", noon() + ONE_MORE * 3), 2);
        assert_eq!(left(&guesses, "ada", noon() + ONE_MORE * 100), 3);
        let refused = guesses.take("ada", noon() + ONE_MORE * 100).unwrap_err();
        assert_eq!((refused.status(), refused.code()), (StatusCode::TOO_MANY_REQUESTS, "auth.too_many_attempts"));
    }

    #[test]
    fn who_is_right_is_not_counted() {
        let guesses = Guesses::with(2);
        for _ in 0..10 {
            guesses.take("ada", noon()).unwrap();
            guesses.give_back("ada");
        }
        assert_eq!(left(&guesses, "ada", noon()), 2);
    }

    #[test]
    fn zero_is_no_limit() {
        let guesses = Guesses::with(0);
        assert!((0..100).all(|_| guesses.take("ada", noon()).is_ok()));
    }
}
