//! The price of a cart: reads everything that affects it together, and calculates the quote.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use byteshop_domain::account::Account;
use byteshop_domain::cart::{self, Offer};
use byteshop_domain::category::Category;
use byteshop_domain::decider::Decider;
use byteshop_domain::ids::{CategoryId, ProductId, PromotionId, SellerId, UsageId, VariantId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::pricing::{self, Candidate, Input, Item, Quote, SellerRates, Whereto};
use byteshop_domain::product::{self, Image, Product, TaxClass};
use byteshop_domain::promotion::{CouponCode, Promotion, Status, Terms};
use byteshop_domain::promotion_book::{self, PromotionBook};
use byteshop_domain::seller::Seller;
use byteshop_domain::shipping_book::{self, ShippingBook};
use byteshop_domain::stock::StockLevel;
use byteshop_domain::tax_book::{self, TaxBook};
use byteshop_domain::text::Email;
use byteshop_domain::usage::{self, Customer, Usage};
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

mod parcels;

pub use parcels::{Parcel, parcels};

/// How states are read that have a say in a price.
#[derive(Clone, Copy)]
pub enum Reading<'a> {
    /// To decide on: the append expects every version that was read.
    Deciding(&'a Unit),
    /// As this process last saw them: for what a command answers beside its decision.
    Glancing(&'a Unit),
    /// As they are in the log: for queries.
    Asking(&'a Commands),
}

/// The sellers of some products.
pub(crate) struct Sellers(BTreeMap<SellerId, Arc<Seller>>);

impl Sellers {
    /// Their ids.
    fn ids(&self) -> impl Iterator<Item = SellerId> {
        self.0.keys().copied()
    }

    /// The seller of a product; none if it is the house's.
    pub(crate) fn of(&self, product: &Product) -> Option<&Seller> {
        self.0.get(&product.live().ok()?.seller?).map(Arc::as_ref)
    }
}

/// The quote of a cart, and the offers of its variants.
#[derive(Debug, Clone)]
pub struct Priced {
    /// The current offer of each variant.
    pub offers: BTreeMap<VariantId, Offer>,
    /// The current quote.
    pub quote: Quote,
    /// The first picture of each product that has one.
    pub images: BTreeMap<ProductId, Image>,
}

impl Reading<'_> {
    /// Aggregates of a kind in the order of their ids.
    async fn all<A: Decider>(self, ids: &[A::Id]) -> Result<Vec<Loaded<A>>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Deciding(unit) => unit.load_all::<A>(ids).await,
            Self::Glancing(unit) => unit.peek_all::<A>(ids).await,
            Self::Asking(commands) => {
                let found = commands.get_all::<A>(ids).await?;
                let loaded = ids.iter().zip(found).map(|(id, found)| match found {
                    Some(found) => Loaded { id: *id, version: found.version, state: found.state },
                    None => Loaded { id: *id, version: 0, state: Arc::default() },
                });
                Ok(loaded.collect())
            }
        }
    }

    /// The one of its kind.
    async fn the<A: Decider>(self, id: A::Id) -> Result<Loaded<A>, Error> {
        Ok(self.all::<A>(&[id]).await?.swap_remove(0))
    }

    /// The sellers of products. Where all are the house's, nothing is read.
    pub(crate) async fn sellers(self, products: &[Loaded<Product>]) -> Result<Sellers, Error> {
        let sellers: BTreeSet<SellerId> = products.iter().filter_map(|it| it.state.live().ok()?.seller).collect();
        let sellers = self.all::<Seller>(&sellers.into_iter().collect::<Vec<_>>()).await?;
        Ok(Sellers(sellers.into_iter().map(|seller| (seller.id, seller.state)).collect()))
    }

    /// The shipping books of those sellers that have one of their own.
    pub(crate) async fn shipping_books(
        self,
        sellers: impl Iterator<Item = SellerId>,
    ) -> Result<BTreeMap<SellerId, Arc<ShippingBook>>, Error> {
        let sellers: Vec<SellerId> = sellers.collect();
        let ids: Vec<_> = sellers.iter().map(|seller| shipping_book::of_seller(*seller)).collect();
        let books = self.all::<ShippingBook>(&ids).await?;
        let known = sellers.into_iter().zip(books).filter(|(_, book)| !book.state.zones.is_empty());
        Ok(known.map(|(seller, book)| (seller, book.state)).collect())
    }

    /// The stock of variants in the order of their ids, and the products that they are of.
    pub(crate) async fn goods(
        self,
        variants: &[VariantId],
    ) -> Result<(Vec<Loaded<StockLevel>>, Vec<Loaded<Product>>), Error> {
        let stocks = self.all::<StockLevel>(variants).await?;
        let products: BTreeSet<ProductId> = stocks.iter().filter_map(|stock| stock.state.product).collect();
        let products = self.all::<Product>(&products.into_iter().collect::<Vec<_>>()).await?;
        Ok((stocks, products))
    }

    /// For what has a say in the price, and that no decision stands or falls with.
    fn glancing(self) -> Self {
        match self {
            Self::Deciding(unit) => Self::Glancing(unit),
            other @ (Self::Glancing(_) | Self::Asking(_)) => other,
        }
    }

    /// The parent of each of these categories, and of all above them. The tree changes rarely and a change cannot raise a price, so
    /// no decision expects its version.
    pub(crate) async fn parents(
        self,
        own: BTreeSet<CategoryId>,
    ) -> Result<BTreeMap<CategoryId, Option<CategoryId>>, Error> {
        let (reading, mut parents, mut next) = (self.glancing(), BTreeMap::new(), own);
        while !next.is_empty() {
            let ids: Vec<CategoryId> = next.into_iter().collect();
            for category in reading.all::<Category>(&ids).await? {
                let parent = category.state.live().ok().and_then(|it| it.parent);
                parents.insert(category.id, parent);
            }
            next = parents.values().flatten().filter(|parent| !parents.contains_key(parent)).copied().collect();
        }
        Ok(parents)
    }

    fn commands(&self) -> &Commands {
        match self {
            Self::Deciding(unit) | Self::Glancing(unit) => unit.commands(),
            Self::Asking(commands) => commands,
        }
    }

    /// Whether what is read is what the order is decided on.
    fn decides(self) -> bool {
        match self {
            Self::Deciding(_) => true,
            Self::Glancing(_) | Self::Asking(_) => false,
        }
    }
}

