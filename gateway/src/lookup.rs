//! Lookup of the names in a query of the audit trail: event types, actors and objects. An unknown name is refused,
//! because an empty result would look as if nothing had happened.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use byteshop_commands::use_cases::accounts;
use byteshop_commands::use_cases::products::sku_names;
use byteshop_domain::account::Account;
use byteshop_domain::ids::{AccountId, Id as _, NameId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::order::{Number, Order};
use byteshop_domain::product::Product;
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{Email, Reference, Sku, nfc};
use byteshop_domain::{AnyEvent, Decider as _};
use byteshop_eventstore::read::{Filter, PAGE};
use byteshop_eventstore::{Log, StoreError, StreamId, Vault};
use byteshop_projections::Views;
use byteshop_projections::order_list::{self, Contact};
use byteshop_projections::page::{Ask, LIMIT_MAX};

use crate::near;

/// Kinds of actors, as the log writes them.
pub const ACTOR_KINDS: [&str; 9] =
    ["customer", "guest", "seller", "support", "admin", "service", "process", "operator", "system"];

/// The accepted names of objects.
const NAMES: &str = "an id such as ord_…, an e-mail address, a SKU, the number of an order, invoice or credit note, a coupon \
                     code or the slug of a category";

/// Names that people give to things, beside their ids.
const NAME_KINDS: [NameKind; 5] =
    [NameKind::Sku, NameKind::CategorySlug, NameKind::Coupon, NameKind::Reference, NameKind::SellerHandle];

/// Every type of event that this program can write, such as `order.placed`.
static EVENT_TYPES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let forms = byteshop_domain::catalogue().into_iter();
    forms.map(|form| format!("{}.{}", form.category, form.event_type)).collect()
});

/// Why a name was not found.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// There is no such name; the text suggests others.
    #[error("{0}")]
    Unknown(String),
    /// Addresses are kept as keyed hashes.
    #[error(
        "looking up an e-mail address needs the data key of the shop: set BYTESHOP_DATA_KEY, or name its directory with --data"
    )]
    NoDataKey,
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An account cannot be read.
    #[error(transparent)]
    Commands(#[from] byteshop_commands::Error),
    /// A row of a view cannot be read.
    #[error(transparent)]
    Views(#[from] byteshop_projections::Error),
}

/// Something that has events of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// The id, such as `ord_…`.
    pub id: String,
    /// Where its events are.
    pub stream: StreamId,
}

/// Where names are looked up.
#[derive(Debug, Clone, Copy)]
pub struct Finder<'a> {
    /// The log.
    pub log: &'a Log,
    /// The views, which know orders by their numbers.
    pub views: &'a Views,
    /// The vault that hashes e-mail addresses, if available.
    pub vault: Option<&'a Vault>,
}

/// The event types that a pattern names: `order.placed`, `placed` of any category, `order.*`, `product.variant*`.
///
/// # Errors
/// When it names none; the text suggests others.
pub fn event_types(pattern: &str) -> Result<Vec<String>, String> {
    let pattern = pattern.trim();
    let is_wanted = |name: &&String| {
        let bare = name.split_once('.').map_or(name.as_str(), |(_, bare)| bare);
        matches(pattern, if pattern.contains('.') { name } else { bare })
    };
    let found: Vec<String> = EVENT_TYPES.iter().filter(is_wanted).cloned().collect();
    if found.is_empty() {
        let known = EVENT_TYPES.iter().map(String::as_str);
        return Err(format!("unknown event type `{}`{}", shown(pattern), did_you_mean(pattern, known)));
    }
    Ok(found)
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(left) = text.strip_prefix(start) else { return false };
    (0..=left.len()).filter(|end| left.is_char_boundary(*end)).any(|end| matches(rest, &left[end..]))
}

fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match near::suggestions(name, known).as_slice() {
        [] => "; docs/EVENTS.md lists them".to_owned(),
        near => format!("; did you mean {}?", near.join(", ")),
    }
}

/// The beginning of what was given, which may be anything.
fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

impl Thing {
    /// The thing that an id names, whether the log has it or not.
    pub fn of_id(text: &str) -> Option<Self> {
        let (aggregate, id) = byteshop_domain::locate(text)?;
        Some(Self { id: text.to_owned(), stream: StreamId::named(aggregate.category, id) })
    }

    fn of_stream(stream: StreamId) -> Option<Self> {
        let id = byteshop_domain::id_of(&stream.category, stream.id)?;
        Some(Self { id, stream })
    }
}

