//! What somebody keeps here, what staff may do with accounts, and how a person is forgotten.

use std::collections::BTreeSet;

use byteshop_gateway::security::token::Role;
use byteshop_projections::replay::Replay;
use byteshop_tests::people::PASSWORD;
use byteshop_tests::shop::{Answer, TestShop};
use byteshop_tests::{patience::eventually, secrets};
use serde_json::{Value, json};

fn ids(page: &Answer) -> BTreeSet<String> {
    page.body["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_says_who_they_are_and_how_they_want_to_be_served() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let patch = |path: &str, body: Value| shop.patch(path).by(&ada.token).json(body).send();
    let named = patch("/v1/me", json!({"profile": {"name": "Ada", "phone": "+49 30 1234"}})).await.expect(200);
    let version = named.header("etag").unwrap().to_owned();
    let same = patch("/v1/me", json!({"profile": {"name": "Ada"}})).await.expect(200);
    assert_eq!((same.text("/profile/phone"), same.header("etag")), ("+49 30 1234", Some(version.as_str())));
    let changed = patch("/v1/me", json!({"profile": {"phone": null}})).await.expect(200);
    assert_eq!(changed.body["profile"], json!({"name": "Ada"}));
    let stale = shop.patch("/v1/me").by(&ada.token).header("If-Match", &version);
    let stale = stale.json(json!({"profile": {"name": "Eve"}})).send().await;
    stale.expect_problem(412, "request.version_mismatch");
    patch("/v1/me", json!({"profile": {"name": "A\u{0}"}})).await.expect_problem(422, "request.invalid");
    patch("/v1/me", json!({"profile": {"role": "admin"}})).await.expect_problem(422, "request.invalid");

    let settings = json!({"locale": "ru", "currency": "EUR", "channels": ["email", "sms"]});
    assert_eq!(patch("/v1/me/settings", settings.clone()).await.expect(200).body, settings);
    let kept = json!({"locale": "ru", "currency": null, "channels": []});
    let answer = patch("/v1/me/settings", json!({"currency": null, "channels": []})).await.expect(200);
    assert_eq!(answer.body, kept);
    assert_eq!(shop.get("/v1/me/settings").by(&ada.token).send().await.expect(200).body, kept);
    for wrong in [json!({"locale": "de"}), json!({"currency": "XXX1"}), json!({"channels": ["pigeon"]})] {
        patch("/v1/me/settings", wrong).await.expect_problem(422, "request.invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_book_is_its_owners_alone() {
    let shop = TestShop::start().await;
    let (ada, eve) = (shop.person("ada@example.org").await, shop.person("eve@example.org").await);
    let home = json!({"country": "DE", "name": "Ada", "lines": ["Invalidenstraße 43"], "city": "Berlin"});
    let made = shop.post("/v1/me/addresses").by(&ada.token).json(home.clone()).send().await.expect(201);
    let path = made.header("location").unwrap().to_owned();
    let listed = shop.get("/v1/me/addresses").by(&ada.token).send().await.expect(200);
    assert_eq!((listed.text("/items/0/id"), listed.text("/items/0/address/city")), (made.id().as_str(), "Berlin"));
    let moved = json!({"country": "FR", "city": "Paris"});
    for stranger in [&eve.token, &shop.token(Role::Admin)] {
        shop.get(&path).by(stranger).send().await.expect(404);
        shop.put(&path).by(stranger).json(moved.clone()).send().await.expect(404);
        shop.delete(&path).by(stranger).send().await.expect(404);
    }
    shop.put(&path).by(&ada.token).json(moved).send().await.expect(200);
    assert_eq!(shop.get(&path).by(&ada.token).send().await.expect(200).text("/address/city"), "Paris");
    shop.delete(&path).by(&ada.token).send().await.expect(204);
    shop.get(&path).by(&ada.token).send().await.expect_problem(404, "account.no_such_address");
    secrets::nowhere(&shop, &["Invalidenstra", "Paris"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_other_sessions() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let phone = shop.log_in(&ada.email, PASSWORD).await.expect(200);
    let change = |current: &str, new: &str| {
        let body = json!({"current": current, "new": new});
        shop.post("/v1/me/password").by(&ada.token).json(body).send()
    };
    change("wrong password", "a new horse").await.expect_problem(403, "auth.wrong_password");
    change(PASSWORD, "password1").await.expect_problem(422, "account.weak_password");
    change(PASSWORD, "a new horse for the battery").await.expect(204);
    shop.refresh(phone.text("/refresh_token")).await.expect_problem(401, "session.ended");
    shop.refresh(&ada.refresh).await.expect(200);
    shop.log_in(&ada.email, PASSWORD).await.expect_problem(401, "auth.wrong_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_ends_what_somebody_is_logged_in_with() {
    let shop = TestShop::start().await;
    let (ada, admin) = (shop.person("ada@example.org").await, shop.token(Role::Admin));
    let path = format!("/v1/admin/accounts/{}", ada.id);
    let banned = shop.post(&format!("{path}/ban")).by(&admin).json(json!({"reason": "fraud"})).send().await.expect(200);
    assert_eq!((banned.text("/status"), banned.text("/ban_reason")), ("banned", "fraud"));
    shop.get("/v1/me").by(&ada.token).send().await.expect_problem(401, "session.ended");
    shop.refresh(&ada.refresh).await.expect_problem(401, "session.ended");
    shop.log_in(&ada.email, PASSWORD).await.expect_problem(403, "account.banned");
    shop.log_in(&ada.email, "wrong password").await.expect_problem(401, "auth.wrong_credentials");
    let listed = shop.get("/v1/admin/accounts?status=banned").by(&admin);
    let listed = listed.after(banned.position()).send().await.expect(200);
    assert_eq!(ids(&listed), BTreeSet::from([ada.id.to_string()]));
    shop.post(&format!("{path}/unban")).by(&admin).send().await.expect(200);
    shop.log_in(&ada.email, PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_themselves_a_role() {
    let shop = TestShop::start().await;
    let (ada, admin) = (shop.person("ada@example.org").await, shop.person("root@example.org").await);
    let path = |id| format!("/v1/admin/accounts/{id}/roles");
    for token in [&ada.token, &shop.token(Role::Seller), &shop.token(Role::Support)] {
        let tried = shop.post(&path(ada.id)).by(token).json(json!({"role": "admin"})).send().await;
        tried.expect_problem(403, "auth.forbidden");
    }
    let root = shop.token_of(Role::Admin, admin.id);
    let own = shop.post(&path(admin.id)).by(&root).json(json!({"role": "support"})).send().await;
    own.expect_problem(409, "account.own_account");
    shop.post(&path(ada.id)).by(&root).json(json!({"role": "emperor"})).send().await.expect(422);
    shop.post(&path(ada.id)).by(&root).json(json!({"role": "support"})).send().await.expect(200);
    // What they were logged in with says what they could do before.
    shop.refresh(&ada.refresh).await.expect_problem(401, "session.ended");
    let again = shop.log_in(&ada.email, PASSWORD).await.expect(200);
    assert_eq!(again.text("/role"), "support");
    shop.get("/v1/admin/accounts").by(again.text("/access_token")).send().await.expect(200);
    shop.get("/v1/me").by(&ada.token).send().await.expect_problem(401, "session.ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_found_by_address_words_role_and_status() {
    let shop = TestShop::start().await;
    let support = shop.token(Role::Support);
    let (ada, berta) = (shop.person("ada@example.org").await, shop.person("berta@example.com").await);
    let body = json!({"profile": {"name": "Ada Lovelace"}});
    shop.patch("/v1/me").by(&ada.token).json(body).send().await.expect(200);
    shop.register("carl@example.org").await.expect(202);
    let last = shop.log.head().await.unwrap().to_string();
    let carl = shop.account_of("carl@example.org").await.unwrap();
    let found = async |query: &str| {
        let page = shop.get(&format!("/v1/admin/accounts{query}")).by(&support).after(&last);
        ids(&page.send().await.expect(200))
    };
    let set =
        |people: &[&dyn std::fmt::Display]| -> BTreeSet<String> { people.iter().map(ToString::to_string).collect() };
    assert_eq!(found("").await, set(&[&ada.id, &berta.id, &carl]));
    assert_eq!(found("?q=ADA@example.org").await, set(&[&ada.id]));
    assert_eq!(found("?q=nobody@example.org").await, set(&[]));
    assert_eq!(found("?q=lovelace").await, set(&[&ada.id]));
    assert_eq!(found("?q=example.org").await, set(&[&ada.id, &carl]));
    assert_eq!(found("?q=example.org&status=active").await, set(&[&ada.id]));
    assert_eq!(found("?status=unconfirmed").await, set(&[&carl]));
    assert_eq!(found("?role=admin").await, set(&[]));
    // A search goes on page by page, however few rows fit.
    let mut everybody = BTreeSet::new();
    let mut next = String::new();
    loop {
        let path = format!("/v1/admin/accounts?q=example.org&limit=1{next}");
        let page = shop.get(&path).by(&support).send().await.expect(200);
        everybody.extend(ids(&page));
        match page.body["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(everybody, set(&[&ada.id, &carl]));
    shop.get("/v1/admin/accounts?cursor=x").by(&support).send().await.expect_problem(400, "request.invalid_query");
}

/// The mail to the owner of an account says where their parcel goes.
async fn says_where_the_parcel_goes(shop: &TestShop) {
    let mails = shop.get("/dev/mail?to=ada@example.org").header("Accept", "application/json").send().await.expect(200);
    let mut mails = mails.body["items"].as_array().unwrap().iter();
    let shipped = mails.find(|mail| mail["subject"].as_str().unwrap().ends_with("is on its way")).unwrap();
    let text = shipped["text"].as_str().unwrap();
    assert!(text.contains("Unter den Linden 1") && text.contains("Berlin"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_about_somebody_is_given_to_them() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("E-1", 500, 5).await;
    let ada = shop.person("ada@example.org").await;
    let cart = shop.post("/v1/carts").by(&ada.token).json(json!({"currency": "EUR"})).send().await.expect(201).id();
    let put = |path: &str, body: Value| shop.put(&format!("/v1/carts/{cart}/{path}")).by(&ada.token).json(body).send();
    put(&format!("lines/{variant}"), json!({"quantity": 1})).await.expect(200);
    put("address", json!({"country": "DE", "name": "Ada", "lines": ["Unter den Linden 1"], "city": "Berlin"}))
        .await
        .expect(200);
    let placed = shop.post(&format!("/v1/carts/{cart}/checkout")).by(&ada.token).send().await.expect(201);
    let pay = json!({"provider": "test", "token": "tok_success"});
    let order = format!("/v1/orders/{}", placed.text("/id"));
    shop.post(&format!("{order}/payments")).by(&ada.token).json(pay).send().await.expect(201);
    shop.at_rest().await;
    let staff = shop.token(Role::Support);
    let parcel = json!({"carrier": {"kind": "other", "name": "Post"}});
    let parcel = shop.post(&format!("{order}/shipments")).by(&staff).json(parcel).send().await.expect(201).id();
    let hand_over = shop.post(&format!("/v1/shipments/{parcel}/hand-over")).by(&staff);
    hand_over.json(json!({"tracking": "T-1"})).send().await.expect(200);
    let back = json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "damaged"});
    let back = shop.post(&format!("{order}/returns")).by(&ada.token).json(back).send().await.expect(201).id();
    let open = shop.post("/v1/carts").by(&ada.token).json(json!({"currency": "EUR"})).send().await.expect(201).id();
    let (product, _) = shop.product("E-2", 500, 0).await;
    let watch =
        |token: &str| shop.post(&format!("/v1/products/{product}/watch")).by(token).json(json!({"on": ["price_drop"]}));
    watch(&ada.token).send().await.expect(200);
    let eve = shop.person("eve@example.org").await;
    watch(&eve.token).send().await.expect(200);
    let head = shop.at_rest().await;
    let export = shop.get("/v1/me/export").by(&ada.token);
    let export = export.after(head).send().await.expect(200).body;
    assert_eq!(export["account"]["email"], "ada@example.org");
    assert_eq!(export["orders"][0]["id"], placed.body["id"]);
    assert_eq!(export["sessions"][0]["id"], json!(ada.session));
    let carts: Vec<_> = export["carts"].as_array().unwrap().iter().map(|cart| &cart["id"]).collect();
    assert_eq!((carts, &export["shipments"][0]["id"]), (vec![&json!(cart), &json!(open)], &json!(parcel)));
    assert_eq!((&export["returns"][0]["id"], &export["payments"][0]["id"]), (&json!(back), &placed.body["payment"]));
    assert_eq!(export["watches"], json!([{"product": product, "on": ["price_drop"]}]));
    let told = export["notifications"].as_array().unwrap().iter().map(|it| it["template"].as_str().unwrap());
    // On a machine that is very busy the payment may not have come at once.
    let told: BTreeSet<&str> = told.filter(|template| *template != "order_placed").collect();
    assert_eq!(told, BTreeSet::from(["confirm_email", "order_paid", "order_shipped"]));
    says_where_the_parcel_goes(&shop).await;
    let events = export["events"].as_array().unwrap();
    let types: BTreeSet<&str> = events.iter().map(|it| it["type"].as_str().unwrap()).collect();
    for wanted in [
        "account.registered",
        "session.started",
        "cart.created",
        "order.placed",
        "payment.opened",
        "shipment.handed_over",
        "return.requested",
        "notification.sent",
        "watch.price_watched",
    ] {
        assert!(types.contains(wanted), "{wanted} in {types:?}");
    }
    // With an access token nobody gets at what opens the account for longer.
    for secret in ["password", "secret", "code"] {
        let mut seen = 0;
        for event in events {
            for data in [&event["data"], &event["data"]["message"]] {
                seen += usize::from(data.get(secret).is_some());
                assert_eq!(data[secret], Value::Null, "{event}");
            }
        }
        assert!(seen > 0, "{secret}");
    }
    let text = export.to_string();
    assert!(!text.contains(&eve.id.to_string()), "{text}");
    assert!(text.contains("Unter den Linden 1") && !text.contains("$sealed"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_person_is_nowhere_any_more() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("F-1", 500, 5).await;
    let ada = shop.person("ada@example.org").await;
    shop.patch("/v1/me").by(&ada.token).json(json!({"profile": {"name": "Ada Lovelace"}})).send().await.expect(200);
    let cart = shop.post("/v1/carts").by(&ada.token).json(json!({"currency": "EUR"})).send().await.expect(201).id();
    let put = |path: &str, body: Value| shop.put(&format!("/v1/carts/{cart}/{path}")).by(&ada.token).json(body).send();
    put(&format!("lines/{variant}"), json!({"quantity": 1})).await.expect(200);
    let address = json!({"country": "DE", "name": "Ada Lovelace", "email": "ada@example.org", "city": "Berlin",
        "lines": ["Invalidenstraße 43"]});
    put("address", address).await.expect(200);
    let placed = shop.post(&format!("/v1/carts/{cart}/checkout")).by(&ada.token).send().await.expect(201);
    let eve = shop.full_cart(&variant, 1).await;
    let address = json!({"country": "DE", "name": "Eve", "lines": ["Mauerstraße 1"], "city": "Berlin", "email": "eve@example.org"});
    shop.put(&format!("/v1/carts/{}/address", eve.id)).with(&eve).json(address).send().await.expect(200);
    shop.post(&format!("/v1/carts/{}/checkout", eve.id)).with(&eve).send().await.expect(201);
    // One to confirm the address, and a moment later one about the order.
    eventually("two mails are kept", async || {
        (shop.log.kept(Some("ada@example.org"), 100).await.unwrap().len() == 2).then_some(())
    })
    .await;
    shop.at_rest().await;
    let farewell = |password: &str| shop.delete("/v1/me").by(&ada.token).json(json!({"password": password})).send();
    farewell("wrong password").await.expect_problem(403, "auth.wrong_password");
    let gone = farewell(PASSWORD).await.expect(204);
    shop.get("/v1/me").by(&ada.token).send().await.expect_problem(401, "session.ended");
    shop.get("/v1/me").by(&shop.token_of(Role::Customer, ada.id)).send().await.expect_problem(404, "account.missing");
    shop.refresh(&ada.refresh).await.expect_problem(401, "auth.invalid");
    shop.log_in(&ada.email, PASSWORD).await.expect_problem(401, "auth.wrong_credentials");
    let admin = shop.token(Role::Admin);
    shop.get(&format!("/v1/admin/accounts/{}", ada.id)).by(&admin).send().await.expect_problem(404, "account.missing");
    let order = shop.get(&format!("/v1/orders/{}", placed.text("/id"))).by(&admin).send().await.expect(200);
    assert!(!order.body.to_string().contains("Lovelace"), "{}", order.body);
    let listed = shop.get("/v1/admin/accounts").by(&admin).after(gone.position());
    assert_eq!(ids(&listed.send().await.expect(200)), BTreeSet::new());
    secrets::nowhere(&shop, &["Lovelace", "ada@example.org", PASSWORD]).await;
    // Nor does development keep what was written to them, and it keeps what was written to others.
    let kept = shop.log.kept(None, 100).await.unwrap();
    let recipients: BTreeSet<&str> = kept.iter().map(|it| it.recipient.as_str()).collect();
    assert_eq!(recipients, BTreeSet::from(["eve@example.org"]));
    // A view that is built again shows nothing of them either.
    shop.views.replay("account_list", Replay::Rebuild, &|_| {}).await.unwrap();
    assert_eq!(ids(&shop.get("/v1/admin/accounts").by(&admin).send().await.expect(200)), BTreeSet::new());
    // The address is free, and whoever comes now is somebody else.
    let again = shop.person("ada@example.org").await;
    assert_ne!(again.id, ada.id);
    assert_eq!(shop.get("/v1/me/orders").by(&again.token).send().await.expect(200).body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_could_not_be_forgotten_at_once_is_forgotten_by_the_process() {
    use byteshop_commands::Intent;
    use byteshop_commands::use_cases::accounts;
    use byteshop_domain::account::Account;
    use byteshop_domain::{Actor, Subject};
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let sealed = shop.commands.vault().seal(Subject::from(ada.id), &"Ada").await.unwrap();
    let intent = Intent::new(Actor::System { name: "test".into() }, "account.erase", shop.commands.clock().new_id());
    let closed = shop.commands.run(&intent, |unit| async move {
        let mut account = unit.load::<Account>(ada.id).await?;
        accounts::erase(&unit, &mut account, false, accounts::grants::Revoke::Nothing).await
    });
    closed.await.unwrap();
    let text = serde_json::to_string(&sealed).unwrap();
    eventually("the process forgets them", || async {
        let opened = shop.commands.vault().open_json(&text).await.unwrap();
        (opened == "null").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_does_what_its_key_says_and_nothing_else() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let key_with = |scopes: Value| {
        let body = json!({"name": "Warehouse", "scopes": scopes});
        shop.post("/v1/admin/api-keys")
            .by(&admin)
            .key(&format!("make{}", body["scopes"].as_array().unwrap().len()))
            .json(body)
            .send()
    };
    key_with(json!([])).await.expect_problem(422, "api_key.no_scope");
    let everything = json!({"name": "All", "scopes": ["everything"]});
    shop.post("/v1/admin/api-keys").by(&admin).json(everything).send().await.expect_problem(422, "request.invalid");
    let made = key_with(json!(["stock:write"])).await.expect(201);
    let key = made.text("/key").to_owned();
    assert!(key.starts_with("bsk_"), "{key}");
    assert_eq!(key_with(json!(["stock:write"])).await.expect(201).text("/key"), key, "the first answer again");
    let (_, variant) = shop.product("K-1", 500, 5).await;
    let stock = format!("/v1/variants/{variant}/stock");
    let movement = json!({"type": "received", "quantity": 1});
    let moved = shop.post(&stock).by(&key).json(movement.clone()).send().await.expect(200);
    shop.get(&stock).by(&key).send().await.expect_problem(403, "auth.scope");
    shop.get("/v1/me").by(&key).send().await.expect_problem(403, "auth.forbidden");
    shop.post("/v1/admin/api-keys").by(&key).json(json!({})).send().await.expect_problem(403, "auth.forbidden");
    shop.get("/v1/products").by(&key).send().await.expect(200);
    let audit = shop.get("/v1/admin/audit?actor=service&limit=1").by(&admin).send().await.expect(200);
    assert_eq!(audit.text("/items/0/actor"), format!("service {}", made.id()));
    assert_eq!(audit.body["items"][0]["position"], moved.position());
    secrets::nowhere(&shop, &[&key]).await;
    let listed = shop.get("/v1/admin/api-keys").by(&admin).after(made.position());
    let listed = listed.send().await.expect(200);
    assert_eq!((listed.text("/items/0/name"), &listed.body["items"][0]["key"]), ("Warehouse", &Value::Null));
    let forged = format!("{}AAAA", &key[..key.len() - 4]);
    shop.get("/v1/products").by(&forged).send().await.expect_problem(401, "auth.invalid");
    let path = format!("/v1/admin/api-keys/{}", made.id());
    shop.delete(&path).by(&admin).send().await.expect(200);
    shop.delete(&path).by(&admin).send().await.expect(200);
    shop.post(&stock).by(&key).json(movement).send().await.expect_problem(401, "auth.invalid");
}
