//! The payment book: the methods of payment that staff settles by hand, such as a bank transfer, and where the payment providers
//! of the shop are offered, in one stream.
//!
//! ```text
//! (empty) ──method set, method removed, provider limited, provider unlimited──▶ …
//! ```
//!
//! A provider is offered everywhere unless the book limits it.
//! A method is offered for the orders of its countries and currencies. What a buyer chose is frozen in their payment, so a later
//! change of the book does not affect the buyers who chose a method before.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Currency;
use crate::bounded::Bounded;
use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, PaymentBookId};
use crate::money::Money;
use crate::payment_provider::Provider;
use crate::tax_book::COUNTRIES_MAX;
use crate::text::{Country, Instructions, Slug, Title};

/// The maximum number of methods: a bank account for each of some currencies, and a counter in each of some towns.
pub const METHODS_MAX: usize = 50;
/// The maximum number of currencies of a method: ISO 4217 has some 180.
pub const CURRENCIES_MAX: usize = 200;
/// The longest time to pay, in days: the usual maximum of payment terms (EU directive 2011/7/EU, article 3 (5)).
pub const DAYS_MAX: u16 = 60;

/// The id of the one book.
pub fn id() -> PaymentBookId {
    PaymentBookId::from_uuid(uuid::Uuid::from_u128(1))
}

/// How money reaches the shop without a payment provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManualKind {
    /// By bank transfer.
    BankTransfer,
    /// Elsewhere: at the counter, by invoice, by a payment link.
    Elsewhere,
    /// On delivery: the goods leave before the money is there, and the carrier collects it.
    CashOnDelivery,
}

impl ManualKind {
    /// Whether the goods leave before they are paid.
    pub fn is_on_delivery(self) -> bool {
        match self {
            Self::CashOnDelivery => true,
            Self::BankTransfer | Self::Elsewhere => false,
        }
    }
}

/// A method of payment that staff settles by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = NewManualMethod))]
pub struct ManualMethod {
    /// The slug of the method.
    pub method: Slug,
    /// How the money reaches the shop.
    pub kind: ManualKind,
    /// The title that the buyer sees.
    pub title: Title,
    /// What the buyer has to do, such as the account to transfer to.
    pub instructions: Instructions,
    /// The countries whose orders it is offered for, as ISO 3166 codes; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Bounded<Vec<Country>, { COUNTRIES_MAX }>,
    /// The currencies in which it is offered; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub currencies: Bounded<Vec<Currency>, { CURRENCIES_MAX }>,
    /// The days to pay, from the order on; the goods are reserved that long. A bank transfer needs them. Without them the payment
    /// window stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 60))]
    pub days: Option<u16>,
    /// Whether only accounts may choose it, whose unpaid orders are limited in number. False by default.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accounts_only: bool,
    /// The maximum total of the orders that it is offered for, in the one currency of the method; without it there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total: Option<Money>,
}

/// Where a payment provider is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = NewProviderLimit))]
pub struct ProviderLimit {
    /// The provider.
    pub provider: Provider,
    /// The countries whose orders it is offered for, as ISO 3166 codes; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Bounded<Vec<Country>, { COUNTRIES_MAX }>,
    /// The currencies in which it is offered; all that it accepts if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub currencies: Bounded<Vec<Currency>, { CURRENCIES_MAX }>,
}

/// The order that a method is to be offered for.
#[derive(Debug, Clone, Copy)]
pub struct Sale<'a> {
    /// The country that it goes to.
    pub country: &'a Country,
    /// The currency of its total.
    pub currency: Currency,
    /// Whether its buyer has an account.
    pub has_account: bool,
    /// Its total.
    pub total: Money,
    /// Whether all of it is goods of the house that are shipped, so that the carrier can collect the money.
    pub can_be_paid_on_delivery: bool,
}

/// What happened to the payment book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A method was set; this replaces the earlier method of this name.
    MethodSet(ManualMethod),
    /// A method was removed.
    MethodRemoved {
        /// The method.
        method: Slug,
    },
    /// A provider is offered only there from now on; this replaces earlier limits of this provider.
    ProviderLimited(ProviderLimit),
    /// A provider is offered everywhere again.
    ProviderUnlimited {
        /// The provider.
        provider: Provider,
    },
}

