//! A seller of the marketplace: who sells beside the house, and the accounts that act for it.
//!
//! ```text
//! (missing) ──applied──▶ applied ──approved──▶ approved ──suspended──▶ suspended
//!                           │  │                   │  ▲                    │ │
//!                           │  └──rejected──▶ rejected └────reinstated─────┘ │
//!                           └────────────────closed┴───────────closed───────┘
//!                                            ▼
//!                                    closed (final), as is rejected
//! ```
//!
//! Only an approved seller is seen and sells. The [name](crate::name) of its handle is claimed in the append of the application. It
//! is released when the application is rejected or withdrawn; a seller that was approved keeps its handle for good, so that no
//! other seller can take its place.
//!
//! Members are accounts with a [role](Role). They are invited by e-mail, and the account whose address it is accepts. As long as
//! a seller is not over it has an owner. The account records its sellers too, in the same append, so that closing the account
//! ends its memberships.
//!
//! A seller with legal data supplies in its own name: papers of its goods name it ([`Supplier`]), and it owes the sales tax. The goods
//! of all other sellers are supplied by the house.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::Personal;
use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, InvitationId, SellerId};
use crate::issuer::{LegalData, Supplier};
use crate::text::{Country, Description, Email, Handle, Hash, Label, MerchantId, Name, Reason};

mod commands;
mod events;
mod rejections;
mod reserved;

pub use commands::Command;
pub use events::{Event, Role, Status};
pub use rejections::{INVITATION_WINDOW, INVITATIONS_MAX, INVITED_FOR, MEMBERS_MAX, Rejection};
use reserved::is_reserved;

/// The state of a seller.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Seller {
    /// The seller does not exist.
    #[default]
    Missing,
    /// The seller exists.
    Known(Box<Known>),
}

/// A seller that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Known {
    /// The status.
    pub status: Status,
    /// The handle.
    pub handle: Handle,
    /// The name.
    pub name: Name,
    /// The description.
    pub description: Description,
    /// The country that it sells from.
    pub country: Country,
    /// The e-mail address at which the house reaches it.
    pub contact: Personal<Email>,
    /// When it applied.
    pub applied_at: DateTime<Utc>,
    /// When it was approved.
    pub since: Option<DateTime<Utc>>,
    /// Why it is rejected or suspended.
    pub reason: Option<Reason>,
    /// Its legal data; none if the house supplies its goods.
    pub legal: Option<Personal<LegalData>>,
    /// Its own account at PayPal, to which the house has PayPal pay it; none if the house pays it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paypal: Option<MerchantId>,
    /// The members.
    pub members: BTreeMap<AccountId, Role>,
    /// The invitations that were neither accepted nor revoked; some may have expired.
    pub invitations: BTreeMap<InvitationId, Invitation>,
    /// When the last [`INVITATIONS_MAX`] invitations were sent, the oldest first.
    invited: VecDeque<DateTime<Utc>>,
}

