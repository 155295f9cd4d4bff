//! Collections and texts with a maximum in their type, so that no request can make the shop read more.
//!
//! Values from outside ([`fresh`](crate::text::fresh)) are read up to the first element too many. The log uses the same types
//! and holds values from before there was a limit, which must stay readable: stored values are read whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::Deref;

use indexmap::IndexMap;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::text::{TextError, is_fresh};

/// A list, set or map of which at most `MAX` elements are read from outside. A repeated element of a set counts each time.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Bounded<C, const MAX: usize>(C);

/// A text of at most `MAX` characters without further rules: a password, a code, a token.
#[derive(Clone, PartialEq, Eq)]
pub struct BoundedText<const MAX: usize>(String);

impl<C, const MAX: usize> Bounded<C, MAX> {
    /// The collection itself.
    pub fn into_inner(self) -> C {
        self.0
    }
}

impl<C, const MAX: usize> Deref for Bounded<C, MAX> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

/// A collection that the program created; decisions check its size, not this conversion.
impl<C, const MAX: usize> From<C> for Bounded<C, MAX> {
    fn from(all: C) -> Self {
        Self(all)
    }
}

impl<T, const N: usize, const MAX: usize> From<[T; N]> for Bounded<Vec<T>, MAX> {
    fn from(all: [T; N]) -> Self {
        Self(all.into())
    }
}

impl<T: Ord, const N: usize, const MAX: usize> From<[T; N]> for Bounded<BTreeSet<T>, MAX> {
    fn from(all: [T; N]) -> Self {
        Self(all.into())
    }
}

impl<K: Ord, V, const N: usize, const MAX: usize> From<[(K, V); N]> for Bounded<BTreeMap<K, V>, MAX> {
    fn from(all: [(K, V); N]) -> Self {
        Self(all.into())
    }
}

impl<T, C: FromIterator<T>, const MAX: usize> FromIterator<T> for Bounded<C, MAX> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl<T, C: Extend<T>, const MAX: usize> Extend<T> for Bounded<C, MAX> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, more: I) {
        self.0.extend(more);
    }
}

#[expect(clippy::into_iter_without_iter, reason = "the collection's own iter is there by deref")]
impl<'a, C, const MAX: usize> IntoIterator for &'a Bounded<C, MAX>
where
    &'a C: IntoIterator,
{
    type Item = <&'a C as IntoIterator>::Item;
    type IntoIter = <&'a C as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<C: IntoIterator, const MAX: usize> IntoIterator for Bounded<C, MAX> {
    type Item = C::Item;
    type IntoIter = C::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<C: fmt::Debug, const MAX: usize> fmt::Debug for Bounded<C, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of elements that are read here: all of them, unless they come from outside.
fn most(max: usize) -> usize {
    if is_fresh() { max } else { usize::MAX }
}

/// There are more elements than allowed.
#[derive(Debug, thiserror::Error)]
#[error("the list has more than {max} elements")]
struct TooMany {
    max: usize,
}

/// Reads the elements of a list or a set.
struct Elements<C, T> {
    max: usize,
    read: PhantomData<(C, T)>,
}

impl<'de, C: Default + Extend<T>, T: Deserialize<'de>> Visitor<'de> for Elements<C, T> {
    type Value = C;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<C, A::Error> {
        let mut all = C::default();
        for _ in 0..self.max {
            match elements.next_element()? {
                Some(element) => all.extend([element]),
                None => return Ok(all),
            }
        }
        match elements.next_element::<IgnoredAny>()? {
            Some(_) => Err(A::Error::custom(TooMany { max: self.max })),
            None => Ok(all),
        }
    }
}

/// Reads the entries of a map.
struct Entries<M, K, V> {
    max: usize,
    read: PhantomData<(M, K, V)>,
}

