//! The events of a seller.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::account::Secret;
use crate::ids::{AccountId, InvitationId};
use crate::issuer::LegalData;
use crate::text::{Country, Description, Email, Handle, Hash, Label, MerchantId, Name, Reason};
use crate::{Locale, Personal};

/// The role of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Keeps the seller's products, its details and its members.
    Owner,
    /// Keeps the seller's products.
    Staff,
}

/// The status of a seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The application waits for a decision.
    Applied,
    /// The seller is seen and sells.
    Approved,
    /// The application was rejected.
    Rejected,
    /// The seller does not sell for now.
    Suspended,
    /// The seller was closed for good.
    Closed,
}

/// What happened to a seller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An account applied to sell; it is the first owner.
    Applied {
        /// The handle.
        handle: Handle,
        /// The name.
        name: Name,
        /// The description.
        description: Description,
        /// The country that it sells from.
        country: Country,
        /// The e-mail address at which the house reaches it.
        contact: Personal<Email>,
        /// The account.
        owner: AccountId,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The details were changed; fields that did not change are absent.
    Revised {
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Name>,
        /// The new description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Description>,
        /// The new e-mail address at which the house reaches it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<Personal<Email>>,
    },
    /// The application was approved.
    Approved {
        /// The time.
        at: DateTime<Utc>,
    },
    /// The application was rejected.
    Rejected {
        /// The reason.
        reason: Reason,
    },
    /// The seller was suspended: its products are neither shown nor sold.
    Suspended {
        /// The reason.
        reason: Reason,
    },
    /// The suspension was lifted.
    Reinstated {},
    /// The seller was closed for good, or its application withdrawn.
    Closed {},
    /// A person was invited by e-mail to become a member.
    MemberInvited {
        /// The invitation.
        invitation: InvitationId,
        /// The address, sealed with the key of the invitation, which is destroyed when the invitation ends.
        email: Personal<Email>,
        /// The keyed hash of the address.
        email_hash: Label,
        /// The role that it gives.
        role: Role,
        /// The code, for the mail.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
        /// The language of the mail.
        locale: Locale,
        /// The time.
        at: DateTime<Utc>,
        /// When the invitation expires.
        expires_at: DateTime<Utc>,
    },
    /// An invitation was revoked.
    InvitationRevoked {
        /// The invitation.
        invitation: InvitationId,
    },
    /// An account accepted an invitation.
    MemberJoined {
        /// The invitation.
        invitation: InvitationId,
        /// The account.
        account: AccountId,
        /// The role.
        role: Role,
    },
    /// The role of a member was set.
    MemberRoleSet {
        /// The account.
        account: AccountId,
        /// The role.
        role: Role,
    },
    /// The legal data of the seller was given or changed: from then on it supplies in its own name.
    LegalDataGiven {
        /// The legal data, sealed with the key of the seller.
        legal: Personal<LegalData>,
    },
    /// The legal data was removed: the house supplies the seller's goods in the house's name again.
    LegalDataRemoved {},
    /// What a buyer pays with PayPal for goods of the seller alone goes to the seller's own account there.
    PaypalLinked {
        /// The account.
        account: MerchantId,
    },
    /// It goes to the account of the house again.
    PaypalUnlinked {},
    /// An account is no longer a member: it left, was removed, or was closed.
    MemberLeft {
        /// The account.
        account: AccountId,
    },
}

impl crate::Event for Event {}

impl Status {
    /// The status that a seller has after an event; none if the event leaves it as it is.
    pub fn after(event: &Event) -> Option<Self> {
        match event {
            Event::Applied { .. } => Some(Self::Applied),
            Event::Approved { .. } | Event::Reinstated {} => Some(Self::Approved),
            Event::Rejected { .. } => Some(Self::Rejected),
            Event::Suspended { .. } => Some(Self::Suspended),
            Event::Closed {} => Some(Self::Closed),
            Event::Revised { .. }
            | Event::MemberInvited { .. }
            | Event::InvitationRevoked { .. }
            | Event::MemberJoined { .. }
            | Event::MemberRoleSet { .. }
            | Event::LegalDataGiven { .. }
            | Event::LegalDataRemoved {}
            | Event::PaypalLinked { .. }
            | Event::PaypalUnlinked {}
            | Event::MemberLeft { .. } => None,
        }
    }
}
