//! Whose products are whose: the house's staff may change all of them, the members of a seller those of their seller.

use std::sync::Arc;

use byteshop_domain::Decider as _;
use byteshop_domain::account::Account;
use byteshop_domain::ids::{AccountId, ProductId, SellerId};
use byteshop_domain::product::{self, Created, Product, TaxClass};
use byteshop_domain::seller::Seller;
use byteshop_domain::stock::StockLevel;

use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::sellers::ActsFor;

/// A product for a command of staff or of the members of its seller, at the version that the caller expects.
///
/// To all others a product is missing that they do not see. The append expects the seller and the account of a member to be
/// unchanged, so that a suspension at this moment comes before the change, or after it.
pub async fn for_change(unit: &Unit, id: ProductId, acts_for: ActsFor) -> Result<Loaded<Product>, Error> {
    let product = unit.load::<Product>(id).await?.exists()?;
    require(unit, &product, acts_for).await?;
    unit.check_version(&product)?;
    Ok(product)
}

/// The seller of a product, as this process last saw it; none for the house. For what is shown beside a decision.
pub async fn seller_of(unit: &Unit, product: &Created) -> Result<Option<Arc<Seller>>, Error> {
    match product.seller {
        Some(seller) => Ok(Some(unit.peek::<Seller>(seller).await?.state)),
        None => Ok(None),
    }
}

/// Refuses a change of a stock by others than staff and the members of the seller whose product it is of.
pub async fn require_stock(unit: &Unit, stock: &Loaded<StockLevel>, acts_for: ActsFor) -> Result<(), Error> {
    if acts_for == ActsFor::House {
        return Ok(());
    }
    let missing = || Error::Rejected(Rejected::missing(StockLevel::CATEGORY));
    let product = unit.load::<Product>(stock.state.product.ok_or_else(missing)?).await?;
    require(unit, &product, acts_for).await
}

/// Refuses a new product for a seller that does not sell, or of which the caller is not a member; and one for the house
/// by callers who are not its staff.
pub async fn require_seller(unit: &Unit, seller: Option<SellerId>, acts_for: ActsFor) -> Result<(), Error> {
    let Some(id) = seller else {
        return match acts_for {
            ActsFor::House => Ok(()),
            ActsFor::Sellers(_) => Err(product::Rejection::NotYours.into()),
        };
    };
    let seller = unit.load::<Seller>(id).await?;
    let known = seller.state.live().map_err(|_| Error::no_such("seller", "/seller"))?;
    if let ActsFor::Sellers(account) = acts_for {
        if known.role_of(account).is_err() {
            let seen = known.is_active();
            return Err(if seen { product::Rejection::NotYours.into() } else { Error::no_such("seller", "/seller") });
        }
        require_usable(unit, account).await?;
    }
    known.active()?;
    Ok(())
}

/// Refuses tax classes that members of sellers set; what a variant has already may be said again.
pub fn check_tax_class(
    acts_for: ActsFor,
    before: TaxClass,
    wanted: Option<TaxClass>,
) -> Result<(), product::Rejection> {
    let same = wanted.is_none_or(|wanted| wanted == before);
    if same || acts_for == ActsFor::House { Ok(()) } else { Err(product::Rejection::TaxClassOfHouse) }
}

async fn require(unit: &Unit, product: &Loaded<Product>, acts_for: ActsFor) -> Result<(), Error> {
    let ActsFor::Sellers(account) = acts_for else { return Ok(()) };
    let created = product.state.live()?;
    let seller = match created.seller {
        Some(seller) => Some(unit.load::<Seller>(seller).await?.state),
        None => None,
    };
    let of_member = seller.as_ref().and_then(|it| it.live().ok()).filter(|known| known.role_of(account).is_ok());
    let Some(known) = of_member else {
        let seen = created.is_sold(seller.as_deref());
        return Err(if seen { product::Rejection::NotYours } else { product::Rejection::Missing }.into());
    };
    require_usable(unit, account).await?;
    known.active()?;
    Ok(())
}

/// Refuses accounts that cannot act for their sellers, as they are banned or closed.
async fn require_usable(unit: &Unit, account: AccountId) -> Result<(), Error> {
    let account = unit.load::<Account>(account).await?;
    Ok(account.state.live()?.may_sell()?)
}
