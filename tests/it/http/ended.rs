//! What ends in one process opens nothing in another, a moment later.

use std::time::{Duration, Instant};

use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::people::PASSWORD;
use byteshop_tests::program::Program;
use byteshop_tests::shop::{Answer, TestShop};
use serde_json::{Value, json};

/// How long another process may go on believing a token.
const WITHIN: Duration = Duration::from_secs(1);
/// What a busy machine may add to that.
const BUSY: Duration = Duration::from_secs(2);

/// Waits until a process refuses a token that it took before; gives what it said.
async fn refused(shop: &TestShop, token: &str, what: &str) -> Answer {
    let started = Instant::now();
    loop {
        let answer = shop.get("/v1/me").by(token).send().await;
        if answer.status != 200 {
            return answer;
        }
        assert!(started.elapsed() < WITHIN + BUSY, "{what}: another process still lets the token in");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_session_ends_it_in_every_process_within_a_second() {
    let here = TestShop::start().await;
    let there = here.beside().await;
    let admin = here.token(Role::Admin);
    for what in ["logout", "logout_all", "delete", "password", "ban", "role", "reuse"] {
        let ada = here.person(&format!("ada.{what}@example.org")).await;
        there.get("/v1/me").by(&ada.token).send().await.expect(200);
        let account = format!("/v1/admin/accounts/{}", ada.id);
        match what {
            "logout" => here.post("/v1/auth/logout").by(&ada.token).send().await.expect(204),
            "logout_all" => {
                here.post("/v1/auth/logout").by(&ada.token).json(json!({"all": true})).send().await.expect(204)
            }
            "delete" => {
                let phone = here.log_in(&ada.email, PASSWORD).await.expect(200);
                let path = format!("/v1/me/sessions/{}", ada.session);
                here.delete(&path).by(phone.text("/access_token")).send().await.expect(204)
            }
            "password" => {
                let phone = here.log_in(&ada.email, PASSWORD).await.expect(200);
                let body = json!({"current": PASSWORD, "new": "a new horse for the battery"});
                here.post("/v1/me/password").by(phone.text("/access_token")).json(body).send().await.expect(204)
            }
            "ban" => here.post(&format!("{account}/ban")).by(&admin).send().await.expect(200),
            "role" => {
                let body = json!({"role": "support"});
                here.post(&format!("{account}/roles")).by(&admin).json(body).send().await.expect(200)
            }
            _ => {
                let next = here.refresh(&ada.refresh).await.expect(200);
                here.refresh(next.text("/refresh_token")).await.expect(200);
                here.refresh(&ada.refresh).await
            }
        };
        refused(&there, &ada.token, what).await.expect_problem(401, "session.ended");
        here.get("/v1/me").by(&ada.token).send().await.expect_problem(401, "session.ended");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_starts_knows_what_ended_before() {
    let here = TestShop::start().await;
    let ada = here.person("ada@example.org").await;
    let berta = here.person("berta@example.org").await;
    here.post("/v1/auth/logout").by(&ada.token).send().await.expect(204);
    let there = here.beside().await;
    there.get("/v1/me").by(&ada.token).send().await.expect_problem(401, "session.ended");
    there.get("/v1/me").by(&berta.token).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_in_one_process_opens_nothing_in_another() {
    let here = TestShop::start().await;
    let there = here.beside().await;
    let admin = here.token(Role::Admin);
    let body = json!({"name": "robot", "scopes": ["orders:read"]});
    let made = here.post("/v1/admin/api-keys").by(&admin).json(body).send().await.expect(201);
    let key = made.text("/key");
    there.get("/v1/orders").by(key).send().await.expect(200);
    here.delete(&format!("/v1/admin/api-keys/{}", made.id())).by(&admin).send().await.expect(200);
    there.get("/v1/orders").by(key).send().await.expect_problem(401, "auth.invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_out_holds_in_two_processes_of_the_program() {
    let mut program = Program::new();
    program.start().await;
    let here = program.run_json().unwrap()["http"].as_str().unwrap().to_owned();
    let there = program.start_beside().await;
    let client = reqwest::Client::new();
    let post = async |path: &str, body: Value| {
        let answer = client.post(format!("{here}{path}")).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json::<Value>().await.unwrap_or_default()
    };
    let ada = json!({"email": "ada@example.org", "password": PASSWORD});
    post("/v1/auth/register", ada.clone()).await;
    let code = eventually("the mail with the code", || async {
        let mails = client.get(format!("{here}/dev/mail?to=ada@example.org")).header("Accept", "application/json");
        let mails: Value = mails.send().await.unwrap().json().await.unwrap();
        let text = mails["items"][0]["text"].as_str()?.to_owned();
        let mut lines = text.lines().skip_while(|line| !line.ends_with("code:"));
        lines.nth(1).map(str::to_owned)
    })
    .await;
    post("/v1/auth/confirm", json!({"code": code})).await;
    let keys = post("/v1/auth/login", ada).await;
    let token = keys["access_token"].as_str().unwrap();
    let status = async |shop: &str| {
        client.get(format!("{shop}/v1/me")).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!((status(&here).await, status(&there).await), (200, 200));
    let out = client.post(format!("{here}/v1/auth/logout")).bearer_auth(token).send().await.unwrap();
    assert_eq!((out.status().as_u16(), status(&here).await), (204, 401));
    let started = Instant::now();
    while status(&there).await == 200 {
        assert!(started.elapsed() < WITHIN + BUSY, "another process still lets the token in");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
