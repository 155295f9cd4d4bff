//! Sellers of the marketplace: applications, the decisions about them, and what their owners change.

pub mod members;

use byteshop_domain::account::{self, Account, Membership};
use byteshop_domain::ids::{AccountId, SellerId};
use byteshop_domain::issuer::LegalData;
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::seller::{self, Command, Known, Role, Seller};
use byteshop_domain::text::{Country, Description, Email, Handle, Label, MerchantId, Name, Reason};
use byteshop_domain::{Kind, Subject};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::ports::paypal::Paypal;

/// On whose behalf a caller changes products or reads a seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActsFor {
    /// The house, whose staff may do so with every seller.
    House,
    /// The sellers that this account is a member of.
    Sellers(AccountId),
}

/// What an account that wants to sell says of itself.
#[derive(Debug, Clone)]
pub struct Application {
    /// The handle.
    pub handle: Handle,
    /// The name.
    pub name: Name,
    /// The description.
    pub description: Description,
    /// The country that it sells from.
    pub country: Country,
    /// The e-mail address at which the house reaches it.
    pub contact: Email,
}

/// What changes of a seller; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Revision {
    /// The name.
    pub name: Option<Name>,
    /// The description.
    pub description: Option<Description>,
    /// The e-mail address at which the house reaches it.
    pub contact: Option<Email>,
}

/// Applies to sell: the handle is claimed in the same append, and the account records that it is a member.
pub async fn apply(unit: &Unit, applicant: AccountId, application: &Application) -> Result<Loaded<Seller>, Error> {
    let mut account = unit.load::<Account>(applicant).await?.exists()?;
    let mut seller = unit.start::<Seller>(unit.new_id());
    let membership = account::Command::Membership(Membership::Apply { seller: seller.id });
    unit.decide(&mut account, &membership)?;
    let Application { handle, name, description, country, contact } = application.clone();
    let contact = unit.commands().vault().seal(Subject::from(applicant), &contact).await?;
    let apply = Command::Apply { handle: handle.clone(), name, description, country, contact, owner: applicant };
    unit.decide(&mut seller, &apply)?;
    let mut held = unit.load::<UniqueName>(handle_name(&handle)).await?;
    let claim =
        name::Command::Claim { kind: NameKind::SellerHandle, text: text(&handle)?, owner: seller.id.to_string() };
    unit.decide(&mut held, &claim)?;
    Ok(seller)
}

/// The stream of the name of a handle.
pub fn handle_name(handle: &Handle) -> byteshop_domain::ids::NameId {
    name::id(NameKind::SellerHandle, handle.as_str())
}

fn text(handle: &Handle) -> Result<Label, Error> {
    Label::new(handle.as_str()).map_err(|error| Error::refused("seller.handle", Kind::Invalid, error.to_string()))
}

/// Approves an application.
pub fn approve(unit: &Unit, seller: &mut Loaded<Seller>) -> Result<(), Error> {
    unit.decide(seller, &Command::Approve {})
}

/// Rejects an application: its handle is free again.
pub async fn reject(unit: &Unit, seller: &mut Loaded<Seller>, reason: Reason) -> Result<(), Error> {
    unit.decide(seller, &Command::Reject { reason })?;
    release_handle(unit, seller).await
}

/// Suspends a seller: its products are neither shown nor sold.
pub fn suspend(unit: &Unit, seller: &mut Loaded<Seller>, reason: Reason) -> Result<(), Error> {
    unit.decide(seller, &Command::Suspend { reason })
}

/// Lifts the suspension of a seller.
pub fn reinstate(unit: &Unit, seller: &mut Loaded<Seller>) -> Result<(), Error> {
    unit.decide(seller, &Command::Reinstate {})
}

/// Closes a seller for good. The handle of an application that is withdrawn is free again; that of a seller which was approved
/// is kept.
pub async fn close(unit: &Unit, seller: &mut Loaded<Seller>) -> Result<(), Error> {
    unit.decide(seller, &Command::Close {})?;
    if seller.state.live()?.since.is_some() { Ok(()) } else { release_handle(unit, seller).await }
}

