//! Pages of lists, as the document describes them: the views write them as text, row by row.

use std::borrow::Cow;
use std::marker::PhantomData;

use byteshop_domain::openapi::{Described, add, within};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// A page of rows. It is named after them: `OrderPage` has the schema `OrderRow` for each of its items, `CategoryPage` has
/// `Category`.
pub struct PageOf<T>(PhantomData<fn() -> T>);

impl<T: ToSchema> PartialSchema for PageOf<T> {
    fn schema() -> Described {
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
            .description(Some("The cursor of the next page."));
        ObjectBuilder::new()
            .property("items", ArrayBuilder::new().items(within::<T>()))
            .property("next", next)
            .required("items")
            .required("next")
            .into()
    }
}

impl<T: ToSchema> ToSchema for PageOf<T> {
    fn name() -> Cow<'static, str> {
        let row = T::name();
        format!("{}Page", row.strip_suffix("Row").unwrap_or(&row)).into()
    }

    fn schemas(schemas: &mut Vec<(String, Described)>) {
        add::<T>(schemas);
    }
}
