//! Outgoing webhooks against a program that checks signatures by itself and fails on demand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::receiver::{Posted, Receiver};
use byteshop_tests::shop::{Answer, TestShop};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// HMAC-SHA256 from its definition (RFC 2104), so that signatures are not checked with what made them.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

/// Whether one of a message's signatures was made with the secret.
fn is_signed(posted: &Posted, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = format!("{}.{}.{}", posted.header("webhook-id"), posted.header("webhook-timestamp"), posted.body);
    let expected = format!("v1,{}", STANDARD.encode(hmac(&key, signed.as_bytes())));
    posted.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

async fn endpoint(shop: &TestShop, url: &str, filter: &[&str]) -> Answer {
    let body = json!({"url": url, "filter": filter, "description": "a test"});
    shop.post("/v1/webhook-endpoints").by(&shop.token(Role::Admin)).json(body).send().await.expect(201)
}

/// What was posted, once there is so much of it.
async fn posted(receiver: &Receiver, count: usize) -> Vec<Posted> {
    eventually(&format!("{count} posts"), || async { Some(receiver.posted()).filter(|posted| posted.len() >= count) })
        .await
}

fn types(posted: &[Posted]) -> Vec<String> {
    posted.iter().map(|posted| posted.json()["type"].as_str().unwrap().to_owned()).collect()
}

async fn deliveries(shop: &TestShop, endpoint: &str) -> Vec<Value> {
    let path = format!("/v1/webhook-endpoints/{endpoint}/deliveries");
    let listed = shop.get(&path).by(&shop.token(Role::Admin)).send().await.expect(200);
    listed.body["items"].as_array().unwrap().clone()
}

/// Lets every endpoint be tried again at once.
async fn pass_time(shop: &TestShop) {
    sqlx::query("update log.webhook_cursor set retry_at = now()").execute(shop.log.pool()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_told_in_order_signed_and_without_what_is_personal() {
    let (shop, receiver) = (TestShop::start().await, Receiver::start(&[]).await);
    let (_, variant) = shop.product("H-1", 500, 10).await;
    let made = endpoint(&shop, &receiver.url, &["order.*"]).await;
    let secret = made.text("/secret").to_owned();
    let address = json!({"country": "DE", "email": "ada@example.org", "name": "Ada Lovelace", "city": "Berlin",
        "lines": ["Invalidenstraße 43"]});
    let cart = shop.full_cart(&variant, 1).await;
    shop.put(&format!("/v1/carts/{}/address", cart.id)).with(&cart).json(address).send().await.expect(200);
    let placed = shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send().await.expect(201);
    let order = placed.text("/id").to_owned();
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("/v1/orders/{order}/payments")).with(&cart).json(pay).send().await.expect(201);
    let told = posted(&receiver, 2).await;
    assert_eq!(types(&told), ["order.placed", "order.paid"]);
    for posted in &told {
        assert!(is_signed(posted, &secret), "{posted:?}");
        let body = posted.json();
        assert_eq!(
            (body["id"].as_str().unwrap(), body["subject"].as_str()),
            (posted.header("webhook-id"), Some(&*order))
        );
        assert!(body["position"].is_i64() && body["timestamp"].is_string(), "{body}");
        for secret in ["sealed", "Ada", "ada@", "access_hash"] {
            assert!(!posted.body.contains(secret), "{secret} in {}", posted.body);
        }
    }
    assert_eq!(told[0].json()["data"]["total"], json!({"amount": 500, "currency": "EUR"}));
    let id = made.id();
    let log = eventually("both are written down", || async {
        Some(deliveries(&shop, &id).await).filter(|deliveries| deliveries.len() == 2)
    })
    .await;
    assert_eq!(
        (&log[0]["type"], &log[0]["delivered"], &log[0]["status"]),
        (&"order.paid".into(), &true.into(), &200.into())
    );
    let shown = shop.get(&format!("/v1/webhook-endpoints/{id}")).by(&shop.token(Role::Admin)).send().await.expect(200);
    assert_eq!(shown.body.get("secret"), None, "the secret is told once");
    let events = shop.log.read_log(0, 1_000).await.unwrap();
    assert!(events.iter().all(|event| !event.data.contains("whsec_")), "and kept sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_told_again_before_what_follows() {
    let (shop, receiver) = (TestShop::start().await, Receiver::start(&[500, 302, 404]).await);
    let made = endpoint(&shop, &receiver.url, &["product.created"]).await;
    for title in ["One", "Two"] {
        let body = json!({"title": title});
        shop.post("/v1/products").by(&shop.token(Role::Admin)).json(body).send().await.expect(201);
    }
    for count in 1..=3 {
        posted(&receiver, count).await;
        eventually("the failure is written down", || async {
            (deliveries(&shop, &made.id()).await.len() == count).then_some(())
        })
        .await;
        pass_time(&shop).await;
    }
    let told = posted(&receiver, 5).await;
    let titles: Vec<_> = told.iter().map(|posted| posted.json()["data"]["title"].clone()).collect();
    assert_eq!(titles, ["One", "One", "One", "One", "Two"]);
    let ids: Vec<_> = told.iter().map(|posted| posted.header("webhook-id")).collect();
    assert!(ids[..4].iter().all(|id| *id == ids[0]) && ids[4] != ids[0], "one event has one id: {ids:?}");
    let log = eventually("everything is written down", || async {
        Some(deliveries(&shop, &made.id()).await).filter(|log| log.len() == 5)
    })
    .await;
    let attempts: Vec<_> = log.iter().rev().map(|entry| entry["attempt"].as_i64().unwrap()).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_signs_beside_the_old_one() {
    let (shop, receiver) = (TestShop::start().await, Receiver::start(&[]).await);
    let made = endpoint(&shop, &receiver.url, &["product.*"]).await;
    let admin = shop.token(Role::Admin);
    let path = format!("/v1/webhook-endpoints/{}/secret", made.id());
    let rotated = shop.post(&path).by(&admin).key("once").send().await.expect(200);
    let again = shop.post(&path).by(&admin).key("once").send().await.expect(200);
    assert_eq!(rotated.text("/secret"), again.text("/secret"), "the first answer again");
    assert_ne!(made.text("/secret"), rotated.text("/secret"));
    shop.post("/v1/products").by(&admin).json(json!({"title": "One"})).send().await.expect(201);
    let told = posted(&receiver, 1).await;
    assert!(is_signed(&told[0], made.text("/secret")) && is_signed(&told[0], rotated.text("/secret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_told_again_from_anywhere_or_one_event_alone() {
    let (shop, receiver) = (TestShop::start().await, Receiver::start(&[]).await);
    let (product, _) = shop.product("H-2", 500, 0).await;
    let made = endpoint(&shop, &receiver.url, &["product.created", "product.published"]).await;
    let (admin, path) = (shop.token(Role::Admin), format!("/v1/webhook-endpoints/{}", made.id()));
    shop.post(&format!("/v1/products/{product}/unpublish")).by(&admin).send().await.expect(200);
    shop.post(&format!("/v1/products/{product}/publish")).by(&admin).send().await.expect(200);
    let told = posted(&receiver, 1).await;
    assert_eq!(types(&told), ["product.published"], "what was before it is not told");
    shop.post(&format!("{path}/replay")).by(&admin).json(json!({"from": 1})).send().await.expect(200);
    let told = posted(&receiver, 4).await;
    assert_eq!(types(&told[1..]), ["product.created", "product.published", "product.published"]);
    assert_eq!(told[3].header("webhook-id"), told[0].header("webhook-id"));
    let again = shop.post(&format!("{path}/deliveries/1/redeliver")).by(&admin).send().await.expect(200);
    assert_eq!((&again.body["by_hand"], &again.body["delivered"]), (&true.into(), &true.into()));
    let told = posted(&receiver, 5).await;
    assert_eq!(told[4].header("webhook-id"), told[0].header("webhook-id"));
    // With a key it is told once, however often it is asked for.
    let once = || shop.post(&format!("{path}/deliveries/2/redeliver")).by(&admin).key("again").send();
    let (first, second) = (once().await.expect(200), once().await.expect(200));
    assert_eq!((&first.body, second.header("idempotency-replayed")), (&second.body, Some("true")));
    assert_eq!(posted(&receiver, 6).await.len(), 6);
    let other = shop.post(&format!("{path}/deliveries/1/redeliver")).by(&admin).key("again").send().await;
    other.expect_problem(422, "idempotency.key_reused");
    let both = futures_util::future::join_all(
        (0..4).map(|_| shop.post(&format!("{path}/deliveries/2/redeliver")).by(&admin).key("at-once").send()),
    );
    assert!(both.await.iter().all(|answer| [200, 409].contains(&answer.status)));
    assert_eq!(posted(&receiver, 7).await.len(), 7);
    for number in ["0", "99", "x", "9223372036854775807"] {
        let path = format!("{path}/deliveries/{number}/redeliver");
        shop.post(&path).by(&admin).send().await.expect_problem(404, "webhook_delivery.missing");
    }
    shop.post(&format!("{path}/replay"))
        .by(&admin)
        .json(json!({"from": 0}))
        .send()
        .await
        .expect_problem(422, "webhook_endpoint.before_the_log");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_or_silenced_hears_nothing_until_it_is_enabled() {
    let (shop, receiver) = (TestShop::start().await, Receiver::start(&[410]).await);
    let made = endpoint(&shop, &receiver.url, &["product.created"]).await;
    let (admin, path) = (shop.token(Role::Admin), format!("/v1/webhook-endpoints/{}", made.id()));
    let create = |title: &str| shop.post("/v1/products").by(&admin).json(json!({"title": title})).send();
    create("One").await.expect(201);
    let shown = eventually("it is disabled", || async {
        let shown = shop.get(&path).by(&admin).send().await.expect(200);
        (shown.body["enabled"] == false).then_some(shown)
    })
    .await;
    assert_eq!(shown.body["disabled_reason"], "gone");
    create("Two").await.expect(201);
    forgiven(&shop).await;
    let enabled = shop.patch(&path).by(&admin).json(json!({"enabled": true})).send().await.expect(200);
    assert_eq!(enabled.body["enabled"], true);
    let told = posted(&receiver, 3).await;
    let titles: Vec<_> = told.iter().map(|posted| posted.json()["data"]["title"].clone()).collect();
    assert_eq!(titles, ["One", "One", "Two"], "nothing is left out");
    shop.delete(&path).by(&admin).send().await.expect(204);
    shop.get(&path).by(&admin).send().await.expect_problem(404, "webhook_endpoint.missing");
    create("Three").await.expect(201);
    let listed = shop.get("/v1/webhook-endpoints").by(&admin).send().await.expect(200);
    assert_eq!(listed.body["items"], json!([]));
    eventually("its deliveries are forgotten", || async {
        let left: i64 =
            sqlx::query_scalar("select count(*) from log.webhook_delivery").fetch_one(shop.log.pool()).await.unwrap();
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(receiver.posted().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_failed_for_days_is_silenced() {
    let (shop, receiver) = (TestShop::start().await, Receiver::start(&[500, 500]).await);
    let made = endpoint(&shop, &receiver.url, &["product.created"]).await;
    let admin = shop.token(Role::Admin);
    shop.post("/v1/products").by(&admin).json(json!({"title": "One"})).send().await.expect(201);
    eventually("it failed once", || async { (deliveries(&shop, &made.id()).await.len() == 1).then_some(()) }).await;
    sqlx::query("update log.webhook_cursor set retry_at = now(), failing_since = now() - interval '6 days'")
        .execute(shop.log.pool())
        .await
        .unwrap();
    let path = format!("/v1/webhook-endpoints/{}", made.id());
    eventually("it is disabled", || async {
        let shown = shop.get(&path).by(&admin).send().await.expect(200);
        (shown.body["disabled_reason"] == "failing").then_some(())
    })
    .await;
    forgiven(&shop).await;
    shop.patch(&path).by(&admin).json(json!({"enabled": true})).send().await.expect(200);
    posted(&receiver, 3).await;
    let attempts = eventually("the third attempt is written down", || async {
        let attempts = deliveries(&shop, &made.id()).await;
        (attempts.len() == 3).then_some(attempts)
    })
    .await;
    assert_eq!((attempts[0]["attempt"].as_i64(), attempts[0]["delivered"].as_bool()), (Some(1), Some(true)));
}

/// Until no failures are held against any endpoint.
async fn forgiven(shop: &TestShop) {
    eventually("failures are forgotten", || async {
        let failing = "select count(*) from log.webhook_cursor where attempts > 0";
        let failing: i64 = sqlx::query_scalar(failing).fetch_one(shop.log.pool()).await.unwrap();
        (failing == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_endpoints_are_refused_and_only_admins_make_any() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let url = "https://example.org/hook";
    for (body, pointer) in [
        (json!({"url": "ftp://example.org", "filter": ["*"]}), "/url"),
        (json!({"url": "https://a:b@example.org", "filter": ["*"]}), "/url"),
        (json!({"url": "nothing", "filter": ["*"]}), "/url"),
        (json!({"url": url, "filter": []}), "/filter"),
        (json!({"url": url, "filter": ["order.*", "account.*"]}), "/filter/1"),
        (json!({"url": url, "filter": ["order.sold"]}), "/filter/0"),
        (json!({"url": url}), "/filter"),
    ] {
        let refused = shop.post("/v1/webhook-endpoints").by(&admin).json(body).send().await.expect(422);
        assert_eq!(refused.text("/errors/0/pointer"), pointer, "{}", refused.body);
    }
    let body = json!({"url": url, "filter": ["*"]});
    shop.post("/v1/webhook-endpoints").json(body.clone()).send().await.expect_problem(401, "auth.missing");
    for role in [Role::Customer, Role::Support] {
        let token = shop.token(role);
        shop.post("/v1/webhook-endpoints")
            .by(&token)
            .json(body.clone())
            .send()
            .await
            .expect_problem(403, "auth.forbidden");
        shop.get("/v1/webhook-endpoints").by(&token).send().await.expect_problem(403, "auth.forbidden");
    }
    let nobody = "/v1/webhook-endpoints/whk_00000000000000000000000001";
    for path in [nobody.to_owned(), format!("{nobody}/deliveries"), "/v1/webhook-endpoints/x".into()] {
        shop.get(&path).by(&admin).send().await.expect_problem(404, "webhook_endpoint.missing");
    }
}
