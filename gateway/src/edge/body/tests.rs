//! What is said of bodies that do not fit.

use http::{HeaderValue, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::schema::Bodies;
use super::*;
use crate::edge::ask::Nothing;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only reading it matters")]
struct Outer {
    name: String,
    lines: Vec<Inner>,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only reading it matters")]
struct Inner {
    quantity: i64,
    price: byteshop_domain::money::Price,
}

fn asked(body: &str) -> (u16, String, String) {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let problem = parse::<Outer>(&headers, body.as_bytes(), None).unwrap_err();
    let text: serde_json::Value = serde_json::from_slice(&problem.render(Uuid::nil())).unwrap();
    let pointer = text["errors"][0]["pointer"].as_str().unwrap_or("none").to_owned();
    (problem.status().as_u16(), problem.code().to_owned(), pointer)
}

#[test]
fn the_field_that_does_not_fit_is_named() {
    for (body, pointer) in [
        (r#"{"name": 1, "lines": []}"#, "/name"),
        (r#"{"name": "x"}"#, "/lines"),
        (r#"{"name": "x", "lines": [], "naem": 1}"#, "/naem"),
        (r#"{"name": "x", "lines": [{"quantity": "1"}]}"#, "/lines/0/quantity"),
        (r#"{"name": "x", "lines": [{"quantity": 1}]}"#, "/lines/0/price"),
        (r#"{"name": "x", "lines": [{"quantity": 9223372036854775808}]}"#, "/lines/0/quantity"),
        (r#"{"name": "x", "lines": [{"quantity": 1.5}]}"#, "/lines/0/quantity"),
        (r#"{"name": "x", "lines": [{"quantity": 1, "price": {"amount": -1, "currency": "EUR"}}]}"#, "/lines/0/price"),
        (
            r#"{"name": "x", "lines": [{"quantity": 1, "price": {"amount": 1, "currency": "ZZZ"}}]}"#,
            "/lines/0/price/currency",
        ),
        (r#"{"name": "x", "name": "y", "lines": []}"#, "/name"),
        ("[]", ""),
        ("null", ""),
        ("\"x\"", ""),
    ] {
        assert_eq!(asked(body), (422, "request.invalid".into(), pointer.into()), "{body}");
    }
}

#[test]
fn what_takes_a_name_or_an_object_says_so() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only reading it matters")]
    struct Parcel {
        news: byteshop_domain::shipment::News,
        carrier: byteshop_domain::shipment::Carrier,
    }
    for (body, told) in [
        (r#"{"news": 1}"#, "must be one of the allowed values, as a string"),
        (r#"{"news": []}"#, "must be one of the allowed values, as a string"),
        (r#"{"news": "delivered", "carrier": 1}"#, "must be an object with a `kind`, `simulated` or `other`"),
    ] {
        assert_eq!(object::<Parcel>(body.as_bytes(), None).unwrap_err().detail(), told, "{body}");
    }
}

#[test]
fn what_is_no_json_is_said_to_be_none() {
    let deep = "[".repeat(100_000);
    for body in ["{", "{\"name\": }", "nonsense", "{} {}", "\u{0}", "{'name': 1}", &deep] {
        let (status, code, _) = asked(body);
        let whole = body == "{} {}";
        assert!(whole || (status, code.as_str()) == (400, "request.malformed_json"), "{body:.20}: {status} {code}");
    }
}

#[test]
fn an_empty_body_says_nothing() {
    assert!(parse::<Nothing>(&HeaderMap::new(), b"", None).is_ok());
    assert_eq!(parse::<Nothing>(&HeaderMap::new(), b"{}", None).unwrap_err().code(), "request.unsupported_media_type");
    assert_eq!(parse::<Outer>(&HeaderMap::new(), b"", None).unwrap_err().code(), "request.invalid");
}

/// A body with something of everything that a schema can say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only reading it matters")]
struct Order {
    buyer: byteshop_domain::text::Name,
    email: byteshop_domain::text::Email,
    phone: Option<byteshop_domain::text::Phone>,
    password: String,
    country: Option<byteshop_domain::text::Country>,
    lines: byteshop_domain::Bounded<Vec<Line>, 3>,
    gift: Option<Gift>,
    on: Option<chrono::NaiveDate>,
    class: Option<byteshop_domain::product::TaxClass>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only reading it matters")]
struct Line {
    variant: byteshop_domain::ids::VariantId,
    quantity: u32,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(dead_code, reason = "only reading it matters")]
enum Gift {
    Card { text: byteshop_domain::text::Name },
    Wrapping { price: byteshop_domain::money::Price },
}

fn document() -> Value {
    let text = json!({"type": "string", "maxLength": 120});
    let named = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let kind = |name: &str, field: &str, of: Value| json!({"type": "object", "required": ["kind", field], "properties": {"kind": {"type": "string", "enum": [name]}, field: of}});
    json!({
        "paths": {"/orders": {"post": {"requestBody": {"content": {"application/json": {"schema": named("Order")}}}}}},
        "components": {"schemas": {
            "Order": {"type": "object", "required": ["buyer", "email", "password", "lines"], "properties": {
                "buyer": text, "email": text, "phone": {"type": ["string", "null"]}, "password": text,
                "country": {"type": ["string", "null"]}, "lines": {"type": "array", "items": named("Line"), "maxItems": 3},
                "gift": {"oneOf": [named("Gift"), {"type": "null"}]}, "on": {"type": ["string", "null"], "format": "date"},
                "class": {"oneOf": [named("Class"), {"type": "null"}]}}},
            "Line": {"type": "object", "required": ["variant", "quantity"], "properties": {
                "variant": {"type": "string"}, "quantity": {"type": "integer", "format": "int32", "minimum": 1}}},
            "Gift": {"oneOf": [kind("card", "text", text.clone()), kind("wrapping", "price", named("Money"))]},
            "Money": {"type": "object", "required": ["amount", "currency"], "properties": {
                "amount": {"type": "integer", "format": "int64"}, "currency": {"type": "string"}}},
            "Class": {"type": "string", "enum": ["standard", "reduced", "super_reduced", "zero"]},
        }},
    })
}

/// The problem of an order that is refused.
fn refused(body: &str) -> Value {
    let bodies = Bodies::of(&document());
    let schema = bodies.at(&Method::POST, "/orders");
    let problem = object::<Order>(body.as_bytes(), schema).unwrap_err();
    serde_json::from_slice(&problem.render(Uuid::nil())).unwrap()
}

/// The places and the words of its faults.
fn faults(body: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let problem = refused(body);
    problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (text(&fault["pointer"]), text(&fault["detail"])))
        .collect()
}

#[test]
fn all_faults_are_told_at_once_with_their_places() {
    let variant = "var_00000000000000000000000001";
    let body = json!({
        "buyer": " ", "email": "ada", "phone": "12", "pasword": "secret", "country": "Germany", "on": "tomorrow", "class": "redused",
        "gift": {"kind": "wrapping", "price": {"amount": "19.99"}},
        "lines": [{"variant": variant, "quantity": 1}, {"variant": "x", "quantity": -1}, {"quantity": "2", "size": "M"}],
    });
    let told = faults(&body.to_string());
    let told: Vec<(&str, &str)> = told.iter().map(|(pointer, detail)| (&**pointer, &**detail)).collect();
    assert_eq!(
        told,
        [
            ("/pasword", "unknown field `pasword`; did you mean `password`?"),
            ("/on", "must be a date such as 2026-01-31"),
            ("/class", "unknown value `redused`; did you mean `reduced`?"),
            (
                "/gift/price/amount",
                "must be an integer in minor units, such as 1999 for 19.99, not the string \"19.99\""
            ),
            ("/gift/price/currency", "missing field `currency`"),
            ("/lines/1/quantity", "must be an integer between 1 and 4294967295, not `-1`"),
            ("/lines/2/quantity", "must be an integer, not the string \"2\""),
            ("/lines/2/size", "unknown field `size`; expected one of `variant`, `quantity`"),
            ("/lines/2/variant", "missing field `variant`"),
            ("/password", "missing field `password`"),
            ("/buyer", "must not be empty"),
            ("/email", "must be a single e-mail address such as ada@example.org"),
            ("/phone", "this has fewer than 3 or more than 15 digits"),
            ("/country", "not a country code; the two-letter ISO 3166 code of Germany is DE"),
            ("/lines/1/variant", "not an id: expected a prefix, an underscore and 26 characters of base32"),
        ]
    );
}

#[test]
fn a_list_of_its_fields_is_no_object() {
    let order = |line: &str, gift: &str| {
        format!(r#"{{"buyer": "Ada", "email": "ada@example.org", "password": "x", "lines": [{line}], "gift": {gift}}}"#)
    };
    let line = r#"{"variant": "var_00000000000000000000000003", "quantity": 2}"#;
    let fields = r#"["var_00000000000000000000000003", 2]"#;
    let schemas = Bodies::of(&document());
    let schema = schemas.at(&Method::POST, "/orders");
    let read = object::<Order>(
        order(line, r#"{"kind": "wrapping", "price": {"amount": 5, "currency": "EUR"}}"#).as_bytes(),
        schema,
    );
    assert_eq!(read.unwrap().lines.len(), 1);
    assert_eq!(
        faults(&order(fields, r#"["card", "Hi"]"#)),
        [
            ("/lines/0".to_owned(), "must be an object, not a list".to_owned()),
            ("/gift".to_owned(), "must be an object with a `kind`, `card` or `wrapping`, not a list".to_owned()),
        ]
    );
    assert_eq!(
        faults(&order(line, r#"{"kind": "wrapping", "price": [5, "EUR"]}"#)),
        [("/gift/price".to_owned(), "must be an object, not a list".to_owned()),]
    );
}

#[test]
fn a_country_keeps_its_code_and_else_the_first_fault_is_the_problem() {
    let body = |country: &str, lines: Value| {
        json!({"buyer": "Ada", "email": "ada@example.org", "password": "x", "country": country, "lines": lines})
            .to_string()
    };
    let problem = refused(&body("Germany", json!([])));
    assert_eq!(problem["code"], "request.country_unknown");
    let problem = refused(&body("Germany", json!(1)));
    assert_eq!(problem["code"], "request.country_unknown");
    assert_eq!(problem["detail"], problem["errors"][1]["detail"]);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    let problem = refused(&body("DE", json!(1)));
    assert_eq!(problem["code"], "request.invalid");
    assert_eq!(problem["detail"], "must be a list, not a number");
}

#[test]
fn what_is_personal_or_secret_is_not_repeated() {
    for body in [
        json!({"buyer": ["Lovelace"], "email": {"is": "Lovelace"}, "password": {"Lovelace": 1}, "lines": "Lovelace"}),
        json!({"buyer": 4_711, "email": 4_711, "password": 4_711, "lines": [4_711]}),
        json!({"buyer": "\u{202e}Lovelace", "email": "Lovelace", "phone": "Lovelace 4711", "password": null, "lines": {}}),
    ] {
        let said = refused(&body.to_string()).to_string();
        assert!(!said.contains("Lovelace") && !said.contains("4711"), "{said}");
    }
}

#[test]
fn so_many_faults_are_told_and_it_is_said_that_there_are_more() {
    let fields: Vec<String> = (0..5_000).map(|number| format!("\"x{number}\": 1")).collect();
    let problem = refused(&format!("{{{}}}", fields.join(",")));
    assert_eq!(problem["errors"].as_array().unwrap().len(), FAULTS_MAX);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.ends_with("; there are more faults than the first 20, which are listed"), "{detail}");
    // What only types know is bounded alike.
    let lines = json!({"a": vec![json!("x"); 100]});
    let schemaless = object::<Many>(lines.to_string().as_bytes(), None).unwrap_err();
    assert_eq!(schemaless.errors().len(), FAULTS_MAX);
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only reading it matters")]
struct Many {
    a: Vec<byteshop_domain::ids::VariantId>,
}

#[test]
fn a_hostile_body_is_refused_with_few_words() {
    let long = "x".repeat(100_000);
    for body in [
        format!("{{\"{long}\": 1}}"),
        format!("{{\"lines\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{{\"gift\": {}1{}}}", "{\"kind\":".repeat(50_000), "}".repeat(50_000)),
        format!("{{\"lines\": [{}0]}}", "{},".repeat(200_000)),
        format!("{{\"class\": \"{long}\", \"buyer\": \"{long}\", \"lines\": []}}"),
        format!("{{\"buyer\": {}}}", "9".repeat(300)),
        "{\"buyer\": \"\\ud800\"}".to_owned(),
        "{\"buyer\": 1e999}".to_owned(),
    ] {
        let problem = refused(&body);
        assert_eq!(problem["code"], "request.invalid", "{body:.60}: {problem:.300}");
        assert!(problem.to_string().len() < 10_000, "{body:.60}");
    }
}

#[test]
fn one_of_several_kinds_is_chosen_by_what_is_there() {
    let with = |gift: &str| {
        let body =
            format!(r#"{{"buyer": "Ada", "email": "a@b.example", "password": "x", "lines": [], "gift": {gift}}}"#);
        faults(&body).pop().unwrap()
    };
    for (gift, pointer, detail) in [
        ("1", "/gift", "must be an object with a `kind`, `card` or `wrapping`, not `1`"),
        ("{}", "/gift/kind", "missing field `kind`"),
        (r#"{"kind": 1}"#, "/gift/kind", "must be one of `card`, `wrapping`, not `1`"),
        (r#"{"kind": "crad"}"#, "/gift/kind", "unknown value `crad`; did you mean `card`?"),
        (r#"{"kind": "card"}"#, "/gift/text", "missing field `text`"),
        (r#"{"kind": "card", "text": " "}"#, "/gift", "must not be empty"),
        (r#"{"kind": "wrapping", "price": {"amount": -1, "currency": "EUR"}}"#, "/gift", "a price must be between"),
    ] {
        let (at, said) = with(gift);
        assert_eq!(at, pointer, "{gift}");
        assert!(said.starts_with(detail), "{gift}: {said}");
    }
}

#[test]
fn a_fault_beyond_what_is_looked_at_is_refused_all_the_same() {
    let variant = "\"var_00000000000000000000000001\",".repeat(60_000);
    let problem = object::<Many>(format!("{{\"a\": [{variant}\"x\"]}}").as_bytes(), None).unwrap_err();
    assert_eq!((problem.code(), problem.detail()), ("request.invalid", words::UNEXPLAINED));
}
