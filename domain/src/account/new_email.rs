//! A change of the e-mail address: requested with the password, confirmed with the code that is sent to the new address.

use chrono::{DateTime, Utc};

use super::codes::is_new;
use super::{Decision, EMAIL_CHANGE_WITHIN, Event, Open, Rejection, Secret};
use crate::Personal;
use crate::text::{Email, Hash};

impl Open {
    /// The decision does not depend on whether another account has the address, so that the request does not reveal it.
    pub(super) fn request_email_change(
        &self,
        seen: u32,
        email: &Personal<Email>,
        code: &Personal<Secret>,
        code_hash: &Hash,
        at: DateTime<Utc>,
    ) -> Decision {
        self.usable(seen)?;
        if is_new(self.new_email.as_ref().map(|pending| &pending.code), EMAIL_CHANGE_WITHIN, at) {
            return Err(Rejection::EmailChangeTooSoon);
        }
        let (email, code, code_hash) = (email.clone(), code.clone(), code_hash.clone());
        Ok(vec![Event::EmailChangeRequested { email, code, code_hash, expires_at: at + EMAIL_CHANGE_WITHIN }])
    }

    pub(super) fn change_email(&self, code_hash: &Hash, at: DateTime<Utc>) -> Decision {
        let pending = self.new_email.as_ref().filter(|pending| pending.code.hash == *code_hash);
        let pending = pending.ok_or(Rejection::InvalidCode)?;
        if self.ban.is_some() {
            return Err(Rejection::Banned);
        }
        if pending.code.expires_at < at {
            return Err(Rejection::CodeExpired);
        }
        Ok(vec![Event::EmailChanged { email: pending.email.clone() }])
    }
}
