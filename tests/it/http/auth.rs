//! How somebody gets an account and gets in, and how nobody else does.

use byteshop_domain::account::Event;
use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::security::token::{Role, Tokens};
use byteshop_tests::people::PASSWORD;
use byteshop_tests::shop::TestShop;
use serde_json::{Value, json};

const ADA: &str = "Ada.Lovelace@Example.org";

#[tokio::test(flavor = "multi_thread")]
async fn somebody_registers_confirms_logs_in_and_out() {
    let shop = TestShop::start().await;
    let body = json!({"email": ADA, "password": PASSWORD, "name": "Ada Lovelace", "locale": "ru"});
    let answer = shop.post("/v1/auth/register").json(body).send().await.expect(202);
    assert_eq!(answer.body, json!({"status": "accepted"}));
    shop.log_in(ADA, PASSWORD).await.expect_problem(403, "account.not_confirmed");
    let code = shop.confirmation_code(ADA).await.unwrap();
    for _ in 0..2 {
        shop.post("/v1/auth/confirm").json(json!({"code": code})).send().await.expect(204);
    }
    // Capitals are nobody's own.
    let keys = shop.log_in("ada.lovelace@example.ORG", PASSWORD).await.expect(200);
    assert_eq!((keys.text("/token_type"), &keys.body["expires_in"]), ("Bearer", &json!(600)));
    let token = keys.text("/access_token");
    let me = shop.get("/v1/me").by(token).send().await.expect(200);
    assert_eq!((me.text("/email"), me.text("/profile/name"), me.text("/role")), (ADA, "Ada Lovelace", "customer"));
    assert_eq!((me.text("/settings/locale"), &me.body["confirmed"]), ("ru", &json!(true)));
    shop.post("/v1/auth/logout").by(token).send().await.expect(204);
    shop.refresh(keys.text("/refresh_token")).await.expect_problem(401, "session.ended");
    shop.get("/v1/me/sessions").by(token).send().await.expect_problem(401, "session.ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_who_has_an_account() {
    let shop = TestShop::start().await;
    let known = shop.person("ada@example.org").await;
    let runs = |before: u64| shop.passwords.runs() - before;
    let strip = |answer: &byteshop_tests::shop::Answer| {
        let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        (answer.status, answer.body.clone(), names)
    };
    let before = shop.passwords.runs();
    let of_known = shop.register("ada@example.org").await;
    let known_runs = runs(before);
    let before = shop.passwords.runs();
    let of_new = shop.register("berta@example.org").await;
    assert_eq!((strip(&of_known), known_runs), (strip(&of_new), runs(before)), "registering");
    let repeated = Event::RegistrationRepeated { at: shop.commands.clock().now() };
    let events = shop.events_of(known.id).await;
    assert!(events.iter().any(|event| std::mem::discriminant(event) == std::mem::discriminant(&repeated)));
    // The password that was given with it is of no use.
    let other = json!({"email": "ada@example.org", "password": "another horse battery"});
    shop.post("/v1/auth/register").json(other).send().await.expect(202);
    shop.log_in("ada@example.org", "another horse battery").await.expect_problem(401, "auth.wrong_credentials");
    for path in ["/v1/auth/password/forgot", "/v1/auth/confirm/resend"] {
        let ask = |email: &str| shop.post(path).json(json!({"email": email})).send();
        let (here, there) = (ask("ada@example.org").await, ask("nobody@example.org").await);
        assert_eq!(strip(&here), strip(&there), "{path}");
        assert_eq!(here.status, 202);
    }
    let before = shop.passwords.runs();
    let wrong = shop.log_in("ada@example.org", "wrong password").await.expect_problem(401, "auth.wrong_credentials");
    let wrong_runs = runs(before);
    let before = shop.passwords.runs();
    let nobody = shop.log_in("nobody@example.org", PASSWORD).await.expect_problem(401, "auth.wrong_credentials");
    assert_eq!(wrong_runs, runs(before), "logging in");
    assert_eq!((&wrong.body["detail"], &wrong.body["title"]), (&nobody.body["detail"], &nobody.body["title"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_account_however_many_ask_at_once() {
    let shop = TestShop::start().await;
    let asked = futures_util::future::join_all((0..8).map(|_| shop.register("race@example.org"))).await;
    assert!(asked.iter().all(|answer| answer.status == 202), "{asked:?}");
    let id = shop.account_of("race@example.org").await.unwrap();
    let registered = shop.events_of(id).await.iter().filter(|event| matches!(event, Event::Registered { .. })).count();
    assert_eq!(registered, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_or_no_password_is_refused() {
    let shop = TestShop::start().await;
    let register = |body: Value| shop.post("/v1/auth/register").json(body).send();
    for password in ["short", "password1", "ada@example.org"] {
        let answer = register(json!({"email": "ada@example.org", "password": password})).await;
        assert_eq!(answer.expect_problem(422, "account.weak_password").text("/errors/0/pointer"), "/password");
    }
    let book = register(json!({"email": "ada@example.org", "password": "x".repeat(129)})).await;
    assert_eq!(book.expect_problem(422, "request.invalid").text("/errors/0/pointer"), "/password");
    for email in ["ada", "a@b", "a b@example.org", "a@example.org\r\nBcc: b@example.org", "\"a\"@example.org"] {
        let answer = register(json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.expect_problem(422, "request.invalid").text("/errors/0/pointer"), "/email", "{email}");
    }
    let thrown_away = register(json!({"email": "a@0-mail.com", "password": PASSWORD})).await;
    thrown_away.expect_problem(422, "account.disposable_email");
    register(json!({"email": "a@example.org", "password": PASSWORD, "role": "admin"})).await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_open_nothing() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    shop.register("berta@example.org").await.expect(202);
    let berta = shop.confirmation_code("berta@example.org").await.unwrap();
    let of_ada = shop.confirmation_code(&ada.email).await.unwrap();
    // The account of one, the secret of another.
    let mixed = format!("{}{}", &of_ada[..21], &berta[21..]);
    for code in ["", "x", "é", &"x".repeat(200), &berta[1..], &mixed] {
        let confirm = shop.post("/v1/auth/confirm").json(json!({"code": code})).send().await;
        confirm.expect_problem(422, "account.invalid_code");
        let reset = json!({"code": code, "password": "another horse battery"});
        let reset = shop.post("/v1/auth/password/reset").json(reset).send().await;
        reset.expect_problem(422, "account.invalid_code");
    }
    // A code that confirms resets no password.
    let reset = json!({"code": of_ada, "password": "another horse battery"});
    shop.post("/v1/auth/password/reset").json(reset).send().await.expect_problem(422, "account.invalid_code");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_once_and_ends_every_session() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    shop.post("/v1/auth/password/forgot").json(json!({"email": ada.email})).send().await.expect(202);
    let code = shop.reset_code(&ada.email).await.unwrap();
    let runs = shop.passwords.runs();
    let reset = |password: &str| json!({"code": code, "password": password});
    let weak = shop.post("/v1/auth/password/reset").json(reset("password1")).send().await;
    weak.expect_problem(422, "account.weak_password");
    assert_eq!(shop.passwords.runs(), runs, "a weak password was hashed");
    let new = "a new horse for the battery";
    shop.post("/v1/auth/password/reset").json(reset(new)).send().await.expect(204);
    shop.post("/v1/auth/password/reset").json(reset(new)).send().await.expect_problem(422, "account.invalid_code");
    shop.refresh(&ada.refresh).await.expect_problem(401, "session.ended");
    shop.log_in(&ada.email, PASSWORD).await.expect_problem(401, "auth.wrong_credentials");
    shop.log_in(&ada.email, new).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_tokens_rotate_and_a_copied_one_ends_the_session() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let first = shop.refresh(&ada.refresh).await.expect(200);
    // The answer was lost, or two tabs asked at once: the same next one.
    let again = shop.refresh(&ada.refresh).await.expect(200);
    assert_eq!(first.text("/refresh_token"), again.text("/refresh_token"));
    shop.get("/v1/me").by(again.text("/access_token")).send().await.expect(200);
    let second = shop.refresh(first.text("/refresh_token")).await.expect(200);
    assert_ne!(second.text("/refresh_token"), first.text("/refresh_token"));
    shop.refresh(&ada.refresh).await.expect_problem(401, "session.reused");
    for token in [&ada.refresh, first.text("/refresh_token"), second.text("/refresh_token")] {
        shop.refresh(token).await.expect_problem(401, "session.ended");
    }
    shop.log_in(&ada.email, PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_that_refresh_at_once_stay_logged_in() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let answers = futures_util::future::join_all((0..10).map(|_| shop.refresh(&ada.refresh))).await;
    let tokens: Vec<&str> = answers.iter().map(|answer| answer.text("/refresh_token")).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_tokens_cannot_be_made_up() {
    let shop = TestShop::start().await;
    let (ada, eve) = (shop.person("ada@example.org").await, shop.person("eve@example.org").await);
    // The session of one under the hash of another, and a later generation.
    let mixed = format!("{}{}", &ada.refresh[..24], &eve.refresh[24..]);
    let mut later = ada.refresh.clone().into_bytes();
    later[26] = if later[26] == b'B' { b'C' } else { b'B' };
    let later = String::from_utf8(later).unwrap();
    for token in ["", "x", &mixed, &later, &ada.refresh[1..], &"A".repeat(70)] {
        shop.refresh(token).await.expect_problem(401, "auth.invalid");
    }
    // An access token is longer than any refresh token may be.
    shop.refresh(&ada.token).await.expect_problem(422, "request.invalid");
    shop.refresh(&ada.refresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_and_the_right_password_is_not() {
    let shop = TestShop::start().limits(Limits::default().with_auth(0, 5)).await;
    let ada = shop.person("ada@example.org").await;
    for _ in 0..10 {
        shop.log_in(&ada.email, PASSWORD).await.expect(200);
    }
    for email in [ada.email.as_str(), "nobody@example.org"] {
        for _ in 0..5 {
            shop.log_in(email, "a wrong password").await.expect_problem(401, "auth.wrong_credentials");
        }
        let runs = shop.passwords.runs();
        let refused = shop.log_in(email, PASSWORD).await.expect_problem(429, "auth.too_many_attempts");
        assert!(refused.header("retry-after").is_some());
        assert_eq!(shop.passwords.runs(), runs);
    }
    let failed = |event: &Event| matches!(event, Event::LoginFailed { .. });
    assert_eq!(shop.events_of(ada.id).await.into_iter().filter(failed).count(), 5);
    // Who is logged in has guesses of their own, for what asks for the password again.
    for _ in 0..5 {
        let wrong = shop.delete("/v1/me").by(&ada.token).json(json!({"password": "wrong"})).send().await;
        wrong.expect_problem(403, "auth.wrong_password");
    }
    let right = shop.delete("/v1/me").by(&ada.token).json(json!({"password": PASSWORD})).send().await;
    right.expect_problem(429, "auth.too_many_attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_ask_for_everything_at_once() {
    let shop = TestShop::start().limits(Limits::default().with_auth(4, 0)).await;
    shop.register("ada@example.org").await.expect(202);
    shop.log_in("ada@example.org", "wrong password").await.expect(401);
    shop.post("/v1/auth/confirm").json(json!({"code": "x"})).send().await.expect(422);
    shop.post("/v1/auth/password/forgot").json(json!({"email": "ada@example.org"})).send().await.expect(202);
    for path in ["login", "register", "confirm", "confirm/resend", "password/forgot", "password/reset"] {
        let body = match path {
            "confirm" => json!({"code": "x"}),
            "password/reset" => json!({"code": "x", "password": PASSWORD}),
            "login" | "register" => json!({"email": "b@example.org", "password": PASSWORD}),
            _ => json!({"email": "b@example.org"}),
        };
        let refused = shop.post(&format!("/v1/auth/{path}")).json(body).send().await;
        refused.expect_problem(429, "request.too_many");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_not_filled_by_asking_again() {
    let shop = TestShop::start().await;
    shop.register("ada@example.org").await.expect(202);
    for path in ["register", "confirm/resend", "password/forgot"] {
        for _ in 0..3 {
            let body = match path {
                "register" => json!({"email": "ada@example.org", "password": PASSWORD}),
                _ => json!({"email": "ada@example.org"}),
            };
            shop.post(&format!("/v1/auth/{path}")).json(body).send().await.expect(202);
        }
    }
    let events = shop.events_of(shop.account_of("ada@example.org").await.unwrap()).await;
    let codes =
        |event: &&Event| matches!(event, Event::ConfirmationRequested { .. } | Event::PasswordResetRequested { .. });
    assert_eq!(events.iter().filter(codes).count(), 2, "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_seen_and_ended_one_by_one_or_all() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let phone = shop.post("/v1/auth/login").header("User-Agent", "phone/1.0");
    let phone = phone.json(json!({"email": ada.email, "password": PASSWORD})).send().await.expect(200);
    let listed = shop.get("/v1/me/sessions").by(&ada.token).send().await.expect(200);
    let seen = |index: usize, field: &str| listed.body["items"][index][field].clone();
    assert_eq!((seen(0, "id"), seen(0, "current")), (json!(phone.text("/session")), json!(false)));
    assert_eq!((seen(1, "id"), seen(1, "current")), (json!(ada.session), json!(true)));
    assert_eq!(listed.text("/items/0/client/agent"), "phone/1.0");
    assert_eq!(listed.text("/items/0/client/address"), "127.0.0.1");
    let eve = shop.person("eve@example.org").await;
    let path = format!("/v1/me/sessions/{}", phone.text("/session"));
    shop.delete(&path).by(&eve.token).send().await.expect_problem(404, "session.missing");
    shop.delete(&path).by(&ada.token).send().await.expect(204);
    shop.delete(&path).by(&ada.token).send().await.expect_problem(404, "session.missing");
    shop.refresh(phone.text("/refresh_token")).await.expect_problem(401, "session.ended");
    // A session ends by its refresh token too, when the access token has expired.
    let third = shop.log_in(&ada.email, PASSWORD).await.expect(200);
    let body = json!({"refresh_token": third.text("/refresh_token")});
    shop.post("/v1/auth/logout").json(body).send().await.expect(204);
    shop.refresh(third.text("/refresh_token")).await.expect_problem(401, "session.ended");
    let fourth = shop.log_in(&ada.email, PASSWORD).await.expect(200);
    shop.post("/v1/auth/logout").by(&ada.token).json(json!({"all": true})).send().await.expect(204);
    for token in [&ada.refresh, fourth.text("/refresh_token")] {
        shop.refresh(token).await.expect_problem(401, "session.ended");
    }
    shop.post("/v1/auth/logout").send().await.expect_problem(422, "request.invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gets_the_first_answer_and_leaves_no_secret_behind() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let ask = |password: &str| {
        let body = json!({"email": "ada@example.org", "password": password});
        shop.post("/v1/auth/login").key("once").json(body).send()
    };
    let (first, again) = (ask(PASSWORD).await.expect(200), ask(PASSWORD).await.expect(200));
    assert_eq!(first.text("/refresh_token"), again.text("/refresh_token"));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = shop.log_in(&ada.email, PASSWORD).await.expect(200);
    assert_ne!(other.text("/session"), first.text("/session"));
    let shown = [PASSWORD, &ada.email, "127.0.0.1", first.text("/refresh_token"), first.text("/access_token")];
    byteshop_tests::secrets::nowhere(&shop, &shown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_opens_no_session_that_has_ended() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let log_in = || {
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        shop.post("/v1/auth/login").key("log-in").json(body).send()
    };
    let first = log_in().await.expect(200);
    let refresh = || {
        let body = json!({"refresh_token": first.text("/refresh_token")});
        shop.post("/v1/auth/refresh").key("refresh").json(body).send()
    };
    assert_eq!(refresh().await.expect(200).text("/session"), refresh().await.expect(200).text("/session"));
    let roles = format!("/v1/admin/accounts/{}/roles", ada.id);
    let admin = shop.token(Role::Admin);
    shop.post(&roles).by(&admin).json(json!({"role": "support"})).send().await.expect(200);
    log_in().await.expect_problem(401, "session.ended");
    refresh().await.expect_problem(401, "session.ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_registers_with_an_address_before_its_owner_does_not_get_in_with_them() {
    let shop = TestShop::start().await;
    let register = |password: &'static str| {
        let body = json!({"email": "ada@example.org", "password": password});
        async { shop.post("/v1/auth/register").json(body).send().await.expect(202) }
    };
    register("lying in wait for Ada").await;
    let first = shop.confirmation_code("ada@example.org").await.unwrap();
    let before = shop.passwords.runs();
    register(PASSWORD).await;
    assert_eq!(shop.passwords.runs(), before + 1, "as much work as for anybody");
    shop.post("/v1/auth/confirm").json(json!({"code": first})).send().await.expect_problem(422, "account.invalid_code");
    for password in ["lying in wait for Ada", PASSWORD] {
        let refused = shop.log_in("ada@example.org", password).await;
        assert!(matches!(refused.status, 401 | 403), "{refused:?}");
    }
    let code = shop.reset_code("ada@example.org").await.unwrap();
    let body = json!({"code": code, "password": "my own horse battery"});
    shop.post("/v1/auth/password/reset").json(body).send().await.expect(204);
    shop.log_in("ada@example.org", "my own horse battery").await.expect(200);
    shop.log_in("ada@example.org", "lying in wait for Ada").await.expect_problem(401, "auth.wrong_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_forged_or_for_others_are_refused() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let foreign = Tokens::ephemeral().unwrap();
    let foreign = foreign.issue(Role::Admin, ada.id, byteshop_gateway::security::token::LIFETIME).unwrap();
    let mut parts = ada.token.split('.');
    let (head, claims, tail) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    // Our own head and signature around claims of an admin.
    let admin = foreign.split('.').nth(1).unwrap();
    for token in [foreign.clone(), none, format!("{head}.{admin}.{tail}"), format!("{head}.{claims}.")] {
        shop.get("/v1/me").by(&token).send().await.expect_problem(401, "auth.invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_receipt_keeps_what_opens_anything() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let admin = shop.token(Role::Admin);
    let cart = || shop.post("/v1/carts").key("cart").json(json!({"currency": "EUR"})).send();
    let (made, again) = (cart().await.expect(201), cart().await.expect(201));
    assert_eq!((&made.body, again.header("idempotency-replayed")), (&again.body, Some("true")));
    let token = made.text("/cart_token").to_owned();
    shop.get(&format!("/v1/carts/{}", made.id())).header("Cart-Token", &token).send().await.expect(200);
    let log_in = shop.post("/v1/auth/login").key("log-in").json(json!({"email": ada.email, "password": PASSWORD}));
    let keys = log_in.send().await.expect(200);
    let refresh = shop.post("/v1/auth/refresh").key("refresh");
    let next = refresh.json(json!({"refresh_token": keys.text("/refresh_token")})).send().await.expect(200);
    let api_key = json!({"name": "robot", "scopes": ["orders:read"]});
    let api_key = shop.post("/v1/admin/api-keys").by(&admin).key("key").json(api_key).send().await.expect(201);
    let hook = json!({"url": "https://example.org/hook", "filter": ["*"]});
    let hook = shop.post("/v1/webhook-endpoints").by(&admin).key("hook").json(hook).send().await.expect(201);
    let email = json!({"email": "ada@example.com", "password": PASSWORD});
    shop.post("/v1/me/email").by(&ada.token).key("email").json(email).send().await.expect(202);
    let code = shop.new_email_code(ada.id).await.unwrap();
    shop.post("/v1/me/email/confirm").by(&ada.token).key("code").json(json!({"code": code})).send().await.expect(204);
    let receipts: Vec<String> = sqlx::query_scalar("select it::text from log.receipt it where key = any ($1)")
        .bind(["cart", "log-in", "refresh", "key", "hook", "email", "code"])
        .fetch_all(shop.log.pool())
        .await
        .unwrap();
    assert_eq!(receipts.len(), 7, "{receipts:?}");
    let secrets = [
        token.as_str(),
        keys.text("/access_token"),
        keys.text("/refresh_token"),
        next.text("/refresh_token"),
        api_key.text("/key"),
        hook.text("/secret"),
        code.as_str(),
        PASSWORD,
        "ada@example.com",
    ];
    for receipt in &receipts {
        for secret in secrets {
            assert!(!receipt.contains(secret), "{secret} lies in {receipt}");
        }
    }
    byteshop_tests::secrets::nowhere(&shop, &secrets).await;
}
