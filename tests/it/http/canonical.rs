//! One form for what people write in several ways: addresses, passwords, codes and SKUs mean the same however they are typed.

use byteshop_domain::account::Event;
use byteshop_domain::ids::AccountId;
use byteshop_domain::name::{Command, NameKind, UniqueName, id};
use byteshop_domain::text::{Email, Label};
use byteshop_gateway::security::token::Role;
use byteshop_tests::past;
use byteshop_tests::people::PASSWORD;
use byteshop_tests::shop::{TestShop, address};
use serde_json::json;

/// The same mailbox, with its domain in Unicode, decomposed, in capitals and in the form of the DNS.
const SPELLINGS: [&str; 4] =
    ["ada@bücher.example", "ada@bu\u{308}cher.example", "Ada@BÜCHER.example", "ada@xn--bcher-kva.example"];

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_account_however_its_domain_is_written() {
    let shop = TestShop::start().await;
    for (number, registered) in SPELLINGS.into_iter().enumerate() {
        let email = registered.replace("da@", &format!("da{number}@"));
        let ada = shop.person(&email).await;
        for typed in SPELLINGS {
            let typed = typed.replace("da@", &format!("da{number}@"));
            let keys = shop.log_in(&typed, PASSWORD).await.expect(200);
            assert_eq!(keys.text("/account"), ada.id.to_string(), "{registered} {typed}");
            shop.register(&typed).await.expect(202);
            assert_eq!(shop.account_of(&typed).await, Some(ada.id), "{registered} {typed}");
        }
        let told = shop.events_of(ada.id).await;
        assert!(told.iter().any(|event| matches!(event, Event::RegistrationRepeated { .. })), "{registered}");
        // It is shown as it was typed, in composed letters.
        let me = shop.get("/v1/me").by(&ada.token).send().await.expect(200);
        assert_eq!(me.text("/email"), email.replace("u\u{308}", "ü"));
    }
}

