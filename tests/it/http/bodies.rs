//! Bodies of requests: the example of each is read as it stands, and where the document says that none is needed none is.

use byteshop_gateway::http::openapi::{contract, document};
use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::{Answer, TestShop};
use reqwest::Method;
use serde_json::Value;

use super::bounds::{SIGNED, concrete};

/// Where the example of a body is whose schema has no name.
const EXAMPLE: &str = "/content/application~1json/example";
/// What says that a body could not be read.
const UNREAD: [&str; 3] = ["request.invalid", "request.malformed_json", "request.unsupported_media_type"];
/// What says that nobody looked at the body.
const REFUSED: [&str; 5] = ["auth.missing", "auth.invalid", "auth.expired", "auth.forbidden", "auth.scope"];

/// An operation that takes JSON.
struct Taking {
    method: Method,
    path: String,
    /// Whether it takes a body in any case.
    required: bool,
    /// The example of the body.
    example: Option<Value>,
}

fn taking() -> Vec<Taking> {
    let document: Value = serde_json::from_str(document()).unwrap();
    let mut found = Vec::new();
    for (path, item) in
        document["paths"].as_object().unwrap().iter().filter(|(path, _)| !SIGNED.contains(&path.as_str()))
    {
        for (method, operation) in item.as_object().unwrap() {
            let body = &operation["requestBody"];
            let Some(schema) = body.pointer("/content/application~1json/schema") else { continue };
            let resolved = schema["$ref"].as_str().map_or(schema, |it| document.pointer(&it[1..]).unwrap());
            found.push(Taking {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                required: body["required"] == true,
                example: resolved.get("example").or_else(|| body.pointer(EXAMPLE)).cloned(),
            });
        }
    }
    found
}

/// Sends a body, or none, as an admin; the things that the path names are not there.
async fn send(shop: &TestShop, to: &Taking, body: Option<&Value>) -> Answer {
    let call = shop.call(to.method.clone(), &concrete(&to.path)).by(&shop.token(Role::Admin));
    let call = if let Some(body) = body { call.json(body.clone()) } else { call };
    let answer = call.send().await;
    let is_public = contract().access(to.method.as_str(), &to.path).is_some_and(|access| access.public);
    let code = answer.body["code"].as_str().unwrap_or_default();
    assert!(is_public || !REFUSED.contains(&code), "{} {}: nobody reads it: {}", to.method, to.path, answer.body);
    answer
}

fn is_read(answer: &Answer) -> bool {
    !UNREAD.contains(&answer.body["code"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_body_has_an_example_that_is_read() {
    let shop = TestShop::start().await;
    for to in taking() {
        let Some(example) = &to.example else { panic!("{} {}: the body has no example", to.method, to.path) };
        let answer = send(&shop, &to, Some(example)).await;
        assert!(is_read(&answer), "{} {}: the example is refused: {}", to.method, to.path, answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_optional_exactly_where_none_is_read_as_an_empty_one() {
    let shop = TestShop::start().await;
    for to in taking() {
        let answer = send(&shop, &to, None).await;
        assert_eq!(!is_read(&answer), to.required, "{} {}: {}", to.method, to.path, answer.body);
    }
}
