//! The second factor of an account: time-based one-time passwords (RFC 6238), and recovery codes in place of a lost device.
//!
//! ```text
//! (none) ──enrolled──▶ pending ──confirmed──▶ active ──used, recovery code used──┐
//!    ▲                    │                    │  ▲                              │
//!    └────────────────────┴─────── removed ────┘  └──────────────────────────────┘
//! ```
//!
//! Whether a code is right is computed outside, as that needs the secret, which the domain cannot read. Decided here is that
//! each code is accepted once: a time step must be later than the last accepted one (RFC 6238, section 5.2), and a used
//! recovery code is removed.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::events::Event;
use super::person::Secret;
use super::rejections::Rejection;
use crate::Personal;
use crate::text::Hash;

/// How long a new secret waits for its first code: the owner has the phone at hand.
pub const ENROL_WITHIN: TimeDelta = TimeDelta::hours(1);

/// The second factor of an account.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SecondFactor {
    /// The number of secrets it has had; tells whether the secret that was checked is still the current one.
    pub enrolments: u32,
    /// A secret whose first code is not confirmed yet.
    pub pending: Option<Pending>,
    /// The active factor.
    pub active: Option<Active>,
}

/// A secret that waits for its first code.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pending {
    /// The secret that codes are computed from.
    pub secret: Personal<Secret>,
    /// Since when it waits.
    pub since: DateTime<Utc>,
}

/// An active factor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Active {
    /// The number of its secret.
    pub enrolment: u32,
    /// The secret that codes are computed from.
    pub secret: Personal<Secret>,
    /// The last time step whose code was accepted.
    pub last_step: u64,
    /// The hashes of the recovery codes that are left.
    pub recovery: Vec<Hash>,
    /// Since when it is active.
    pub since: DateTime<Utc>,
}

/// A code that was presented and is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A one-time password.
    Totp {
        /// The number of its secret: [`Active::enrolment`] when the code was checked.
        enrolment: u32,
        /// The time step: seconds since 1970, divided by 30.
        step: u64,
    },
    /// A recovery code.
    Recovery {
        /// The hash of the code.
        code_hash: Hash,
    },
}

/// The commands about the second factor.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Enrol a secret, which takes effect when its first code is confirmed.
    Enrol {
        /// The secret that codes are computed from.
        secret: Personal<Secret>,
    },
    /// Activate the second factor: the first code of the pending secret is right.
    Confirm {
        /// The number of the secret: [`SecondFactor::enrolments`] when the code was checked.
        enrolment: u32,
        /// The time step of the code.
        step: u64,
        /// The hashes of the recovery codes.
        code_hashes: Vec<Hash>,
    },
    /// Remove the second factor, by its owner.
    Remove {},
    /// Remove the second factor of an owner who lost it, by another admin.
    Reset {},
}

impl SecondFactor {
    /// Whether a log-in requires it.
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

    /// The events of an accepted code.
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
