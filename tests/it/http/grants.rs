//! What programs may still do because of somebody, when that somebody is gone.

use byteshop_domain::ids::{ApiKeyId, Id as _};
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::people::PASSWORD;
use byteshop_tests::program::Program;
use byteshop_tests::receiver::Receiver;
use byteshop_tests::shop::{Answer, TestShop};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

async fn key(shop: &TestShop, token: &str, scopes: &[&str]) -> Answer {
    let body = json!({"name": "Warehouse", "scopes": scopes});
    shop.post("/v1/admin/api-keys").by(token).json(body).send().await.expect(201)
}

async fn endpoint(shop: &TestShop, token: &str, filter: &[&str]) -> Answer {
    let body = json!({"url": "https://example.org/hook", "filter": filter});
    shop.post("/v1/webhook-endpoints").by(token).json(body).send().await
}

/// The row of a key in the list, as it is after another answer.
async fn listed(shop: &TestShop, made: &Answer, after: &Answer) -> Value {
    let admin = shop.token(Role::Admin);
    let page = shop.get("/v1/admin/api-keys").by(&admin).header("Min-Log-Position", &after.position().to_string());
    let page = page.send().await.expect(200);
    let rows = page.body["items"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == made.id()).unwrap().clone()
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.body["grants"].as_array().unwrap().iter().map(|grant| grant["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_admins_keys_and_endpoints_are_named_and_revoked_in_the_same_step() {
    let shop = TestShop::start().await;
    let root = shop.staff("root@example.org", Role::Admin).await;
    for what in ["ban", "roles", "erase"] {
        let eve = shop.staff(&format!("eve.{what}@example.org"), Role::Admin).await;
        let made = key(&shop, &eve.token, &["orders:read", "catalog:read", "stock:read", "webhooks:write"]).await;
        let secret = made.text("/key").to_owned();
        let hook = endpoint(&shop, &eve.token, &["*"]).await.expect(201).id();
        let by_key = endpoint(&shop, &secret, &["order.*"]).await.expect(201).id();
        let mine = key(&shop, &root.token, &["orders:read"]).await;
        shop.get("/v1/orders").by(&secret).send().await.expect(200);
        let account = format!("/v1/admin/accounts/{}", eve.id);
        let act = async |revoke: &str| match what {
            "ban" => shop.post(&format!("{account}/ban{revoke}")).by(&root.token).json(json!({})).send().await,
            "roles" => {
                let body = json!({"role": "customer"});
                shop.post(&format!("{account}/roles{revoke}")).by(&root.token).json(body).send().await
            }
            _ => shop.delete(&format!("{account}{revoke}")).by(&root.token).send().await,
        };
        if what != "erase" {
            let named = act("").await.expect(200);
            assert_eq!(ids(&named), [made.id(), hook.clone(), by_key.clone()], "{what}");
            assert_eq!((&named.body["grants_revoked"], named.text("/grants/0/kind")), (&json!(false), "api_key"));
            assert_eq!(named.body["grants"][0]["allows"][0], "catalog:read");
            shop.get("/v1/orders").by(&secret).send().await.expect(200);
        }
        let revoked = act("?revoke=true").await.expect(200);
        assert_eq!((ids(&revoked).len(), &revoked.body["grants_revoked"]), (3, &json!(true)), "{what}");
        shop.get("/v1/orders").by(&secret).send().await.expect_problem(401, "auth.invalid");
        for hook in [&hook, &by_key] {
            shop.get(&format!("/v1/webhook-endpoints/{hook}")).by(&root.token).send().await.expect(404);
        }
        shop.get("/v1/orders").by(mine.text("/key")).send().await.expect(200);
        assert!(!listed(&shop, &made, &revoked).await["revoked_at"].is_null(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_that_a_key_made_are_named_when_it_is_revoked_and_removed_with_it() {
    let shop = TestShop::start().await;
    let root = shop.staff("root@example.org", Role::Admin).await;
    let made = key(&shop, &root.token, &["orders:read", "webhooks:write"]).await;
    let (secret, path) = (made.text("/key").to_owned(), format!("/v1/admin/api-keys/{}", made.id()));
    let hook = endpoint(&shop, &secret, &["order.*"]).await.expect(201).id();
    let mine = endpoint(&shop, &root.token, &["*"]).await.expect(201).id();
    let named = shop.delete(&path).by(&root.token).send().await.expect(200);
    assert_eq!((ids(&named), &named.body["grants_revoked"]), (vec![hook.as_str()], &json!(false)));
    shop.get("/v1/orders").by(&secret).send().await.expect_problem(401, "auth.invalid");
    let there = |hook: &str| shop.get(&format!("/v1/webhook-endpoints/{hook}")).by(&root.token).send();
    there(&hook).await.expect(200);
    // The key is revoked already, and what it made is not.
    let removed = shop.delete(&format!("{path}?revoke=true")).by(&root.token).send().await.expect(200);
    assert_eq!((ids(&removed), &removed.body["grants_revoked"]), (vec![hook.as_str()], &json!(true)));
    there(&hook).await.expect(404);
    there(&mine).await.expect(200);
    let again = shop.delete(&format!("{path}?revoke=true")).by(&root.token).send().await.expect(200);
    assert_eq!(ids(&again), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_a_key_creates_while_it_is_revoked_is_removed_with_it_or_refused() {
    let shop = TestShop::start().await;
    let root = shop.staff("root@example.org", Role::Admin).await;
    for round in 0..20 {
        let made = key(&shop, &root.token, &["orders:read", "webhooks:write"]).await;
        let (secret, path) = (made.text("/key").to_owned(), format!("/v1/admin/api-keys/{}?revoke=true", made.id()));
        let revoke = shop.delete(&path).by(&root.token).send();
        let (created, revoked) = tokio::join!(endpoint(&shop, &secret, &["order.*"]), revoke);
        let revoked = revoked.expect(200);
        if created.status == 201 {
            assert_eq!(ids(&revoked), [created.id()], "round {round}");
        } else {
            created.expect_problem(401, "auth.invalid");
        }
        let again = shop.delete(&path).by(&root.token).send().await.expect(200);
        assert_eq!(ids(&again), Vec::<&str>::new(), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_revokes_the_keys_of_an_account_with_its_role_and_with_the_account() {
    let mut program = Program::new();
    program.start().await;
    let http = program.run_json().unwrap()["http"].as_str().unwrap().to_owned();
    let client = reqwest::Client::new();
    let post = async |path: &str, token: &str, body: Value| -> Value {
        let sent = client.post(format!("{http}{path}")).bearer_auth(token).json(&body).send().await.unwrap();
        sent.error_for_status().unwrap().json().await.unwrap()
    };
    for what in ["grant", "erase"] {
        let email = format!("eve.{what}@example.org");
        let made = program.say(&["grant", &email, "admin", "--create"]);
        let (_, password) = made.split_once("\npassword ").unwrap();
        let login = client.post(format!("{http}/v1/auth/login")).json(&json!({"email": email, "password": password}));
        let tokens: Value = login.send().await.unwrap().error_for_status().unwrap().json().await.unwrap();
        let body = json!({"name": "Robot", "scopes": ["orders:read"]});
        let key = post("/v1/admin/api-keys", tokens["access_token"].as_str().unwrap(), body).await;
        let (id, secret) = (key["id"].as_str().unwrap(), key["key"].as_str().unwrap());
        let opens = async || {
            client.get(format!("{http}/v1/orders")).bearer_auth(secret).send().await.unwrap().status().as_u16()
        };
        let named = program.say(&["grant", &email, "customer"]);
        assert!(named.contains(id) && named.contains("still works"), "{named}");
        assert_eq!(opens().await, 200, "{what}");
        let said = match what {
            "grant" => program.say(&["grant", &email, "customer", "--revoke"]),
            _ => program.say(&["erase", &email, "--yes", "--revoke"]),
        };
        assert!(said.contains(id) && said.contains("is revoked"), "{said}");
        assert_eq!(opens().await, 401, "{what}");
    }
    program.interrupt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_made_while_its_maker_is_banned_is_found_or_refused() {
    let shop = TestShop::start().await;
    let root = shop.staff("root@example.org", Role::Admin).await;
    for round in 0..5 {
        let eve = shop.staff(&format!("eve{round}@example.org"), Role::Admin).await;
        let path = format!("/v1/admin/accounts/{}/ban?revoke=true", eve.id);
        let body = json!({"name": "Quick", "scopes": ["orders:read"]});
        let requests = (0..4).map(|_| shop.post("/v1/admin/api-keys").by(&eve.token).json(body.clone()).send());
        let (made, banned) = tokio::join!(
            futures_util::future::join_all(requests),
            shop.post(&path).by(&root.token).json(json!({})).send()
        );
        banned.expect(200);
        for made in made {
            match made.status {
                201 => {
                    shop.get("/v1/orders").by(made.text("/key")).send().await.expect_problem(401, "auth.invalid");
                }
                _ => assert!([401, 403].contains(&made.status), "{made:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_keys_says_who_made_them_until_when_they_work_and_when_they_did() {
    let shop = TestShop::start().await;
    let there = shop.beside().await;
    let eve = shop.staff("eve@example.org", Role::Admin).await;
    let end = Utc::now() + TimeDelta::days(30);
    let body = json!({"name": "Reports", "scopes": ["orders:read"], "expires_at": end});
    let made = shop.post("/v1/admin/api-keys").by(&eve.token).json(body).send().await.expect(201);
    let row = listed(&shop, &made, &made).await;
    assert_eq!((row["created_by"].as_str(), &row["last_used_at"]), (Some(&*eve.id.to_string()), &Value::Null));
    assert!(row["expires_at"].as_str().unwrap().starts_with(&end.format("%Y-%m-%d").to_string()), "{row}");
    let before = shop.log.head().await.unwrap();
    shop.get("/v1/orders").by(made.text("/key")).send().await.expect(200);
    assert!(listed(&shop, &made, &made).await["last_used_at"].is_string());
    assert_eq!(shop.log.head().await.unwrap(), before, "a use is no event");
    // Another process hears of it when this one has written it down, which it does at its end.
    assert!(listed(&there, &made, &made).await["last_used_at"].is_null());
    shop.stop().await;
    assert!(listed(&there, &made, &made).await["last_used_at"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_before_says_who_made_it_as_well() {
    let shop = TestShop::start().await;
    let root = shop.staff("root@example.org", Role::Admin).await;
    let eve = shop.staff("eve@example.org", Role::Admin).await;
    let made = key(&shop, &eve.token, &["orders:read"]).await;
    // What the log had of a key before its event said who made it, and its account knew.
    let old = ApiKeyId::from_uuid(shop.commands.clock().new_id());
    let event = json!({"name": "Old", "scopes": ["orders:read"], "hash": "ab".repeat(32)}).to_string();
    let actor = Role::Admin.actor(eve.id);
    write(&shop, "api_key", old.uuid(), "created", event, actor).await;
    let banned = shop.post(&format!("/v1/admin/accounts/{}/ban?revoke=true", eve.id)).by(&root.token).json(json!({}));
    let banned = banned.send().await.expect(200);
    assert_eq!(ids(&banned), [made.id(), old.to_string()]);
    let rows = shop.get("/v1/admin/api-keys").by(&shop.token(Role::Admin));
    let rows = rows.header("Min-Log-Position", &banned.position().to_string()).send().await.expect(200);
    for row in rows.body["items"].as_array().unwrap() {
        assert_eq!(row["created_by"], eve.id.to_string(), "{row}");
        assert!(row["revoked_at"].is_string(), "{row}");
    }
}

/// Appends an event as an older program wrote it.
async fn write(
    shop: &TestShop,
    category: &'static str,
    stream: uuid::Uuid,
    event_type: &str,
    data: String,
    actor: byteshop_domain::Actor,
) {
    use byteshop_eventstore::append::append;
    use byteshop_eventstore::{Append, Meta, NewEvent, Outcome, StreamId};
    let clock = shop.commands.clock();
    let request = clock.new_id();
    let meta = Meta {
        actor,
        command: "api_key.create".into(),
        request_id: request,
        correlation_id: request,
        causation: None,
        occurred_at: None,
        trace_id: None,
        client_request_id: None,
    };
    let stream = StreamId::named(category, stream);
    let event = NewEvent {
        id: clock.new_id(),
        stream: stream.clone(),
        version: 1,
        event_type: event_type.to_owned(),
        schema: 1,
        data,
        meta: serde_json::to_string(&meta).unwrap().into(),
        correlation: request,
        recorded_at: clock.now(),
    };
    let mut writer = shop.log.writer().await.unwrap();
    let outcomes =
        append(&mut writer, &[Append { expect: vec![(stream, 0)], events: vec![event], receipt: None }]).await;
    assert!(matches!(outcomes.unwrap()[..], [Outcome::Accepted { .. }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_key_opens_nothing_and_an_expired_endpoint_is_told_nothing() {
    let shop = TestShop::start().await;
    let receiver = Receiver::start(&[]).await;
    let admin = shop.token(Role::Admin);
    let soon = || Utc::now() + TimeDelta::milliseconds(1_500);
    let past = json!({"name": "Late", "scopes": ["orders:read"], "expires_at": "2020-01-01T00:00:00Z"});
    let late = shop.post("/v1/admin/api-keys").by(&admin).json(past).send().await;
    late.expect_problem(422, "api_key.expires_in_the_past");
    let body = json!({"name": "Brief", "scopes": ["orders:read"], "expires_at": soon()});
    let made = shop.post("/v1/admin/api-keys").by(&admin).json(body).send().await.expect(201);
    eventually("the key expires", || async {
        let answer = shop.get("/v1/orders").by(made.text("/key")).send().await;
        (answer.status == 401).then(|| answer.expect_problem(401, "auth.expired"))
    })
    .await;
    let hook = json!({"url": receiver.url, "filter": ["product.*"], "expires_at": soon()});
    let hook = shop.post("/v1/webhook-endpoints").by(&admin).json(hook).send().await.expect(201);
    let path = format!("/v1/webhook-endpoints/{}", hook.id());
    eventually("the endpoint expires", || async {
        let shown = shop.get(&path).by(&admin).send().await.expect(200);
        (shown.body["disabled_reason"] == "expired").then_some(())
    })
    .await;
    shop.product("AFTER", 500, 1).await;
    shop.at_rest().await;
    assert!(receiver.posted().is_empty());
    let enable = shop.patch(&path).by(&admin).json(json!({"enabled": true})).send().await;
    enable.expect_problem(409, "webhook_endpoint.expired");
    let longer = json!({"enabled": true, "expires_at": Utc::now() + TimeDelta::days(1)});
    shop.patch(&path).by(&admin).json(longer).send().await.expect(200);
    eventually("it is told what it missed", || async { (!receiver.posted().is_empty()).then_some(()) }).await;
    let shown = eventually("the delivery is known", || async {
        let shown = shop.get(&path).by(&admin).send().await.expect(200);
        shown.body["last_delivered_at"].is_string().then_some(shown)
    })
    .await;
    assert_eq!(
        shown.body["created_by"],
        shop.get("/v1/webhook-endpoints").by(&admin).send().await.body["items"][0]["created_by"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_told_only_what_its_key_may_read() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let narrow = key(&shop, &admin, &["webhooks:write", "catalog:read"]).await.text("/key").to_owned();
    for filter in [&["*"][..], &["order.*"], &["payment.captured"], &["product.*", "stock.*"]] {
        let refused = endpoint(&shop, &narrow, filter).await.expect_problem(403, "auth.scope");
        assert_eq!(refused.text("/errors/0/pointer"), "/filter");
    }
    let own = endpoint(&shop, &narrow, &["product.*", "category.*"]).await.expect(201);
    assert!(own.text("/created_with").starts_with("key_"), "{}", own.body);
    let path = format!("/v1/webhook-endpoints/{}", own.id());
    let wider = shop.patch(&path).by(&narrow).json(json!({"filter": ["order.*"]})).send().await;
    wider.expect_problem(403, "auth.scope");
    shop.patch(&path).by(&narrow).json(json!({"filter": ["product.*"]})).send().await.expect(200);
    // Nor does it lead elsewhere what somebody else's endpoint is told.
    let theirs = endpoint(&shop, &admin, &["*"]).await.expect(201);
    let path = format!("/v1/webhook-endpoints/{}", theirs.id());
    let moved = shop.patch(&path).by(&narrow).json(json!({"url": "https://example.com/mine"})).send().await;
    moved.expect_problem(403, "auth.scope");
    // Nor does it learn with what that is signed, or have it told again.
    shop.post(&format!("{path}/secret")).by(&narrow).send().await.expect_problem(403, "auth.scope");
    let again = shop.post(&format!("{path}/replay")).by(&narrow).json(json!({"from": 1})).send().await;
    again.expect_problem(403, "auth.scope");
    // Nor does it narrow, pause or remove that, see what was delivered, or have it delivered again.
    for change in [json!({"filter": ["product.*"]}), json!({"enabled": false}), json!({"description": "mine"})] {
        shop.patch(&path).by(&narrow).json(change).send().await.expect_problem(403, "auth.scope");
    }
    shop.delete(&path).by(&narrow).send().await.expect_problem(403, "auth.scope");
    shop.get(&format!("{path}/deliveries")).by(&narrow).send().await.expect_problem(403, "auth.scope");
    let again = shop.post(&format!("{path}/deliveries/1/redeliver")).by(&narrow).send().await;
    again.expect_problem(403, "auth.scope");
    let own = format!("/v1/webhook-endpoints/{}", own.id());
    shop.get(&format!("{own}/deliveries")).by(&narrow).send().await.expect(200);
    shop.delete(&own).by(&narrow).send().await.expect(204);
    shop.delete(&own).by(&narrow).send().await.expect(204);
    let wide = key(&shop, &admin, &["webhooks:write", "catalog:read", "stock:read", "orders:read"]).await;
    endpoint(&shop, wide.text("/key"), &["*"]).await.expect(201);
    shop.get(&format!("{path}/deliveries")).by(wide.text("/key")).send().await.expect(200);
    shop.delete(&path).by(wide.text("/key")).send().await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_shop_tells_its_events_takes_a_recent_proof_of_people() {
    let shop = TestShop::start().await;
    let eve = shop.staff("eve@example.org", Role::Admin).await;
    let made = key(&shop, &eve.token, &["orders:read", "webhooks:write"]).await;
    let path = format!("/v1/webhook-endpoints/{}", endpoint(&shop, &eve.token, &["order.*"]).await.expect(201).id());
    shop.age_proof(&eve.session, 10).await;
    let proof = "auth.reauthentication_required";
    endpoint(&shop, &eve.token, &["*"]).await.expect_problem(401, proof);
    let change = |token: &str, body: Value| shop.patch(&path).by(token).json(body).send();
    for sensitive in [json!({"url": "https://example.com/mine"}), json!({"filter": ["*"], "description": "all"})] {
        change(&eve.token, sensitive).await.expect_problem(401, proof);
    }
    shop.post(&format!("{path}/secret")).by(&eve.token).send().await.expect_problem(401, proof);
    change(&eve.token, json!({"description": "orders", "enabled": false})).await.expect(200);
    // A program does by its scopes what it may.
    endpoint(&shop, made.text("/key"), &["order.*"]).await.expect(201);
    change(made.text("/key"), json!({"filter": ["order.paid"]})).await.expect(200);
    let again = json!({"password": PASSWORD});
    shop.post("/v1/auth/reauthenticate").by(&eve.token).json(again).send().await.expect(200);
    change(&eve.token, json!({"url": "https://example.com/mine"})).await.expect(200);
    endpoint(&shop, &eve.token, &["*"]).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_the_filter_of_an_endpoint_are_told_at_once() {
    let shop = TestShop::start().await;
    let body = json!({"filter": ["order.*", "nothing", "account.*", ""], "expires": 1});
    let refused = shop.post("/v1/webhook-endpoints").by(&shop.token(Role::Admin)).json(body).send().await;
    let refused = refused.expect_problem(422, "request.invalid");
    let errors = refused.body["errors"].as_array().unwrap().iter();
    let mut told: Vec<_> = errors.map(|error| error["pointer"].as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, ["/expires", "/filter/1", "/filter/2", "/filter/3", "/url"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_leaves_takes_their_keys_along() {
    let shop = TestShop::start().await;
    let eve = shop.staff("eve@example.org", Role::Admin).await;
    let made = key(&shop, &eve.token, &["orders:read"]).await;
    shop.delete("/v1/me").by(&eve.token).json(json!({"password": PASSWORD})).send().await.expect(204);
    shop.get("/v1/orders").by(made.text("/key")).send().await.expect_problem(401, "auth.invalid");
}
