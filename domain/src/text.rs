//! Texts, each with a limit and an alphabet: the edge refuses every text that does not fit.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use asked::fresh;
pub(crate) use asked::is_asked as is_fresh;
pub use bank::bank_form;
pub use error::{NO_COUNTRY, TextError};
pub use form::{ascii_domain, nfc, nfkc, opaque};
pub use handle::{HANDLE_MAX, HANDLE_MIN};
pub use letter::{is_hidden, is_ignorable};
pub use merchant::MERCHANT_ID_LEN;
use rules::Rules;
pub use search::search_form;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod asked;
mod bank;
mod canonical;
mod country;
mod error;
mod form;
mod fresh;
mod handle;
mod iban;
mod letter;
mod merchant;
mod rules;
mod search;

/// Longest licence key: those of most vendors have some 30 characters, and signed ones some hundreds.
pub const KEY_MAX: usize = 500;
/// Longest title, in characters: what fits a listing and a search result.
pub const TITLE_MAX: usize = 200;
/// Longest description: some five printed pages, and still one small event.
pub const DESCRIPTION_MAX: usize = 10_000;
/// Longest SKU: barcodes and ERP article numbers stay below it.
pub const SKU_MAX: usize = 64;
/// Longest slug: one readable part of an address.
pub const SLUG_MAX: usize = 80;
/// Longest name of a thing, such as a category or a city.
pub const NAME_MAX: usize = 120;
/// Longest country: the longest official short name has 56 characters.
pub const COUNTRY_MAX: usize = 60;
/// Longest postal code: the longest in use have 10 characters, and people add spaces.
pub const POSTAL_CODE_MAX: usize = 16;
/// Longest reason: one sentence.
pub const REASON_MAX: usize = 200;
/// Longest note: a mail that is copied whole.
pub const NOTE_MAX: usize = 10_000;
/// Longest comment: a page, which is more than people write in a form.
pub const COMMENT_MAX: usize = 2_000;
/// Longest instructions for a payment: a bank account, and a few sentences.
pub const INSTRUCTIONS_MAX: usize = 1_000;
/// Longest reference from another system, such as an invoice or a customer number.
pub const REFERENCE_MAX: usize = 64;
/// Longest name of an attribute or an option: it is also a query parameter.
pub const ATTRIBUTE_NAME_MAX: usize = 40;
/// Longest value of an attribute or an option: it is shown as a filter.
pub const LABEL_MAX: usize = 200;
/// Longest e-mail address (RFC 5321, section 4.5.3.1.3: a path of 256 octets with its brackets).
pub const EMAIL_MAX: usize = 254;
/// Longest phone number, with its separators.
pub const PHONE_MAX: usize = 32;
/// The fewest digits of a phone number, of an office's own exchange, and the most (E.164, section 6.1).
const PHONE_DIGITS: (usize, usize) = (3, 15);
/// Longest line of an address.
pub const ADDRESS_LINE_MAX: usize = 120;
/// Longest address in the web that other programs cope with.
pub const LINK_MAX: usize = 2_000;
/// Longest IBAN (ISO 13616), with a space after every four characters.
pub const IBAN_MAX: usize = 42;
/// Longest name of the holder of a bank account (ISO 20022 in the rulebook of SEPA: 70 characters).
pub const HOLDER_MAX: usize = 70;
/// Longest tax number: those of the EU have up to 14 letters and digits, and others have words and signs beside them.
pub const TAX_ID_MAX: usize = 40;
/// Longest unit: `mm`, `W`, `litres per 100 km`.
pub const UNIT_MAX: usize = 20;
/// Longest name of a file: with an ending and in UTF-8, file systems take it.
pub const FILE_NAME_MAX: usize = 80;
/// Longest media type.
pub const MEDIA_TYPE_MAX: usize = 100;
/// Longest hash of a token, in characters: 64 bytes as hexadecimal digits.
pub const HASH_MAX: usize = 128;

/// Whether it is neither a control character nor one that changes the direction of the text around it.
fn printable(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn one_line(text: &str) -> bool {
    text.chars().all(printable)
}

fn many_lines(text: &str) -> bool {
    text.chars().all(|letter| printable(letter) || matches!(letter, '\n' | '\r' | '\t'))
}

fn slug(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.bytes().all(inside) && !text.starts_with('-') && !text.ends_with('-') && !text.contains("--")
}

fn is_handle(text: &str) -> bool {
    slug(text) && text.len() >= HANDLE_MIN
}

fn attribute_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-')
}

