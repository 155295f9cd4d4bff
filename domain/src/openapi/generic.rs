//! Schemas of the types that hold others: lists, sets and maps with a maximum, and sealed values.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use utoipa::__dev::ComposeSchema;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};

use super::{Described, add, name_of_value, text, within};
use crate::bounded::{Bounded, BoundedText};
use crate::personal::Personal;

/// A sealed value is opened before the response leaves, so that its schema is that of what is sealed.
impl<T: ToSchema> ComposeSchema for Personal<T> {
    fn compose(_: Vec<Described>) -> Described {
        within::<T>()
    }
}

impl<T: ToSchema> ToSchema for Personal<T> {
    fn name() -> Cow<'static, str> {
        name_of_value::<Self>()
    }

    fn schemas(schemas: &mut Vec<(String, Described)>) {
        add::<T>(schemas);
    }
}

impl<const MAX: usize> ComposeSchema for BoundedText<MAX> {
    fn compose(_: Vec<Described>) -> Described {
        text(0, MAX).into()
    }
}

impl<const MAX: usize> ToSchema for BoundedText<MAX> {
    fn name() -> Cow<'static, str> {
        name_of_value::<Self>()
    }
}

fn list<T: ToSchema>(max: usize) -> Described {
    ArrayBuilder::new().items(within::<T>()).max_items(Some(max)).into()
}

fn map<K: ToSchema, V: ToSchema>(max: usize) -> Described {
    let map = ObjectBuilder::new().schema_type(Type::Object).property_names(Some(K::schema()));
    let map = map.additional_properties(Some(within::<V>()));
    map.max_properties(Some(max)).into()
}

/// Gives a collection its schema, which refers to that of its elements or of the names and values in it.
macro_rules! collections {
    ($($schema:ident of $($parameter:ident)+: $collection:ty;)+) => {$(
        impl<$($parameter: ToSchema,)+ const MAX: usize> ComposeSchema for Bounded<$collection, MAX> {
            fn compose(_: Vec<Described>) -> Described {
                $schema::<$($parameter),+>(MAX)
            }
        }

        impl<$($parameter: ToSchema,)+ const MAX: usize> ToSchema for Bounded<$collection, MAX> {
            fn name() -> Cow<'static, str> {
                name_of_value::<Self>()
            }

            fn schemas(schemas: &mut Vec<(String, Described)>) {
                $(add::<$parameter>(schemas);)+
            }
        }
    )+};
}

collections! {
    list of T: Vec<T>;
    list of T: BTreeSet<T>;
    map of K V: BTreeMap<K, V>;
    map of K V: IndexMap<K, V>;
}