/// Calculates the price of a cart.
pub async fn price(reading: Reading<'_>, cart: &cart::Created, at: DateTime<Utc>) -> Result<Priced, Error> {
    let variants: Vec<VariantId> = cart.lines.iter().map(|line| line.variant).collect();
    let products: BTreeSet<ProductId> = cart.lines.iter().map(|line| line.product).collect();
    let products: Vec<ProductId> = products.into_iter().collect();
    let codes: Vec<_> = cart.coupons.iter().map(|code| name::id(NameKind::Coupon, code.as_str())).collect();
    let (stocks, products, tax, shipping, book, names) = tokio::try_join!(
        reading.all::<StockLevel>(&variants),
        reading.all::<Product>(&products),
        reading.the::<TaxBook>(tax_book::id()),
        reading.the::<ShippingBook>(shipping_book::id()),
        reading.the::<PromotionBook>(promotion_book::id()),
        reading.all::<UniqueName>(&codes),
    )?;
    let sellers = reading.sellers(&products).await?;
    let own_books = reading.shipping_books(sellers.ids()).await?;
    let products: BTreeMap<ProductId, &Product> = products.iter().map(|it| (it.id, it.state.as_ref())).collect();
    let offer = |(line, stock): (&cart::Line, &Loaded<StockLevel>)| {
        let product = products.get(&line.product)?;
        let offer = Offer::of(product, sellers.of(product), line.variant, &stock.state, cart.currency)?;
        Some((line.variant, offer))
    };
    let offers: BTreeMap<VariantId, Offer> = cart.lines.iter().zip(&stocks).filter_map(offer).collect();
    let (coupons, unknown) = coupons(reading, cart, &names).await?;
    let listed = book.state.promotions.iter().map(|(promotion, listed)| Running {
        promotion: *promotion,
        version: listed.version,
        status: Status::Active,
        terms: &listed.terms,
    });
    let entered = coupons.iter().filter_map(|coupon| {
        let created = coupon.state.live().ok()?;
        Some(Running { promotion: coupon.id, version: coupon.version, status: created.status, terms: &created.terms })
    });
    let running: Vec<Running<'_>> = listed.chain(entered).collect();
    let parents = parents(reading, &products, &running).await?;
    let known = known_uses(reading, cart, &running).await?;
    let quote = pricing::quote(&Input {
        currency: cart.currency,
        at,
        items: cart.lines.iter().map(|line| item(line, offers.get(&line.variant), &products, &parents)).collect(),
        destination: cart.destination.as_ref().map(|to| Whereto { country: &to.country, area: to.area.as_ref() }),
        lacks: cart.destination.as_ref().map_or(&BTreeSet::new(), |to| &to.lacks),
        service: cart.service.as_ref(),
        tax: &tax.state,
        shipping: &shipping.state,
        sellers: own_books.iter().map(|(seller, book)| rates(*seller, book, cart)).collect(),
        promotions: running.iter().map(|it| it.candidate(&known)).collect(),
        unknown,
        customers: known.customers,
        account: cart.owner,
        orders: known.orders,
        counters: known.counters,
    });
    let images = products.iter().filter_map(|(id, it)| Some((*id, it.live().ok()?.images.first()?.clone())));
    Ok(Priced { quote: quote.map_err(|_| cart::Rejection::TooExpensive)?, offers, images: images.collect() })
}

