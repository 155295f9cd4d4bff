//! Codes that are sent by mail, to confirm an address or to set a new password; and changing a known password.

use chrono::{DateTime, TimeDelta, Utc};

use super::{CONFIRM_WITHIN, Decision, Event, MAIL_EVERY, Open, Pending, RESET_WITHIN, Rejection, Secret};
use crate::Personal;
use crate::text::Hash;

impl Open {
    pub(super) fn change_password(&self, seen: u32, password: &Personal<Secret>) -> Decision {
        self.usable(seen)?;
        Ok(vec![Event::PasswordChanged { password: password.clone() }])
    }

    pub(super) fn note_registration(&self, at: DateTime<Utc>) -> Vec<Event> {
        let lately = self.repeated_at.is_some_and(|last| at < last + MAIL_EVERY);
        if lately { vec![] } else { vec![Event::RegistrationRepeated { at }] }
    }

    pub(super) fn contest(&self, code: &Personal<Secret>, code_hash: &Hash, at: DateTime<Utc>) -> Vec<Event> {
        if self.confirmed {
            return self.note_registration(at);
        }
        let mut events = if self.contested { vec![] } else { vec![Event::RegistrationContested {}] };
        events.extend(self.request_reset(code, code_hash, at));
        events
    }

    pub(super) fn request_confirmation(
        &self,
        code: &Personal<Secret>,
        code_hash: &Hash,
        at: DateTime<Utc>,
    ) -> Vec<Event> {
        if self.contested {
            return self.request_reset(code, code_hash, at);
        }
        if self.confirmed || is_new(self.confirmation.as_ref(), CONFIRM_WITHIN, at) {
            return vec![];
        }
        let expires_at = at + CONFIRM_WITHIN;
        vec![Event::ConfirmationRequested { code: code.clone(), code_hash: code_hash.clone(), expires_at }]
    }

    pub(super) fn confirm(&self, code_hash: &Hash, at: DateTime<Utc>) -> Decision {
        let pending = self.confirmation.as_ref().filter(|pending| pending.hash == *code_hash);
        let pending = pending.ok_or(Rejection::InvalidCode)?;
        if self.confirmed {
            // The link was followed twice.
            return Ok(vec![]);
        }
        if self.contested {
            // Otherwise a stranger who registered with the address first would get access when the owner confirms it.
            return Err(Rejection::InvalidCode);
        }
        if pending.expires_at < at { Err(Rejection::CodeExpired) } else { Ok(vec![Event::Confirmed {}]) }
    }

    pub(super) fn request_reset(&self, code: &Personal<Secret>, code_hash: &Hash, at: DateTime<Utc>) -> Vec<Event> {
        if is_new(self.reset.as_ref(), RESET_WITHIN, at) {
            return vec![];
        }
        let expires_at = at + RESET_WITHIN;
        vec![Event::PasswordResetRequested { code: code.clone(), code_hash: code_hash.clone(), expires_at }]
    }

    pub(super) fn reset_password(&self, code_hash: &Hash, password: &Personal<Secret>, at: DateTime<Utc>) -> Decision {
        let pending = self.reset.as_ref().filter(|pending| pending.hash == *code_hash);
        if pending.ok_or(Rejection::InvalidCode)?.expires_at < at {
            return Err(Rejection::CodeExpired);
        }
        let mut events = vec![Event::PasswordChanged { password: password.clone() }];
        // The code came by mail, so the mailbox is the owner's.
        events.extend((!self.confirmed).then_some(Event::Confirmed {}));
        Ok(events)
    }
}

/// Whether a code was requested so recently that another mail would only fill the mailbox.
pub(super) fn is_new(pending: Option<&Pending>, within: TimeDelta, at: DateTime<Utc>) -> bool {
    pending.is_some_and(|pending| at < pending.expires_at - within + MAIL_EVERY)
}
