//! Digital goods: what variants deliver as downloads, set by staff and by the members of a seller.
//!
//! The domain decides ([`byteshop_domain::digital_delivery`]); here is loaded what it looks at, and sealed what is secret.

use byteshop_domain::Subject;
use byteshop_domain::digital_delivery;
use byteshop_domain::digital_good::{self, Command, DigitalGood, Limits, check_link};
use byteshop_domain::ids::{Id as _, VariantId};
use byteshop_domain::product::Product;
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::Link;

use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::products;
use crate::use_cases::sellers::ActsFor;

/// The good of a variant, at the version that the caller expects, with its stock; for staff and the members of the seller whose
/// product it is of.
async fn load(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
) -> Result<(Loaded<DigitalGood>, Loaded<StockLevel>), Error> {
    let stock = unit.load::<StockLevel>(variant).await?;
    if stock.version == 0 {
        return Err(Rejected::missing("variant").into());
    }
    products::require_stock(unit, &stock, acts_for).await?;
    let good = unit.load::<DigitalGood>(digital_good::id(variant)).await?;
    unit.check_version(&good)?;
    Ok((good, stock))
}

/// Changes the good of a variant; the first change opens it.
async fn change(
    unit: &Unit,
    variant: VariantId,
    (mut good, stock): (Loaded<DigitalGood>, Loaded<StockLevel>),
    command: &Command,
) -> Result<Loaded<DigitalGood>, Error> {
    let product = stock.state.product.ok_or(stock::Rejection::Missing)?;
    let mut together = unit.together();
    together.hold(&good);
    together.hold(&stock);
    together.load::<Product>(&[product]).await?;
    together.decide(|work| digital_delivery::change(work, product, variant, command))?;
    unit.refresh(&mut good);
    Ok(good)
}

/// Sets the link that a variant delivers, or removes it.
pub async fn set_link(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    link: Option<&Link>,
) -> Result<Loaded<DigitalGood>, Error> {
    let loaded = load(unit, variant, acts_for).await?;
    let link = match link {
        Some(link) => {
            check_link(link)?;
            Some(unit.commands().vault().seal(Subject(variant.uuid()), link).await?)
        }
        None => None,
    };
    change(unit, variant, loaded, &Command::SetLink { link }).await
}

/// Sets how long and how often buyers can download what a variant delivers.
pub async fn set_limits(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    limits: Limits,
) -> Result<Loaded<DigitalGood>, Error> {
    let loaded = load(unit, variant, acts_for).await?;
    change(unit, variant, loaded, &Command::SetLimits(limits)).await
}
