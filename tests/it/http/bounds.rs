//! No body holds more than the document says: every list, map and text of every route is sent one larger than its maximum, and as
//! large as the largest body.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use byteshop_gateway::edge::body::{BODY_MAX, max_of};
use byteshop_gateway::http::openapi;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::PATIENCE;
use byteshop_tests::shop::{Answer, TestShop};
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

/// Where rows are refused one by one, and the body may be larger.
pub(super) const BULK: &str = "/v1/products/bulk";
/// The largest body there.
const BULK_MAX: usize = 16 << 20;
/// What is signed, and read only once the signature holds.
pub(super) const SIGNED: [&str; 2] = ["/v1/webhooks/test", "/v1/webhooks/paypal"];
/// Characters of a text that no field without a maximum of its own takes: an id, a date, a name of a closed set.
const LONG: u64 = 10_000;
/// Requests that are under way at a time.
const AT_ONCE: usize = 8;

/// What is around a value in a body.
#[derive(Debug, Clone)]
enum Around {
    /// A field of an object, and a field that says which kind of object it is.
    Field(String, Option<(String, String)>),
    /// A list.
    List,
    /// A map, under this key.
    Map(String),
}

/// What may be too large.
#[derive(Debug, Clone)]
enum Kind {
    List { item: String },
    Map { key: String, value: String },
    Text,
}

/// A list, map or text in the body of a route.
#[derive(Debug, Clone)]
struct Place {
    method: Method,
    path: String,
    around: Vec<Around>,
    kind: Kind,
    max: Option<u64>,
}

impl Place {
    fn pointer(&self) -> String {
        Self::pointer_of(&self.around)
    }

    /// The outermost object around it whose kind is told by a field.
    fn tagged(&self) -> Option<String> {
        let first = self.around.iter().position(|around| matches!(around, Around::Field(_, Some(_))))?;
        Some(Self::pointer_of(&self.around[..first]))
    }

    fn pointer_of(around: &[Around]) -> String {
        let step = |around: &Around| match around {
            Around::Field(name, _) => format!("/{name}"),
            Around::List => "/0".to_owned(),
            Around::Map(key) => format!("/{key}"),
        };
        around.iter().map(step).collect()
    }

    /// A body with this many elements, entries or characters.
    fn body(&self, size: u64) -> String {
        let entries = |entry: &dyn Fn(u64) -> String| {
            let mut all = String::new();
            for number in 0..size {
                if number > 0 {
                    all.push(',');
                }
                all.push_str(&entry(number));
            }
            all
        };
        let value = match &self.kind {
            Kind::List { item } => format!("[{}]", entries(&|_| item.clone())),
            Kind::Map { key, value } => format!("{{{}}}", entries(&|n| format!("\"{}\":{value}", numbered(key, n)))),
            Kind::Text => format!("\"{}\"", "a".repeat(usize::try_from(size).unwrap())),
        };
        self.around.iter().rev().fold(value, |inner, around| match around {
            Around::Field(name, None) => format!("{{\"{name}\":{inner}}}"),
            Around::Field(name, Some((tag, kind))) => format!("{{\"{tag}\":\"{kind}\",\"{name}\":{inner}}}"),
            Around::List => format!("[{inner}]"),
            Around::Map(key) => format!("{{\"{key}\":{inner}}}"),
        })
    }

    /// As many as the largest body holds.
    fn most(&self) -> u64 {
        // A row of many is limited as one body is.
        let limit = if self.path == BULK && self.around.is_empty() { BULK_MAX } else { max_of(&self.path) };
        let (one, two) = (self.body(1).len(), self.body(2).len());
        // Keys of maps have up to six digits.
        let each = two - one + if matches!(self.kind, Kind::Map { .. }) { 5 } else { 0 };
        u64::try_from((limit - one) / each).unwrap()
    }
}

/// A key of a map, of which there may be two alone.
fn numbered(key: &str, n: u64) -> String {
    match key {
        "locale" => ["en", "ru"][usize::try_from(n % 2).unwrap()].to_owned(),
        other => format!("{other}{n}"),
    }
}

/// The document, and what is found in it.
struct Walk<'a> {
    document: &'a Value,
    found: Vec<Place>,
}