/// The prices at which a seller ships its goods in a cart.
fn rates<'a>(seller: SellerId, book: &'a ShippingBook, cart: &'a cart::Created) -> SellerRates<'a> {
    SellerRates { seller, book, service: cart.service_of(Some(seller)) }
}

/// A promotion that may apply, before it is known how often it was used.
struct Running<'a> {
    promotion: PromotionId,
    version: i64,
    status: Status,
    terms: &'a Terms,
}

/// The buyer, and the previous uses of limited promotions.
#[derive(Default)]
struct Known {
    customers: Vec<Customer>,
    orders: i64,
    /// The counters that record this order as the buyer's.
    counters: Vec<UsageId>,
    uses: BTreeMap<UsageId, i64>,
}

impl<'a> Running<'a> {
    fn candidate(&self, known: &Known) -> Candidate<'a> {
        let used = |usage: UsageId| known.uses.get(&usage).copied().unwrap_or(0);
        Candidate {
            promotion: self.promotion,
            version: self.version,
            status: self.status,
            terms: self.terms,
            used: used(usage::of_promotion(self.promotion)),
            used_by_customer: known
                .customers
                .iter()
                .map(|customer| used(usage::by_customer(self.promotion, customer)))
                .max()
                .unwrap_or(0),
        }
    }
}

/// The promotions whose codes were entered, and the codes that none has.
async fn coupons(
    reading: Reading<'_>,
    cart: &cart::Created,
    names: &[Loaded<UniqueName>],
) -> Result<(Vec<Loaded<Promotion>>, Vec<CouponCode>), Error> {
    let (mut held, mut unknown) = (Vec::new(), Vec::new());
    for (code, name) in cart.coupons.iter().zip(names) {
        match name.state.holder::<PromotionId>() {
            Some(promotion) => held.push(promotion),
            None => unknown.push(code.clone()),
        }
    }
    Ok((reading.all::<Promotion>(&held).await?, unknown))
}

