//! Holds a body against its schema, and finds every fault of its structure.
//!
//! What a single text must look like (`pattern`, and most of `format`) is left to the type that reads it, which says it
//! better. An object has no other fields than its schema names, whether the schema says so or not.

use std::collections::HashSet;

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde_json::{Number, Value};

use super::faults::Faults;
use super::node::{Node, push_field, push_item};
use super::schema::{Bodies, Schema};
use super::words;

/// The field that tells kinds of objects apart.
const KIND: &str = "kind";

impl Schema<'_> {
    /// The faults of a body.
    pub(super) fn check(self, body: &Node) -> Faults {
        let mut check = Check { bodies: self.bodies, pointer: String::new(), faults: Faults::default() };
        check.value(body, self.root);
        check.faults
    }
}

struct Check<'a> {
    bodies: &'a Bodies,
    /// Where it is.
    pointer: String,
    faults: Faults,
}

/// A kind of value that a schema allows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    fn of(name: &Value) -> Option<Self> {
        Some(match name.as_str()? {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }

    /// The kinds that a schema allows; none when it allows all.
    fn all_of(schema: &Value) -> Vec<Self> {
        match &schema["type"] {
            Value::Array(names) => names.iter().filter_map(Self::of).collect(),
            name @ Value::String(_) => Self::of(name).into_iter().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
        }
    }

    fn has(self, node: &Node) -> bool {
        match node {
            Node::Null => self == Self::Null,
            Node::Bool(_) => self == Self::Boolean,
            Node::Number(number) => self == Self::Number || (self == Self::Integer && is_whole(number)),
            Node::Text(_) | Node::Word(_) => self == Self::String,
            Node::List(_) => self == Self::Array,
            Node::Object(_) => self == Self::Object,
            Node::Cut => true,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "true or false",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

/// What is wrong with a text that should be a date or a time.
pub(super) fn no_time(text: &str, schema: &Value) -> Option<&'static str> {
    match schema["format"].as_str() {
        Some("date") if text.parse::<NaiveDate>().is_err() => Some("must be a date such as 2026-01-31"),
        Some("date-time") if text.parse::<DateTime<FixedOffset>>().is_err() => {
            Some("must be a time such as 2026-01-31T12:00:00Z")
        }
        Some(_) | None => None,
    }
}

fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64()
}

fn list<'a>(schema: &'a Value, keyword: &str) -> impl Iterator<Item = &'a Value> {
    schema[keyword].as_array().into_iter().flatten()
}

fn names<'a>(schema: &'a Value, keyword: &str) -> Vec<&'a str> {
    list(schema, keyword).filter_map(Value::as_str).collect()
}

fn whole(schema: &Value, keyword: &str) -> Option<i128> {
    let number = &schema[keyword];
    number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from))
}

fn size(schema: &Value, keyword: &str) -> Option<usize> {
    schema[keyword].as_u64().and_then(|size| usize::try_from(size).ok())
}

impl<'a> Check<'a> {
    fn fault(&mut self, detail: String) {
        self.faults.add(&self.pointer, detail);
    }

    /// The schema does not allow this kind of value.
    fn wrong_kind(&mut self, node: &Node, detail: String) {
        if matches!(node, Node::List(_)) {
            self.faults.note_wrong_list();
        }
        self.fault(detail);
    }

    /// Goes into a field, and comes back.
    fn in_field(&mut self, name: &str, look: impl FnOnce(&mut Self)) {
        let before = self.pointer.len();
        push_field(&mut self.pointer, name);
        look(self);
        self.pointer.truncate(before);
    }

    fn value(&mut self, node: &Node, schema: &'a Value) {
        if self.faults.is_full() || matches!(node, Node::Cut) {
            return;
        }
        let schema = self.bodies.resolved(schema);
        let branches: Vec<&'a Value> = ["oneOf", "anyOf"].iter().flat_map(|several| list(schema, several)).collect();
        if !branches.is_empty() {
            return self.one_of(node, &branches);
        }
        let kinds = Kind::all_of(schema);
        if !kinds.is_empty() && !kinds.iter().any(|kind| kind.has(node)) {
            return self.wrong_kind(node, self.wanted(node, schema, &kinds));
        }
        match node {
            Node::Text(text) => self.text(text, schema),
            Node::Number(number) => self.number(number, node, schema),
            Node::List(all) => self.elements(all, schema),
            Node::Object(fields) => self.fields(fields, schema),
            Node::Null | Node::Bool(_) | Node::Word(_) | Node::Cut => {}
        }
    }

