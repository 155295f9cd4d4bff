//! The members of a seller: invited by e-mail, joined with the account of that address, removed by an owner or by themselves.

use byteshop_domain::account::{self, Account, Membership, Secret};
use byteshop_domain::ids::{AccountId, InvitationId, SellerId};
use byteshop_domain::seller::{self, Command, Role, Seller};
use byteshop_domain::text::{Email, Label};
use byteshop_domain::{Locale, Subject};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::accounts::code::{self, Code};

/// An invitation before it is sent.
#[derive(Debug, Clone)]
pub struct Invite {
    /// Its id.
    pub id: InvitationId,
    /// The address.
    pub email: Email,
    /// The role that it gives.
    pub role: Role,
    /// The code for the mail.
    pub code: Code,
    /// The language of the mail; that of the member who invites if absent.
    pub locale: Option<Locale>,
}

/// Invites a person to become a member of a seller.
pub async fn invite(unit: &Unit, seller: &mut Loaded<Seller>, by: AccountId, invite: &Invite) -> Result<(), Error> {
    let vault = unit.commands().vault();
    let subject = Subject::from(invite.id);
    let text = invite.code.of(seller.id);
    let code_hash = code::hash(&text);
    let locale = match invite.locale {
        Some(locale) => locale,
        None => unit.commands().locale_of_account(by).await?.unwrap_or_default(),
    };
    let command = Command::Invite {
        invitation: invite.id,
        email: vault.seal(subject, &invite.email).await?,
        email_hash: email_hash(unit, &invite.email).await?,
        role: invite.role,
        code: vault.seal(subject, &Secret(text)).await?,
        code_hash,
        locale,
    };
    unit.decide(seller, &command)
}

/// Revokes an invitation of a seller.
pub fn revoke(unit: &Unit, seller: &mut Loaded<Seller>, invitation: InvitationId) -> Result<(), Error> {
    unit.decide(seller, &Command::Revoke { invitation })
}

/// Accepts an invitation with its code. Only the account that has the address can.
pub async fn accept(unit: &Unit, id: AccountId, code: &str) -> Result<Loaded<Seller>, Error> {
    let named = code::named::<SellerId>(code).ok_or(seller::Rejection::InvalidCode)?;
    let mut account = unit.load::<Account>(id).await?.exists()?;
    let email = unit.commands().vault().open(&account.state.live()?.email).await?;
    let email = email.ok_or(account::Rejection::Missing)?;
    let mut seller = unit.load::<Seller>(named).await?;
    seller.state.live().map_err(|_| seller::Rejection::InvalidCode)?;
    unit.decide(&mut account, &account::Command::Membership(Membership::Join { seller: named }))?;
    let email_hash = email_hash(unit, &email).await?;
    unit.decide(&mut seller, &Command::Accept { account: id, email_hash, code_hash: code::hash(code) })?;
    Ok(seller)
}

/// Gives a member another role.
pub fn set_role(unit: &Unit, seller: &mut Loaded<Seller>, account: AccountId, role: Role) -> Result<(), Error> {
    unit.decide(seller, &Command::SetRole { account, role })
}

/// Ends a membership, also the caller's own.
pub async fn remove(unit: &Unit, seller: &mut Loaded<Seller>, id: AccountId) -> Result<(), Error> {
    unit.decide(seller, &Command::Remove { account: id })?;
    let mut account = unit.load::<Account>(id).await?;
    if account.state.live().is_err() {
        return Ok(());
    }
    unit.decide(&mut account, &account::Command::Membership(Membership::Leave { seller: seller.id }))
}

/// The keyed hash by which an invitation and an account compare their addresses.
async fn email_hash(unit: &Unit, email: &Email) -> Result<Label, Error> {
    let text = unit.commands().vault().blind("invitation", &email.canonical()).await?;
    // A keyed hash is short and printable, so it always is a label.
    Label::new(&text).map_err(|_| account::Rejection::Missing.into())
}
