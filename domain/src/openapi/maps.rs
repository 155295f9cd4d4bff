//! Maps of the API as schemas with a name each, since a type alias of a map has no schema of its own.

use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::Described;

/// Declares the schema of a map: its description, its name in the document, and the schemas that a value may have.
macro_rules! maps {
    ($($(#[doc = $doc:literal])+ $name:ident { $($kind:ident)+ })+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> Described {
                map(concat!($($doc),+), &[$(Type::$kind),+])
            }
        }

        impl ToSchema for $name {}
    )+};
}

maps! {
    /// Attributes by name: a string, an integer or a boolean each.
    Attributes { String Integer Boolean }
    /// Option values by the name of the option, such as `{"size": "M"}`.
    Options { String }
    /// Labels by language.
    Labels { String }
}

fn map(description: &str, kinds: &[Type]) -> Described {
    let value = |kind: &Type| ObjectBuilder::new().schema_type(kind.clone()).build();
    let values = match kinds {
        [kind] => Schema::from(value(kind)),
        kinds => kinds.iter().fold(OneOfBuilder::new(), |all, kind| all.item(value(kind))).build().into(),
    };
    let map = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(values));
    map.description(Some(description.trim())).into()
}