/// Changes the details of a seller. A new contact is sealed for the account that gives it.
pub async fn revise(unit: &Unit, seller: &mut Loaded<Seller>, by: AccountId, revision: Revision) -> Result<(), Error> {
    let Revision { name, description, contact } = revision;
    let contact = match contact {
        Some(contact) => Some(unit.commands().vault().seal(Subject::from(by), &contact).await?),
        None => None,
    };
    unit.decide(seller, &Command::Revise { name, description, contact })
}

/// Gives or changes the legal data of a seller: it is sealed for the seller itself, as papers have to be kept longer than the accounts of
/// its owners.
pub async fn give_legal_data(unit: &Unit, seller: &mut Loaded<Seller>, legal: &LegalData) -> Result<(), Error> {
    seller::ensure_complete(legal)?;
    let legal = unit.commands().vault().seal(Subject::from(seller.id), legal).await?;
    unit.decide(seller, &Command::GiveLegalData { legal })
}

/// Removes the legal data of a seller: the house supplies what is paid from now on.
pub fn remove_legal_data(unit: &Unit, seller: &mut Loaded<Seller>) -> Result<(), Error> {
    unit.decide(seller, &Command::RemoveLegalData {})
}

/// Has PayPal pay a seller itself what buyers pay for its goods alone, less what the house keeps.
pub fn link_paypal(unit: &Unit, seller: &mut Loaded<Seller>, account: MerchantId) -> Result<(), Error> {
    let paypal = unit.commands().connected().paypal.as_ref().map(Paypal::account);
    let house = paypal.filter(|house| house.partner_id.is_some()).ok_or(seller::Rejection::NoPlatform)?;
    if house.merchant_id == account.as_str() {
        return Err(seller::Rejection::OwnAccount.into());
    }
    unit.decide(seller, &Command::LinkPaypal { account })
}

/// Has buyers pay the house for the goods of a seller again.
pub fn unlink_paypal(unit: &Unit, seller: &mut Loaded<Seller>) -> Result<(), Error> {
    unit.decide(seller, &Command::UnlinkPaypal {})
}

async fn release_handle(unit: &Unit, seller: &Loaded<Seller>) -> Result<(), Error> {
    let mut held = unit.load::<UniqueName>(handle_name(&seller.state.live()?.handle)).await?;
    if held.state.holder() == Some(seller.id) { unit.decide(&mut held, &name::Command::Release {}) } else { Ok(()) }
}

/// A seller, with the role that an account has in it. To an account that is no member, or can no longer be used, the seller is not
/// there. The append expects both to be unchanged, so that a member who is removed or banned at this moment is refused.
pub async fn for_member(unit: &Unit, id: SellerId, account: AccountId) -> Result<(Loaded<Seller>, Role), Error> {
    let seller = unit.load::<Seller>(id).await?.exists()?;
    let role = seller.state.live()?.role_of(account)?;
    let account = unit.load::<Account>(account).await?;
    account.state.live().map_err(|_| seller::Rejection::Missing)?.may_sell()?;
    Ok((seller, role))
}

/// A seller for a command of one of its owners, at the version that the caller expects.
pub async fn for_owner(unit: &Unit, id: SellerId, account: AccountId) -> Result<Loaded<Seller>, Error> {
    let seller = of_owner(unit, id, account).await?;
    unit.check_version(&seller)?;
    Ok(seller)
}

/// A seller for a command of one of its owners about something else of it, whose version is the one that the caller expects.
pub async fn of_owner(unit: &Unit, id: SellerId, account: AccountId) -> Result<Loaded<Seller>, Error> {
    let (seller, _) = for_member(unit, id, account).await?;
    seller.state.live().and_then(|known: &Known| known.require_owner(account))?;
    Ok(seller)
}

/// A seller for a command of any of its members, at the version that the caller expects.
pub async fn for_member_matching(unit: &Unit, id: SellerId, account: AccountId) -> Result<Loaded<Seller>, Error> {
    let (seller, _) = for_member(unit, id, account).await?;
    unit.check_version(&seller)?;
    Ok(seller)
}
