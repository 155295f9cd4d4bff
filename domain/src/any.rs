//! All contexts in one list: events of any category, states as JSON, and the catalogue of stored forms.

use serde_json::Value;
use uuid::Uuid;

use crate::codec::{self, CodecError};
use crate::decider::{Decider, Rejection as _};
use crate::ids::{self, Id};
use crate::rejected::Rejected;
use crate::webhook_endpoint::{NoTopic, TOLD, Topic};
use crate::{
    access_token, account, api_key, balance, cart, category, commission_book, credit_note, digital_good, dispute,
    download, key_pool, licence, mailbox, name, notification, order, payment, payment_book, payout, payout_account,
    payout_file, product, promotion, promotion_book, reconciliation, returns, seller, series, session, shipment,
    shipping_book, shop, stock, stored_value, subscribers, tax_book, usage, watch, webhook_endpoint,
};

/// A kind of aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aggregate {
    /// The prefix of its TypeIDs, such as `ord`.
    pub prefix: &'static str,
    /// The category of its streams, such as `order`.
    pub category: &'static str,
}

/// A stored form of an event, from the golden files.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// The category of its stream.
    pub category: &'static str,
    /// The stored type.
    pub event_type: String,
    /// The schema number of the data.
    pub schema: i16,
    /// An example of the data, with every field.
    pub example: Value,
}

/// A state of any kind, folded event by event, so that a long stream is never in memory whole.
pub trait Folding: Send {
    /// Applies the next event of the stream.
    fn take(&mut self, event_type: &str, schema: i16, data: &str) -> Result<(), CodecError>;
    /// The state, as JSON.
    fn json(&self) -> Result<Value, CodecError>;
}

impl<A: Decider> Folding for A {
    fn take(&mut self, event_type: &str, schema: i16, data: &str) -> Result<(), CodecError> {
        let event = codec::decode::<A::Event>(event_type, schema, data)?;
        *self = std::mem::take(self).evolve(&event);
        Ok(())
    }

    fn json(&self) -> Result<Value, CodecError> {
        serde_json::to_value(self).map_err(|error| CodecError::Unreadable {
            event_type: String::new(),
            schema: 0,
            reason: error.to_string(),
        })
    }
}

/// An aggregate of the list: its events are events of any context.
pub trait Context: Decider {
    /// An event of it, with its stream.
    fn any(id: Self::Id, event: Self::Event) -> AnyEvent;
}

