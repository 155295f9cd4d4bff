//! Which sellers a caller sees, and how much of them.

use axum::response::Response;
use byteshop_commands::use_cases::sellers::{ActsFor, handle_name};
use byteshop_commands::{Error, Snapshot};
use byteshop_domain::account::Account;
use byteshop_domain::ids::SellerId;
use byteshop_domain::name::UniqueName;
use byteshop_domain::seller::{Seller, Status};
use byteshop_domain::text::{Handle, fresh};
use byteshop_projections::View as _;
use byteshop_projections::page::Ask;
use byteshop_projections::seller_list::{self, SellerList};
use http::HeaderMap;

use crate::app::Shared;
use crate::edge::actor::{Caller, Trader};
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::http::show::seller::SellerPage;
use crate::queries::catalog::words;

/// The seller with this id or handle.
pub(in crate::http) async fn named(app: &Shared, name: &str) -> Result<Option<SellerId>, Error> {
    if let Ok(id) = name.parse() {
        return Ok(Some(id));
    }
    let Ok(handle) = fresh(|| Handle::new(name)) else { return Ok(None) };
    let held = app.commands.get::<UniqueName>(handle_name(&handle)).await?;
    Ok(held.and_then(|name| name.state.holder()))
}

/// Whether a caller sees more of a seller than the public: staff, and its members as long as they may act for it.
pub(super) async fn sees_details(app: &Shared, caller: &Caller, seller: &Snapshot<Seller>) -> Result<bool, Problem> {
    if caller.is_staff() {
        return Ok(true);
    }
    let Some(account) = caller.account() else { return Ok(false) };
    if seller.state.live()?.role_of(account).is_err() {
        return Ok(false);
    }
    let account = app.commands.get::<Account>(account).await?;
    Ok(account.is_some_and(|it| it.state.live().is_ok_and(|open| open.may_sell().is_ok())))
}

/// A seller that only staff and its members see; for all others it is missing.
pub(super) async fn seen_by(
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
    lists::page(&SellerPage::of(&found.rows()?, found.next.clone(), for_staff))
}
