//! Second factors and recent proofs of identity: what staff needs beside a password.

use byteshop_domain::account::{Event, Secret};
use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::security::token::Role;
use byteshop_gateway::security::totp;
use byteshop_gateway::staff::StaffRules;
use byteshop_tests::people::{PASSWORD, Person};
use byteshop_tests::shop::{Answer, TestShop};
use byteshop_tests::{patience::eventually, secrets};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

/// The rules of a shop that is open to others.
fn strict() -> StaffRules {
    StaffRules { second_factor: true, ..StaffRules::default() }
}

/// Somebody with a second factor, and what opens it.
struct Protected {
    person: Person,
    secret: String,
    recovery: Vec<String>,
}

/// The code of a step of time, counted from now.
fn code(shop: &TestShop, secret: &str, steps: u64) -> String {
    totp::code(secret, totp::step(shop.commands.clock().now()) + steps).unwrap()
}

/// Sets a second factor up as an app would, and gives the person with the tokens that have seen it.
async fn protect(shop: &TestShop, person: Person) -> Protected {
    let enrolled = shop.post("/v1/me/second-factor").by(&person.token).send().await.expect(200);
    let secret = enrolled.text("/secret").to_owned();
    let body = json!({"code": code(shop, &secret, 0)});
    let confirmed = shop.post("/v1/me/second-factor/confirm").by(&person.token).json(body).send().await.expect(200);
    let recovery = confirmed.body["recovery_codes"].as_array().unwrap();
    let recovery = recovery.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    let keys = shop.refresh(&person.refresh).await.expect(200);
    let person = Person {
        token: keys.text("/access_token").to_owned(),
        refresh: keys.text("/refresh_token").to_owned(),
        ..person
    };
    Protected { person, secret, recovery }
}

async fn log_in(shop: &TestShop, who: &Person, more: Value) -> Answer {
    let mut body = json!({"email": who.email, "password": PASSWORD});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.post("/v1/auth/login").json(body).send().await
}