/// Puts the name of an account where versions before canonical addresses had it.
async fn name_as_before(shop: &TestShop, account: AccountId, email: &str) {
    let today = shop.commands.email_name(&Email::new(email).unwrap()).await.unwrap().id;
    let text = Label::new(&shop.commands.vault().blind("email", &email.to_lowercase()).await.unwrap()).unwrap();
    let claim = Command::Claim { kind: NameKind::Email, text: text.clone(), owner: account.to_string() };
    let then = id(NameKind::Email, text.as_str());
    past::record::<UniqueName>(&shop.log, today, &[Command::Release {}]).await;
    past::record::<UniqueName>(&shop.log, then, &[claim]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_from_before_addresses_had_one_form_keeps_its_address() {
    let shop = TestShop::start().await;
    let email = SPELLINGS[0];
    let ada = shop.person(email).await;
    name_as_before(&shop, ada.id, email).await;
    for typed in SPELLINGS {
        let keys = shop.log_in(typed, PASSWORD).await.expect(200);
        assert_eq!(keys.text("/account"), ada.id.to_string(), "{typed}");
        shop.register(typed).await.expect(202);
        assert_eq!(shop.account_of(typed).await, Some(ada.id), "nobody else gets it: {typed}");
    }
    // Once its owner has another address, it is free in every form.
    let change = json!({"email": "ada@example.org", "password": PASSWORD});
    shop.post("/v1/me/email").by(&ada.token).json(change).send().await.expect(202);
    let code = shop.new_email_code(ada.id).await.unwrap();
    shop.post("/v1/me/email/confirm").by(&ada.token).json(json!({"code": code})).send().await.expect(204);
    assert_eq!(shop.account_of(email).await, None);
    let berta = shop.person(SPELLINGS[3]).await;
    assert!(berta.id != ada.id && shop.account_of(email).await == Some(berta.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_from_before_are_each_found_by_their_own_spelling() {
    let shop = TestShop::start().await;
    let (unicode, ascii) = (SPELLINGS[0], SPELLINGS[3]);
    let ada = shop.person(unicode).await;
    name_as_before(&shop, ada.id, unicode).await;
    // As if the other had been registered in those days too.
    let berta = shop.person("berta@example.org").await;
    let name = shop.commands.email_name(&Email::new(ascii).unwrap()).await.unwrap();
    let claim = Command::Claim { kind: NameKind::Email, text: name.text.clone(), owner: berta.id.to_string() };
    past::record::<UniqueName>(&shop.log, name.id, &[claim]).await;
    assert_eq!((shop.account_of(unicode).await, shop.account_of(ascii).await), (Some(ada.id), Some(berta.id)));
    // One who leaves takes nobody else's name along.
    shop.delete("/v1/me").by(&ada.token).json(json!({"password": PASSWORD})).send().await.expect(204);
    assert_eq!(shop.account_of(unicode).await, Some(berta.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_the_same_composed_and_decomposed() {
    let shop = TestShop::start().await;
    let (composed, decomposed) = ("p\u{e4}ssw\u{f6}rd-long", "pa\u{308}sswo\u{308}rd-long");
    let body = json!({"email": "ada@example.org", "password": composed});
    shop.post("/v1/auth/register").json(body).send().await.expect(202);
    let code = shop.confirmation_code("ada@example.org").await.unwrap();
    shop.post("/v1/auth/confirm").json(json!({"code": code})).send().await.expect(204);
    for password in [composed, decomposed] {
        shop.log_in("ada@example.org", password).await.expect(200);
    }
    shop.log_in("ada@example.org", "passwo\u{308}rd-long").await.expect_problem(401, "auth.wrong_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mailbox_is_one_customer_and_one_guest_however_it_is_written() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("CANON-1", 1_000, 50).await;
    let once = json!({"code": "ONCE-ONLY", "label": "Less", "limits": {"per_customer": 1},
        "benefit": {"kind": "percent", "percent_bps": 1000}});
    shop.post("/v1/admin/promotions").by(&shop.token(Role::Admin)).json(once).send().await.expect(201);
    let buy = async |email: &str, code: &str| {
        let cart = shop.full_cart(&variant, 1).await;
        let path = format!("/v1/carts/{}", cart.id);
        let mut to = address("DE");
        to["email"] = email.into();
        shop.put(&format!("{path}/address")).with(&cart).json(to).send().await.expect(200);
        // A mail program made a typographic hyphen of it, and a keyboard wide letters.
        shop.put(&format!("{path}/coupons")).with(&cart).json(json!({"coupons": [code]})).send().await.expect(200);
        shop.post(&format!("{path}/checkout")).with(&cart).send().await
    };
    buy(SPELLINGS[0], "once\u{2011}only").await.expect(201);
    buy(SPELLINGS[3], "ＯＮＣＥ－ＯＮＬＹ").await.expect_problem(409, "cart.coupon_used_up");
    for (first, again) in [("berta+1@example.org", "Berta@example.org"), ("c.d@gmail.com", "cd+x@googlemail.com")] {
        buy(first, "once-only").await.expect(201);
        buy(again, "once-only").await.expect_problem(409, "cart.coupon_used_up");
    }
    let head = shop.at_rest().await.to_string();
    for typed in SPELLINGS {
        let staff = shop.token(Role::Support);
        let found = shop.get(&format!("/v1/orders?email={typed}")).by(&staff).header("Min-Log-Position", &head);
        let found = found.send().await.expect(200);
        assert_eq!(found.body["items"].as_array().unwrap().len(), 1, "{typed}: {}", found.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sku_is_taken_in_every_form() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    shop.product("CAFE\u{301}-1", 500, 1).await;
    let made = shop.post("/v1/products").by(&admin).json(json!({"title": "Other"})).send().await.expect(201);
    let path = format!("/v1/products/{}/variants", made.id());
    for sku in ["CAF\u{c9}-1", "CAFE\u{301}-1"] {
        let variant = json!({"sku": sku, "price": {"amount": 500, "currency": "EUR"}});
        shop.post(&path).by(&admin).json(variant).send().await.expect_problem(409, "name.taken");
    }
    let held = shop.commands.get::<UniqueName>(id(NameKind::Sku, "CAF\u{c9}-1")).await.unwrap();
    assert!(held.is_some_and(|name| matches!(*name.state, UniqueName::Held { .. })));
}