/// An invitation to become a member.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Invitation {
    /// The address that it was sent to.
    pub email: Personal<Email>,
    /// The keyed hash of the address.
    pub email_hash: Label,
    /// The role that it gives.
    pub role: Role,
    /// The hash of its code.
    #[serde(skip)]
    pub code_hash: Hash,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Seller {
    const CATEGORY: &'static str = "seller";
    type Id = SellerId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        if let Command::Apply { handle, name, description, country, contact, owner } = command {
            if is_reserved(handle) {
                return Err(Rejection::HandleReserved);
            }
            let Self::Missing = self else { return Err(Rejection::Exists) };
            return Ok(vec![Event::Applied {
                handle: handle.clone(),
                name: name.clone(),
                description: description.clone(),
                country: country.clone(),
                contact: contact.clone(),
                owner: *owner,
                at: asked.at,
            }]);
        }
        let known = self.live()?;
        match command {
            // Decided above.
            Command::Apply { .. } => Ok(vec![]),
            Command::Revise { name, description, contact } => {
                known.revise(name.as_ref(), description.as_ref(), contact.as_ref())
            }
            Command::Approve {} => known.approve(asked.at),
            Command::Reject { reason } => known.reject(reason),
            Command::Suspend { reason } => known.suspend(reason),
            Command::Reinstate {} => known.reinstate(),
            Command::Close {} => known.close(),
            Command::Invite { .. } => known.invite(command, asked.at),
            Command::Revoke { invitation } => {
                let open = known.invitations.contains_key(invitation);
                Ok(if open { vec![Event::InvitationRevoked { invitation: *invitation }] } else { vec![] })
            }
            Command::Accept { account, email_hash, code_hash } => {
                known.accept(*account, email_hash, code_hash, asked.at)
            }
            Command::SetRole { account, role } => known.set_role(*account, *role),
            Command::Remove { account } => known.remove(*account),
            Command::GiveLegalData { legal } => known.give_legal_data(legal),
            Command::RemoveLegalData {} => Ok(known.legal.iter().map(|_| Event::LegalDataRemoved {}).collect()),
            Command::LinkPaypal { account } => known.link_paypal(account),
            Command::UnlinkPaypal {} => Ok(known.paypal.iter().map(|_| Event::PaypalUnlinked {}).collect()),
            Command::Forget { account } => Ok(known.forget(*account)),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        if let Event::Applied { handle, name, description, country, contact, owner, at } = event {
            return Self::Known(Box::new(Known {
                status: Status::Applied,
                handle: handle.clone(),
                name: name.clone(),
                description: description.clone(),
                country: country.clone(),
                contact: contact.clone(),
                applied_at: *at,
                since: None,
                reason: None,
                legal: None,
                paypal: None,
                members: BTreeMap::from([(*owner, Role::Owner)]),
                invitations: BTreeMap::new(),
                invited: VecDeque::new(),
            }));
        }
        self.with(|it| it.apply(event))
    }
}

impl Seller {
    /// The seller, if it exists.
    pub fn live(&self) -> Result<&Known, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Known(known) => Ok(known),
        }
    }

    /// Whether it is seen and sells.
    pub fn is_active(&self) -> bool {
        self.live().is_ok_and(Known::is_active)
    }

    /// Whether the house may have a reason to keep its money.
    pub fn is_suspended(&self) -> bool {
        self.live().is_ok_and(|known| known.status == Status::Suspended)
    }

    fn with(mut self, change: impl FnOnce(&mut Known)) -> Self {
        if let Self::Known(known) = &mut self {
            change(known);
        }
        self
    }
}

impl Known {
    fn apply(&mut self, event: &Event) {
        if let Some(status) = Status::after(event) {
            (self.status, self.reason) = (status, None);
        }
        match event {
            // The state is made with it.
            Event::Applied { .. } => {}
            Event::Revised { name, description, contact } => {
                replace(&mut self.name, name.as_ref());
                replace(&mut self.description, description.as_ref());
                replace(&mut self.contact, contact.as_ref());
            }
            Event::Approved { at } => self.since = Some(*at),
            Event::Rejected { reason } | Event::Suspended { reason } => self.reason = Some(reason.clone()),
            Event::Reinstated {} | Event::Closed {} => {}
            Event::MemberInvited {
                invitation,
                email,
                email_hash,
                role,
                code: _,
                code_hash,
                locale: _,
                at,
                expires_at,
            } => {
                self.invitations.retain(|_, known| known.expires_at > *at);
                let invited = Invitation {
                    email: email.clone(),
                    email_hash: email_hash.clone(),
                    role: *role,
                    code_hash: code_hash.clone(),
                    expires_at: *expires_at,
                };
                self.invitations.insert(*invitation, invited);
                if self.invited.len() == INVITATIONS_MAX {
                    self.invited.pop_front();
                }
                self.invited.push_back(*at);
            }
            Event::InvitationRevoked { invitation } => drop(self.invitations.remove(invitation)),
            Event::MemberJoined { invitation, account, role } => {
                self.invitations.remove(invitation);
                self.members.insert(*account, *role);
            }
            Event::MemberRoleSet { account, role } => drop(self.members.insert(*account, *role)),
            Event::LegalDataGiven { legal } => self.legal = Some(legal.clone()),
            Event::LegalDataRemoved {} => self.legal = None,
            Event::PaypalLinked { account } => self.paypal = Some(account.clone()),
            Event::PaypalUnlinked {} => self.paypal = None,
            Event::MemberLeft { account } => drop(self.members.remove(account)),
        }
    }
}

