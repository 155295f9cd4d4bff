//! Schemas of the domain's types for the OpenAPI document of the HTTP API (feature `openapi`).
//!
//! A schema is a trait of its type, so it is implemented in this crate: by the macro `value` beside an id or a text,
//! by `sets` for an enum without fields, and derived for a struct.
//!
//! Ids, texts, numbers and lists of them are *values*: their schemas are no components of the document. Their names begin with
//! [`VALUE`], and the document has the schema itself wherever it is used.

use std::any::type_name;
use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
pub use utoipa::__dev::ComposeSchema;
pub use utoipa::openapi::RefOr;
pub use utoipa::openapi::schema::KnownFormat;
pub use utoipa::openapi::schema::Schema;
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Ref, SchemaFormat, SchemaType, Type};
pub use utoipa::{PartialSchema, ToSchema};

mod generic;
mod names;

/// How the name of a value's schema begins.
pub const VALUE: &str = "value.";

/// Under which name keywords of a field, such as an example, travel as its default: a reference carries no others.
pub const CARRIED: &str = "x-schema";

/// A schema, or a reference to one.
pub type Described = RefOr<Schema>;

/// Gives a type the schema of a value, and names the type that this schema refers to, if there is one.
macro_rules! value {
    ($type:ty, $schema:expr $(, $other:ty)?) => {
        impl $crate::openapi::ComposeSchema for $type {
            fn compose(_: Vec<$crate::openapi::Described>) -> $crate::openapi::Described {
                $schema.into()
            }
        }

        impl $crate::openapi::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $crate::openapi::name_of_value::<Self>()
            }

            fn schemas(_schemas: &mut Vec<(String, $crate::openapi::Described)>) {
                $($crate::openapi::add::<$other>(_schemas);)?
            }
        }
    };
}

pub(crate) use value;

/// Gives enums without fields their schemas: a description, the name in the document, and the type with all of its variants.
#[macro_export]
macro_rules! sets {
    ($($(#[doc = $doc:literal])+ $name:ident of $set:path { $($variant:ident)+ })+) => {$(
        impl $crate::openapi::ComposeSchema for $set {
            fn compose(_: Vec<$crate::openapi::Described>) -> $crate::openapi::Described {
                type Set = $set;
                // All of them: without a wildcard, a new one does not compile.
                const _: fn(Set) = |it| match it { $(Set::$variant)|+ => () };
                $crate::openapi::closed(concat!($($doc),+), &[$(Set::$variant),+])
            }
        }

        impl $crate::openapi::ToSchema for $set {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

/// The name of a value's schema, which no other type has.
pub fn name_of_value<T: ?Sized>() -> Cow<'static, str> {
    let letters = type_name::<T>().chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' });
    format!("{VALUE}{}", letters.collect::<String>()).into()
}

/// The schema of an id.
pub fn id(prefix: &str) -> Schema {
    example(&format!("{prefix}_01h455vb4pex5vsknk084sn02q")).into()
}

/// The schema of a text of so many characters.
pub fn text(min: usize, max: usize) -> ObjectBuilder {
    let text = any_text().max_length(Some(max));
    if min == 0 { text } else { text.min_length(Some(min)) }
}

/// The schema of a text of which no length is known.
pub fn any_text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// The schema of a text such as this one.
pub fn example(text: &str) -> ObjectBuilder {
    such_as(any_text(), text)
}

#[expect(deprecated, reason = "the derived schemas have one `example`, too")]
fn such_as(text: ObjectBuilder, example: &str) -> ObjectBuilder {
    text.example(Some(example.into()))
}

/// The schema of an e-mail address, whose domain may be written in any script (RFC 6531).
pub(crate) fn email(text: ObjectBuilder) -> ObjectBuilder {
    such_as(text.format(Some(SchemaFormat::Custom("idn-email".to_owned()))), "ada@example.org")
}

/// The schema of an IBAN.
pub(crate) fn iban(text: ObjectBuilder) -> ObjectBuilder {
    such_as(text, "DE89370400440532013000")
}

/// The schema of the name of an attribute.
pub(crate) fn attribute_name(text: ObjectBuilder) -> ObjectBuilder {
    text.pattern(Some("^[a-z0-9_-]+$"))
}

/// The schema of a slug.
pub(crate) fn slug(text: ObjectBuilder) -> ObjectBuilder {
    text.pattern(Some("^[a-z0-9]+(-[a-z0-9]+)*$"))
}

/// The schema of the handle of a seller.
pub(crate) fn handle(text: ObjectBuilder) -> ObjectBuilder {
    slug(text).min_length(Some(crate::text::HANDLE_MIN))
}

/// The schema of the id of an account at PayPal.
pub(crate) fn merchant_id(text: ObjectBuilder) -> ObjectBuilder {
    text.pattern(Some("^[2-9A-HJ-NP-Z]{13}$")).min_length(Some(crate::text::MERCHANT_ID_LEN))
}

/// The schema of a whole number within its bounds.
pub fn integer(format: KnownFormat, min: i64, max: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(format)))
        .minimum(Some(min))
        .maximum(Some(max))
}

/// The names that an optional text may have, to be said of its field.
pub fn only(names: &[&str]) -> Value {
    let names = names.iter().map(|name| Some(*name)).chain([None]);
    json!({CARRIED: {"enum": names.collect::<Vec<_>>()}})
}

/// The schema of a value that is one of several.
pub(crate) fn one_of<const N: usize>(all: [Described; N]) -> OneOfBuilder {
    all.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item)
}

/// The schema of an enum of texts, as serde writes them.
pub fn closed(description: &str, all: &[impl Serialize]) -> Described {
    let names = all.iter().map(|it| serde_json::to_value(it).unwrap_or(Value::Null));
    let set = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    set.description(Some(description.trim())).into()
}

/// How a schema is written where it is used: an object or an enum by reference, anything else as it is.
pub fn within<T: ToSchema>() -> Described {
    match T::schema() {
        RefOr::T(schema) if !is_component(&schema) => RefOr::T(schema),
        RefOr::T(_) => Ref::from_schema_name(T::name()).into(),
        to_another @ RefOr::Ref(_) => to_another,
    }
}

/// Whether a schema has a name of its own in the document: an object, an enum, and what is made of several.
fn is_component(schema: &Schema) -> bool {
    let is_object = |it: &Object| it.enum_values.is_some() || it.schema_type == SchemaType::Type(Type::Object);
    !matches!(schema, Schema::Array(_)) && !matches!(schema, Schema::Object(it) if !is_object(it))
}

/// Adds the schemas that a type refers to, and its own where it is one of the document.
pub fn add<T: ToSchema>(schemas: &mut Vec<(String, Described)>) {
    if matches!(within::<T>(), RefOr::Ref(_)) {
        schemas.push((T::name().into_owned(), T::schema()));
    }
    T::schemas(schemas);
}