impl Finder<'_> {
    /// The actor that a text names, in the form that a filter takes: a kind, an id, an e-mail address, the name of a process,
    /// or a kind and one of these.
    ///
    /// # Errors
    /// [`LookupError::Unknown`] when the log knows no such actor.
    pub async fn actor(&self, text: &str) -> Result<String, LookupError> {
        let text = text.trim();
        if ACTOR_KINDS.contains(&text) {
            return Ok(text.to_owned());
        }
        match text.split_once(' ') {
            Some((kind, rest)) if ACTOR_KINDS.contains(&kind) => {
                Ok(format!("{kind} {}", self.actor_named(rest).await?))
            }
            _ => self.actor_named(text).await,
        }
    }

    async fn actor_named(&self, text: &str) -> Result<String, LookupError> {
        if text.contains('@') {
            return Ok(self.account(text).await?.to_string());
        }
        if let Some(thing) = Thing::of_id(text) {
            // Tokens of development act for accounts that were never registered.
            let filter = Filter { actor: Some(text.to_owned()), ..Filter::default() };
            let acted = !self.log.read_filtered(0, 1, &filter).await?.is_empty();
            return if acted { Ok(thing.id) } else { self.existing(thing).await.map(|thing| thing.id) };
        }
        let names = self.log.actor_names().await?;
        if names.iter().any(|name| name == text) {
            return Ok(text.to_owned());
        }
        let known: Vec<&str> = ACTOR_KINDS.into_iter().chain(names.iter().map(String::as_str)).collect();
        let hint = match near::nearest(text, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("give an id such as acc_…, an e-mail address, or one of {}", known.join(", ")),
        };
        Err(LookupError::Unknown(format!("the log has no actor `{}`; {hint}", shown(text))))
    }

    /// The things that a text names, the most telling first: a SKU names its product and the stock of its variant.
    ///
    /// # Errors
    /// [`LookupError::Unknown`] when there is none.
    pub async fn things(&self, text: &str) -> Result<Vec<Thing>, LookupError> {
        let text = text.trim();
        if let Some(thing) = Thing::of_id(text) {
            return Ok(vec![self.existing(thing).await?]);
        }
        if text.contains('@') {
            return self.of_address(text).await;
        }
        let mut found = Vec::new();
        for form in forms_of(text) {
            found.extend(self.orders(&form).await?);
            found.extend(self.credit_notes(&form).await?);
        }
        for kind in NAME_KINDS {
            found.extend(self.holders(kind, text).await?);
        }
        if found.is_empty() {
            return Err(LookupError::Unknown(format!("the log has nothing named `{}`; give {NAMES}", shown(text))));
        }
        Ok(found)
    }

    /// The account with an e-mail address, and the orders of guests who gave it, the newest first.
    async fn of_address(&self, text: &str) -> Result<Vec<Thing>, LookupError> {
        let account = match self.account(text).await {
            Ok(account) => Thing::of_stream(StreamId::of::<Account>(account)),
            Err(LookupError::Unknown(_)) => None,
            Err(error) => return Err(error),
        };
        let orders = self.orders_of_guest(text).await?;
        if account.is_none() && orders.is_empty() {
            let text = shown(text);
            return Err(LookupError::Unknown(format!(
                "no account and no order of a guest has the e-mail address {text}"
            )));
        }
        Ok(account.into_iter().chain(orders).collect())
    }

    /// The newest orders of guests who gave an e-mail address.
    async fn orders_of_guest(&self, text: &str) -> Result<Vec<Thing>, LookupError> {
        let Ok(email) = text.parse::<Email>() else { return Ok(Vec::new()) };
        let vault = self.vault.ok_or(LookupError::NoDataKey)?;
        let email_hashes = accounts::guest_hashes(vault, &email).await?;
        let contact = Some(Contact { account: None, email_hashes });
        let ask = Ask { limit: Some(LIMIT_MAX), ..Ask::default() };
        self.orders_in_view(&order_list::Query { contact, ask, ..order_list::Query::default() }).await
    }

    /// The orders that the view finds.
    async fn orders_in_view(&self, query: &order_list::Query) -> Result<Vec<Thing>, LookupError> {
        // A log without views, as of a database that was just migrated, is still asked by everything else.
        let Ok(page) = self.views.order_list(query).await else { return Ok(Vec::new()) };
        Ok(page.rows()?.into_iter().filter_map(|row| Thing::of_stream(StreamId::of::<Order>(row.id))).collect())
    }

    /// Refuses what the log has no event of.
    async fn existing(&self, thing: Thing) -> Result<Thing, LookupError> {
        if self.log.read_stream(&thing.stream, 0, 1).await?.is_empty() {
            let kind = thing.stream.category.replace('_', " ");
            return Err(LookupError::Unknown(format!("the log has no {kind} {}", thing.id)));
        }
        Ok(thing)
    }

    async fn account(&self, text: &str) -> Result<AccountId, LookupError> {
        let none = || {
            let text = shown(text);
            LookupError::Unknown(format!("no account has the e-mail address {text}; guests are found by their orders"))
        };
        let email: Email = text.parse().map_err(|_| none())?;
        let vault = self.vault.ok_or(LookupError::NoDataKey)?;
        let name = accounts::email_name(vault, &email).await?;
        for id in name.lookup {
            let owner = self.owner(StreamId::of::<UniqueName>(id)).await?;
            if let Some(account) = owner.and_then(|owner| owner.parse().ok()) {
                return Ok(account);
            }
        }
        Err(none())
    }

    /// The current or last owner of a unique name.
    async fn owner(&self, name: StreamId) -> Result<Option<String>, LookupError> {
        let events = self.log.read_stream(&name, 0, PAGE).await?;
        for event in events.iter().rev() {
            if let AnyEvent::Name(_, name::Event::Claimed { owner, .. }) = decoded(event)? {
                return Ok(Some(owner));
            }
        }
        Ok(None)
    }

    async fn holders(&self, kind: NameKind, text: &str) -> Result<Vec<Thing>, LookupError> {
        let mut owner = None;
        for name in names_of(kind, text) {
            owner = owner.or(self.owner(StreamId::of::<UniqueName>(name)).await?);
        }
        let Some(thing) = owner.as_deref().and_then(Thing::of_id) else { return Ok(Vec::new()) };
        if thing.stream.category != StockLevel::CATEGORY {
            return Ok(vec![thing]);
        }
        let first = self.log.read_stream(&thing.stream, 0, 1).await?.pop();
        let product = match first.as_ref().map(decoded).transpose()? {
            Some(AnyEvent::Stock(_, stock::Event::Opened { product, .. })) => {
                Thing::of_stream(StreamId::of::<Product>(product))
            }
            _ => None,
        };
        Ok(product.into_iter().chain([thing]).collect())
    }

    /// The orders with this number, or with an invoice of this number.
    async fn orders(&self, text: &str) -> Result<Vec<Thing>, LookupError> {
        let by_number = text.parse::<Number>().ok();
        let by_number =
            by_number.map(|number| order_list::Query { number: Some(number), ..order_list::Query::default() });
        let by_invoice = Reference::new(text).ok();
        let by_invoice = by_invoice.map(|it| order_list::Query { invoice: Some(it), ..order_list::Query::default() });
        let mut found = Vec::new();
        for query in by_number.into_iter().chain(by_invoice) {
            found.extend(self.orders_in_view(&query).await?);
        }
        Ok(found)
    }

    /// The credit notes with this number.
    async fn credit_notes(&self, text: &str) -> Result<Vec<Thing>, LookupError> {
        let mut found = Vec::new();
        for event in self.log.mentioning("credit_note", "issued", text).await? {
            if let AnyEvent::CreditNote(id, byteshop_domain::credit_note::Event::Issued(content)) = decoded(&event)?
                && content.reference.as_str() == text
            {
                found.extend(Thing::of_stream(StreamId::named(event.category, id.uuid())));
            }
        }
        Ok(found)
    }
}