impl<'a> Walk<'a> {
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.resolved(self.document.pointer(&reference[1..]).unwrap()),
            None => schema,
        }
    }

    fn is(schema: &Value, kind: &str) -> bool {
        schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!(kind)))
    }

    fn visit(&mut self, route: &(Method, String), schema: &'a Value, name: &str, around: &[Around]) {
        let schema = self.resolved(schema);
        let inner = |more: Around| [around, &[more]].concat();
        let (method, path) = route;
        let place = |kind, max: &Value| {
            let (method, path, around) = (method.clone(), path.clone(), around.to_vec());
            Place { method, path, around, kind, max: max.as_u64() }
        };
        if Self::is(schema, "string") && schema.get("enum").is_none() {
            self.found.push(place(Kind::Text, &schema["maxLength"]));
        }
        if Self::is(schema, "array") {
            let item = self.sample(&schema["items"], name);
            self.found.push(place(Kind::List { item }, &schema["maxItems"]));
            self.visit(route, &schema["items"], name, &inner(Around::List));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            let key = if name == "labels" { "locale" } else { "a" };
            let kind = Kind::Map { key: key.to_owned(), value: self.sample(values, name) };
            self.found.push(place(kind, &schema["maxProperties"]));
            self.visit(route, values, name, &inner(Around::Map(numbered(key, 0))));
        }
        let tag = schema["properties"].as_object().into_iter().flatten().find_map(|(field, it)| {
            let [only] = it["enum"].as_array()?.as_slice() else { return None };
            Some((field.clone(), only.as_str()?.to_owned()))
        });
        for (field, it) in schema["properties"].as_object().into_iter().flatten() {
            if tag.as_ref().is_none_or(|(tag, _)| tag != field) {
                self.visit(route, it, field, &inner(Around::Field(field.clone(), tag.clone())));
            }
        }
        for several in ["oneOf", "anyOf", "allOf"] {
            for one in schema[several].as_array().into_iter().flatten() {
                self.visit(route, one, name, around);
            }
        }
    }

    /// A value that fits a schema, as JSON text.
    fn sample(&self, schema: &'a Value, name: &str) -> String {
        let schema = self.resolved(schema);
        if let Some(first) = schema["enum"].as_array().and_then(|all| all.first()).or_else(|| schema.get("example")) {
            return first.to_string();
        }
        if let Some(one) = ["oneOf", "anyOf", "allOf"].iter().find_map(|several| schema[several].get(0)) {
            return self.sample(one, name);
        }
        if schema.get("properties").is_some() {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut required: Vec<&str> = required.collect();
            // A rate is given in one of two units.
            if schema.pointer("/properties/rate_bps").is_some() && !required.contains(&"rate_bps") {
                required.push("rate_bps");
            }
            let field = |field: &&str| format!("\"{field}\":{}", self.sample(&schema["properties"][*field], field));
            let fields = required.iter().map(field);
            return format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
        }
        match schema["type"].as_str() {
            Some("integer") => schema["minimum"].as_u64().unwrap_or(1).to_string(),
            Some("boolean") => "true".to_owned(),
            Some("array") => "[]".to_owned(),
            Some("object") => "{}".to_owned(),
            Some("string") => json!(text(name, &schema["format"])).to_string(),
            // Of a value of any type.
            _ => "1".to_owned(),
        }
    }
}

/// A text that fits a field of this name.
pub(super) fn text(name: &str, format: &Value) -> String {
    let id = |prefix: &str| format!("{prefix}_00000000000000000000000001");
    match (name, format.as_str()) {
        (_, Some("date")) => "2026-01-01".to_owned(),
        (_, Some("date-time")) => "2026-01-01T00:00:00Z".to_owned(),
        ("country" | "countries", _) => "DE".to_owned(),
        ("currency" | "currencies", _) => "EUR".to_owned(),
        ("class" | "tax_class", _) => "standard".to_owned(),
        ("condition", _) => "new".to_owned(),
        ("areas", _) => "1".to_owned(),
        ("coupons", _) => "ABC".to_owned(),
        ("scopes", _) => "stock:read".to_owned(),
        ("channels", _) => "email".to_owned(),
        ("filter", _) => "order.*".to_owned(),
        ("customers", _) => id("acc"),
        ("categories", _) => id("cat"),
        ("images", _) => id("img"),
        ("products", _) => id("prod"),
        ("variant" | "variants", _) => id("var"),
        (_, _) => "x".to_owned(),
    }
}

/// A path with ids of things that need not exist: bodies are read before anything is looked for.
pub(super) fn concrete(path: &str) -> String {
    let mut before = "";
    let steps = path.split('/').map(|step| {
        let prefix = match std::mem::replace(&mut before, step) {
            "accounts" => "acc",
            "addresses" => "addr",
            "carts" => "cart",
            "categories" => "cat",
            "promotions" => "cpn",
            "files" => "file",
            "images" => "img",
            "lines" | "variants" => "var",
            "orders" => "ord",
            "payments" => "pay",
            "receipts" => "rcp",
            "gift-cards" | "covers" => "val",
            "refunds" => "rfd",
            "disputes" => "dsp",
            "payout-files" => "pyf",
            "payouts" => "pyt",
            "products" => "prod",
            "returns" => "ret",
            "sellers" => "sel",
            "invitations" => "inv",
            "members" => "acc",
            "shipments" => "shp",
            "webhook-endpoints" => "whk",
            other if step.starts_with('{') => panic!("what is the id after {other} in {path} of?"),
            _ => "",
        };
        if step.starts_with('{') { format!("{prefix}_00000000000000000000000001") } else { step.to_owned() }
    });
    steps.collect::<Vec<_>>().join("/")
}

/// Every list, map and text in a JSON body.
fn places(document: &Value) -> Vec<Place> {
    let mut walk = Walk { document, found: Vec::new() };
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = operation.pointer("/requestBody/content/application~1json/schema");
            if let Some(schema) = schema.filter(|_| !SIGNED.contains(&path.as_str())) {
                let method: Method = method.to_uppercase().parse().unwrap();
                walk.visit(&(method, concrete(path)), schema, "", &[]);
            }
        }
    }
    walk.found
}

