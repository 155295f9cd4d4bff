//! Reads a type from a tree, and says what is wrong as a value: which fault it is, where, and what was wanted.
//!
//! A fault of serde_json is a text. Here serde reports to an error type of ours, so nothing has to be read out of texts.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer as _, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::node::{Node, push_field, push_item};

/// Letters of a value or a name that are kept to be repeated.
const KEPT: usize = 40;

/// Reads from a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a Node);

/// Why a type cannot be read.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Where, as a JSON pointer.
    pub(super) pointer: String,
    /// What is wrong there.
    pub(super) wrong: Wrong,
}

/// What is wrong with a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A type of ours refuses it, in these words.
    Said(String),
    /// It is of another kind than this.
    Kind(String),
    /// It is a whole number out of this range.
    Range(i128, i128),
    /// It is none of these.
    UnknownValue(String, &'static [&'static str]),
    /// A field is not one of these.
    UnknownField(&'static [&'static str]),
    /// This field is missing.
    Missing(&'static str),
    /// This field is there twice.
    Twice(&'static str),
    /// It was not looked at.
    Cut,
}

impl Refusal {
    fn new(wrong: Wrong) -> Self {
        Self { pointer: String::new(), wrong }
    }

    fn kind(wanted: &str) -> Self {
        Self::new(Wrong::Kind(wanted.to_owned()))
    }

    fn in_field(mut self, name: &str) -> Self {
        let mut pointer = String::new();
        push_field(&mut pointer, name);
        self.pointer.insert_str(0, &pointer);
        self
    }

    fn in_item(mut self, index: usize) -> Self {
        let mut pointer = String::new();
        push_item(&mut pointer, index);
        self.pointer.insert_str(0, &pointer);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Wrong::Said(said) = &self.wrong { f.write_str(said) } else { write!(f, "{:?}", self.wrong) }
    }
}

impl std::error::Error for Refusal {}

impl Error for Refusal {
    fn custom<T: fmt::Display>(said: T) -> Self {
        // The alternate form of a text's error does not name the kind of text: the pointer names the field.
        Self::new(Wrong::Said(format!("{said:#}")))
    }

    fn invalid_type(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(Wrong::Kind(wanted.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(Wrong::Kind(wanted.to_string()))
    }

    fn invalid_length(_: usize, wanted: &dyn Expected) -> Self {
        Self::new(Wrong::Kind(wanted.to_string()))
    }

    fn unknown_variant(value: &str, known: &'static [&'static str]) -> Self {
        Self::new(Wrong::UnknownValue(value.chars().take(KEPT).collect(), known))
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(Wrong::UnknownField(known))
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(Wrong::Missing(name))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::new(Wrong::Twice(name))
    }
}

/// Reads whole numbers of one type each; a word of a query may stand for one.
macro_rules! integers {
    ($($method:ident $visit:ident $number:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            let (least, most) = (i128::from(<$number>::MIN), i128::from(<$number>::MAX));
            let number = self.integer()?;
            match <$number>::try_from(number) {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Refusal::new(Wrong::Range(least, most))),
            }
        }
    )*};
}

impl Reader<'_> {
    fn integer(self) -> Result<i128, Refusal> {
        let found = match self.0 {
            Node::Number(number) => number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from)),
            Node::Word(word) => word.parse().ok(),
            Node::Cut => return Err(Refusal::new(Wrong::Cut)),
            Node::Null | Node::Bool(_) | Node::Text(_) | Node::List(_) | Node::Object(_) => None,
        };
        found.ok_or_else(|| Refusal::kind("an integer"))
    }

    /// What is said of a node that is not of a kind.
    fn refusal(self, wanted: &str) -> Refusal {
        if matches!(self.0, Node::Cut) { Refusal::new(Wrong::Cut) } else { Refusal::kind(wanted) }
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., number) => visitor.visit_f64(number.unwrap_or_default()),
            },
            Node::Text(text) | Node::Word(text) => visitor.visit_borrowed_str(text),
            Node::List(all) => visitor.visit_seq(Elements { all, next: 0 }),
            Node::Object(fields) => visitor.visit_map(Fields { left: fields, value: None }),
            Node::Cut => Err(Refusal::new(Wrong::Cut)),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let found = if let Node::Bool(value) = self.0 {
            Some(*value)
        } else if let Node::Word(word) = self.0 {
            word.parse().ok()
        } else {
            None
        };
        visitor.visit_bool(found.ok_or_else(|| self.refusal("true or false"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let (Node::Text(text) | Node::Word(text)) = self.0 else { return Err(self.refusal("a string")) };
        visitor.visit_borrowed_str(text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        if matches!(self.0, Node::Null) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &str, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let Node::List(all) = self.0 else { return Err(self.refusal("a list")) };
        visitor.visit_seq(Elements { all, next: 0 })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let Node::Object(fields) = self.0 else { return Err(self.refusal("an object")) };
        visitor.visit_map(Fields { left: fields, value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        if let Node::Text(text) | Node::Word(text) = self.0 {
            let name: StrDeserializer<'_, Refusal> = text.as_str().into_deserializer();
            visitor.visit_enum(name)
        } else if let Node::Object(fields) = self.0 {
            visitor.visit_enum(MapAccessDeserializer::new(Fields { left: fields, value: None }))
        } else {
            Err(self.refusal("one of the allowed values, as a string"))
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// The elements of a list, but for those that are cut.
struct Elements<'a> {
    all: &'a [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refusal> {
        while let Some(node) = self.all.get(self.next) {
            self.next += 1;
            if !matches!(node, Node::Cut) {
                return seed.deserialize(Reader(node)).map(Some).map_err(|refusal| refusal.in_item(self.next - 1));
            }
        }
        Ok(None)
    }
}

/// The fields of an object, but for those that are cut.
struct Fields<'a> {
    left: &'a [(String, Node)],
    value: Option<(&'a str, &'a Node)>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refusal> {
        while let Some(((name, node), left)) = self.left.split_first() {
            self.left = left;
            if !matches!(node, Node::Cut) {
                self.value = Some((name, node));
                return seed.deserialize(Name(name)).map(Some).map_err(|refusal| refusal.in_field(name));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        // Serde asks for a value after its name only.
        let Some((name, node)) = self.value.take() else { return Err(Refusal::new(Wrong::Cut)) };
        seed.deserialize(Reader(node)).map_err(|refusal| refusal.in_field(name))
    }
}

/// The name of a field.
struct Name<'a>(&'a str);

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let name: StrDeserializer<'_, Refusal> = self.0.into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &str, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