fn postal_code(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'-')
}

/// One `@` between a local part and a domain with a dot, both without space, quotes or what a header could mistake.
///
/// Narrower than RFC 5321, section 4.1.2, as everyone's addresses are: no quoted local parts, no address literals.
fn email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let atom = |part: &str| {
        !part.is_empty()
            && part.chars().all(|letter| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter))
    };
    let label = |part: &str| {
        part.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
            && (1..=63).contains(&part.len())
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    (1..=64).contains(&local.len())
        && local.split('.').all(atom)
        && domain.contains('.')
        && domain.split('.').all(label)
}

fn phone(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b" ()-./".contains(&byte) || byte == b'+')
        && text.rfind('+').is_none_or(|place| place == 0)
}

/// A name that is no path, is not hidden, and that every system of files takes.
fn file_name(text: &str) -> bool {
    one_line(text)
        && !text.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|'])
        && !text.starts_with('.')
        && !text.ends_with('.')
}

/// A type and a subtype, without parameters (RFC 9110, section 8.3.1).
fn media_type(text: &str) -> bool {
    let token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&^_.+-".contains(&byte))
    };
    text.split_once('/').is_some_and(|(kind, of)| token(kind) && token(of))
}

fn token(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

const PRINTABLE: &str = "printable characters";

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $rules:expr $(=> $schema:path)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            const RULES: Rules = $rules;

            /// Checks the text and cuts off the space around it.
            pub fn new(text: &str) -> Result<Self, TextError> {
                Self::RULES.check(text).map(|text| Self(Arc::from(&*text)))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str { &self.0 }
        }

        impl FromStr for $name {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> { Self::new(text) }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> { Self::new(&text) }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Debug::fmt(&self.0, f) }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Checked(Self::new))
            }
        }

        #[cfg(feature = "openapi")]
        crate::openapi::value!($name, {
            let text = crate::openapi::text(usize::from(!Self::RULES.empty), Self::RULES.max);
            $(let text = $schema(text);)?
            text
        });
    )*};
}

/// Reads a text with a check, without a copy of it in between.
struct Checked<T>(fn(&str) -> Result<T, TextError>);

impl<T> Visitor<'_> for Checked<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

const fn line(what: &'static str, max: usize) -> Rules {
    Rules {
        what,
        max,
        trim: true,
        empty: false,
        allowed: PRINTABLE,
        fits: one_line,
        unfit: None,
        digits: None,
        fresh: fresh::seen_on_a_line,
    }
}

