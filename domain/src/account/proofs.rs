//! Proofs beside the password, and their changes.

use super::second_factor::{Command, ENROL_WITHIN, Proof};
use super::{Decision, Event, Open, Rejection};
use crate::decider::Asked;

impl Open {
    /// Whether the owner can log in with the password that was checked and the code beside it; returns the events of that.
    pub(super) fn prove(&self, seen: u32, proof: Option<&Proof>) -> Result<Option<Event>, Rejection> {
        self.usable(seen)?;
        self.second_factor.accept(proof)
    }

    pub(super) fn change_second_factor(&self, command: &Command, asked: &Asked) -> Decision {
        let factor = &self.second_factor;
        match command {
            Command::Enrol { .. } if factor.is_active() => Err(Rejection::SecondFactorExists),
            Command::Enrol { secret } => Ok(vec![Event::TotpEnrolled { secret: secret.clone(), at: asked.at }]),
            Command::Confirm { enrolment, step, code_hashes } => {
                let pending = factor.pending.as_ref().filter(|pending| asked.at < pending.since + ENROL_WITHIN);
                if pending.is_none() || *enrolment != factor.enrolments {
                    return Err(Rejection::NoEnrolment);
                }
                Ok(vec![Event::TotpConfirmed { step: *step, code_hashes: code_hashes.clone(), at: asked.at }])
            }
            Command::Remove {} => Ok(self.remove_second_factor()),
            Command::Reset {} => {
                self.not_own(asked)?;
                Ok(self.remove_second_factor())
            }
        }
    }

    fn remove_second_factor(&self) -> Vec<Event> {
        let there = self.second_factor.is_active() || self.second_factor.pending.is_some();
        if there { vec![Event::TotpRemoved {}] } else { vec![] }
    }
}
