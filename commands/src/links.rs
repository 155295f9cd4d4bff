//! Links that open an order, or one of its documents, without a token: a link gives read access to this and nothing else, until it
//! expires.
//!
//! A link contains its expiry and a seal: the keyed hash (HMAC-SHA256) of the path and the expiry, under the key with
//! which the shop hashes names. So nothing is stored for it, only the shop can create one, and a link for one document
//! opens no other.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use byteshop_domain::Locale;
use byteshop_domain::download::Item;
use byteshop_domain::ids::{AccountId, OrderId, ProductId, ShipmentId, VariantId};
use byteshop_eventstore::clock::whole_seconds;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use uuid::Uuid;

use crate::Commands;
use crate::engine::error::Error;

/// The validity of a link in a mail: long enough to have the invoice for a return.
const IN_MAIL: TimeDelta = TimeDelta::days(60);
/// How long a link to unsubscribe works: people look for it in the oldest mail that they still have.
const UNSUBSCRIBES: TimeDelta = TimeDelta::days(730);
/// The validity of a link in a response; reading the order again gives a new one.
const AT_HAND: TimeDelta = TimeDelta::hours(1);
/// The domain of the hash, which separates links from other keyed hashes of the shop.
const KIND: &str = "paper";

/// The target of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// An order: what is shown of it, its history, its parcels and its changes as they happen.
    Order(OrderId),
    /// The changes of an order as they happen, and nothing else of it.
    Stream(OrderId),
    /// The invoice of an order.
    Invoice(OrderId),
    /// The credit notes of an order.
    CreditNotes(OrderId),
    /// The page with the keys of a guest's order.
    Keys(OrderId),
    /// The page with the downloads of a guest's order.
    Downloads(OrderId),
    /// A download of what was bought; see [`downloads`](crate::use_cases::downloads).
    Download {
        /// The order.
        order: OrderId,
        /// The variant.
        variant: VariantId,
        /// The link or the file.
        item: Item,
        /// What tells one download from another.
        ticket: Uuid,
    },
    /// The packing list of an order; such a link is given to staff alone.
    PackingList(OrderId),
    /// The label of a parcel; such a link is given to staff alone.
    Label(ShipmentId),
    /// The buyer of an order unsubscribes from the messages about new versions of what a variant delivers.
    NoUpdates(OrderId, VariantId),
    /// An account unsubscribes from the messages about a product.
    Unsubscribe(ProductId, AccountId),
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads: an address, or a path if the API's address is not set.
    pub url: String,
    /// Until when it does.
    pub until: DateTime<Utc>,
}

/// The validity of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// The link opens its target.
    Yes,
    /// The link has expired.
    Expired,
    /// The link is invalid, or opens another target.
    Never,
}

impl Target {
    /// The path in the API.
    fn path(self) -> String {
        match self {
            Self::Order(order) => format!("/v1/orders/{order}"),
            Self::Stream(order) => format!("/v1/orders/{order}/stream"),
            Self::Invoice(order) => format!("/v1/orders/{order}/invoice"),
            Self::CreditNotes(order) => format!("/v1/orders/{order}/credit-notes/print"),
            Self::Keys(order) => format!("/v1/orders/{order}/keys"),
            Self::Downloads(order) => format!("/v1/orders/{order}/downloads/page"),
            Self::Download { order, variant, item, ticket } => {
                let file = match item {
                    Item::Link => String::new(),
                    Item::File { file, version } => format!("&file={file}&version={version}"),
                };
                format!("/v1/orders/{order}/download?variant={variant}{file}&ticket={ticket}")
            }
            Self::PackingList(order) => format!("/v1/orders/{order}/packing-list"),
            Self::Label(shipment) => format!("/v1/shipments/{shipment}/label"),
            Self::NoUpdates(order, variant) => format!("/v1/orders/{order}/updates/unsubscribe?variant={variant}"),
            Self::Unsubscribe(product, account) => {
                format!("/v1/products/{product}/watch/unsubscribe?account={account}")
            }
        }
    }
}