impl<'de, M, K, V> Visitor<'de> for Entries<M, K, V>
where
    M: Default + Extend<(K, V)>,
    K: Deserialize<'de>,
    V: Deserialize<'de>,
{
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<M, A::Error> {
        let mut all = M::default();
        for _ in 0..self.max {
            match entries.next_entry()? {
                Some(entry) => all.extend([entry]),
                None => return Ok(all),
            }
        }
        match entries.next_entry::<IgnoredAny, IgnoredAny>()? {
            Some(_) => Err(A::Error::custom(TooMany { max: self.max })),
            None => Ok(all),
        }
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Bounded<Vec<T>, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements { max: most(MAX), read: PhantomData }).map(Self)
    }
}

impl<'de, T: Deserialize<'de> + Ord, const MAX: usize> Deserialize<'de> for Bounded<BTreeSet<T>, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements { max: most(MAX), read: PhantomData }).map(Self)
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>, const MAX: usize> Deserialize<'de>
    for Bounded<BTreeMap<K, V>, MAX>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries { max: most(MAX), read: PhantomData }).map(Self)
    }
}

impl<'de, K: Deserialize<'de> + Hash + Eq, V: Deserialize<'de>, const MAX: usize> Deserialize<'de>
    for Bounded<IndexMap<K, V>, MAX>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries { max: most(MAX), read: PhantomData }).map(Self)
    }
}

impl<const MAX: usize> BoundedText<MAX> {
    /// Checks the length of a text.
    pub fn new(text: &str) -> Result<Self, TextError> {
        // Bytes are at least as many as characters, so most texts are counted once.
        if text.len() > MAX && text.chars().count() > MAX {
            return Err(TextError::TooLong { what: "text", max: MAX });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Deref for BoundedText<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for BoundedText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MAX: usize> Serialize for BoundedText<MAX> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Reads a text of a limited length.
struct Characters<const MAX: usize>;

impl<const MAX: usize> Visitor<'_> for Characters<MAX> {
    type Value = BoundedText<MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<BoundedText<MAX>, E> {
        BoundedText::new(text).map_err(E::custom)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for BoundedText<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Characters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fresh;

    type Three = Bounded<Vec<u8>, 3>;

    #[test]
    fn a_list_from_outside_is_read_up_to_its_maximum() {
        let read = |text| fresh(|| serde_json::from_str::<Three>(text)).map_err(|error| error.to_string());
        assert_eq!(read("[1,2,3]"), Ok([1, 2, 3].into()));
        assert_eq!(read("[]"), Ok([].into()));
        assert!(read("[1,2,3,4]").unwrap_err().starts_with("the list has more than 3 elements"));
        // The fourth element is not a u8; nothing after the third is parsed.
        assert!(read("[1,2,3,{\"a\":[]},5]").unwrap_err().starts_with("the list has more than 3 elements"));
    }

    #[test]
    fn a_set_counts_what_is_written_and_not_what_differs() {
        let read = |text| fresh(|| serde_json::from_str::<Bounded<BTreeSet<u8>, 2>>(text));
        assert_eq!(read("[1,1]").unwrap(), [1].into());
        assert!(read("[1,1,1]").is_err());
    }

    #[test]
    fn a_map_counts_its_entries_repeated_ones_too() {
        let read = |text| fresh(|| serde_json::from_str::<Bounded<BTreeMap<String, u8>, 2>>(text));
        assert_eq!(read(r#"{"a":1,"b":2}"#).unwrap().len(), 2);
        assert!(read(r#"{"a":1,"b":2,"c":3}"#).is_err());
        assert!(read(r#"{"a":1,"b":2,"a":3}"#).is_err());
    }

    #[test]
    fn what_is_stored_is_read_whole() {
        assert_eq!(serde_json::from_str::<Three>("[1,2,3,4]").unwrap().len(), 4);
        let stored: Three = [1, 2, 3, 4].into();
        assert_eq!(serde_json::to_string(&stored).unwrap(), "[1,2,3,4]");
    }

    #[test]
    fn a_text_is_counted_in_characters() {
        assert_eq!(BoundedText::<3>::new("äöü").unwrap().as_str(), "äöü");
        let refused = serde_json::from_str::<BoundedText<3>>("\"abcd\"").unwrap_err().to_string();
        assert!(refused.starts_with("the text has more than 3 characters"), "{refused}");
    }
}
