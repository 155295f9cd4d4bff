//! Conditional queries: whoever has what is shown already is told so, and nobody who has something else.

use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::{Answer, Call, TestShop};
use serde_json::{Value, json};

/// The tag of what is shown; with it, the same call is answered without a body.
async fn known(call: impl Fn() -> Call) -> String {
    let shown = call().send().await.expect(200);
    let tag = shown.header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"1\", {tag}"), "*".to_owned()] {
        let again: Answer = call().header("If-None-Match", &known).send().await.expect(304);
        assert_eq!(
            (&again.body, again.header("etag"), again.header("content-type")),
            (&Value::Null, Some(&*tag), None)
        );
    }
    call().header("If-None-Match", "\"1\"").send().await.expect(200);
    tag
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_told_once_until_any_of_it_changes() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (product, variant) = shop.product("COND-1", 1_000, 9).await;
    let cart = shop.full_cart(&variant, 1).await;
    let (of_product, of_cart) = (format!("/v1/products/{product}"), format!("/v1/carts/{}", cart.id));
    let see_product = || shop.get(&of_product);
    let see_cart = || shop.get(&of_cart).with(&cart);
    let (product_then, cart_then) = (known(see_product).await, known(see_cart).await);

    // The stock of the product and the price of what is in the cart are others, though both have the version that they had.
    let movement = json!({"type": "received", "quantity": 3});
    shop.post(&format!("/v1/variants/{variant}/stock")).by(&admin).json(movement).send().await.expect(200);
    let restocked = see_product().header("If-None-Match", &product_then).send().await.expect(200);
    assert_eq!(restocked.body["variants"][0]["available"], 12);
    let price = json!({"price": {"amount": 900, "currency": "EUR"}});
    shop.patch(&format!("{of_product}/variants/{variant}")).by(&admin).json(price).send().await.expect(200);
    let cheaper = see_cart().header("If-None-Match", &cart_then).send().await.expect(200);
    let version = |tag: &str| tag.split('-').next().unwrap().to_owned();
    assert_eq!(version(cheaper.header("etag").unwrap()), version(&cart_then));

    let (placed, cart) = shop.order(&variant, 1).await;
    let order = format!("/v1/orders/{}", placed.text("/id"));
    let then = known(|| shop.get(&order).with(&cart)).await;
    // Somebody else is not told that there is such an order.
    shop.get(&order).header("If-None-Match", &then).send().await.expect(404);
    shop.post(&format!("{order}/cancel")).with(&cart).send().await.expect(200);
    let now = shop.get(&order).with(&cart).header("If-None-Match", &then).send().await.expect(200);
    assert_eq!(now.body["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn categories_and_payments_are_shown_once_too() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let category = json!({"name": "Cups", "slug": "cups"});
    let category = shop.post("/v1/categories").by(&admin).json(category).send().await.expect(201).id();
    let category = format!("/v1/categories/{category}");
    let then = known(|| shop.get(&category)).await;
    shop.patch(&category).by(&admin).json(json!({"name": "Mugs"})).send().await.expect(200);
    let now = shop.get(&category).header("If-None-Match", &then).send().await.expect(200);
    assert_eq!(now.text("/name"), "Mugs");

    let (_, variant) = shop.product("COND-2", 1_000, 9).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let payment = format!("/v1/payments/{}", placed.text("/payment"));
    let then = known(|| shop.get(&payment).with(&cart)).await;
    shop.get(&payment).header("If-None-Match", &then).send().await.expect(404);
    let pay = json!({"provider": "test", "token": "tok_success"});
    let path = format!("/v1/orders/{}/payments", placed.text("/id"));
    shop.post(&path).with(&cart).json(pay).send().await.expect(201);
    let now = shop.get(&payment).with(&cart).header("If-None-Match", &then).send().await.expect(200);
    assert_eq!(now.text("/status"), "captured");
}