    /// Says which of these kinds is wanted instead.
    fn wanted(&self, node: &Node, schema: &'a Value, kinds: &[Kind]) -> String {
        let known = names(schema, "enum");
        let tags = self.bodies.resolved(&schema["properties"][KIND]);
        let tags = names(tags, "enum");
        match kinds.iter().find(|kind| **kind != Kind::Null) {
            Some(Kind::String) if !known.is_empty() => words::kind(&words::one_of(&known), &self.pointer, node),
            Some(Kind::Object) if !tags.is_empty() => {
                words::kind(&words::object_with(KIND, &tags), &self.pointer, node)
            }
            Some(kind @ (Kind::Boolean | Kind::Integer | Kind::Number)) => {
                words::kind(kind.words(), &self.pointer, node)
            }
            // A free text is wanted, or something that holds some.
            Some(kind) => words::kind_of_private(kind.words(), node),
            None => words::kind_of_private("null", node),
        }
    }

    fn text(&mut self, text: &str, schema: &'a Value) {
        let known = names(schema, "enum");
        if !known.is_empty() && !known.contains(&text) {
            return self.fault(words::unknown_value(text, &known, &self.pointer));
        }
        if let Some(detail) = no_time(text, schema) {
            return self.fault(detail.to_owned());
        }
        let (least, most) = (size(schema, "minLength"), size(schema, "maxLength"));
        if let Some(exactly) = least.filter(|least| most == Some(*least)) {
            if text.chars().count() != exactly {
                self.fault(words::no_code(text, exactly, &self.pointer));
            }
            return;
        }
        // Most types cut off the space around a text; what they do not is theirs to say.
        let text = text.trim();
        if text.is_empty() && least.is_some_and(|least| least > 0) {
            self.fault("must not be empty".to_owned());
        } else if let Some(most) = most
            && text.len() > most
            && text.chars().count() > most
        {
            self.fault(format!("this has more than {most} characters"));
        }
    }

