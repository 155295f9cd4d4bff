//! Bodies and fields whose content the document does not describe.

use bytes::Bytes;
use byteshop_domain::openapi::Described;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// Bytes as they are.
pub struct Binary(pub Bytes);

impl PartialSchema for Binary {
    fn schema() -> Described {
        let bytes =
            ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        bytes.description(Some("Bytes as they are")).into()
    }
}

impl ToSchema for Binary {}

/// Any JSON object, as the text that it is.
#[derive(Serialize)]
#[serde(transparent)]
pub struct AnyObject(pub Box<RawValue>);

impl PartialSchema for AnyObject {
    fn schema() -> Described {
        let free = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        free.description(Some("Any JSON object")).into()
    }
}

impl ToSchema for AnyObject {}

/// A problem as part of an answer, or null.
pub fn problem() -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(Ref::from_schema_name("Problem")).item(null).build().into()
}
