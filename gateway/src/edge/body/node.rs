//! A refused body as a tree, so that its faults can be looked for. It is bounded, however large and deep the body is.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// Most values of a body that are looked at: more than any body needs that the document allows, and a few megabytes.
pub(super) const NODES_MAX: usize = 50_000;
/// Deepest nesting that is looked at: no schema goes half as deep.
const DEPTH_MAX: usize = 24;

/// A value of a body, or of a query.
#[derive(Debug)]
pub(crate) enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(String),
    /// The value of a parameter of a query, which may stand for a number or for true or false.
    Word(String),
    /// A list.
    List(Vec<Self>),
    /// An object, with repeated names as they were sent.
    Object(Vec<(String, Self)>),
    /// Not looked at: its fault is known, or it is beyond what is read.
    Cut,
}

impl Node {
    /// The value of a field; of several with this name, the first.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }

    /// The value at a pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<&Self> {
        let Some(rest) = pointer.strip_prefix('/') else { return Some(self) };
        let (step, rest) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if let Self::List(all) = self {
            return all.get(step.parse::<usize>().ok()?)?.at(rest);
        }
        self.field(&step.replace("~1", "/").replace("~0", "~"))?.at(rest)
    }

    /// Looks no more at the value at a pointer. False when there is none.
    pub(super) fn cut(&mut self, pointer: &str) -> bool {
        let Some(rest) = pointer.strip_prefix('/') else {
            *self = Self::Cut;
            return true;
        };
        let (step, rest) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        match self {
            Self::List(all) => {
                step.parse().ok().and_then(|index: usize| all.get_mut(index)).is_some_and(|node| node.cut(rest))
            }
            Self::Object(fields) => {
                let name = step.replace("~1", "/").replace("~0", "~");
                let mut found = false;
                for (_, node) in fields.iter_mut().filter(|(known, _)| *known == name) {
                    found |= node.cut(rest);
                }
                found
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Word(_) | Self::Cut => false,
        }
    }
}

/// Adds the name of a field to a JSON pointer (RFC 6901, section 3).
pub(super) fn push_field(pointer: &mut String, name: &str) {
    pointer.push('/');
    for letter in name.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            _ => pointer.push(letter),
        }
    }
}

/// Adds the index of an element to a JSON pointer.
pub(super) fn push_item(pointer: &mut String, index: usize) {
    push_field(pointer, &index.to_string());
}

/// Reads JSON. The error is the pointer to a value that is JSON, and that no program can hold: half a character, or a
/// number beyond all sizes.
pub(super) fn read(text: &[u8]) -> Result<Node, String> {
    let mut reading = Reading { left: NODES_MAX, pointer: String::new(), depth: 0 };
    let mut json = serde_json::Deserializer::from_slice(text);
    Next(&mut reading).deserialize(&mut json).map_err(|_| reading.pointer)
}

/// How far the reading is.
struct Reading {
    /// Values that are still looked at.
    left: usize,
    /// Where it is.
    pointer: String,
    depth: usize,
}

/// Reads the next value.
struct Next<'a>(&'a mut Reading);

impl<'de> DeserializeSeed<'de> for Next<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        if self.0.left == 0 || self.0.depth > DEPTH_MAX {
            return serde::Deserialize::deserialize(deserializer).map(|IgnoredAny| Node::Cut);
        }
        self.0.left -= 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Next<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        // JSON has no number that is none.
        Ok(Number::from_f64(number).map_or(Node::Cut, Node::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node, A::Error> {
        let reading = self.0;
        let (mut all, before) = (Vec::new(), reading.pointer.len());
        reading.depth += 1;
        loop {
            push_item(&mut reading.pointer, all.len());
            let Some(node) = elements.next_element_seed(Next(reading))? else { break };
            reading.pointer.truncate(before);
            all.push(node);
            if reading.left == 0 {
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                break;
            }
        }
        reading.pointer.truncate(before);
        reading.depth -= 1;
        Ok(Node::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let reading = self.0;
        let (mut all, before) = (Vec::new(), reading.pointer.len());
        reading.depth += 1;
        while let Some(name) = entries.next_key::<String>()? {
            push_field(&mut reading.pointer, &name);
            let node = entries.next_value_seed(Next(reading))?;
            reading.pointer.truncate(before);
            all.push((name, node));
            if reading.left == 0 {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                break;
            }
        }
        reading.depth -= 1;
        Ok(Node::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(node: &Node) -> usize {
        match node {
            Node::List(all) => 1 + all.iter().map(count).sum::<usize>(),
            Node::Object(fields) => 1 + fields.iter().map(|(_, node)| count(node)).sum::<usize>(),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Word(_) | Node::Cut => 1,
        }
    }

    #[test]
    fn a_body_is_looked_at_up_to_a_number_of_values_and_a_depth() {
        let many = format!("[{}0]", "0,".repeat(500_000));
        let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
        let wide = format!("{{{}\"x\":0}}", "\"a\":[[],{}],".repeat(80_000));
        for text in [many, deep, wide] {
            let node = read(text.as_bytes()).unwrap();
            assert!(count(&node) <= NODES_MAX + DEPTH_MAX + 1, "{} values of {:.10}", count(&node), text);
        }
    }

    #[test]
    fn what_no_program_can_hold_is_pointed_at() {
        assert_eq!(read(br#"{"a": {"b/~": [1, "\ud800"]}}"#).unwrap_err(), "/a/b~1~0/1");
        assert_eq!(read(b"[0, 1e999]").unwrap_err(), "/1");
        assert_eq!(read(b"{\"a\": \"\xff\"}").unwrap_err(), "/a");
    }

    #[test]
    fn what_is_cut_is_found_by_its_pointer() {
        let mut node = read(br#"{"a/b": [{"c": 1}, 2], "d": 3, "d": 4}"#).unwrap();
        assert!(node.cut("/a~1b/0/c") && node.cut("/a~1b/1") && node.cut("/d"));
        assert!(!node.cut("/a~1b/2") && !node.cut("/e") && !node.cut("/a~1b/x"));
        let Node::Object(fields) = &node else { panic!("an object") };
        assert!(matches!(&fields[0].1, Node::List(all) if matches!(&all[..], [Node::Object(_), Node::Cut])));
        assert!(fields[1..].iter().all(|(_, node)| matches!(node, Node::Cut)));
        assert!(node.cut("") && matches!(node, Node::Cut));
    }
}