macro_rules! contexts {
    ($($(#[$doc:meta])* $variant:ident $module:ident $state:ident $golden:literal;)*) => {
        /// An event of any context, with its stream.
        #[derive(Debug, Clone, PartialEq)]
        pub enum AnyEvent {
            $($(#[$doc])* $variant(<$module::$state as Decider>::Id, $module::Event),)*
        }

        /// Every kind of aggregate.
        pub const AGGREGATES: &[Aggregate] = &[$(Aggregate {
            prefix: <<$module::$state as Decider>::Id as Id>::PREFIX,
            category: <$module::$state as Decider>::CATEGORY,
        },)*];

        $(impl Context for $module::$state {
            fn any(id: Self::Id, event: Self::Event) -> AnyEvent {
                AnyEvent::$variant(id, event)
            }
        })*

        $(impl From<$module::Rejection> for Rejected {
            fn from(rejection: $module::Rejection) -> Self {
                Self::of::<$module::$state>(&rejection)
            }
        })*

        const GOLDEN: &[(&str, &str)] =
            &[$((<$module::$state as Decider>::CATEGORY, include_str!($golden)),)*];

        impl AnyEvent {
            /// Reads a stored event.
            pub fn decode(
                category: &str,
                stream: Uuid,
                event_type: &str,
                schema: i16,
                data: &str,
            ) -> Result<Self, CodecError> {
                match category {
                    $(<$module::$state as Decider>::CATEGORY => {
                        codec::decode(event_type, schema, data).map(|event| Self::$variant(Id::from_uuid(stream), event))
                    })*
                    _ => Err(unknown(category, event_type, schema)),
                }
            }

            /// Its stored form.
            pub fn encode(&self) -> Result<codec::Encoded, serde_json::Error> {
                match self {
                    $(Self::$variant(_, event) => codec::encode(event),)*
                }
            }

            /// The id of its stream, without its kind.
            pub fn stream(&self) -> Uuid {
                match self {
                    $(Self::$variant(id, _) => id.uuid(),)*
                }
            }

            /// The category of its stream.
            pub fn category(&self) -> &'static str {
                match self {
                    $(Self::$variant(..) => <$module::$state as Decider>::CATEGORY,)*
                }
            }
        }

        /// The empty state of a kind of aggregate, to be folded event by event; none if the category is unknown.
        pub fn begin(category: &str) -> Option<Box<dyn Folding>> {
            match category {
                $(<$module::$state as Decider>::CATEGORY => Some(Box::new($module::$state::default())),)*
                _ => None,
            }
        }

        /// The types of the events of a category, as they are stored; none when the category is not ours.
        pub fn event_types(category: &str) -> &'static [&'static str] {
            match category {
                $(<$module::$state as Decider>::CATEGORY => codec::types_of::<$module::Event>(),)*
                _ => &[],
            }
        }

        /// The codes of the rejections of all aggregates, as problems have them, such as `order.already_paid`.
        pub fn rejection_codes() -> Vec<String> {
            [$(codes_of::<$module::$state>()),*].concat()
        }

        /// Folds stored events of one stream into their state, as JSON.
        pub fn state_json<'a>(
            category: &str,
            events: impl IntoIterator<Item = (&'a str, i16, &'a str)>,
        ) -> Result<Value, CodecError> {
            match category {
                $(<$module::$state as Decider>::CATEGORY => folded::<$module::$state>(events),)*
                _ => Err(unknown(category, "", 0)),
            }
        }
    };
}

contexts! {
    /// Of a category of the catalog.
    Category category Category "category/golden.json";
    /// Of a product.
    Product product Product "product/golden.json";
    /// Of the stock of a variant.
    Stock stock StockLevel "stock/golden.json";
    /// Of a unique name.
    Name name UniqueName "name/golden.json";
    /// Of a cart.
    Cart cart Cart "cart/golden.json";
    /// Of an order.
    Order order Order "order/golden.json";
    /// Of a payment.
    Payment payment Payment "payment/golden.json";
    /// Of a credit note.
    CreditNote credit_note CreditNote "credit_note/golden.json";
    /// Of a document series.
    Series series Series "series/golden.json";
    /// Of an account.
    Account account Account "account/golden.json";
    /// Of a session of an account.
    Session session Session "session/golden.json";
    /// Of the shop itself.
    Shop shop Shop "shop/golden.json";
    /// Of an access token from the command line.
    AccessToken access_token AccessToken "access_token/golden.json";
    /// Of an API key.
    ApiKey api_key ApiKey "api_key/golden.json";
    /// Of a promotion.
    Promotion promotion Promotion "promotion/golden.json";
    /// Of the promotion book.
    PromotionBook promotion_book PromotionBook "promotion_book/golden.json";
    /// Of a usage.
    Usage usage Usage "usage/golden.json";
    /// Of the tax book.
    TaxBook tax_book TaxBook "tax_book/golden.json";
    /// Of the shipping book.
    ShippingBook shipping_book ShippingBook "shipping_book/golden.json";
    /// Of the payment book.
    PaymentBook payment_book PaymentBook "payment_book/golden.json";
    /// Of the commission book.
    CommissionBook commission_book CommissionBook "commission_book/golden.json";
    /// Of a stored value: a gift card, or store credit.
    StoredValue stored_value StoredValue "stored_value/golden.json";
    /// Of a shipment.
    Shipment shipment Shipment "shipment/golden.json";
    /// Of a return.
    Return returns Return "returns/golden.json";
    /// Of a notification.
    Notification notification Notification "notification/golden.json";
    /// Of a mailbox of a guest.
    Mailbox mailbox Mailbox "mailbox/golden.json";
    /// Of the watchers of a product.
    Watch watch Watch "watch/golden.json";
    /// Of the pool of keys of a variant.
    KeyPool key_pool KeyPool "key_pool/golden.json";
    /// Of the licence of a key of a pool.
    Licence licence Licence "licence/golden.json";
    /// Of the digital good of a variant.
    DigitalGood digital_good DigitalGood "digital_good/golden.json";
    /// Of the downloads of a variant by an order.
    Download download Download "download/golden.json";
    /// Of a part of the subscribers of a digital good.
    Subscribers subscribers Subscribers "subscribers/golden.json";
    /// Of a webhook endpoint.
    WebhookEndpoint webhook_endpoint WebhookEndpoint "webhook_endpoint/golden.json";
    /// Of a seller of the marketplace.
    Seller seller Seller "seller/golden.json";
    /// Of the balance of a seller in one currency.
    Balance balance Balance "balance/golden.json";
    /// Of a dispute about a payment.
    Dispute dispute Dispute "dispute/golden.json";
    /// Of a payout to a seller.
    Payout payout Payout "payout/golden.json";
    /// Of how a seller is paid.
    PayoutAccount payout_account PayoutAccount "payout_account/golden.json";
    /// Of a file of payouts for the bank.
    PayoutFile payout_file PayoutFile "payout_file/golden.json";
    /// Of the comparisons with the books of a payment provider.
    Reconciliation reconciliation Reconciliation "reconciliation/golden.json";
}

/// Lets an error be made of the rejections of every context, and of checkout, as it is made of a
/// [`Rejected`](crate::rejected::Rejected).
#[macro_export]
macro_rules! from_rejections {
    ($error:ty) => {
        $crate::from_rejections! { $error =>
            access_token account api_key balance cart category checkout commission_book credit_note digital_good dispute download
            key_pool licence mailbox name notification order payment payment_book payout payout_account payout_file product promotion
            promotion_book reconciliation returns seller series session shipment shipping_book shop stock stored_value subscribers tax_book usage watch
            webhook_endpoint
        }
    };
    ($error:ty => $($module:ident)*) => {
        $(impl From<$crate::$module::Rejection> for $error {
            fn from(rejection: $crate::$module::Rejection) -> Self {
                Self::from($crate::rejected::Rejected::from(rejection))
            }
        })*
    };
}

/// The kind of aggregate and the stream that an id names. None if the text is not an id of the shop.
pub fn locate(id: &str) -> Option<(&'static Aggregate, Uuid)> {
    let (prefix, uuid) = ids::parse(id).ok()?;
    let aggregate = AGGREGATES.iter().find(|aggregate| aggregate.prefix == prefix)?;
    Some((aggregate, uuid))
}

/// The id of a stream in its text form. None if the category is unknown.
pub fn id_of(category: &str, stream: Uuid) -> Option<String> {
    let aggregate = AGGREGATES.iter().find(|aggregate| aggregate.category == category)?;
    Some(ids::format(aggregate.prefix, stream))
}

/// Every stored form of every event, oldest first in each context.
pub fn catalogue() -> Vec<Form> {
    let forms = GOLDEN.iter().flat_map(|(category, text)| {
        let lines: Vec<Value> = serde_json::from_str(text).expect("a test reads every golden file");
        lines.into_iter().map(|line| Form {
            category,
            event_type: line["type"].as_str().unwrap_or_default().to_owned(),
            schema: line["schema"].as_i64().and_then(|schema| i16::try_from(schema).ok()).unwrap_or_default(),
            example: line["data"].clone(),
        })
    });
    forms.collect()
}

fn codes_of<A: Decider>() -> Vec<String> {
    A::Rejection::CODES.iter().map(|code| format!("{}.{code}", A::CATEGORY)).collect()
}

// Here, as it takes the list of all events.
impl Topic {
    /// Parses a filter; it must match events that exist.
    pub fn new(text: &str) -> Result<Self, NoTopic> {
        let known = match text.split_once('.') {
            None => text == "*",
            Some((category, "*")) => TOLD.contains(&category),
            Some((category, event_type)) => {
                TOLD.contains(&category)
                    && catalogue().iter().any(|form| form.category == category && form.event_type == event_type)
            }
        };
        if known { Ok(Self(text.to_owned())) } else { Err(NoTopic) }
    }
}

fn folded<'a, A: Decider>(events: impl IntoIterator<Item = (&'a str, i16, &'a str)>) -> Result<Value, CodecError> {
    let mut state = A::default();
    for (event_type, schema, data) in events {
        state.take(event_type, schema, data)?;
    }
    state.json()
}

fn unknown(category: &str, event_type: &str, schema: i16) -> CodecError {
    let reason = format!("the category {category} is unknown");
    CodecError::Unreadable { event_type: event_type.to_owned(), schema, reason }
}

#[cfg(test)]
mod tests;