fn replace<T: Clone>(old: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        old.clone_from(new);
    }
}

/// Refuses legal data without an address.
pub fn ensure_complete(legal: &LegalData) -> Result<(), Rejection> {
    if legal.address.is_empty() { Err(Rejection::NoAddress) } else { Ok(()) }
}

/// The new value, if there is one and it differs.
fn changed<T: PartialEq + Clone>(old: &T, new: Option<&T>) -> Option<T> {
    new.filter(|new| *new != old).cloned()
}

impl Known {
    /// Whether it is seen and sells.
    pub fn is_active(&self) -> bool {
        self.status == Status::Approved
    }

    /// Whether it will never sell again.
    pub fn is_over(&self) -> bool {
        matches!(self.status, Status::Rejected | Status::Closed)
    }

    /// The seller as papers name it, if it supplies in its own name. What was ordered of it while it sold stays its supply.
    pub fn supplier(&self, seller: SellerId) -> Option<Supplier> {
        let legal = self.legal.clone()?;
        Some(Supplier { seller, handle: self.handle.clone(), legal })
    }

    /// Refuses what only an approved seller may do.
    pub fn active(&self) -> Result<&Self, Rejection> {
        if self.is_active() { Ok(self) } else { Err(Rejection::NotActive) }
    }

    /// Refuses accounts that are no members; to them, the seller is not there.
    pub fn role_of(&self, account: AccountId) -> Result<Role, Rejection> {
        self.members.get(&account).copied().ok_or(Rejection::Missing)
    }

    /// Refuses accounts that are no owners.
    pub fn require_owner(&self, account: AccountId) -> Result<(), Rejection> {
        match self.role_of(account)? {
            Role::Owner => Ok(()),
            Role::Staff => Err(Rejection::OwnersOnly),
        }
    }

    /// Whether it needs this account, as no other is an owner.
    pub fn is_last_owner(&self, account: AccountId) -> bool {
        let mut owners = self.members.iter().filter(|(_, role)| **role == Role::Owner).map(|(account, _)| *account);
        !self.is_over() && owners.next() == Some(account) && owners.next().is_none()
    }

    fn revise(
        &self,
        name: Option<&Name>,
        description: Option<&Description>,
        contact: Option<&Personal<Email>>,
    ) -> Decision {
        self.not_over()?;
        let (name, description) = (changed(&self.name, name), changed(&self.description, description));
        if name.is_none() && description.is_none() && contact.is_none() {
            return Ok(vec![]);
        }
        // Buyers and mails trust the name that was approved.
        if name.is_some() && self.status != Status::Applied {
            return Err(Rejection::NameFixed);
        }
        Ok(vec![Event::Revised { name, description, contact: contact.cloned() }])
    }

    fn give_legal_data(&self, legal: &Personal<LegalData>) -> Decision {
        self.not_over()?;
        let is_known = self.legal.as_ref() == Some(legal);
        Ok(if is_known { vec![] } else { vec![Event::LegalDataGiven { legal: legal.clone() }] })
    }

    fn link_paypal(&self, account: &MerchantId) -> Decision {
        self.not_over()?;
        let is_known = self.paypal.as_ref() == Some(account);
        Ok(if is_known { vec![] } else { vec![Event::PaypalLinked { account: account.clone() }] })
    }

    fn not_over(&self) -> Result<(), Rejection> {
        if self.is_over() { Err(Rejection::Over) } else { Ok(()) }
    }

    fn approve(&self, at: DateTime<Utc>) -> Decision {
        match self.status {
            Status::Applied => Ok(vec![Event::Approved { at }]),
            Status::Approved => Ok(vec![]),
            Status::Suspended => Err(Rejection::Decided),
            Status::Rejected | Status::Closed => Err(Rejection::Over),
        }
    }

