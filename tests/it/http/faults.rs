//! Bodies with faults: all of them are told at once, each at its place and in words, and every body of the document is sent
//! with every kind of fault.

use byteshop_gateway::edge::body::FAULTS_MAX;
use byteshop_gateway::http::openapi;
use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::{Answer, TestShop};
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::bounds::{BULK, SIGNED, concrete, text};

/// Requests that are under way at a time.
const AT_ONCE: usize = 8;
/// What says that a body could not be read.
const UNREAD: [&str; 2] = ["request.invalid", "request.country_unknown"];
/// What only a programmer understands.
const FOREIGN: [&str; 12] = [
    "struct ",
    "enum ",
    "variant ",
    "identifier",
    "must be u",
    "must be i",
    "usize",
    "did not match",
    " at line ",
    "newtype",
    "does not have the form",
    "that is out of range, or text",
];
/// Fields whose text is an id, a country or a currency, which the schema does not say.
const STRICT: [&str; 14] = [
    "variant",
    "variants",
    "category",
    "categories",
    "products",
    "customers",
    "images",
    "parent",
    "payment",
    "id",
    "country",
    "countries",
    "currency",
    "currencies",
];

/// A body with one fault.
#[derive(Debug)]
struct Faulty {
    method: Method,
    path: String,
    body: Value,
    /// Where the fault is.
    pointer: String,
    /// Whether nothing but reading it can find the fault.
    is_of_form: bool,
}

/// The document, and the bodies that are made of it.
struct Walk<'a> {
    document: &'a Value,
    route: (Method, String),
    found: Vec<Faulty>,
}

impl<'a> Walk<'a> {
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        schema["$ref"].as_str().map_or(schema, |it| self.resolved(self.document.pointer(&it[1..]).unwrap()))
    }

    /// The schemas of which one holds.
    fn branches(&self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolved(schema);
        let several = ["oneOf", "anyOf"].iter().flat_map(|it| schema[*it].as_array().into_iter().flatten());
        let several: Vec<_> = several.flat_map(|one| self.branches(one)).filter(|it| it["type"] != "null").collect();
        if several.is_empty() { vec![schema] } else { several }
    }

    /// A value that fits.
    fn sample(&self, schema: &'a Value, name: &str) -> Value {
        let schema = self.branches(schema)[0];
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        if is(schema, "object") {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let of = |field: &str| (field.to_owned(), self.sample(&schema["properties"][field], field));
            return required.map(of).collect::<Map<_, _>>().into();
        }
        if is(schema, "integer") {
            return schema.get("minimum").cloned().unwrap_or(json!(1));
        }
        if is(schema, "boolean") {
            return json!(true);
        }
        if is(schema, "array") { json!([]) } else { json!(text(name, &schema["format"])) }
    }

    fn add(&mut self, body: &Value, pointer: &str, wrong: Value, is_of_form: bool) {
        let mut body = body.clone();
        *body.pointer_mut(pointer).unwrap() = wrong;
        self.blame(body, pointer.to_owned(), is_of_form);
    }

    fn blame(&mut self, body: Value, pointer: String, is_of_form: bool) {
        let (method, path) = self.route.clone();
        self.found.push(Faulty { method, path, body, pointer, is_of_form });
    }

    /// Makes the value at a pointer wrong in every way.
    fn visit(&mut self, schema: &'a Value, name: &str, body: &Value, pointer: &str) {
        let several = self.branches(schema);
        for &one in &several {
            let mut body = body.clone();
            *body.pointer_mut(pointer).unwrap() = self.sample(one, name);
            self.wrong_kinds(&several, &body, pointer);
            self.wrong_sizes(one, name, &body, pointer);
            self.visit_parts(one, name, &body, pointer);
            // Without their fields, several kinds of objects that no field tells apart look alike.
            if several.len() == 1 || has_tag(one) {
                self.visit_missing(one, &body, pointer);
            }
        }
    }

    fn wrong_kinds(&mut self, several: &[&'a Value], body: &Value, pointer: &str) {
        let all = [
            ("string", json!("unheard_of")),
            ("integer", json!(7)),
            ("number", json!(1.5)),
            ("boolean", json!(true)),
            ("array", json!([[[]]])),
            ("object", json!({"unheard_of": {}})),
        ];
        for (kind, wrong) in all {
            let free = several.iter().any(|one| is(one, kind) || one.get("type").is_none());
            if !free && !pointer.is_empty() {
                self.add(body, pointer, wrong, true);
            }
        }
    }

    fn wrong_sizes(&mut self, schema: &'a Value, name: &str, body: &Value, pointer: &str) {
        let mut wrong = Vec::new();
        if is(schema, "string") {
            if schema.get("enum").is_some() || schema["format"].is_string() || STRICT.contains(&name) {
                wrong.push((json!("unheard of"), true));
            }
            let long = schema["maxLength"].as_u64().map(|most| "x".repeat(usize::try_from(most).unwrap() + 1));
            wrong.extend(long.map(|long| (json!(long), true)));
            wrong.extend(schema.get("minLength").map(|_| (json!(""), false)));
        }
        if let Some(least) = schema["minimum"].as_i64() {
            wrong.push((json!(least - 1), false));
        }
        if let Some(most) = schema["maximum"].as_i64() {
            wrong.push((json!(most + 1), false));
        }
        if is(schema, "integer") {
            wrong.push((json!(u64::MAX), true));
            wrong.push((json!(1e30), true));
        }
        if let Some(most) = schema["maxItems"].as_u64() {
            let item = self.sample(&schema["items"], name);
            wrong.push((vec![item; usize::try_from(most).unwrap() + 1].into(), true));
        }
        for (wrong, is_of_form) in wrong {
            self.add(body, pointer, wrong, is_of_form);
        }
    }

    /// Leaves out what has to be there.
    fn visit_missing(&mut self, schema: &'a Value, body: &Value, pointer: &str) {
        for field in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let missing = with(body, pointer, |value| drop(value.as_object_mut().unwrap().remove(field)));
            self.blame(missing, format!("{pointer}/{field}"), true);
        }
    }

    fn visit_parts(&mut self, schema: &'a Value, name: &str, body: &Value, pointer: &str) {
        if is(schema, "array") {
            let body = with(body, pointer, |value| *value = json!([null]));
            self.visit(&schema["items"], name, &body, &format!("{pointer}/0"));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|it| it.is_object()) {
            let key = if name == "labels" { "en" } else { "a" };
            let body = with(body, pointer, |value| *value = json!({key: null}));
            self.visit(values, name, &body, &format!("{pointer}/{key}"));
        }
        let Some(fields) = schema["properties"].as_object() else { return };
        let unknown = with(body, pointer, |value| value["unheard_of"] = json!(1));
        self.blame(unknown, format!("{pointer}/unheard_of"), true);
        for (field, schema) in fields {
            // Which kind it is is told by the others.
            if schema["enum"].as_array().is_none_or(|all| all.len() > 1) {
                let body = with(body, pointer, |value| value[field.as_str()] = Value::Null);
                self.visit(schema, field, &body, &format!("{pointer}/{field}"));
            }
        }
    }
}

