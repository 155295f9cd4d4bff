//! The second factor of an account: time-based one-time passwords (RFC 6238), and recovery codes for whoever lost the device.
//!
//! ```text
//! (none) ──enrolled──▶ pending ──confirmed──▶ active ──used, recovery code used──┐
//!    ▲                    │                    │  ▲                              │
//!    └────────────────────┴─────── removed ────┘  └──────────────────────────────┘
//! ```
//!
//! Whether a code is right is computed outside, as that takes the secret, which the domain cannot read. What is decided here is
//! that each code counts once: a step of time is only accepted after the last one that was (RFC 6238, section 5.2), and a
//! recovery code is struck off.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::events::Event;
use super::person::Secret;
use super::rejections::Rejection;
use crate::Personal;
use crate::text::Hash;

/// How long a secret waits to be confirmed: whoever asked for it has their phone in hand.
pub const ENROL_WITHIN: TimeDelta = TimeDelta::hours(1);

/// The second factor of an account.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SecondFactor {
    /// How many secrets it has had: what tells whether the one that was looked at is still the one.
    pub enrolments: u32,
    /// A secret whose first code is still to be shown.
    pub pending: Option<Pending>,
    /// The factor that is asked for.
    pub active: Option<Active>,
}

/// A secret that waits for its first code.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pending {
    /// What its codes are computed from.
    pub secret: Personal<Secret>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A factor that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Active {
    /// Which of the account's secrets it is.
    pub enrolment: u32,
    /// What its codes are computed from.
    pub secret: Personal<Secret>,
    /// The last step of time whose code was accepted.
    pub last_step: u64,
    /// The hashes of the recovery codes that are left.
    pub recovery: Vec<Hash>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A code that was shown and found right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Of a step of time, computed from a secret.
    Totp {
        /// Which of the account's secrets: [`Active::enrolment`] as it was looked at.
        enrolment: u32,
        /// The step: seconds since 1970, divided by 30.
        step: u64,
    },
    /// One of the recovery codes.
    Recovery {
        /// The hash of the code.
        code_hash: Hash,
    },
}

/// What can be done about the second factor of an account.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Give it a secret, which counts when a code of it was shown.
    Enrol {
        /// What the codes are computed from.
        secret: Personal<Secret>,
    },
    /// Ask for it from now on: a code of the pending secret was shown.
    Confirm {
        /// Which of the account's secrets: [`SecondFactor::enrolments`] as it was looked at.
        enrolment: u32,
        /// The step of time of the code.
        step: u64,
        /// The hashes of the recovery codes.
        code_hashes: Vec<Hash>,
    },
    /// Ask for none any more, as its owner wishes.
    Remove {},
    /// Ask for none any more, since its owner has lost it: by another admin.
    Reset {},
}

impl SecondFactor {
    /// Whether it is asked for.
    pub fn is_active(&self) -> bool {
        self.active.is_some()
    }

    pub(super) fn enrolled(&mut self, secret: &Personal<Secret>, at: DateTime<Utc>) {
        self.enrolments = self.enrolments.saturating_add(1);
        self.pending = Some(Pending { secret: secret.clone(), since: at });
    }

    pub(super) fn confirmed(&mut self, step: u64, code_hashes: &[Hash], at: DateTime<Utc>) {
        let Some(Pending { secret, .. }) = self.pending.take() else { return };
        let (enrolment, recovery) = (self.enrolments, code_hashes.to_vec());
        self.active = Some(Active { enrolment, secret, last_step: step, recovery, since: at });
    }

    pub(super) fn used(&mut self, step: u64) {
        if let Some(active) = &mut self.active {
            active.last_step = step;
        }
    }

    pub(super) fn recovered(&mut self, code_hash: &Hash) {
        if let Some(active) = &mut self.active {
            active.recovery.retain(|kept| kept != code_hash);
        }
    }

    pub(super) fn removed(&mut self) {
        (self.pending, self.active) = (None, None);
    }

    /// What is written down of a code that counts.
    pub(super) fn accept(&self, proof: Option<&Proof>) -> Result<Option<Event>, Rejection> {
        match (&self.active, proof) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(Rejection::SecondFactorRequired),
            (None, Some(_)) => Err(Rejection::SecondFactorChanged),
            (Some(active), Some(Proof::Totp { enrolment, step })) => {
                if *enrolment != active.enrolment {
                    return Err(Rejection::SecondFactorChanged);
                }
                if *step <= active.last_step {
                    return Err(Rejection::CodeUsed);
                }
                Ok(Some(Event::TotpUsed { step: *step }))
            }
            (Some(active), Some(Proof::Recovery { code_hash })) => {
                let left = active.recovery.contains(code_hash);
                if left {
                    Ok(Some(Event::RecoveryCodeUsed { code_hash: code_hash.clone() }))
                } else {
                    Err(Rejection::CodeUsed)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