    fn number(&mut self, number: &Number, node: &Node, schema: &'a Value) {
        let (least, most) = (whole(schema, "minimum"), whole(schema, "maximum"));
        let (lowest, highest) = match schema["format"].as_str() {
            Some("int32") if least.is_some_and(|least| least >= 0) => (0, u32::MAX.into()),
            Some("int32") => (i32::MIN.into(), i32::MAX.into()),
            Some("int64") => (i64::MIN.into(), i64::MAX.into()),
            Some(_) | None => (i128::MIN, i128::MAX),
        };
        let Some(value) = number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from)) else { return };
        let range = least.unwrap_or(lowest)..=most.unwrap_or(highest);
        if !range.contains(&value) {
            let (least, most) = (*range.start(), *range.end());
            let told = words::range((least > i128::MIN).then_some(least), (most < i128::MAX).then_some(most));
            self.fault(words::kind(&told, &self.pointer, node));
        }
    }

    fn elements(&mut self, all: &[Node], schema: &'a Value) {
        let (least, most) = (size(schema, "minItems"), size(schema, "maxItems"));
        if let Some(most) = most.filter(|most| all.len() > *most) {
            self.fault(format!("the list has more than {most} elements"));
        } else if let Some(least) = least.filter(|least| all.len() < *least) {
            let plural = if least == 1 { "" } else { "s" };
            self.fault(format!("the list must have at least {least} element{plural}"));
        }
        let Some(items) = schema.get("items") else { return };
        for (index, node) in all.iter().enumerate().take(most.unwrap_or(all.len())) {
            let before = self.pointer.len();
            push_item(&mut self.pointer, index);
            self.value(node, items);
            self.pointer.truncate(before);
        }
    }

    fn fields(&mut self, fields: &[(String, Node)], schema: &'a Value) {
        let values = schema.get("additionalProperties").filter(|values| values.is_object());
        let known = &schema["properties"];
        if let Some(most) = size(schema, "maxProperties").filter(|most| fields.len() > *most) {
            return self.fault(format!("the list has more than {most} elements"));
        }
        let required = names(schema, "required");
        let mut seen = HashSet::new();
        for (name, node) in fields {
            let Some(of_field) = known.get(name.as_str()).or(values) else {
                if known.is_object() && schema["additionalProperties"] != true {
                    let known: Vec<&str> =
                        known.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                    self.in_field(name, |check| check.fault(words::unknown_field(name, &known)));
                }
                continue;
            };
            if !seen.insert(name.as_str()) && values.is_none() {
                self.in_field(name, |check| check.fault(words::twice(name)));
            } else if !matches!(node, Node::Null) || required.contains(&name.as_str()) {
                // What may be left out may be null, where its type takes that.
                self.in_field(name, |check| check.value(node, of_field));
            }
            if self.faults.is_full() {
                return;
            }
        }
        for name in required.into_iter().filter(|name| !seen.contains(name)) {
            self.in_field(name, |check| check.fault(words::missing(name)));
        }
    }

    /// Holds a value against the one of several schemas that is meant.
    fn one_of(&mut self, node: &Node, branches: &[&'a Value]) {
        let branches: Vec<&'a Value> = branches.iter().map(|branch| self.bodies.resolved(branch)).collect();
        if let Some(tag) = tag_of(&branches) {
            return self.tagged(node, tag, &branches);
        }
        let fitting = branches.iter().copied().filter(|branch| {
            let kinds = Kind::all_of(branch);
            kinds.is_empty() || kinds.iter().any(|kind| kind.has(node))
        });
        // Of several kinds of objects the one that knows most of the fields, and else the first.
        let known = |branch: &&Value| {
            let Node::Object(fields) = node else { return 0 };
            fields.iter().filter(|(name, _)| branch["properties"].get(name.as_str()).is_some()).count()
        };
        let mut meant: Option<(usize, &'a Value)> = None;
        for branch in fitting {
            let known = known(&branch);
            if meant.is_none_or(|(most, _)| known > most) {
                meant = Some((known, branch));
            }
        }
        if let Some((_, meant)) = meant {
            return self.value(node, meant);
        }
        let mut others = branches.iter().copied().filter(|branch| Kind::all_of(branch) != [Kind::Null]);
        if let (Some(only), None) = (others.next(), others.next()) {
            return self.value(node, only);
        }
        let wanted: Vec<&str> = branches.iter().flat_map(|branch| Kind::all_of(branch)).map(Kind::words).collect();
        self.wrong_kind(node, words::kind_of_private(&wanted.join(" or "), node));
    }

    /// Holds an object against the schema of its kind.
    fn tagged(&mut self, node: &Node, tag: &'a str, branches: &[&'a Value]) {
        let kinds: Vec<&'a str> = branches.iter().filter_map(|branch| kind_named(branch, tag)).collect();
        if !matches!(node, Node::Object(_)) {
            let nullable = branches.iter().any(|branch| Kind::all_of(branch) == [Kind::Null]);
            if !(nullable && matches!(node, Node::Null)) {
                self.wrong_kind(node, words::kind(&words::object_with(tag, &kinds), &self.pointer, node));
            }
            return;
        }
        let Some(given) = node.field(tag) else {
            return self.in_field(tag, |check| check.fault(words::missing(tag)));
        };
        let Node::Text(name) = given else {
            let detail = words::kind(&words::one_of(&kinds), "", given);
            return self.in_field(tag, |check| check.fault(detail));
        };
        match branches.iter().find(|branch| kind_named(branch, tag) == Some(name)) {
            Some(meant) => self.value(node, meant),
            None => self.in_field(tag, |check| check.fault(words::unknown_value(name, &kinds, ""))),
        }
    }
}

/// The field by which several kinds of objects are told apart: each allows one value of its own in it.
fn tag_of<'a>(branches: &[&'a Value]) -> Option<&'a str> {
    let mut objects = branches.iter().filter(|branch| Kind::all_of(branch) != [Kind::Null]).peekable();
    let candidates = objects.peek()?["properties"].as_object()?;
    let rest: Vec<_> = objects.collect();
    let tells = |name: &str| rest.len() > 1 && rest.iter().all(|branch| kind_named(branch, name).is_some());
    candidates.keys().map(String::as_str).find(|name| tells(name))
}

/// The one value that a schema allows in a field.
fn kind_named<'a>(schema: &'a Value, field: &str) -> Option<&'a str> {
    let field = schema["properties"].get(field)?;
    match names(field, "enum")[..] {
        [only] => Some(only),
        _ => field["const"].as_str(),
    }
}