/// A client of a shop who may do everything.
struct Client {
    shop: TestShop,
    admin: String,
}

impl Client {
    async fn start() -> Self {
        let shop = TestShop::start().await;
        Self { admin: shop.token(Role::Admin), shop }
    }

    /// The shop refuses a body of this size and blames the place.
    async fn refuses(&self, place: &Place, size: u64) -> String {
        let call = self.shop.call(place.method.clone(), &place.path).by(&self.admin);
        let answer = call.body(place.body(size)).send().await;
        let said = format!("{} {} {} with {size}: {}", place.method, place.path, place.pointer(), answer.body);
        let Answer { mut status, mut body, .. } = answer;
        // Rows are refused one by one.
        if place.path == BULK && status == 200 {
            (status, body) = (
                u16::try_from(body["rows"][0]["status"].as_u64().unwrap()).unwrap(),
                body["rows"][0]["problem"].take(),
            );
        }
        assert!((400..500).contains(&status), "{said}");
        // Where kinds of objects are told apart by a field, the object is blamed as a whole.
        let pointer = place.pointer();
        let pointer = if place.path == BULK { pointer.strip_prefix("/0").unwrap_or(&pointer) } else { &pointer };
        let is_blamed = |error: &&Value| {
            let blamed = error["pointer"].as_str().unwrap_or_else(|| panic!("no pointer: {said}"));
            let around = pointer == blamed || pointer.starts_with(&format!("{blamed}/"));
            // There, what only the type of a value knows is told once nothing is missing.
            let lacking = |object: &String| place.max.is_none() && blamed.starts_with(&format!("{object}/"));
            (around && (!blamed.is_empty() || !pointer.contains('/'))) || place.tagged().as_ref().is_some_and(lacking)
        };
        // What else is missing is told as well.
        let error = body["errors"].as_array().and_then(|errors| errors.iter().find(is_blamed));
        error.unwrap_or_else(|| panic!("{said}"))["detail"].as_str().unwrap().to_owned()
    }
}

#[test]
fn every_list_and_map_of_a_body_has_a_maximum_in_the_document() {
    let text = openapi::document();
    assert!(!text.contains("x-max"), "a maximum was not put in its place");
    let document = serde_json::from_str(text).unwrap();
    let places = places(&document);
    let unbounded: Vec<String> = places
        .iter()
        .filter(|place| place.max.is_none() && !matches!(place.kind, Kind::Text))
        .map(|place| format!("{} {} {}", place.method, place.path, place.pointer()))
        .collect();
    assert!(unbounded.is_empty(), "without a maximum:\n{}", unbounded.join("\n"));
    let count = |wanted: fn(&Kind) -> bool| places.iter().filter(|place| wanted(&place.kind)).count();
    let (lists, maps) =
        (count(|kind| matches!(kind, Kind::List { .. })), count(|kind| matches!(kind, Kind::Map { .. })));
    assert!(lists >= 60 && maps >= 8, "{lists} lists and {maps} maps: were all of them found?");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_more_than_the_maximum_is_refused_everywhere() {
    let (client, document) = (Client::start().await, serde_json::from_str(openapi::document()).unwrap());
    for place in places(&document) {
        let max = place.max.unwrap_or(LONG);
        let said = client.refuses(&place, max + 1).await;
        // The document and the rule are one.
        let exact = !matches!(place.kind, Kind::Text);
        let maximum = if place.path == BULK && place.around.is_empty() {
            format!("1 to {max}")
        } else {
            format!("more than {max} ")
        };
        assert!(!exact || said.contains(&maximum), "{} {}: {said}", place.path, place.pointer());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_body_is_refused_everywhere_and_the_shop_answers_meanwhile() {
    let (client, document) = (Client::start().await, serde_json::from_str(openapi::document()).unwrap());
    let places: Vec<Place> = places(&document).into_iter().filter(|it| !matches!(it.kind, Kind::Text)).collect();
    let (done, alive) = (AtomicBool::new(false), AtomicUsize::new(0));
    let flood = async {
        let requests = places.iter().map(|place| client.refuses(place, place.most()));
        let said: Vec<String> = futures_util::stream::iter(requests).buffer_unordered(AT_ONCE).collect().await;
        done.store(true, Ordering::Relaxed);
        said.len()
    };
    let visitor = async {
        while !done.load(Ordering::Relaxed) {
            // Large requests that each kept a thread to themselves would leave none for this one.
            let answer = tokio::time::timeout(PATIENCE, client.shop.get("/health/live").send()).await;
            answer.expect("the shop answers while it refuses large bodies").expect(200);
            alive.fetch_add(1, Ordering::Relaxed);
        }
    };
    let (refused, ()) = tokio::join!(flood, visitor);
    assert_eq!(refused, places.len());
    assert!(alive.load(Ordering::Relaxed) > 1);
    assert!(max_of("/v1/carts") < BODY_MAX);
}
