//! What the shop answers is what its OpenAPI document says: required and unknown fields, types and enums, for one of each kind.

use byteshop_gateway::security::token::Role;
use byteshop_tests::contract::{Response, allowed};
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{GuestCart, TestShop, address};
use reqwest::Method;
use serde_json::{Value, json};

/// A guest's order that is paid, packed, handed over and partly returned.
struct Bought {
    path: String,
    cart: GuestCart,
    payment: String,
    shipment: String,
    returned: String,
}

async fn buy(shop: &TestShop, variant: &str) -> Bought {
    let created = shop.post("/v1/carts").json(json!({"currency": "EUR"})).send().await.expect(201);
    let cart = GuestCart { id: created.id(), token: created.text("/cart_token").to_owned() };
    let at = format!("/v1/carts/{}", cart.id);
    let line = json!({"quantity": 2});
    shop.put(&format!("{at}/lines/{variant}")).with(&cart).json(line).send().await.expect(200);
    shop.put(&format!("{at}/coupons")).with(&cart).json(json!({"coupons": ["NOTHING"]})).send().await.expect(422);
    shop.get(&at).with(&cart).send().await.expect(200);
    shop.delete(&format!("{at}/coupons")).with(&cart).send().await.expect(200);
    shop.put(&format!("{at}/address")).with(&cart).json(address("DE")).send().await.expect(200);
    shop.get(&format!("{at}/shipping-options")).with(&cart).send().await.expect(200);
    let placed = shop.post(&format!("{at}/checkout")).with(&cart).send().await.expect(201);
    shop.get(&at).with(&cart).send().await.expect(200);
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let payments = format!("{path}/payments");
    for token in ["tok_declined", "tok_success"] {
        let pay = json!({"provider": "test", "token": token});
        shop.post(&payments).with(&cart).json(pay).send().await.expect(201);
    }
    eventually("the order is paid", async || {
        let order = shop.get(&path).with(&cart).send().await.expect(200);
        (order.text("/payment_status") == "paid").then_some(())
    })
    .await;
    let staff = shop.token(Role::Admin);
    let shipments = format!("{path}/shipments");
    let shipment = shop.post(&shipments).by(&staff).send().await.expect(201).id();
    let at = format!("/v1/shipments/{shipment}");
    shop.post(&format!("{at}/pack")).by(&staff).json(json!({"weight_g": 900})).send().await.expect(200);
    shop.post(&format!("{at}/hand-over")).by(&staff).send().await.expect(200);
    let lines = json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "damaged", "comment": "a crack"});
    let returns = format!("{path}/returns");
    let returned = eventually("goods can be returned", async || {
        let asked = shop.post(&returns).with(&cart).json(lines.clone()).send().await;
        (asked.status == 201).then(|| asked.id())
    })
    .await;
    let at = format!("/v1/returns/{returned}");
    shop.post(&format!("{at}/approve")).by(&staff).send().await.expect(200);
    let came = json!({"lines": [{"variant": variant, "quantity": 1, "condition": "damaged", "restock": false}]});
    shop.post(&format!("{at}/receive")).by(&staff).json(came).send().await.expect(200);
    let payment = placed.text("/payment").to_owned();
    Bought { path, cart, payment, shipment, returned }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_buys_is_answered_as_the_document_says() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("CONTRACT-1", 1_999, 10).await;
    let it = buy(&shop, &variant).await;
    let staff = shop.token(Role::Admin);
    let head = shop.at_rest().await.to_string();
    let Bought { path, payment, shipment, returned, .. } = &it;
    for path in [
        path.clone(),
        format!("{path}/history"),
        format!("{path}/shipments"),
        format!("{path}/returns"),
        format!("{path}/credit-notes"),
        format!("/v1/payments/{payment}"),
        format!("/v1/shipments/{shipment}"),
        format!("/v1/returns/{returned}"),
    ] {
        shop.get(&path).with(&it.cart).send().await.expect(200);
        shop.get(&path).by(&staff).send().await.expect(200);
        // Not theirs.
        shop.get(&path).by(&shop.token(Role::Customer)).send().await.expect(404);
    }
    for path in [
        "/v1/orders".to_owned(),
        "/v1/returns".to_owned(),
        "/v1/products?facets=true".to_owned(),
        "/v1/products?q=contract-1".to_owned(),
        format!("/v1/products/{product}"),
        format!("/v1/products/{product}/price-history"),
        format!("/v1/variants/{variant}/stock"),
        "/v1/categories".to_owned(),
        "/v1/admin/audit?limit=100".to_owned(),
        "/v1/admin/sales".to_owned(),
        "/v1/admin/views".to_owned(),
        "/v1/admin/notifications".to_owned(),
        "/v1/admin/promotions".to_owned(),
        "/v1/admin/accounts".to_owned(),
        "/v1/admin/api-keys".to_owned(),
        "/v1/admin/shipping".to_owned(),
        "/v1/admin/tax-rates".to_owned(),
        "/v1/admin/payment-methods".to_owned(),
        "/v1/admin/commission-rules".to_owned(),
        "/v1/webhook-endpoints".to_owned(),
    ] {
        let asked = shop.get(&path).by(&staff).header("Min-Log-Position", &head);
        asked.send().await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_has_is_answered_as_the_document_says() {
    let shop = TestShop::start().await;
    let registered = json!({"email": "ada@example.org", "password": "analytical-engine-1", "name": "Ada Lovelace"});
    shop.post("/v1/auth/register").json(registered.clone()).send().await.expect(202);
    let wrong = json!({"email": "ada@example.org", "password": "difference-engine-2"});
    shop.post("/v1/auth/login").json(wrong).send().await.expect(401);
    shop.post("/v1/auth/login").json(json!({"email": 1})).send().await.expect(422);
    let code = eventually("the code is in the mail", async || {
        let mail = shop.log.kept(None, 10).await.unwrap().pop()?;
        let mut lines = mail.text.lines().skip_while(|line| !line.contains("confirmation code")).skip(1);
        lines.find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
    })
    .await;
    shop.post("/v1/auth/confirm").json(json!({"code": code})).send().await;
    let login = json!({"email": registered["email"], "password": registered["password"]});
    let session = shop.post("/v1/auth/login").json(login).send().await.expect(200);
    let token = session.text("/access_token").to_owned();
    let address = address("DE");
    shop.post("/v1/me/addresses").by(&token).json(address).send().await.expect(201);
    let settings = json!({"locale": "ru", "currency": "EUR", "channels": ["email"]});
    shop.patch("/v1/me/settings").by(&token).json(settings).send().await.expect(200);
    for path in [
        "/v1/me",
        "/v1/me/settings",
        "/v1/me/addresses",
        "/v1/me/sessions",
        "/v1/me/orders",
        "/v1/me/notifications",
        "/v1/me/export",
    ] {
        let answer = shop.get(path).by(&token).send().await.expect(200);
        assert_ne!(answer.body, Value::Null, "{path}");
    }
    shop.get("/v1/me/cart").by(&token).send().await.expect(404);
    shop.get("/v1/admin/accounts").by(&token).send().await.expect(403);
}

/// A response of the stock of a variant, which would be allowed.
fn stock() -> Value {
    json!({"variant": "var_01h455vb4pex5vsknk084sn02q", "product": null, "sku": null, "on_hand": 3, "reserved": 1,
        "available": 2, "unlimited": false, "suspended": false})
}

fn told(status: u16, content_type: &str, body: &Value) -> Result<(), String> {
    let (path, content_type) = ("/v1/variants/var_01h455vb4pex5vsknk084sn02q/stock", Some(content_type));
    allowed(Response { method: &Method::GET, path, status, content_type, body })
}

#[test]
fn a_response_that_the_document_does_not_allow_is_found() {
    const JSON: &str = "application/json";
    assert_eq!(told(200, JSON, &stock()), Ok(()));
    let changed = |field: &str, value: Value| {
        let mut body = stock();
        body[field] = value;
        told(200, JSON, &body).unwrap_err()
    };
    assert!(changed("colour", json!("red")).contains("colour"));
    assert!(changed("on_hand", json!("3")).starts_with("/on_hand: "));
    assert!(changed("available", json!(null)).starts_with("/available: "));
    assert!(changed("sku", json!("")).starts_with("/sku: "));
    let mut short = stock();
    short.as_object_mut().unwrap().remove("product");
    assert!(told(200, JSON, &short).unwrap_err().contains("product"));
    assert!(told(200, JSON, &Value::Null).unwrap_err().contains("no body"));
    assert!(told(200, "text/html", &json!("<p>")).unwrap_err().contains("`text/html`"));
    assert!(told(302, JSON, &stock()).unwrap_err().contains("status"));
    assert!(told(404, "application/problem+json", &stock()).is_err());
    let body = &json!({});
    let elsewhere = Response { method: &Method::GET, path: "/v1/nothing", status: 200, content_type: Some(JSON), body };
    assert!(allowed(elsewhere).is_err());
}