/// The parent of each category above the products, if a promotion names categories.
async fn parents(
    reading: Reading<'_>,
    products: &BTreeMap<ProductId, &Product>,
    running: &[Running<'_>],
) -> Result<BTreeMap<CategoryId, Option<CategoryId>>, Error> {
    if pricing::categories(running.iter().map(|it| it.terms)).is_empty() {
        return Ok(BTreeMap::new());
    }
    reading.parents(products.values().filter_map(|product| product.live().ok()?.category).collect()).await
}

/// A category and all above it, the deepest first.
pub(crate) fn path(own: Option<CategoryId>, parents: &BTreeMap<CategoryId, Option<CategoryId>>) -> Vec<CategoryId> {
    std::iter::successors(own, |below| parents.get(below).copied().flatten()).collect()
}

/// A line of the cart with what promotions, taxes and carriers need to know of it; at today's price, if there is one.
fn item(
    line: &cart::Line,
    offer: Option<&Offer>,
    products: &BTreeMap<ProductId, &Product>,
    parents: &BTreeMap<CategoryId, Option<CategoryId>>,
) -> Item {
    let product = products.get(&line.product).and_then(|product| product.live().ok());
    let variant: Option<&product::Variant> = product.and_then(|product| product.variants.get(&line.variant));
    Item {
        variant: line.variant,
        product: line.product,
        seller: product.and_then(|product| product.seller),
        categories: path(product.and_then(|product| product.category), parents),
        unit_price: offer.map_or(line.unit_price, |offer| offer.price),
        quantity: line.quantity,
        tax_class: variant.map_or(TaxClass::Standard, |variant| variant.tax_class),
        weight_g: variant.and_then(|variant| variant.weight_g),
        physical: variant.is_none_or(|variant| variant.physical),
        gift_card: offer.is_some_and(|offer| offer.gift_cards),
    }
}

/// The buyer and the previous uses; reads only what a promotion requires.
async fn known_uses(reading: Reading<'_>, cart: &cart::Created, running: &[Running<'_>]) -> Result<Known, Error> {
    let limited = running.iter().any(|it| it.terms.per_customer().is_some());
    let counts_orders = reading.decides() || running.iter().any(|it| it.terms.conditions.first_order);
    let customers = if limited || counts_orders { customers(reading, cart).await? } else { Vec::new() };
    let mut ids: Vec<UsageId> = Vec::new();
    for Running { promotion, terms, .. } in running {
        ids.extend(terms.limits.total.map(|_| usage::of_promotion(*promotion)));
        if terms.per_customer().is_some() {
            ids.extend(customers.iter().map(|customer| usage::by_customer(*promotion, customer)));
        }
    }
    let orders_of: Vec<UsageId> = customers.iter().filter(|_| counts_orders).map(usage::orders_of).collect();
    ids.extend(&orders_of);
    let uses: BTreeMap<UsageId, i64> =
        reading.all::<Usage>(&ids).await?.into_iter().map(|usage| (usage.id, usage.state.used)).collect();
    let count_of = |usage: &UsageId| uses.get(usage).copied().unwrap_or(0);
    let orders = orders_of.iter().map(count_of).max().unwrap_or(0);
    // The orders of an account are listed whole.
    let of_account = cart.owner.map(|owner| usage::orders_of(&Customer::account(owner)));
    let counts = |usage: &UsageId| Some(*usage) == of_account || count_of(usage) < usage::COUNTED_OF_MAILBOX;
    let counters = orders_of.into_iter().filter(counts).collect();
    Ok(Known { customers, orders, counters, uses })
}

/// The identities of the buyer: the account, and the keyed hashes of its e-mail address and of the given one, in every
/// form under which uses may have been counted, and that of its mailbox.
async fn customers(reading: Reading<'_>, cart: &cart::Created) -> Result<Vec<Customer>, Error> {
    let vault = reading.commands().vault();
    let forms = |email: &Email| email.forms().into_iter().chain([email.mailbox()]);
    let mut emails = BTreeSet::new();
    let mut known = Vec::new();
    if let Some(owner) = cart.owner {
        known.push(Customer::account(owner));
        for account in reading.glancing().all::<Account>(&[owner]).await? {
            if let Ok(open) = account.state.live() {
                emails.extend(vault.open(&open.email).await?.iter().flat_map(forms));
            }
        }
    }
    if let Some(address) = cart.destination.as_ref().and_then(|to| to.address.as_ref()) {
        let given = vault.open(address).await?.and_then(|address| address.email);
        emails.extend(given.iter().flat_map(forms));
    }
    for email in emails {
        known.push(Customer::email(&vault.blind("customer", &email).await?));
    }
    Ok(known)
}
