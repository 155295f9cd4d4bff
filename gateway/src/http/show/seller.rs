//! Sellers and their members as callers see them.

use byteshop_commands::Loaded;
use byteshop_domain::Personal;
use byteshop_domain::ids::{AccountId, InvitationId, SellerId};
use byteshop_domain::issuer::LegalData;
use byteshop_domain::seller::{self, Known, Role, Status};
use byteshop_domain::text::{Country, Description, Email, Handle, MerchantId, Name, Reason};
use byteshop_projections::seller_list::Row;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A seller of the marketplace.
#[derive(Serialize, ToSchema)]
pub struct Seller<'a> {
    id: SellerId,
    /// The part of a URL that names it.
    handle: &'a Handle,
    name: &'a Name,
    /// Plain text: escape it before you put it into HTML.
    description: &'a Description,
    /// When it was approved; null before.
    since: Option<DateTime<Utc>>,
    /// The number of its products that everybody sees; null in responses of commands and in `GET /v1/me/sellers`.
    products: Option<u64>,
    /// Null for everybody but its members and staff.
    details: Option<SellerDetails<'a>>,
}

/// The data of a seller that its members and staff see.
#[derive(Serialize, ToSchema)]
pub struct SellerDetails<'a> {
    status: Status,
    /// Why it was rejected or suspended.
    reason: Option<&'a Reason>,
    /// The country that it sells from, by its ISO 3166-1 alpha-2 code.
    country: &'a Country,
    /// The e-mail address at which the house reaches it; null in lists of staff, and once its person was erased.
    contact_email: Option<&'a Personal<Email>>,
    /// What papers say of it if it supplies in its own name; null if the house supplies its goods, and in lists of staff.
    legal_data: Option<&'a Personal<LegalData>>,
    /// Its account at PayPal, to which PayPal pays what buyers pay for its goods alone; null if the house is paid, and in lists of staff.
    paypal: Option<&'a MerchantId>,
    /// When it applied.
    applied_at: DateTime<Utc>,
}

impl<'a> Seller<'a> {
    /// A seller as everybody sees it.
    pub fn of(id: SellerId, it: &'a Known) -> Self {
        let (handle, name, description) = (&it.handle, &it.name, &it.description);
        Self { id, handle, name, description, since: it.since, products: None, details: None }
    }

    /// The same with what its members and staff see.
    pub fn with_details(id: SellerId, it: &'a Known) -> Self {
        let details = SellerDetails {
            status: it.status,
            reason: it.reason.as_ref(),
            country: &it.country,
            contact_email: Some(&it.contact),
            legal_data: it.legal.as_ref(),
            paypal: it.paypal.as_ref(),
            applied_at: it.applied_at,
        };
        Self { details: Some(details), ..Self::of(id, it) }
    }

    /// With the number of its products that everybody sees.
    pub fn with_products(self, products: u64) -> Self {
        Self { products: Some(products), ..self }
    }

    /// A seller in a list, with details for staff.
    pub fn row(it: &'a Row, products: u64, for_staff: bool) -> Self {
        let details = for_staff.then_some(SellerDetails {
            status: it.status,
            reason: it.reason.as_ref(),
            country: &it.country,
            contact_email: None,
            legal_data: None,
            paypal: None,
            applied_at: it.applied_at,
        });
        let (handle, name, description) = (&it.handle, &it.name, &it.description);
        Self { id: it.id, handle, name, description, since: it.since, products: Some(products), details }
    }
}

/// A page of sellers.
#[derive(Serialize, ToSchema)]
pub struct SellerPage<'a> {
    items: Vec<Seller<'a>>,
    /// The cursor of the next page.
    next: Option<String>,
}

impl<'a> SellerPage<'a> {
    /// A page of rows with the number of products of each, with details for staff.
    pub fn of(rows: impl Iterator<Item = (&'a Row, u64)>, next: Option<String>, for_staff: bool) -> Self {
        Self { items: rows.map(|(row, products)| Seller::row(row, products, for_staff)).collect(), next }
    }
}

/// A seller that the caller is a member of.
#[derive(Serialize, ToSchema)]
pub struct MySeller<'a> {
    /// The caller's role.
    role: Role,
    #[serde(flatten)]
    seller: Seller<'a>,
}

/// The sellers that the caller is a member of.
#[derive(Serialize, ToSchema)]
pub struct MySellers<'a> {
    /// The sellers.
    pub items: Vec<MySeller<'a>>,
}

impl<'a> MySellers<'a> {
    /// Those sellers of which the account is a member.
    pub fn of(account: AccountId, sellers: impl Iterator<Item = (SellerId, &'a seller::Seller)>) -> Self {
        let mine = |(id, seller): (SellerId, &'a seller::Seller)| {
            let known = seller.live().ok()?;
            let role = known.role_of(account).ok()?;
            Some(MySeller { role, seller: Seller::with_details(id, known) })
        };
        Self { items: sellers.filter_map(mine).collect() }
    }
}

/// A member of a seller.
#[derive(Serialize, ToSchema)]
pub struct SellerMember {
    account: AccountId,
    role: Role,
    /// The address of the account; null for members who are no owners.
    email: Option<Personal<Email>>,
}

impl SellerMember {
    /// A member, with the address of the account for those who may see it.
    pub fn of(account: AccountId, role: Role, email: Option<Personal<Email>>) -> Self {
        Self { account, role, email }
    }
}

/// An invitation that is open.
#[derive(Serialize, ToSchema)]
pub struct SellerInvitation<'a> {
    id: InvitationId,
    email: &'a Personal<Email>,
    /// The role that it gives.
    role: Role,
    expires_at: DateTime<Utc>,
}

impl<'a> SellerInvitation<'a> {
    /// An invitation as it is.
    pub fn of(id: InvitationId, it: &'a seller::Invitation) -> Self {
        Self { id, email: &it.email, role: it.role, expires_at: it.expires_at }
    }
}

/// The members of a seller, and who is invited.
#[derive(Serialize, ToSchema)]
pub struct SellerMembers<'a> {
    members: Vec<SellerMember>,
    /// The open invitations; empty for members who are no owners.
    invitations: Vec<SellerInvitation<'a>>,
}

impl<'a> SellerMembers<'a> {
    /// The members, with the invitations for those who may see them.
    pub fn of(members: Vec<SellerMember>, invitations: Vec<SellerInvitation<'a>>) -> Self {
        Self { members, invitations }
    }
}

/// A seller in the response of a command.
pub(in crate::http) fn changed(seller: &Loaded<seller::Seller>) -> Result<Seller<'_>, seller::Rejection> {
    Ok(Seller::with_details(seller.id, seller.state.live()?))
}