impl Commands {
    /// The public address of the API; empty if it is not set.
    pub fn api_address(&self) -> &str {
        self.details().and_then(|details| details.api.as_deref()).unwrap_or_default()
    }

    /// The address of a path of the API: the path itself if that address is not set.
    pub fn url_of(&self, path: &str) -> String {
        format!("{}{path}", self.api_address())
    }

    /// A link for a response.
    pub async fn link_at_hand(&self, target: Target) -> Result<Link, Error> {
        let now = self.clock().now();
        // On the full hour, so that the same question mostly has the same answer.
        let until = (now + AT_HAND).duration_round_up(TimeDelta::hours(1)).unwrap_or(now + AT_HAND);
        self.link(target, until, None).await
    }

    /// A link for a response that opens its target until a time.
    pub(crate) async fn link_until(&self, target: Target, until: DateTime<Utc>) -> Result<Link, Error> {
        self.link(target, whole_seconds(until), None).await
    }

    /// A link for a mail in a language; none if the API's address is not set.
    pub(crate) async fn link_in_mail(&self, target: Target, locale: Locale) -> Result<Option<String>, Error> {
        if self.api_address().is_empty() {
            return Ok(None);
        }
        let until = self.clock().now() + IN_MAIL;
        Ok(Some(self.link(target, until, Some(locale)).await?.url))
    }

    /// The link to unsubscribe from the messages about a product; none while the public address of the API is not set.
    pub(crate) async fn unsubscribe_link(
        &self,
        product: ProductId,
        account: AccountId,
        locale: Locale,
    ) -> Result<Option<String>, Error> {
        if self.api_address().is_empty() {
            return Ok(None);
        }
        let until = self.clock().now() + UNSUBSCRIBES;
        Ok(Some(self.link(Target::Unsubscribe(product, account), until, Some(locale)).await?.url))
    }

    /// The link to unsubscribe from the messages about new versions of what a variant delivers; none while the public address of the
    /// API is not set.
    pub(crate) async fn no_updates_link(
        &self,
        order: OrderId,
        variant: VariantId,
        locale: Locale,
    ) -> Result<Option<String>, Error> {
        if self.api_address().is_empty() {
            return Ok(None);
        }
        let until = self.clock().now() + UNSUBSCRIBES;
        Ok(Some(self.link(Target::NoUpdates(order, variant), until, Some(locale)).await?.url))
    }

    /// The query with which a page of the storefront opens an order for a guest who comes from a mail: the page passes
    /// it on to the API.
    pub(crate) async fn guest_query_in_mail(&self, order: OrderId) -> Result<String, Error> {
        let until_s = (self.clock().now() + IN_MAIL).timestamp();
        let seal = self.seal_of(&Target::Order(order).path(), until_s).await?;
        Ok(format!("?until={until_s}&seal={seal}"))
    }

    async fn link(&self, target: Target, until: DateTime<Utc>, locale: Option<Locale>) -> Result<Link, Error> {
        let path = target.path();
        let (seal, until_s) = (self.seal_of(&path, until.timestamp()).await?, until.timestamp());
        let locale = locale.map_or_else(String::new, |locale| format!("&locale={}", locale.as_str()));
        let mark = if path.contains('?') { '&' } else { '?' };
        Ok(Link { url: self.url_of(&format!("{path}{mark}until={until_s}&seal={seal}{locale}")), until })
    }

    /// Checks a link with this expiry and seal.
    pub async fn opens(&self, target: Target, until_s: i64, seal: &str) -> Result<Opens, Error> {
        let right = self.seal_of(&target.path(), until_s).await?;
        // Equal seals are compared without a hint of where they differ.
        if verify_slices_are_equal(right.as_bytes(), seal.as_bytes()).is_err() {
            return Ok(Opens::Never);
        }
        Ok(if until_s > self.clock().now().timestamp() { Opens::Yes } else { Opens::Expired })
    }

    async fn seal_of(&self, path: &str, until_s: i64) -> Result<String, Error> {
        Ok(self.vault().blind(KIND, &format!("{path} {until_s}")).await?)
    }
}
