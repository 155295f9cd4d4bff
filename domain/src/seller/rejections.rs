//! Why a seller refuses a command, and its limits.

use chrono::TimeDelta;

/// The maximum number of members of a seller, invited ones included: a large shop with its shifts.
pub const MEMBERS_MAX: usize = 50;
/// How long an invitation is valid: people on holiday read their mail the next week.
pub const INVITED_FOR: TimeDelta = TimeDelta::days(7);
/// The maximum number of invitations within [`INVITATION_WINDOW`]: no seller can use the shop to fill mailboxes.
pub const INVITATIONS_MAX: usize = 20;
/// The window in which invitations are counted.
pub const INVITATION_WINDOW: TimeDelta = TimeDelta::hours(24);

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such seller";
        Exists => Conflict: "the seller already exists";
        HandleReserved => Invalid at "/handle": "this handle is reserved; choose another one";
        Decided => Conflict: "the application was already approved";
        NotActive => Conflict: "the seller is not approved, or is suspended";
        NotSuspended => Conflict: "the seller is not suspended";
        Over => Conflict: "the seller is rejected or closed";
        NameFixed => Conflict at "/name": "the name of a seller cannot be changed once it is approved";
        NoPlatform => Conflict:
            "the house is no platform at PayPal, so PayPal cannot pay sellers: set BYTESHOP_PAYPAL_PARTNER_ID";
        OwnAccount => Invalid at "/merchant": "this is the account of the house; name that of the seller";
        NoAddress => Invalid at "/address": "the address has at least one line";
        OwnersOnly => Forbidden: "only an owner of the seller may do this";
        NoSuchMember => Missing: "the seller has no such member";
        AlreadyMember => Conflict: "the account is already a member of the seller";
        LastOwner => Conflict: "a seller needs an owner: make another member an owner first";
        TooManyMembers => Conflict: "a seller can have at most {MEMBERS_MAX} members, invited ones included";
        AlreadyInvited => Conflict at "/email": "this address was already invited; revoke that invitation first";
        TooManyInvitations => Conflict: "a seller can send at most {INVITATIONS_MAX} invitations a day";
        /// The code is not one that was issued, was used, or was revoked.
        InvalidCode => Invalid at "/code": "the code is invalid; ask the seller for another invitation";
        InvitationExpired => Invalid at "/code": "the invitation has expired; ask the seller for another one";
        OtherMailbox => Forbidden:
            "the invitation was sent to another address: log in with the account of that address";
    }
}