texts! {
    /// The title of a product or a variant.
    Title line("title", TITLE_MAX);
    /// A description in any number of lines; may be empty.
    Description Rules {
        empty: true,
        allowed: "printable characters and line breaks",
        fits: many_lines,
        fresh: fresh::any,
        ..line("description", DESCRIPTION_MAX)
    };
    /// The SKU of a variant: capitals, width and inner spaces count.
    Sku Rules { trim: false, allowed: "printable characters, without space around them", ..line("sku", SKU_MAX) };
    /// A slug: the part of a URL that names something, such as `kitchen-knives`.
    Slug Rules { allowed: "lower case letters, digits and single hyphens between them", fits: slug, ..line("slug", SLUG_MAX) }
        => crate::openapi::slug;
    /// The handle of a seller: the part of a URL that names it, such as `copper-kettles`.
    Handle Rules {
        allowed: "at least 3 lower case letters, digits and single hyphens between them",
        fits: is_handle,
        ..line("handle", HANDLE_MAX)
    } => crate::openapi::handle;
    /// The name of a thing or a place.
    Name line("name", NAME_MAX);
    /// A country: its ISO 3166 code, or its name where an older system kept that.
    Country Rules { fresh: fresh::country, ..line("country", COUNTRY_MAX) };
    /// A postal code in the form of its country.
    PostalCode Rules { allowed: "letters, digits, spaces and hyphens", fits: postal_code, ..line("postal code", POSTAL_CODE_MAX) };
    /// An e-mail address as its owner writes it. Compare its [canonical](Email::canonical) form.
    Email Rules {
        unfit: Some(TextError::NoEmail),
        fits: email,
        fresh: fresh::email,
        ..line("e-mail address", EMAIL_MAX)
    } => crate::openapi::email;
    /// A phone number as its owner writes it.
    Phone Rules {
        allowed: "digits, spaces and ( ) - . /, with a + before them if at all",
        fits: phone,
        digits: Some(PHONE_DIGITS),
        ..line("phone number", PHONE_MAX)
    };
    /// A line of an address, such as a street with its house.
    AddressLine line("address line", ADDRESS_LINE_MAX);
    /// A URL.
    Link Rules { allowed: "visible ASCII characters", fits: token, ..line("URL", LINK_MAX) };
    /// A reason.
    Reason line("reason", REASON_MAX);
    /// A comment, in any number of lines.
    Comment Rules {
        allowed: "printable characters and line breaks",
        fits: many_lines,
        fresh: fresh::seen,
        ..line("comment", COMMENT_MAX)
    };
    /// A note of staff, in any number of lines.
    NoteText Rules {
        allowed: "printable characters and line breaks",
        fits: many_lines,
        fresh: fresh::seen,
        ..line("note", NOTE_MAX)
    };
    /// What a buyer has to do to pay, in any number of lines.
    Instructions Rules {
        allowed: "printable characters and line breaks",
        fits: many_lines,
        fresh: fresh::seen,
        ..line("instructions", INSTRUCTIONS_MAX)
    };
    /// A licence key, as its vendor writes it.
    LicenceKey line("key", KEY_MAX);
    /// The name of a thing in another system.
    Reference line("reference", REFERENCE_MAX);
    /// The name of an attribute of a product, or of an option of a variant.
    AttributeName Rules {
        allowed: "lower case letters, digits, hyphens and underscores",
        fits: attribute_name,
        ..line("attribute name", ATTRIBUTE_NAME_MAX)
    } => crate::openapi::attribute_name;
    /// The value of an option, or of an attribute that is a text.
    Label line("value", LABEL_MAX);
    /// An International Bank Account Number (ISO 13616); from outside it is stored in capitals and without spaces.
    Iban Rules {
        unfit: Some(TextError::NoIban),
        fits: iban::is_iban,
        fresh: fresh::iban,
        ..line("IBAN", IBAN_MAX)
    } => crate::openapi::iban;
    /// The name of the holder of a bank account.
    Holder line("name", HOLDER_MAX);
    /// A tax number, such as a VAT id, as its country writes it.
    TaxId line("tax number", TAX_ID_MAX);
    /// The name under which a file is saved.
    FileName Rules {
        allowed: "printable characters without / \\ : * ? \" < > |, and does not begin or end with a point",
        fits: file_name,
        ..line("file name", FILE_NAME_MAX)
    };
    /// A media type such as `application/pdf`, in lower case.
    MediaType Rules { allowed: "a type and a subtype, such as application/pdf", fits: media_type, ..line("media type", MEDIA_TYPE_MAX) };
    /// The id of an account at PayPal.
    MerchantId Rules {
        allowed: "exactly 13 of the digits 2 to 9 and the capitals without I and O",
        fits: merchant::is_id,
        ..line("merchant id", MERCHANT_ID_LEN)
    } => crate::openapi::merchant_id;
    /// The unit of a number.
    Unit line("unit", UNIT_MAX);
    /// The hash of a secret, never the secret itself.
    Hash Rules { allowed: "visible ASCII characters", fits: token, ..line("hash", HASH_MAX) };
}

impl Iban {
    /// Whether banks of its country receive SEPA credit transfers.
    pub fn is_in_sepa(&self) -> bool {
        iban::is_in_sepa(&self.0)
    }
}

impl Country {
    /// Whether it is one of the ISO 3166-1 alpha-2 codes.
    pub fn is_code(&self) -> bool {
        country::is_code(&self.0)
    }
}

/// Reads a field whose absence and whose null differ: absent is `None`, null is `Some(None)`.
#[expect(clippy::option_option, reason = "the two kinds of nothing are the point")]
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests;