/// Whether a field says which kind of object it is.
fn has_tag(schema: &Value) -> bool {
    let mut fields = schema["properties"].as_object().into_iter().flatten();
    fields.any(|(_, field)| field["enum"].as_array().is_some_and(|all| all.len() == 1))
}

fn is(schema: &Value, kind: &str) -> bool {
    schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!(kind)))
}

fn with(body: &Value, pointer: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut body = body.clone();
    change(body.pointer_mut(pointer).unwrap());
    body
}

/// Every body of the document with every kind of fault.
fn faulty(document: &Value) -> Vec<Faulty> {
    let mut found = Vec::new();
    for (path, item) in
        document["paths"].as_object().unwrap().iter().filter(|(path, _)| !SIGNED.contains(&path.as_str()))
    {
        for (method, operation) in item.as_object().unwrap() {
            let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") else { continue };
            let route = (method.to_uppercase().parse().unwrap(), concrete(path));
            let mut walk = Walk { document, route, found: Vec::new() };
            if path == BULK {
                // Rows are refused one by one.
                let items = &walk.resolved(schema)["items"];
                walk.visit(items, "", &json!([null]), "/0");
            } else {
                walk.visit(schema, "", &Value::Null, "");
            }
            found.extend(walk.found);
        }
    }
    found
}

