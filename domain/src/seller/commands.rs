//! The commands of a seller.

use super::events::Role;
use crate::account::Secret;
use crate::ids::{AccountId, InvitationId};
use crate::issuer::LegalData;
use crate::text::{Country, Description, Email, Handle, Hash, Label, MerchantId, Name, Reason};
use crate::{Locale, Personal};

/// The commands of a seller.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Apply to sell.
    Apply {
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
        /// The account that applies.
        owner: AccountId,
    },
    /// Change the details; absent fields stay as they are.
    Revise {
        /// The new name.
        name: Option<Name>,
        /// The new description.
        description: Option<Description>,
        /// The new e-mail address at which the house reaches it.
        contact: Option<Personal<Email>>,
    },
    /// Approve the application.
    Approve {},
    /// Reject the application.
    Reject {
        /// The reason.
        reason: Reason,
    },
    /// Suspend the seller.
    Suspend {
        /// The reason.
        reason: Reason,
    },
    /// Lift the suspension.
    Reinstate {},
    /// Close the seller for good, or withdraw its application.
    Close {},
    /// Invite a person to become a member.
    Invite {
        /// The id of the invitation.
        invitation: InvitationId,
        /// The address.
        email: Personal<Email>,
        /// The keyed hash of the address.
        email_hash: Label,
        /// The role that it gives.
        role: Role,
        /// The code.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
        /// The language of the mail.
        locale: Locale,
    },
    /// Revoke an invitation.
    Revoke {
        /// The invitation.
        invitation: InvitationId,
    },
    /// Accept an invitation.
    Accept {
        /// The account.
        account: AccountId,
        /// The keyed hash of its e-mail address.
        email_hash: Label,
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Set the role of a member.
    SetRole {
        /// The account.
        account: AccountId,
        /// The role.
        role: Role,
    },
    /// Remove a member, or leave.
    Remove {
        /// The account.
        account: AccountId,
    },
    /// Give or change the legal data.
    GiveLegalData {
        /// The legal data.
        legal: Personal<LegalData>,
    },
    /// Remove the legal data.
    RemoveLegalData {},
    /// Have what buyers pay with PayPal go to the seller's own account there.
    LinkPaypal {
        /// The account.
        account: MerchantId,
    },
    /// Have it go to the account of the house.
    UnlinkPaypal {},
    /// End the membership of an account that is closed.
    Forget {
        /// The account.
        account: AccountId,
    },
}
