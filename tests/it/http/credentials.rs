//! A credential is accepted only while it is in force, wherever it is shown.

use byteshop_domain::account;
use byteshop_domain::ids::{Id as _, SessionId};
use byteshop_domain::session::Session;
use byteshop_eventstore::{Clock, StreamId};
use byteshop_gateway::security::token::{Holder, LIFETIME, Role};
use byteshop_tests::patience::PATIENCE;
use byteshop_tests::people::{PASSWORD, Person};
use byteshop_tests::shop::{Answer, TestShop};
use reqwest::Response;
use serde_json::json;

async fn log_out_all(shop: &TestShop, refresh_token: &str) -> Answer {
    shop.post("/v1/auth/logout").json(json!({"refresh_token": refresh_token, "all": true})).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_of_a_session_that_ended_ends_no_other_session() {
    let shop = TestShop::start().await;
    for what in ["logout", "reuse", "password"] {
        let ada = shop.person(&format!("ada.{what}@example.org")).await;
        let mut password = PASSWORD;
        match what {
            "logout" => drop(shop.post("/v1/auth/logout").by(&ada.token).send().await.expect(204)),
            "reuse" => {
                let next = shop.refresh(&ada.refresh).await.expect(200);
                shop.refresh(next.text("/refresh_token")).await.expect(200);
                shop.refresh(&ada.refresh).await.expect_problem(401, "session.reused");
            }
            _ => {
                password = "a new horse for the battery";
                let phone = shop.log_in(&ada.email, PASSWORD).await.expect(200);
                let body = json!({"current": PASSWORD, "new": password});
                shop.post("/v1/me/password").by(phone.text("/access_token")).json(body).send().await.expect(204);
            }
        }
        let fresh = shop.log_in(&ada.email, password).await.expect(200);
        let before = shop.log.head().await.unwrap();
        for all in [true, false] {
            let body = json!({"refresh_token": ada.refresh, "all": all});
            let refused = shop.post("/v1/auth/logout").json(body).send().await;
            refused.expect_problem(401, "session.ended");
        }
        shop.at_rest().await;
        let written = shop.log.read_range(before, shop.log.head().await.unwrap(), &["session", "account"]).await;
        assert_eq!(written.unwrap().len(), 0, "{what}: a refusal wrote something");
        shop.get("/v1/me").by(fresh.text("/access_token")).send().await.expect(200);
        shop.refresh(fresh.text("/refresh_token")).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_refresh_token_ends_its_own_session_and_no_other() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let phone = shop.log_in(&ada.email, PASSWORD).await.expect(200);
    let next = shop.refresh(&ada.refresh).await.expect(200);
    let last = shop.refresh(next.text("/refresh_token")).await.expect(200);
    log_out_all(&shop, &ada.refresh).await.expect_problem(401, "session.reused");
    shop.refresh(last.text("/refresh_token")).await.expect_problem(401, "session.ended");
    shop.refresh(phone.text("/refresh_token")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_refresh_token_and_the_one_before_log_out_in_the_name_of_their_owner() {
    let shop = TestShop::start().await;
    for (name, newest) in [("ada", true), ("berta", false)] {
        let who = shop.person(&format!("{name}@example.org")).await;
        let next = shop.refresh(&who.refresh).await.expect(200);
        let shown = if newest { next.text("/refresh_token") } else { &who.refresh };
        log_out_all(&shop, shown).await.expect(204);
        shop.get("/v1/me").by(&who.token).send().await.expect_problem(401, "session.ended");
        let session = StreamId::of::<Session>(who.session.parse().unwrap());
        let events = shop.log.read_stream(&session, 0, 10).await.unwrap();
        for event in events.iter().skip(1) {
            let actor = event.meta().unwrap().actor;
            assert_eq!(actor, account::Role::Customer.actor(who.id), "{}", event.event_type);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_opens_nothing_unless_its_session_is_there_and_its_own() {
    let shop = TestShop::start().await;
    let (ada, bob) = (shop.person("ada@example.org").await, shop.person("bob@example.org").await);
    let session: SessionId = ada.session.parse().unwrap();
    let own = Holder { account: ada.id, role: Role::Customer, session: Some(session), second_factor: false };
    let ask = async |holder| shop.get("/v1/me").by(&shop.tokens.issue_to(holder, LIFETIME).unwrap()).send().await;
    ask(own).await.expect(200);
    let made_up = SessionId::from_uuid(Clock.new_id());
    for forged in [
        Holder { session: Some(made_up), ..own },
        Holder { account: bob.id, ..own },
        Holder { role: Role::Admin, ..own },
    ] {
        ask(forged).await.expect_problem(401, "auth.invalid");
        ask(forged).await.expect_problem(401, "auth.invalid");
    }
    ask(own).await.expect(200);
    shop.post("/v1/auth/logout").by(&ada.token).send().await.expect(204);
    ask(own).await.expect_problem(401, "session.ended");
}

/// Something to read of a stream of changes; none when it has ended.
async fn read(stream: &mut Response) -> Option<String> {
    let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("the stream says something or ends");
    chunk.ok().flatten().map(|chunk| String::from_utf8_lossy(&chunk).into_owned())
}

/// An order of somebody, and its changes as somebody follows them with this credential.
async fn followed(shop: &TestShop, who: &Person, variant: &str, by: &str) -> (String, Response) {
    let order = shop.buy(&who.token, variant, 1).await.expect(201).text("/id").to_owned();
    let url = format!("{}/v1/orders/{order}/stream", shop.url);
    let mut stream = reqwest::Client::new().get(url).bearer_auth(by).send().await.unwrap();
    let first = read(&mut stream).await.unwrap();
    assert!(first.contains("event: order.placed"), "{first}");
    (order, stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_changes_ends_with_the_session_that_opened_it() {
    let shop = TestShop::start().await;
    let there = shop.beside().await;
    let (admin, staff) = (shop.token(Role::Admin), shop.token(Role::Support));
    let (_, variant) = shop.product("STREAM", 1000, 10).await;
    for what in ["logout", "ban", "ban elsewhere", "key"] {
        let who = shop.person(&format!("{}@example.org", what.replace(' ', "."))).await;
        let body = json!({"name": "Program", "scopes": ["orders:read"]});
        let key = shop.post("/v1/admin/api-keys").by(&admin).json(body).send().await.expect(201);
        let by = if what == "key" { key.text("/key") } else { &who.token };
        let (order, mut stream) = followed(&shop, &who, &variant, by).await;
        let ban = format!("/v1/admin/accounts/{}/ban", who.id);
        match what {
            "logout" => shop.post("/v1/auth/logout").by(&who.token).send().await.expect(204),
            "key" => shop.delete(&format!("/v1/admin/api-keys/{}", key.id())).by(&admin).send().await.expect(200),
            "ban" => shop.post(&ban).by(&admin).send().await.expect(200),
            _ => there.post(&ban).by(&admin).send().await.expect(200),
        };
        let cancelled = shop.post(&format!("/v1/orders/{order}/cancel")).by(&staff).json(json!({})).send().await;
        cancelled.expect(200);
        let mut rest = String::new();
        while let Some(more) = read(&mut stream).await {
            rest.push_str(&more);
        }
        assert!(!rest.contains("order."), "{what}: {rest}");
    }
}
