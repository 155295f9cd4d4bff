//! Which sellers a caller sees, and how much of them.

use axum::response::Response;
use byteshop_commands::Snapshot;
use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_domain::ids::SellerId;
use byteshop_domain::seller::{Seller, Status};
use byteshop_projections::View as _;
use byteshop_projections::page::Ask;
use byteshop_projections::product_list::ProductList;
use byteshop_projections::seller_list::{self, SellerList};
use http::HeaderMap;

use crate::app::Shared;
use crate::edge::actor::{Caller, Trader};
use crate::edge::headers::MIN_LOG_POSITION;
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::http::show::seller::SellerPage;
use crate::queries::catalog::words;
use crate::queries::sellers::is_member;

/// Whether a caller sees more of a seller than the public: staff, and its members as long as they may act for it.
pub(super) async fn sees_details(app: &Shared, caller: &Caller, seller: &Snapshot<Seller>) -> Result<bool, Problem> {
    Ok(caller.is_staff() || is_member(app, caller, &seller.state).await?)
}

/// A seller that only staff and its members see; for all others it is missing.
pub(in crate::http) async fn seen_by(
    app: &Shared,
    who: &Trader,
    id: SellerId,
    headers: &HeaderMap,
) -> Result<Snapshot<Seller>, Problem> {
    let found = app.snapshot::<Seller>(id, &Then::default(), headers).await?;
    if sees_details(app, &who.0, &found).await? { Ok(found) } else { Err(Problem::missing("seller")) }
}

/// Whether a caller sees what only the owners of a seller see: so does staff.
pub(super) fn sees_people(who: &Trader, seller: &Seller) -> bool {
    match who.acts_for() {
        ActsFor::House => true,
        ActsFor::Sellers(account) => seller.live().is_ok_and(|known| known.require_owner(account).is_ok()),
    }
}

/// A page of sellers, with details for staff.
pub(super) async fn page(
    app: &Shared,
    headers: &HeaderMap,
    q: Option<String>,
    status: Option<Status>,
    ask: Ask,
    for_staff: bool,
) -> Result<Response, Problem> {
    let q = q.filter(|q| !q.trim().is_empty()).map(words).transpose()?;
    app.await_views(&[SellerList::NAME], headers).await?;
    let found = app.views.seller_list(&seller_list::Query { status, q, ask }).await?;
    let rows = found.rows()?;
    let ids: Vec<SellerId> = rows.iter().map(|row| row.id).collect();
    let products = published(app, &ids, headers).await?;
    lists::page(&SellerPage::of(rows.iter().zip(products), found.next.clone(), for_staff))
}

/// The number of products of each seller that everybody sees.
pub(super) async fn published(app: &Shared, sellers: &[SellerId], headers: &HeaderMap) -> Result<Vec<u64>, Problem> {
    app.await_views(&[ProductList::NAME, SellerList::NAME], headers).await?;
    Ok(app.views.published_by(sellers, headers.contains_key(MIN_LOG_POSITION)).await?)
}