/// The forms in which a text without rules of its own may be kept: today's, and the one that it was given in.
fn forms_of(text: &str) -> Vec<String> {
    let mut forms = vec![nfc(text).into_owned()];
    if forms[0] != text {
        forms.push(text.to_owned());
    }
    forms
}

/// The names of a kind that a text stands for, each in the form in which it is claimed; today's first.
fn names_of(kind: NameKind, text: &str) -> Vec<NameId> {
    match kind {
        NameKind::Sku => Sku::new(text).map(|sku| sku_names(&sku).collect()).unwrap_or_default(),
        NameKind::Coupon => CouponCode::new(text).map(|code| vec![name::id(kind, code.as_str())]).unwrap_or_default(),
        NameKind::CategorySlug | NameKind::Reference | NameKind::Email | NameKind::Cart | NameKind::SellerHandle => {
            forms_of(text).iter().map(|form| name::id(kind, form)).collect()
        }
    }
}

fn decoded(event: &byteshop_eventstore::Recorded) -> Result<AnyEvent, LookupError> {
    let any = AnyEvent::decode(&event.category, event.stream, &event.event_type, event.schema, &event.data);
    any.map_err(|source| StoreError::Unreadable { position: event.position, source }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_the_types_that_fit_it() {
        assert_eq!(event_types("order.placed").unwrap(), ["order.placed"]);
        assert_eq!(event_types("placed").unwrap(), ["order.placed"]);
        let of_orders = event_types("order.*").unwrap();
        assert!(of_orders.len() > 10 && of_orders.iter().all(|name| name.starts_with("order.")), "{of_orders:?}");
        let of_variants = event_types("product.variant*").unwrap();
        assert!(!of_variants.is_empty() && of_variants.iter().all(|name| name.starts_with("product.variant")));
    }

    #[test]
    fn an_unknown_type_is_refused_with_a_suggestion() {
        let said = event_types("price_changed").unwrap_err();
        assert!(said.contains("unknown event type `price_changed`") && said.contains("product.price_set"), "{said}");
        assert!(event_types("order.plcaed").unwrap_err().contains("order.placed"));
        assert!(event_types("").is_err() && event_types("product.vairant*").is_err());
    }
}
