//! Identifiers: UUIDs with a type, written as TypeIDs (`ord_01jd…`).
//!
//! Source: TypeID specification 0.3 (prefix, `_`, 26 characters of Crockford base32, most significant bits first).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of base32 that hold 128 bits.
const SUFFIX: usize = 26;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not a TypeID.
    #[error("not an id: expected a prefix, an underscore and 26 characters of base32")]
    Malformed,
    /// The text is the id of another type.
    #[error("an id that starts with {found}_ was given where {expected}_ is needed")]
    OtherKind {
        /// The required prefix.
        expected: &'static str,
        /// The prefix that was given.
        found: String,
    },
}

/// The operations of every typed identifier.
pub trait Id: Copy + Eq + Ord + fmt::Display + fmt::Debug + Send + Sync + 'static {
    /// The TypeID prefix, such as `ord`.
    const PREFIX: &'static str;
    /// Gives a UUID a type.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID without the type.
    fn uuid(self) -> Uuid;
}

/// When an id was created, if it tells (UUID version 7: RFC 9562, section 5.7).
pub fn made_at(id: impl Id) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = id.uuid().get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
}

/// Writes the 26 characters of a TypeID's suffix.
fn encode(uuid: Uuid) -> [u8; SUFFIX] {
    let mut bits = uuid.as_u128();
    let mut text = [b'0'; SUFFIX];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[(bits & 31) as usize];
        bits >>= 5;
    }
    text
}

fn decode(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    // 26 characters hold 130 bits: the first may not exceed 7, or the number overflows.
    if bytes.len() != SUFFIX || bytes[0] > b'7' {
        return None;
    }
    let mut bits = 0u128;
    for byte in bytes {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        bits = (bits << 5) | digit as u128;
    }
    Some(Uuid::from_u128(bits))
}

/// Reads any TypeID: its prefix and its UUID.
///
/// # Errors
/// [`IdError::Malformed`] when the text is no TypeID.
pub fn parse(text: &str) -> Result<(&str, Uuid), IdError> {
    let (prefix, suffix) = text.rsplit_once('_').ok_or(IdError::Malformed)?;
    let uuid = decode(suffix).ok_or(IdError::Malformed)?;
    Ok((prefix, uuid))
}

/// Writes a TypeID from its parts.
pub fn format(prefix: &str, uuid: Uuid) -> String {
    let suffix = encode(uuid);
    let mut text = String::with_capacity(prefix.len() + 1 + SUFFIX);
    text.push_str(prefix);
    text.push('_');
    text.extend(suffix.iter().map(|byte| char::from(*byte)));
    text
}

fn parse_as<T: Id>(text: &str) -> Result<T, IdError> {
    let (prefix, uuid) = parse(text)?;
    if prefix == T::PREFIX {
        return Ok(T::from_uuid(uuid));
    }
    Err(IdError::OtherKind { expected: T::PREFIX, found: prefix.chars().take(16).collect() })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            fn uuid(self) -> Uuid { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&format($prefix, self.0)) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> { parse_as(text) }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&format($prefix, self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        crate::openapi::value!($name, crate::openapi::id($prefix));
    )*};
}

ids! {
    /// A person's account.
    AccountId "acc";
    /// A cart.
    CartId "cart";
    /// A product.
    ProductId "prod";
    /// A variant of a product.
    VariantId "var";
    /// A category of the catalog.
    CategoryId "cat";
    /// An image of a product.
    ImageId "img";
    /// An order.
    OrderId "ord";
    /// A payment of one order.
    PaymentId "pay";
    /// A credit note.
    CreditNoteId "crn";
    /// A promotion, with a code or without.
    PromotionId "cpn";
    /// The promotion book.
    PromotionBookId "cpnbook";
    /// A usage.
    UsageId "use";
    /// The tax book.
    TaxBookId "taxbook";
    /// The shipping book.
    ShippingBookId "shpbook";
    /// The payment book.
    PaymentBookId "paybook";
    /// The commission book.
    CommissionBookId "combook";
    /// A gift card, or the store credit of an account in a currency.
    StoredValueId "val";
    /// A receipt of money for a payment, as staff records it.
    ReceiptId "rcp";
    /// A refund; also the key under which the provider carries it out once.
    RefundId "rfd";
    /// A document series.
    SeriesId "ser";
    /// The comparisons of the ledger with the books of a payment provider.
    ReconciliationId "rec";
    /// A shipment: one parcel of an order.
    ShipmentId "shp";
    /// A return.
    ReturnId "ret";
    /// A unique name, such as a SKU.
    NameId "name";
    /// A session.
    SessionId "ses";
    /// The shop itself.
    ShopId "shop";
    /// An access token from the command line.
    AccessTokenId "atk";
    /// An API key.
    ApiKeyId "key";
    /// An address of an address book.
    AddressId "addr";
    /// A notification.
    NotificationId "ntf";
    /// The mailbox of a guest.
    MailboxId "mbx";
    /// The watchers of a product.
    WatchId "wch";
    /// The pool of keys of a variant.
    KeyPoolId "pool";
    /// The licence of a key of a pool.
    LicenceId "lic";
    /// The digital good of a variant.
    DigitalGoodId "good";
    /// The downloads of a variant by an order.
    DownloadId "dwn";
    /// A part of the subscribers of a digital good.
    SubscribersId "subs";
    /// A file of a digital good, in all its versions.
    FileId "file";
    /// A webhook endpoint.
    WebhookEndpointId "whk";
    /// A seller of the marketplace.
    SellerId "sel";
    /// An invitation to become a member of a seller.
    InvitationId "inv";
    /// The balance of a seller in one currency.
    BalanceId "bal";
    /// A dispute about a payment.
    DisputeId "dsp";
    /// A payout to a seller.
    PayoutId "pyt";
    /// How a seller is paid.
    PayoutAccountId "pac";
    /// A file of payouts for the bank.
    PayoutFileId "pyf";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of the TypeID specification (valid.json).
    #[test]
    fn the_specifications_vectors_hold() {
        for (text, uuid) in [
            ("prefix_00000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
            ("prefix_0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"),
            ("prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            ("prefix_0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
            ("prefix_01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ] {
            let uuid: Uuid = uuid.parse().unwrap();
            assert_eq!(parse(text), Ok(("prefix", uuid)));
            assert_eq!(format("prefix", uuid), text);
        }
    }

    /// The example of RFC 9562, appendix A.6, of a moment that others made too.
    #[test]
    fn an_id_says_when_it_was_made() {
        let made = |uuid: &str| made_at(OrderId::from_uuid(uuid.parse().unwrap()));
        let moment = DateTime::parse_from_rfc3339("2022-02-22T19:22:22Z").unwrap().to_utc();
        assert_eq!(made("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), Some(moment));
        assert_eq!(made("00000000-0000-0000-0000-000000000010"), None);
    }

    #[test]
    fn an_id_of_another_kind_is_named() {
        let cart = CartId::from_uuid(Uuid::nil()).to_string();
        assert_eq!(cart.parse::<OrderId>(), Err(IdError::OtherKind { expected: "ord", found: "cart".into() }));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "ord", "ord_", "ord_8zzzzzzzzzzzzzzzzzzzzzzzzz", "ord_0123456789ABCDEFGHJKMNPQRS", "ord_é"] {
            assert_eq!(text.parse::<OrderId>(), Err(IdError::Malformed), "{text}");
        }
    }
}