async fn reauthenticate(shop: &TestShop, token: &str, more: Value) -> Answer {
    let mut body = json!({"password": PASSWORD});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.post("/v1/auth/reauthenticate").by(token).json(body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_staff_without_a_second_factor_can_only_set_one_up() {
    let shop = TestShop::start().in_production().staffed(strict()).await;
    for role in [Role::Support, Role::Admin] {
        let eve = shop.staff(&format!("{}@example.org", role.as_str()), role).await;
        for path in ["/v1/me", "/v1/products", "/v1/admin/accounts", "/v1/orders", "/v1/me/export"] {
            let refused = shop.get(path).by(&eve.token).send().await;
            refused.expect_problem(403, "auth.second_factor_enrolment_required");
        }
        let state = shop.get("/v1/me/second-factor").by(&eve.token).send().await.expect(200);
        assert_eq!((&state.body["active"], &state.body["required"]), (&json!(false), &json!(true)));
        let eve = protect(&shop, eve).await.person;
        shop.get("/v1/admin/accounts").by(&eve.token).send().await.expect(200);
        let state = shop.get("/v1/me/second-factor").by(&eve.token).send().await.expect(200);
        assert_eq!((&state.body["active"], &state.body["recovery_codes_left"]), (&json!(true), &json!(10)));
    }
    // Who buys here needs none, and may have one.
    let ada = shop.person("ada@example.org").await;
    shop.get("/v1/me").by(&ada.token).send().await.expect(200);
    let ada = protect(&shop, ada).await;
    log_in(&shop, &ada.person, json!({})).await.expect_problem(401, "auth.second_factor_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_takes_a_code_and_a_code_counts_once() {
    let shop = TestShop::start().in_production().staffed(strict()).await;
    let Protected { person: eve, secret, recovery } =
        protect(&shop, shop.staff("eve@example.org", Role::Admin).await).await;
    log_in(&shop, &eve, json!({})).await.expect_problem(401, "auth.second_factor_required");
    let wrong = log_in(&shop, &eve, json!({"code": "000000"})).await;
    assert!(wrong.status == 401 || wrong.status == 403, "{wrong:?}");
    // The code with which it was confirmed, or one of the time before, is used up.
    let used = log_in(&shop, &eve, json!({"code": code(&shop, &secret, 0)})).await;
    assert!(used.status == 403 || used.status == 200, "{used:?}");
    let next = code(&shop, &secret, 1);
    let keys = log_in(&shop, &eve, json!({"code": next})).await.expect(200);
    shop.get("/v1/admin/accounts").by(keys.text("/access_token")).send().await.expect(200);
    log_in(&shop, &eve, json!({"code": next})).await.expect_problem(403, "account.code_used");
    // A wrong password says nothing of the code.
    let body = json!({"email": eve.email, "password": "wrong", "code": next});
    shop.post("/v1/auth/login").json(body).send().await.expect_problem(401, "auth.wrong_credentials");
    let typed = recovery[0].to_uppercase().replace('-', " ");
    log_in(&shop, &eve, json!({"recovery_code": typed})).await.expect(200);
    log_in(&shop, &eve, json!({"recovery_code": recovery[0]})).await.expect_problem(401, "auth.wrong_code");
    log_in(&shop, &eve, json!({"recovery_code": "abcd-efgh-ijkl-mnop"})).await.expect_problem(401, "auth.wrong_code");
    let state = shop.get("/v1/me/second-factor").by(keys.text("/access_token")).send().await.expect(200);
    assert_eq!(state.body["recovery_codes_left"], json!(9));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_shown_many_times_at_once_logs_in_once() {
    let shop = TestShop::start().in_production().staffed(strict()).await;
    let there = shop.beside().in_production().staffed(strict()).await;
    let Protected { person: eve, secret, recovery } =
        protect(&shop, shop.staff("eve@example.org", Role::Admin).await).await;
    for shown in [json!({"code": code(&shop, &secret, 1)}), json!({"recovery_code": recovery[3]})] {
        let tries = (0..8).map(|index| log_in(if index % 2 == 0 { &shop } else { &there }, &eve, shown.clone()));
        let answers = join_all(tries).await;
        let taken = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(taken, 1, "{shown}: {answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert!(
                matches!(answer.body["code"].as_str(), Some("account.code_used" | "auth.wrong_code")),
                "{answer:?}"
            );
        }
    }
    let used = shop.events_of(eve.id).await;
    let count = |is: fn(&Event) -> bool| used.iter().filter(|event| is(event)).count();
    assert_eq!(count(|event| matches!(event, Event::TotpUsed { .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::RecoveryCodeUsed { .. })), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_are_counted_like_wrong_passwords() {
    let shop = TestShop::start().limits(Limits::default().with_auth(0, 5)).await;
    let Protected { person: ada, secret, .. } = protect(&shop, shop.person("ada@example.org").await).await;
    // None of those of the steps that are accepted.
    let near: Vec<String> = (0..10).map(|steps| code(&shop, &secret, steps)).collect();
    let wrong = (0..1_000_000).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap();
    for _ in 0..5 {
        log_in(&shop, &ada, json!({"code": wrong})).await.expect_problem(401, "auth.wrong_code");
    }
    let right = json!({"code": code(&shop, &secret, 1)});
    let locked = log_in(&shop, &ada, right.clone()).await.expect_problem(429, "auth.too_many_attempts");
    assert!(locked.header("retry-after").is_some());
    reauthenticate(&shop, &ada.token, right).await.expect_problem(429, "auth.too_many_attempts");
    // Asking for the code is no guess, and each guess is on record.
    log_in(&shop, &ada, json!({})).await.expect_problem(401, "auth.second_factor_required");
    let failed = shop.events_of(ada.id).await.into_iter().filter(|event| matches!(event, Event::LoginFailed { .. }));
    assert_eq!(failed.count(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_second_factor_is_made_of_is_nowhere_in_the_clear() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let enrol = || shop.post("/v1/me/second-factor").by(&ada.token).key("enrol").send();
    let (first, again) = (enrol().await.expect(200), enrol().await.expect(200));
    // With its picture it is too large to be kept for a customer: another key gets another secret.
    assert_eq!((again.text("/status"), again.header("idempotency-replayed")), ("done", Some("true")));
    let secret = first.text("/secret").to_owned();
    let uri = first.text("/otpauth_uri");
    assert!(uri.starts_with("otpauth://totp/ByteShop:ada%40example%2Eorg?") && uri.contains(&secret), "{uri}");
    assert!(first.text("/qr_svg").starts_with("<svg"), "{}", first.text("/qr_svg"));
    let wrong = shop.post("/v1/me/second-factor/confirm").by(&ada.token).json(json!({"code": "12345"})).send().await;
    wrong.expect_problem(422, "request.invalid");
    let body = json!({"code": code(&shop, &secret, 0)});
    let confirmed = shop.post("/v1/me/second-factor/confirm").by(&ada.token).key("confirm").json(body).send().await;
    let recovery = confirmed.expect(200).body["recovery_codes"][0].as_str().unwrap().to_owned();
    shop.post("/v1/me/second-factor").by(&ada.token).send().await.expect_problem(409, "account.second_factor_exists");
    let admin = shop.token(Role::Admin);
    let trail = shop.get("/v1/admin/audit?limit=100").by(&admin).send().await.expect(200).body.to_string();
    let export = shop.get("/v1/me/export").by(&ada.token).send().await.expect(200).body.to_string();
    let account = shop.get(&format!("/v1/admin/accounts/{}", ada.id)).by(&admin).send().await.expect(200);
    assert_eq!(account.body["second_factor"], json!(true));
    for shown in [&trail, &export, &account.body.to_string()] {
        for secret in [&secret, &recovery] {
            assert!(!shown.contains(secret.as_str()), "{secret} in {shown}");
        }
    }
    secrets::nowhere(&shop, &[&secret, &recovery, &recovery.replace('-', "")]).await;
    let kept = shop
        .events_of(ada.id)
        .await
        .into_iter()
        .find_map(|event| if let Event::TotpEnrolled { secret, .. } = event { Some(secret) } else { None });
    assert_eq!(shop.commands.vault().open(&kept.unwrap()).await.unwrap(), Some(Secret(secret)));
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_it_up_ends_other_sessions_and_removing_it_ends_all() {
    let shop = TestShop::start().in_production().staffed(strict()).await;
    let eve = shop.staff("eve@example.org", Role::Admin).await;
    let other = shop.log_in(&eve.email, PASSWORD).await.expect(200);
    let Protected { person: eve, recovery, .. } = protect(&shop, eve).await;
    shop.refresh(other.text("/refresh_token")).await.expect_problem(401, "session.ended");
    shop.delete("/v1/me/second-factor").by(&eve.token).send().await.expect(204);
    shop.refresh(&eve.refresh).await.expect_problem(401, "session.ended");
    log_in(&shop, &eve, json!({"recovery_code": recovery[0]})).await.expect(200);
    let keys = log_in(&shop, &eve, json!({})).await.expect(200);
    let refused = shop.get("/v1/admin/accounts").by(keys.text("/access_token")).send().await;
    refused.expect_problem(403, "auth.second_factor_enrolment_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_owner_gets_a_mail_when_it_is_set_up_and_when_it_is_removed() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let subject = async |wanted: &str| {
        eventually(wanted, || async {
            let kept = shop.get("/dev/mail?to=ada@example.org").header("Accept", "application/json").send().await;
            let kept = kept.expect(200).body["items"].as_array()?.clone();
            kept.iter().any(|mail| mail["subject"] == wanted).then_some(())
        })
        .await;
    };
    let Protected { person: ada, .. } = protect(&shop, ada).await;
    subject("A second factor was set up").await;
    shop.delete("/v1/me/second-factor").by(&ada.token).send().await.expect(204);
    subject("Your second factor was removed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_admin_resets_a_second_factor_that_was_lost() {
    let shop = TestShop::start().in_production().staffed(strict()).await;
    let root = protect(&shop, shop.staff("root@example.org", Role::Admin).await).await;
    let eve = protect(&shop, shop.staff("eve@example.org", Role::Support).await).await.person;
    let reset = |id, token: &str| shop.delete(&format!("/v1/admin/accounts/{id}/second-factor")).by(token).send();
    let (id, token) = (root.person.id, root.person.token.as_str());
    reset(id, &eve.token).await.expect_problem(403, "auth.forbidden");
    reset(id, token).await.expect_problem(409, "account.own_account");
    shop.age_proof(&root.person.session, 10).await;
    reset(eve.id, token).await.expect_problem(401, "auth.reauthentication_required");
    reauthenticate(&shop, token, json!({"code": code(&shop, &root.secret, 1)})).await.expect(200);
    reset(eve.id, token).await.expect(204);
    shop.refresh(&eve.refresh).await.expect_problem(401, "session.ended");
    let keys = log_in(&shop, &eve, json!({})).await.expect(200);
    let refused = shop.get("/v1/orders").by(keys.text("/access_token")).send().await;
    refused.expect_problem(403, "auth.second_factor_enrolment_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sensitive_takes_a_proof_from_the_last_ten_minutes() {
    let shop = TestShop::start().in_production().staffed(strict()).await;
    let root = protect(&shop, shop.staff("root@example.org", Role::Admin).await).await;
    let (token, session) = (root.person.token.as_str(), root.person.session.as_str());
    let victim = shop.person("victim@example.org").await.id;
    let account = format!("/v1/admin/accounts/{victim}");
    let key = json!({"name": "Robot", "scopes": ["orders:read"]});
    let made = shop.post("/v1/admin/api-keys").by(token).json(key.clone()).send().await.expect(201);
    shop.age_proof(session, 10).await;
    let role = json!({"role": "seller"});
    let sensitive = async || {
        [
            shop.post("/v1/admin/api-keys").by(token).key("again").json(key.clone()).send().await,
            shop.delete(&format!("/v1/admin/api-keys/{}", made.id())).by(token).send().await,
            shop.post(&format!("{account}/roles")).by(token).json(role.clone()).send().await,
            shop.post(&format!("{account}/ban")).by(token).json(json!({})).send().await,
            shop.post(&format!("{account}/unban")).by(token).send().await,
            shop.delete(&account).by(token).send().await,
        ]
    };
    let before = shop.at_rest().await;
    for refused in sensitive().await {
        let refused = refused.expect_problem(401, "auth.reauthentication_required");
        assert!(refused.text("/detail").contains("/v1/auth/reauthenticate"), "{}", refused.body);
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.contains("insufficient_user_authentication") && challenge.contains("max_age=\"600\""));
    }
    assert_eq!(shop.log.head().await.unwrap(), before, "a refusal wrote something");
    // What is not sensitive goes on.
    shop.get("/v1/admin/accounts").by(token).send().await.expect(200);
    let wrong = json!({"password": "wrong", "code": "123456"});
    let wrong = shop.post("/v1/auth/reauthenticate").by(token).json(wrong).send().await;
    wrong.expect_problem(403, "auth.wrong_password");
    reauthenticate(&shop, token, json!({})).await.expect_problem(401, "auth.second_factor_required");
    let next = json!({"code": code(&shop, &root.secret, 1)});
    let proven = reauthenticate(&shop, token, next.clone()).await.expect(200);
    assert!(proven.text("/fresh_until") > proven.text("/authenticated_at"));
    reauthenticate(&shop, token, next).await.expect_problem(403, "account.code_used");
    // The same requests again, one of them under the key under which it was refused.
    for answer in sensitive().await {
        assert!(answer.status < 300, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_refunds_take_a_recent_proof_and_so_do_small_ones_that_are_large_together() {
    let shop = TestShop::start().staffed(StaffRules { large_refund: 50, ..StaffRules::default() }).await;
    let clerk = shop.staff("clerk@example.org", Role::Support).await;
    let (_, variant) = shop.product("REFUND", 10_000, 10).await;
    let (placed, cart) = shop.order(&variant, 2).await;
    let (order, payment) = (placed.text("/id").to_owned(), placed.text("/payment").to_owned());
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("/v1/orders/{order}/payments")).with(&cart).json(pay).send().await.expect(201);
    eventually("the order is paid", || async {
        let order = shop.get(&format!("/v1/orders/{order}")).by(&clerk.token).send().await.expect(200);
        (order.body["payment_status"] == "paid").then_some(())
    })
    .await;
    shop.age_proof(&clerk.session, 10).await;
    let refunds = format!("/v1/payments/{payment}/refunds");
    let refund = |token: &str, amount: i64| {
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch"});
        shop.post(&refunds).by(token).json(body).send()
    };
    refund(&clerk.token, 5_000).await.expect_problem(401, "auth.reauthentication_required");
    // Of two at once, one sees the other.
    let mut both = tokio::join!(refund(&clerk.token, 2_500), refund(&clerk.token, 2_500));
    if both.0.status != 201 {
        both = (both.1, both.0);
    }
    both.0.expect(201);
    both.1.expect_problem(401, "auth.reauthentication_required");
    refund(&clerk.token, 2_499).await.expect(201);
    refund(&clerk.token, 1).await.expect_problem(401, "auth.reauthentication_required");
    // No other way of giving it back is open, and a program cannot prove anything.
    let cancel = || shop.post(&format!("/v1/orders/{order}/cancel")).by(&clerk.token).json(json!({})).send();
    cancel().await.expect_problem(401, "auth.reauthentication_required");
    let key = json!({"name": "Robot", "scopes": ["orders:read", "orders:write"]});
    let key = shop.post("/v1/admin/api-keys").by(&shop.token(Role::Admin)).json(key).send().await.expect(201);
    refund(key.text("/key"), 1).await.expect_problem(403, "auth.forbidden");
    reauthenticate(&shop, &clerk.token, json!({})).await.expect(200);
    refund(&clerk.token, 5_000).await.expect(201);
    shop.age_proof(&clerk.session, 10).await;
    refund(&clerk.token, 1).await.expect_problem(401, "auth.reauthentication_required");
    // The buyer may do with their own what they like.
    shop.post(&format!("/v1/orders/{order}/cancel")).with(&cart).json(json!({})).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_changed_without_the_second_factor() {
    let shop = TestShop::start().await;
    let ada = protect(&shop, shop.person("ada@example.org").await).await.person;
    shop.age_proof(&ada.session, 10).await;
    let change = json!({"current": PASSWORD, "new": "a new horse for the battery"});
    let change = shop.post("/v1/me/password").by(&ada.token).json(change).send().await;
    change.expect_problem(401, "auth.reauthentication_required");
    let email = json!({"email": "eve@example.com", "password": PASSWORD});
    let email = shop.post("/v1/me/email").by(&ada.token).json(email).send().await;
    email.expect_problem(401, "auth.reauthentication_required");
    let close = shop.delete("/v1/me").by(&ada.token).json(json!({"password": PASSWORD})).send().await;
    close.expect_problem(401, "auth.reauthentication_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_staff_last_hours() {
    let shop = TestShop::start().staffed(StaffRules { session: TimeDelta::hours(2), ..StaffRules::default() }).await;
    let end = |answer: &Answer| {
        let end: chrono::DateTime<chrono::Utc> = answer.text("/refresh_expires_at").parse().unwrap();
        end - shop.commands.clock().now()
    };
    let ada = shop.person("ada@example.org").await;
    assert!(end(&shop.refresh(&ada.refresh).await.expect(200)) > TimeDelta::days(29));
    // A role that is granted ends what lives for months.
    shop.grant(ada.id, Role::Support).await;
    shop.refresh(&ada.refresh).await.expect_problem(401, "session.ended");
    let keys = shop.log_in(&ada.email, PASSWORD).await.expect(200);
    assert!(end(&keys) <= TimeDelta::hours(2), "{}", keys.body);
    let next = shop.refresh(keys.text("/refresh_token")).await.expect(200);
    assert!(end(&next) <= TimeDelta::hours(2), "{}", next.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_without_a_session_opens_nothing_in_production() {
    let shop = TestShop::start().in_production().await;
    let ada = shop.person("ada@example.org").await;
    for role in Role::ALL {
        for path in ["/v1/admin/accounts", "/v1/me", "/v1/products"] {
            let refused = shop.get(path).by(&shop.token_of(role, ada.id)).send().await;
            refused.expect_problem(401, "auth.invalid");
        }
    }
    shop.get("/dev").send().await.expect(404);
    let dev = TestShop::start().await;
    assert_eq!(dev.get("/dev").send().await.expect(200).body, json!({"development": true}));
    let refused = reauthenticate(&dev, &dev.token_of(Role::Admin, ada.id), json!({})).await;
    refused.expect_problem(409, "auth.no_session");
}
