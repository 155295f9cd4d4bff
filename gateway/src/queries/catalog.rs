//! Queries of the catalog: a page of products, one product with its available quantities, and the category that a name means.

use std::sync::Arc;

use byteshop_commands::use_cases::products::sku_names;
use byteshop_commands::{Error, Snapshot};
use byteshop_domain::ids::{CategoryId, ProductId, VariantId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::product::{self, Created, Product};
use byteshop_domain::seller::Seller;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::{Sku, Slug};
use byteshop_projections::View as _;
use byteshop_projections::category_list::CategoryList;
use byteshop_projections::product_list::{Found, ProductList, Query, Shown};
use byteshop_projections::seller_list::SellerList;
use byteshop_projections::stock_level;
use http::HeaderMap;

use crate::app::App;
use crate::edge::actor::Caller;
use crate::edge::headers::MIN_LOG_POSITION;
use crate::edge::problem::Problem;
use crate::edge::values::said;
use crate::queries::sellers::is_member;

/// The maximum length of a search text; each word costs time.
const Q_MAX: usize = 200;
/// Most values of filters in one query: more than a page shows.
const VALUES_MAX: usize = 100;

/// The category with this id or slug.
pub(crate) async fn category_named(app: &App, name: &str) -> Result<Option<CategoryId>, Error> {
    if let Ok(id) = name.parse() {
        return Ok(Some(id));
    }
    let Ok(slug) = Slug::new(name) else { return Ok(None) };
    let held = app.commands.get::<UniqueName>(name::id(NameKind::CategorySlug, slug.as_str())).await?;
    Ok(held.and_then(|name| name.state.holder()))
}

/// Words to search for.
pub(crate) fn words(text: String) -> Result<String, Problem> {
    if text.chars().count() > Q_MAX {
        return Err(Problem::query("q", format!("`q` can have at most {Q_MAX} characters")));
    }
    Ok(text)
}

/// Refuses too many values of filters, of which the parameter named is to blame.
pub(crate) fn check_values(parameter: &str, count: usize) -> Result<(), Problem> {
    if count > VALUES_MAX {
        let detail = format!("at most {VALUES_MAX} categories and attribute values can be given");
        return Err(Problem::query(parameter, detail));
    }
    Ok(())
}

/// The products that a caller sees who names no status: what is published, and all of them for staff who search.
pub(crate) fn by_default(caller: &Caller, q: Option<&str>) -> Shown {
    let searches = q.is_some_and(|words| !words.trim().is_empty());
    if searches && caller.is_staff() { Shown::All } else { Shown::Published }
}

/// A page of products for the caller; `named` is how the request names the filter by an attribute.
pub(crate) async fn products(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    mut query: Query,
    named: impl Fn(&str) -> String,
) -> Result<Arc<Found>, Problem> {
    // Who sees what a seller has was checked before it is asked for.
    let own = matches!(query.shown, Shown::Own(_));
    if query.shown != Shown::Published && !own && !caller.is_staff() {
        return Err(Problem::forbidden("only staff can list products that are not published"));
    }
    let views = [ProductList::NAME, stock_level::StockLevel::NAME, CategoryList::NAME, SellerList::NAME];
    app.await_views(&views, headers).await?;
    query.q = query.q.filter(|words| !words.trim().is_empty());
    query.now = headers.contains_key(MIN_LOG_POSITION);
    app.views.product_list(&query).await.map_err(|error| {
        let byteshop_projections::Error::Filter { attribute, reason } = &error else { return error.into() };
        let parameter = named(attribute);
        Problem::query(&parameter, said(&parameter, reason))
    })
}

/// How a request names a product.
#[derive(Debug)]
pub(crate) enum Named {
    /// By its id.
    Product(ProductId),
    /// By the id of one of its variants.
    Variant(VariantId),
    /// By the SKU of one of its variants.
    Sku(Sku),
}

/// A product as it is now.
pub(crate) struct CurrentProduct {
    pub(crate) id: ProductId,
    pub(crate) found: Snapshot<Product>,
    pub(crate) seen: Seen,
    /// The available quantity of each variant, in their order.
    pub(crate) available: Vec<i64>,
}

impl CurrentProduct {
    /// Its details.
    pub(crate) fn details(&self) -> Result<&Created, Problem> {
        Ok(self.found.state.live()?)
    }
}

/// A product as it is now, if the caller may see it.
pub(crate) async fn product(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    named: &Named,
) -> Result<CurrentProduct, Problem> {
    app.await_log(headers).await?;
    let missing = || Problem::missing("product");
    let id = id_of(app, named).await?.ok_or_else(missing)?;
    if caller.is_anonymous()
        && !headers.contains_key(MIN_LOG_POSITION)
        && let Some(recent) = recent(app, id).await
    {
        return Ok(recent);
    }
    let found = app.commands.get_with::<Product, StockLevel>(id, variants).await?;
    let (found, stock) = found.ok_or_else(missing)?;
    let seen = seen_by(app, caller, &found.state).await?;
    let available = stock.into_iter().map(|found| found.map_or(0, |found| found.state.available())).collect();
    Ok(CurrentProduct { id, found, seen, available })
}

/// A product from memory, as it was a moment ago and as everybody sees it. Only what is shown comes from there: a visitor who is
/// refused is refused by the log.
async fn recent(app: &App, id: ProductId) -> Option<CurrentProduct> {
    let (found, stock) = app.commands.recent_with::<Product, StockLevel>(id, variants).await?;
    let created = found.state.live().ok()?;
    let seller = match created.seller {
        Some(seller) => Some(app.commands.recent::<Seller>(seller).await?.state),
        None => None,
    };
    if !created.is_sold(seller.as_deref()) {
        return None;
    }
    let available = stock.iter().map(|found| found.state.available()).collect();
    Some(CurrentProduct { id, found, seen: Seen { seller, is_keeper: false }, available })
}

/// How a caller sees a product.
pub(crate) struct Seen {
    /// Its seller; none for the house.
    pub(crate) seller: Option<Arc<Seller>>,
    /// Whether the caller may change it.
    pub(crate) is_keeper: bool,
}

/// How a caller sees a product; for all who may not see it, it is missing.
pub(crate) async fn seen_by(app: &App, caller: &Caller, product: &Product) -> Result<Seen, Problem> {
    let created = product.live()?;
    let seller = match created.seller {
        Some(seller) => app.commands.get::<Seller>(seller).await?.map(|found| found.state),
        None => None,
    };
    let is_keeper = caller.is_staff()
        || match &seller {
            Some(seller) => is_member(app, caller, seller).await?,
            None => false,
        };
    if is_keeper || created.is_sold(seller.as_deref()) {
        return Ok(Seen { seller, is_keeper });
    }
    Err(Problem::missing("product"))
}

/// Refuses callers who may not change a product, before a request costs work. Its use case checks again.
pub(crate) async fn require_keeper(app: &App, caller: &Caller, id: ProductId) -> Result<(), Problem> {
    let found = app.commands.get::<Product>(id).await?.ok_or_else(|| Problem::missing("product"))?;
    let seen = seen_by(app, caller, &found.state).await?;
    if seen.is_keeper { Ok(()) } else { Err(product::Rejection::NotYours.into()) }
}

/// The variants of a product, in their order.
fn variants(product: &Product) -> Vec<VariantId> {
    product.live().map(|created| created.variants.keys().copied().collect()).unwrap_or_default()
}

async fn id_of(app: &App, named: &Named) -> Result<Option<ProductId>, Error> {
    match named {
        Named::Product(id) => Ok(Some(*id)),
        Named::Variant(variant) => of_variant(app, *variant).await,
        Named::Sku(sku) => {
            for name in sku_names(sku) {
                let held = app.commands.get::<UniqueName>(name).await?;
                if let Some(variant) = held.and_then(|name| name.state.holder::<VariantId>()) {
                    return of_variant(app, variant).await;
                }
            }
            Ok(None)
        }
    }
}

async fn of_variant(app: &App, variant: VariantId) -> Result<Option<ProductId>, Error> {
    Ok(app.commands.get::<StockLevel>(variant).await?.and_then(|found| found.state.product))
}
