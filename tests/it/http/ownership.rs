//! What belongs to one person is not there for another.

use byteshop_domain::ids::{AccountId, Id as _};
use byteshop_eventstore::Clock;
use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::{GuestCart, TestShop};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_cart_is_not_there() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("O-1", 500, 5).await;
    let cart = shop.full_cart(&variant, 1).await;
    let other = shop.guest_cart().await;
    let customer = shop.token(Role::Customer);
    let head = shop.at_rest().await;
    let path = format!("/v1/carts/{}", cart.id);
    let calls = [
        (Method::GET, path.clone(), None),
        (Method::PUT, format!("{path}/lines/{variant}"), Some(json!({"quantity": 2}))),
        (Method::DELETE, format!("{path}/lines/{variant}"), None),
        (Method::PUT, format!("{path}/address"), Some(json!({"country": "FR"}))),
        (Method::POST, format!("{path}/checkout"), None),
    ];
    for (method, path, body) in calls {
        for wrong in ["nobody", "stranger", "customer", "made up", "stale"] {
            let mut call = shop.call(method.clone(), &path);
            call = match wrong {
                "stranger" => call.with(&other),
                "customer" => call.by(&customer),
                "made up" => call.header("Cart-Token", "x"),
                // A version must not tell a stranger that there is a cart.
                "stale" => call.header("If-Match", "\"99\""),
                _ => call,
            };
            if let Some(body) = &body {
                call = call.json(body.clone());
            }
            call.send().await.expect_problem(404, "cart.missing");
        }
    }
    assert_eq!(shop.log.head().await.unwrap(), head, "a refusal wrote something");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_order_and_payment_are_not_there() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("O-2", 500, 5).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let (order, payment) = (placed.text("/id"), placed.text("/payment"));
    let (other, customer) = (shop.guest_cart().await, shop.token(Role::Customer));
    let head = shop.at_rest().await;
    let pay = json!({"provider": "test", "token": "tok_success"});
    for (method, path, body, code) in [
        (Method::GET, format!("/v1/orders/{order}"), None, "order.missing"),
        (Method::GET, format!("/v1/orders/{order}/history"), None, "order.missing"),
        (Method::POST, format!("/v1/orders/{order}/cancel"), None, "order.missing"),
        (Method::POST, format!("/v1/orders/{order}/payments"), Some(pay), "order.missing"),
        (Method::GET, format!("/v1/payments/{payment}"), None, "payment.missing"),
        (Method::POST, format!("/v1/payments/{payment}/cancel"), None, "payment.missing"),
    ] {
        for stranger in [None, Some(&other)] {
            let call = shop.call(method.clone(), &path);
            let call = match stranger {
                Some(other) => call.with(other),
                None => call.by(&customer),
            };
            let call = if let Some(body) = &body { call.json(body.clone()) } else { call };
            call.send().await.expect_problem(404, code);
        }
    }
    assert_eq!(shop.log.head().await.unwrap(), head, "a refusal wrote something");
    shop.get(&format!("/v1/orders/{order}")).with(&cart).send().await.expect(200);
    shop.get(&format!("/v1/orders/{order}")).by(&shop.token(Role::Support)).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_may_not_are_told_so() {
    let shop = TestShop::start().await;
    shop.product("O-3", 500, 5).await;
    let head = shop.at_rest().await;
    let paths = [
        (Method::POST, "/v1/products/bulk".to_owned()),
        (Method::POST, "/v1/categories".to_owned()),
        (Method::POST, "/v1/orders/ord_00000000000000000000000001/fulfil".to_owned()),
        (Method::GET, "/v1/admin/sales".to_owned()),
        (Method::GET, "/v1/admin/views".to_owned()),
        (Method::GET, "/v1/admin/audit".to_owned()),
    ];
    for (method, path) in paths {
        let nobody = shop.call(method.clone(), &path).send().await.expect_problem(401, "auth.missing");
        assert!(nobody.header("www-authenticate").unwrap().starts_with("Bearer"));
        for role in [Role::Customer, Role::Seller] {
            shop.call(method.clone(), &path).by(&shop.token(role)).send().await.expect_problem(403, "auth.forbidden");
        }
    }
    shop.get("/v1/admin/audit").by(&shop.token(Role::Support)).send().await.expect_problem(403, "auth.forbidden");
    assert_eq!(shop.log.head().await.unwrap(), head, "a refusal wrote something");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_are_refused_even_where_none_is_needed() {
    let shop = TestShop::start().await;
    let account = AccountId::from_uuid(Clock.new_id());
    let foreign = byteshop_gateway::security::token::Tokens::ephemeral().unwrap();
    let foreign = foreign.issue(Role::Admin, account, byteshop_gateway::security::token::LIFETIME).unwrap();
    // {"alg":"none","typ":"JWT"} and claims that are ours otherwise.
    let ours = shop.token(Role::Admin);
    let claims = ours.split('.').nth(1).unwrap();
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    for token in [foreign.as_str(), &none, "x", "a.b.c", &ours[..ours.len() - 2]] {
        for path in ["/v1/orders", "/v1/products"] {
            let refused = shop.get(path).by(token).send().await.expect_problem(401, "auth.invalid");
            assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"));
        }
    }
    let basic = shop.get("/v1/orders").header("Authorization", "Basic eDp5").send().await;
    basic.expect_problem(401, "auth.invalid");
    let expired = shop.tokens.issue(Role::Admin, account, std::time::Duration::ZERO).unwrap();
    byteshop_tests::patience::eventually("the token expires", || async {
        let answer = shop.get("/v1/orders").by(&expired).send().await;
        (answer.status == 401).then(|| answer.expect_problem(401, "auth.expired"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_key_gives_nothing_away() {
    let shop = TestShop::start().await;
    let [anna, berta] = [Role::Customer; 2].map(|role| shop.token(role));
    let make = |token: &str| shop.post("/v1/carts").by(token).key("same").json(json!({"currency": "EUR"})).send();
    let (first, second) = (make(&anna).await.expect(201), make(&berta).await.expect(201));
    assert_ne!(first.id(), second.id());
    assert_eq!(second.header("idempotency-replayed"), None);
    let [one, two]: [GuestCart; 2] = [shop.guest_cart().await, shop.guest_cart().await];
    let checkout = |cart: &GuestCart| shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(cart).key("k").send();
    checkout(&one).await.expect_problem(422, "cart.empty");
    checkout(&two).await.expect_problem(422, "cart.empty");
}
