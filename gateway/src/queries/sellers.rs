//! Which seller is meant, and whether a caller acts for it.

use std::collections::BTreeMap;

use byteshop_commands::use_cases::sellers::handle_name;
use byteshop_commands::{Error, Snapshot};
use byteshop_domain::account::Account;
use byteshop_domain::ids::SellerId;
use byteshop_domain::name::UniqueName;
use byteshop_domain::order::Placed;
use byteshop_domain::seller::Seller;
use byteshop_domain::text::{Handle, Name, fresh};

use crate::app::App;
use crate::edge::actor::Caller;
use crate::edge::problem::Problem;

/// Whether a caller is a member of a seller whose account can be used: a ban ends what a membership allows.
pub(crate) async fn is_member(app: &App, caller: &Caller, seller: &Seller) -> Result<bool, Problem> {
    let Some(account) = caller.account() else { return Ok(false) };
    if seller.live().is_ok_and(|known| known.role_of(account).is_ok()) {
        let found = app.commands.get::<Account>(account).await?;
        return Ok(found.is_some_and(|it| it.state.live().is_ok_and(|open| open.may_sell().is_ok())));
    }
    Ok(false)
}

/// The names of the sellers of the parts of an order.
pub(crate) async fn names_of(app: &App, order: &Placed) -> Result<BTreeMap<SellerId, Name>, Error> {
    let sellers: Vec<SellerId> = order.parts.all().iter().filter_map(|part| part.seller).collect();
    if sellers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = app.commands.get_all::<Seller>(&sellers).await?;
    let name = |(id, found): (&SellerId, &Option<Snapshot<Seller>>)| {
        Some((*id, found.as_ref()?.state.live().ok()?.name.clone()))
    };
    Ok(sellers.iter().zip(&found).filter_map(name).collect())
}

/// The seller with this id or handle.
pub(crate) async fn seller_named(app: &App, name: &str) -> Result<Option<SellerId>, Error> {
    if let Ok(id) = name.parse() {
        return Ok(Some(id));
    }
    let Ok(handle) = fresh(|| Handle::new(name)) else { return Ok(None) };
    let held = app.commands.get::<UniqueName>(handle_name(&handle)).await?;
    Ok(held.and_then(|name| name.state.holder()))
}