    fn reject(&self, reason: &Reason) -> Decision {
        match self.status {
            Status::Applied => Ok(vec![Event::Rejected { reason: reason.clone() }]),
            Status::Rejected => Ok(vec![]),
            Status::Approved | Status::Suspended => Err(Rejection::Decided),
            Status::Closed => Err(Rejection::Over),
        }
    }

    fn suspend(&self, reason: &Reason) -> Decision {
        match self.status {
            Status::Approved => Ok(vec![Event::Suspended { reason: reason.clone() }]),
            Status::Suspended => Ok(vec![]),
            Status::Applied => Err(Rejection::NotActive),
            Status::Rejected | Status::Closed => Err(Rejection::Over),
        }
    }

    fn reinstate(&self) -> Decision {
        match self.status {
            Status::Suspended => Ok(vec![Event::Reinstated {}]),
            Status::Approved => Ok(vec![]),
            Status::Applied => Err(Rejection::NotSuspended),
            Status::Rejected | Status::Closed => Err(Rejection::Over),
        }
    }

    fn close(&self) -> Decision {
        match self.status {
            Status::Applied | Status::Approved | Status::Suspended => Ok(vec![Event::Closed {}]),
            Status::Closed => Ok(vec![]),
            Status::Rejected => Err(Rejection::Over),
        }
    }
}

impl Known {
    fn invite(&self, command: &Command, at: DateTime<Utc>) -> Decision {
        let Command::Invite { invitation, email, email_hash, role, code, code_hash, locale } = command else {
            return Ok(vec![]);
        };
        self.active()?;
        let open = || self.invitations.values().filter(|it| it.expires_at > at);
        if open().any(|it| it.email_hash == *email_hash) {
            return Err(Rejection::AlreadyInvited);
        }
        if self.members.len() + open().count() >= MEMBERS_MAX {
            return Err(Rejection::TooManyMembers);
        }
        let lately = self.invited.iter().filter(|sent| **sent + INVITATION_WINDOW > at).count();
        if lately >= INVITATIONS_MAX {
            return Err(Rejection::TooManyInvitations);
        }
        Ok(vec![Event::MemberInvited {
            invitation: *invitation,
            email: email.clone(),
            email_hash: email_hash.clone(),
            role: *role,
            code: code.clone(),
            code_hash: code_hash.clone(),
            locale: *locale,
            at,
            expires_at: at + INVITED_FOR,
        }])
    }

    fn accept(&self, account: AccountId, email_hash: &Label, code_hash: &Hash, at: DateTime<Utc>) -> Decision {
        let found = self.invitations.iter().find(|(_, it)| it.code_hash == *code_hash);
        let (invitation, invited) = found.ok_or(Rejection::InvalidCode)?;
        if invited.expires_at <= at {
            return Err(Rejection::InvitationExpired);
        }
        if invited.email_hash != *email_hash {
            return Err(Rejection::OtherMailbox);
        }
        self.active()?;
        if self.members.contains_key(&account) {
            return Err(Rejection::AlreadyMember);
        }
        Ok(vec![Event::MemberJoined { invitation: *invitation, account, role: invited.role }])
    }

    fn set_role(&self, account: AccountId, role: Role) -> Decision {
        let before = self.members.get(&account).copied().ok_or(Rejection::NoSuchMember)?;
        if before == role {
            return Ok(vec![]);
        }
        if self.is_last_owner(account) {
            return Err(Rejection::LastOwner);
        }
        Ok(vec![Event::MemberRoleSet { account, role }])
    }

    fn remove(&self, account: AccountId) -> Decision {
        if self.is_last_owner(account) {
            return Err(Rejection::LastOwner);
        }
        // Unknown, so removed already or never a member.
        let known = self.members.contains_key(&account);
        Ok(if known { vec![Event::MemberLeft { account }] } else { vec![] })
    }

    /// Ends the membership of an account that is closed; a seller that loses its last owner with it is closed, too.
    fn forget(&self, account: AccountId) -> Vec<Event> {
        let closed = self.is_last_owner(account).then_some(Event::Closed {});
        let left = self.members.contains_key(&account).then_some(Event::MemberLeft { account });
        closed.into_iter().chain(left).collect()
    }
}

#[cfg(test)]
mod tests;
