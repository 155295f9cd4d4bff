//! What carts and orders cost: promotions, shipping and taxes, and the carts themselves.

use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::{Answer, Call, GuestCart, TestShop, address as to};
use serde_json::{Value, json};

mod baskets;
mod delivery;
mod hoarding;
mod promotions;
mod races;
mod taxes;

fn euro(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// A promotion with these fields beside the least that there must be.
fn terms(fields: &Value) -> Value {
    let mut terms = json!({"label": "Less", "benefit": {"kind": "percent", "percent_bps": 1000}});
    terms.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    terms
}

async fn promotion(shop: &TestShop, fields: Value) -> String {
    let admin = shop.token(Role::Admin);
    shop.post("/v1/admin/promotions").by(&admin).json(terms(&fields)).send().await.expect(201).id()
}

async fn enter(shop: &TestShop, cart: &GuestCart, code: &str) -> Answer {
    let path = format!("/v1/carts/{}/coupons", cart.id);
    shop.put(&path).with(cart).json(json!({"coupons": [code]})).send().await
}

async fn look(shop: &TestShop, cart: &GuestCart) -> Answer {
    shop.get(&format!("/v1/carts/{}", cart.id)).with(cart).send().await.expect(200)
}

async fn check_out(shop: &TestShop, cart: &GuestCart) -> Answer {
    shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(cart).send().await
}

async fn tax(shop: &TestShop, countries: Value) -> Answer {
    let admin = shop.token(Role::Admin);
    let book = shop.put("/v1/admin/tax-rates").by(&admin).header("If-Match", "*");
    book.json(json!({"countries": countries})).send().await
}

async fn zones(shop: &TestShop, zones: Value) -> Answer {
    let book = shop.put("/v1/admin/shipping").by(&shop.token(Role::Admin)).header("If-Match", "*");
    book.json(json!({"zones": zones})).send().await
}

fn germany(included: bool) -> Value {
    let rate = |class: &str, rate: u16| json!({"class": class, "rate_bps": rate, "valid_from": "2021-01-01"});
    json!({"country": "DE", "prices_include_tax": included, "rates": [rate("standard", 1900), rate("reduced", 700)]})
}

fn parcel() -> Value {
    json!({"zone": "germany", "name": "Germany", "countries": ["DE"], "services": [
        {"service": "parcel", "name": "Parcel", "carrier": "Post", "days": {"min": 1, "max": 3},
            "bands": [{"up_to_g": 2000, "prices": [euro(490)]}, {"up_to_g": 10_000, "prices": [euro(990)]}],
            "free_over": [euro(10_000)]},
        {"service": "express", "name": "Express", "days": {"min": 0, "max": 1},
            "bands": [{"up_to_g": 5000, "prices": [euro(1490)]}]}
    ]})
}

/// Every code among a cart's problems.
fn problems(cart: &Answer) -> Vec<String> {
    cart.body["problems"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

fn amount(answer: &Answer, pointer: &str) -> i64 {
    answer.body.pointer(&format!("{pointer}/amount")).and_then(Value::as_i64).unwrap_or_else(|| {
        panic!("no amount at {pointer} in {}", answer.body);
    })
}

/// A call by somebody, as a guest with a cart or as an account.
fn as_guest(call: Call, cart: &GuestCart) -> Call {
    call.with(cart)
}
