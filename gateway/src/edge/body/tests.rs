//! What is said of bodies that do not fit.

use http::HeaderValue;
use serde::Deserialize;
use uuid::Uuid;

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
    let problem = parse::<Outer>(&headers, body.as_bytes()).unwrap_err();
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
        (r#"{"news": 1}"#, "expected one of the allowed values, as a string"),
        (r#"{"news": []}"#, "expected one of the allowed values, as a string"),
        (r#"{"news": "delivered", "carrier": 1}"#, "must be an object with a `kind`, `simulated` or `other`, not `1`"),
        (r#"{"news": "delivered", "carrier": {"kind": 1}}"#, "must be the name of a kind, as a string, not `1`"),
    ] {
        assert_eq!(object::<Parcel>(body.as_bytes()).unwrap_err().detail(), told, "{body}");
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
    assert!(parse::<Nothing>(&HeaderMap::new(), b"").is_ok());
    assert_eq!(parse::<Nothing>(&HeaderMap::new(), b"{}").unwrap_err().code(), "request.unsupported_media_type");
    assert_eq!(parse::<Outer>(&HeaderMap::new(), b"").unwrap_err().code(), "request.invalid");
}