impl crate::Event for Event {}

/// The commands of the payment book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Set all methods, and all limits of providers; they replace the earlier ones.
    Set {
        /// The methods, each once.
        methods: Vec<ManualMethod>,
        /// The limits of providers, each provider once.
        providers: Vec<ProviderLimit>,
    },
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        MethodTwice { at: usize } => Invalid at "/methods/{at}/method": "two methods have the same name";
        NoCode { at: usize, country: Country } => Invalid at "/methods/{at}/countries":
            "`{country}` is not a country; use an ISO 3166 code such as DE";
        NoDays { at: usize } => Invalid at "/methods/{at}/days":
            "a bank transfer needs 1 to {DAYS_MAX} days to pay; cash on delivery has none; other methods have as many, or none";
        WrongMaximum { at: usize } => Invalid at "/methods/{at}/max_total":
            "a maximum must be greater than zero, and its currency the only one in `currencies`";
        TooMany => Invalid at "/methods":
            "a shop has at most {METHODS_MAX} methods, and a method {COUNTRIES_MAX} countries and {CURRENCIES_MAX} currencies";
        NotOffered { method: Slug } => Invalid at "/method":
            "`{method}` is not offered for this order; GET /v1/orders/{{id}}/payment-methods lists what is";
        ProviderTwice { at: usize } => Invalid at "/providers/{at}/provider": "a provider has two limits";
        ProviderNoCode { at: usize, country: Country } => Invalid at "/providers/{at}/countries":
            "`{country}` is not a country; use an ISO 3166 code such as DE";
        ProviderNotOffered { provider: &'static str } => Invalid at "/provider":
            "`{provider}` is not offered for this order; GET /v1/orders/{{id}}/payment-methods lists what is";
    }
}

/// The state of the payment book.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PaymentBook {
    /// The methods.
    pub methods: BTreeMap<Slug, ManualMethod>,
    /// Where providers are offered; everywhere without a limit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub providers: BTreeMap<Provider, ProviderLimit>,
}

impl Decider for PaymentBook {
    const CATEGORY: &'static str = "payment_book";
    const SINGLETON: bool = true;
    type Id = PaymentBookId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Set { methods, providers } => {
                let mut events = self.set_methods(methods)?;
                events.extend(self.limit(providers)?);
                Ok(events)
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::MethodSet(method) => drop(self.methods.insert(method.method.clone(), method.clone())),
            Event::MethodRemoved { method } => drop(self.methods.remove(method)),
            Event::ProviderLimited(limit) => drop(self.providers.insert(limit.provider, limit.clone())),
            Event::ProviderUnlimited { provider } => drop(self.providers.remove(provider)),
        }
        self
    }
}

impl PaymentBook {
    fn set_methods(&self, methods: &[ManualMethod]) -> Result<Vec<Event>, Rejection> {
        if methods.len() > METHODS_MAX {
            return Err(Rejection::TooMany);
        }
        let mut kept = BTreeSet::new();
        for (at, method) in methods.iter().enumerate() {
            if !kept.insert(&method.method) {
                return Err(Rejection::MethodTwice { at });
            }
            check(at, method)?;
        }
        let removed = self.methods.keys().filter(|known| !kept.contains(known));
        let removed = removed.map(|method| Event::MethodRemoved { method: method.clone() });
        let set = methods.iter().filter(|method| self.methods.get(&method.method) != Some(*method));
        Ok(removed.chain(set.cloned().map(Event::MethodSet)).collect())
    }