/// Sends a body; says what is wrong with what is answered.
async fn send(shop: &TestShop, admin: &str, faulty: &Faulty) -> Option<String> {
    let call = shop.call(faulty.method.clone(), &faulty.path).by(admin).json(faulty.body.clone());
    let Answer { status, mut body, .. } = call.send().await;
    if faulty.path == BULK && status == 200 {
        body = body["rows"][0]["problem"].take();
    }
    let wrong = |said: &str| {
        let sent: String = faulty.body.to_string().chars().take(300).collect();
        Some(format!("{said}: {} {} {} {sent}\n    {body}", faulty.method, faulty.path, faulty.pointer))
    };
    let code = body["code"].as_str().unwrap_or_default();
    if !UNREAD.contains(&code) {
        return if faulty.is_of_form { wrong("not refused as a body") } else { None };
    }
    let pointer = if faulty.path == BULK { faulty.pointer.trim_start_matches("/0") } else { &faulty.pointer };
    let errors = body["errors"].as_array().unwrap();
    let at = |error: &&Value| {
        let given = error["pointer"].as_str().unwrap();
        given == pointer || (!given.is_empty() && pointer.starts_with(&format!("{given}/")))
    };
    // A fault that is of form may also follow from another, so that only one of them is told.
    if faulty.is_of_form && !errors.iter().any(|error| at(&error)) {
        return wrong("the place is not blamed");
    }
    let mut details = errors.iter().filter_map(|error| error["detail"].as_str());
    let foreign = details.find(|detail| FOREIGN.iter().any(|word| detail.contains(word)))?;
    wrong(foreign)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_body_with_every_kind_of_fault_is_refused_in_words_at_its_place() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let document: Value = serde_json::from_str(openapi::document()).unwrap();
    let all = faulty(&document);
    assert!(all.len() > 2_000, "{} bodies: were all of them made?", all.len());
    let sent = futures_util::stream::iter(all.iter().map(|it| send(&shop, &admin, it))).buffer_unordered(AT_ONCE);
    let wrong: Vec<String> = sent.filter_map(async |wrong| wrong).collect().await;
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

fn told(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array().unwrap().iter();
    errors.map(|error| (error["pointer"].as_str().unwrap(), error["detail"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_body_are_told_at_once() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let body = json!({
        "sku": "", "titel": "Cup", "weight_g": -4, "price": {"amount": "19.99", "currency": "EUD"}, "tax_class": "redused",
        "prices": [{"price": {"amount": 1, "currency": "USD"}}, {"price": {"amount": 1}, "compare_at": 5}],
    });
    let path = "/v1/products/prod_00000000000000000000000001/variants";
    let refused = shop.post(path).by(&admin).json(body).send().await.expect_problem(422, "request.invalid");
    assert_eq!(
        told(&refused),
        [
            ("/sku", "must not be empty"),
            ("/titel", "unknown field `titel`; did you mean `title`?"),
            ("/weight_g", "must be an integer between 0 and 1000000, not `-4`"),
            ("/price/amount", "must be an integer in minor units, such as 1999 for 19.99, not the string \"19.99\""),
            ("/tax_class", "unknown value `redused`; did you mean `reduced`?"),
            ("/prices/1/price/currency", "missing field `currency`"),
            ("/prices/1/compare_at", "must be an object, not a number"),
            ("/price/currency", "`EUD` is not a currency; use an ISO 4217 code such as `EUR`"),
        ]
    );
    assert_eq!(refused.text("/detail"), "must not be empty");
    let lines = json!({"lines": vec![json!({"variant": "x", "quantity": 0}); 50], "reason": "damaged"});
    let returns = "/v1/orders/ord_00000000000000000000000001/returns";
    let refused = shop.post(returns).by(&admin).json(lines).send().await;
    let refused = refused.expect_problem(422, "request.invalid");
    assert_eq!(told(&refused).len(), FAULTS_MAX);
    assert_eq!(told(&refused)[19].0, "/lines/19/quantity");
    assert!(refused.text("/detail").ends_with("; there are more faults than the first 20, which are listed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_no_json_is_refused_with_its_line_and_column() {
    let shop = TestShop::start().await;
    let call = shop.post("/v1/carts").body("{\n  \"currency\": EUR\n}".to_owned());
    let refused = call.send().await.expect_problem(400, "request.malformed_json");
    assert_eq!(refused.text("/detail"), "the body is not JSON: expected value at line 2 column 15");
    // The first field is wrong too, but nobody can tell what was meant where the text ends too early.
    let cut = shop.post("/v1/carts").body("{\"currency\": 1, ".to_owned());
    cut.send().await.expect_problem(400, "request.malformed_json");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_or_secret_is_never_repeated() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    for (path, body) in [
        ("/v1/auth/register", json!({"email": "secret4711", "password": ["secret4711"], "name": {"secret4711": 1}})),
        (
            "/v1/auth/register",
            json!({"email": ["secret4711@example.org"], "password": 4711, "name": "secret4711\u{7}"}),
        ),
        ("/v1/auth/login", json!({"email": "secret4711 x", "password": {"is": "secret4711"}, "code": 4711})),
        ("/v1/auth/refresh", json!({"refresh_token": ["secret4711"]})),
        ("/v1/auth/confirm", json!({"code": 4711})),
        (
            "/v1/me/addresses",
            json!({"country": 4711, "city": ["secret4711"], "phone": "secret4711", "email": "secret4711"}),
        ),
        (
            "/v1/orders/ord_00000000000000000000000001/payments",
            json!({"provider": "test", "token": {"is": "secret4711"}}),
        ),
    ] {
        let refused = shop.post(path).by(&admin).json(body.clone()).send().await;
        assert_eq!((refused.status, &refused.body["code"]), (422, &json!("request.invalid")), "{path} {body}");
        assert!(!refused.body.to_string().contains("4711"), "{path} {body}: {}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_query_are_told_at_once() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let path = "/v1/admin/sales?from=yesterday&until=2026-02-30&by=colour&form=x";
    let refused = shop.get(path).by(&admin).send().await.expect_problem(400, "request.invalid_query");
    let errors = refused.body["errors"].as_array().unwrap();
    let told: Vec<_> =
        errors.iter().map(|it| (it["parameter"].as_str().unwrap(), it["detail"].as_str().unwrap())).collect();
    assert_eq!(told[0], ("from", "from: must be a date such as 2026-01-31"));
    assert_eq!(told[1], ("until", "until: must be a date such as 2026-01-31"));
    assert_eq!(told[3], ("form", "unknown query parameter `form`; did you mean `from`?"));
    assert_eq!((told[2].0, told.len()), ("by", 4), "{told:?}");
}

/// What is said of each parameter.
fn told_of_query(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array().unwrap().iter();
    errors.map(|error| (error["parameter"].as_str().unwrap(), error["detail"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn times_and_the_size_of_a_page_are_faults_of_a_query_like_all_others() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let ask = async |path: &str| shop.get(path).by(&admin).send().await.expect_problem(400, "request.invalid_query");
    let limit = ("limit", "limit: must be an integer between 1 and 100");
    let orders = ask("/v1/orders?from=yesterday&until=20000-01-01&limit=0&number=x&colour=red").await;
    let told = told_of_query(&orders);
    let day = "must be a day such as 2026-11-20 or an RFC 3339 time";
    assert_eq!(told[..3], [("from", &*format!("from: {day}")), ("until", &format!("until: {day}")), limit]);
    assert!(told[3].1.starts_with("number: not a number of an order"), "{told:?}");
    assert_eq!((told[4].0, told.len()), ("colour", 5), "{told:?}");
    let audit = ask("/v1/admin/audit?until=0000-01-01T00:00:00Z&limit=101&from=x&typ=order.paid").await;
    let told = told_of_query(&audit);
    assert_eq!(told[0], ("until", "until: must be in the years 1 to 9999"));
    assert_eq!((told[1], told[2].0, told[3].0, told.len()), (limit, "from", "typ", 4), "{told:?}");
    let order = ask("/v1/orders/ord_00000000000000000000000001?at=never&until=x").await;
    let at = ("at", "at: must be a Log-Position that this shop sent, or an RFC 3339 time");
    assert_eq!((told_of_query(&order)[0], told_of_query(&order)[1].0), (at, "until"));
    for path in ["/v1/products?limit=101&sort=best", "/v1/categories?sort=best&limit=-1", "/v1/returns?limit=&x=1"] {
        let refused = ask(path).await;
        assert!(
            told_of_query(&refused).contains(&limit) && told_of_query(&refused).len() == 2,
            "{path}: {}",
            refused.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_by_an_attribute_is_named_as_it_was_written() {
    let shop = TestShop::start().await;
    let detail = "no category or product has the attribute \"colour\"";
    for (parameter, written) in
        [("attr[colour]", "attr[colour]"), ("attr.colour", "attr.colour"), ("attr[colour]", "attr%5Bcolour%5D")]
    {
        let refused = shop.get(&format!("/v1/products?{written}=red")).send().await;
        let refused = refused.expect_problem(400, "request.invalid_query");
        assert_eq!(told_of_query(&refused), [(parameter, &*format!("{parameter}: {detail}"))]);
    }
    let many = "&attr[a]=x".repeat(101);
    let refused = shop.get(&format!("/v1/products?limit=1{many}")).send().await;
    assert_eq!(refused.expect_problem(400, "request.invalid_query").text("/errors/0/parameter"), "attr[a]");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_search_are_told_at_once() {
    let shop = TestShop::start().await;
    let path = "/v1/products?limit=x&instock=true&sort=best&attr[material]=clay&currency=EUR&currency=GBP";
    let refused = shop.get(path).send().await.expect_problem(400, "request.invalid_query");
    let errors = refused.body["errors"].as_array().unwrap();
    let told: Vec<_> = errors.iter().map(|it| it["parameter"].as_str().unwrap()).collect();
    assert_eq!(told, ["limit", "instock", "sort", "currency"]);
    assert_eq!(errors[1]["detail"], "unknown query parameter `instock`; did you mean `in_stock`?");
    assert_eq!(errors[3]["detail"], "`currency` is given twice");
}