    fn limit(&self, limits: &[ProviderLimit]) -> Result<Vec<Event>, Rejection> {
        let mut kept = BTreeSet::new();
        for (at, limit) in limits.iter().enumerate() {
            if !kept.insert(limit.provider) {
                return Err(Rejection::ProviderTwice { at });
            }
            if limit.countries.len() > COUNTRIES_MAX || limit.currencies.len() > CURRENCIES_MAX {
                return Err(Rejection::TooMany);
            }
            if let Some(country) = limit.countries.iter().find(|country| !country.is_code()) {
                return Err(Rejection::ProviderNoCode { at, country: country.clone() });
            }
        }
        let removed = self.providers.keys().filter(|known| !kept.contains(known));
        let removed = removed.map(|provider| Event::ProviderUnlimited { provider: *provider });
        let set = limits.iter().filter(|limit| self.providers.get(&limit.provider) != Some(*limit));
        Ok(removed.chain(set.cloned().map(Event::ProviderLimited)).collect())
    }
}

fn check(at: usize, method: &ManualMethod) -> Result<(), Rejection> {
    if method.countries.len() > COUNTRIES_MAX || method.currencies.len() > CURRENCIES_MAX {
        return Err(Rejection::TooMany);
    }
    if let Some(country) = method.countries.iter().find(|country| !country.is_code()) {
        return Err(Rejection::NoCode { at, country: country.clone() });
    }
    let fits = match (method.kind, method.days) {
        (ManualKind::BankTransfer | ManualKind::Elsewhere, Some(days)) => (1..=DAYS_MAX).contains(&days),
        (ManualKind::Elsewhere | ManualKind::CashOnDelivery, None) => true,
        (ManualKind::BankTransfer, None) | (ManualKind::CashOnDelivery, Some(_)) => false,
    };
    let is_right = |max: &Money| max.amount > 0 && method.currencies[..] == [max.currency];
    match &method.max_total {
        _ if !fits => Err(Rejection::NoDays { at }),
        Some(max) if !is_right(max) => Err(Rejection::WrongMaximum { at }),
        Some(_) | None => Ok(()),
    }
}

impl ManualMethod {
    /// Whether it is offered for an order.
    pub fn is_offered(&self, sale: Sale<'_>) -> bool {
        is_within(&self.countries, &self.currencies, sale)
            && (sale.has_account || !self.accounts_only)
            && (sale.can_be_paid_on_delivery || !self.kind.is_on_delivery())
            && self.max_total.is_none_or(|max| sale.total.amount <= max.amount)
    }
}

/// Whether an order is of one of these countries and currencies; an empty list has all.
fn is_within(countries: &[Country], currencies: &[Currency], sale: Sale<'_>) -> bool {
    (countries.is_empty() || countries.contains(sale.country))
        && (currencies.is_empty() || currencies.contains(&sale.currency))
}

impl PaymentBook {
    /// The methods that are offered for an order.
    pub fn offered<'a>(&'a self, sale: Sale<'a>) -> impl Iterator<Item = &'a ManualMethod> + 'a {
        self.methods.values().filter(move |method| method.is_offered(sale))
    }

    /// Whether a provider is offered for an order.
    pub fn offers(&self, provider: Provider, sale: Sale<'_>) -> bool {
        let limit = self.providers.get(&provider);
        limit.is_none_or(|limit| is_within(&limit.countries, &limit.currencies, sale))
    }

    /// Refuses a provider that is not offered for an order.
    pub fn ensure_offered(&self, provider: Provider, sale: Sale<'_>) -> Result<(), Rejection> {
        let name = provider.as_str();
        if self.offers(provider, sale) { Ok(()) } else { Err(Rejection::ProviderNotOffered { provider: name }) }
    }

    /// The method of this name, if it is offered for an order.
    pub fn method(&self, name: &Slug, sale: Sale<'_>) -> Result<&ManualMethod, Rejection> {
        let method = self.methods.get(name).filter(|method| method.is_offered(sale));
        method.ok_or_else(|| Rejection::NotOffered { method: name.clone() })
    }

    /// The longest time to pay of any method, in days; zero if no method has one. An order that is paid on delivery has no end, so it
    /// counts as long as any.
    pub fn longest_days(&self) -> u16 {
        let days = |it: &ManualMethod| if it.kind.is_on_delivery() { Some(DAYS_MAX) } else { it.days };
        self.methods.values().filter_map(days).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
