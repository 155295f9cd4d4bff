//! What is known of people: sealed wherever it is stored, shown to whom it concerns, and gone when it is erased.

use byteshop_domain::Subject;
use byteshop_domain::ids::{CartId, Id as _};
use byteshop_eventstore::{Clock, DataKeys, Log, SealError, StoreError, Vault, rotate};
use byteshop_gateway::security::token::Role;
use byteshop_tests::servers::fresh_database;
use byteshop_tests::shop::TestShop;
use serde_json::{Value, json};

/// A text that may be nowhere but on the way to who may see it.
const SECRET: &str = "Unverwechselbar";

fn subject(cart: &str) -> Subject {
    Subject(cart.parse::<CartId>().unwrap().uuid())
}

/// Everything that Postgres keeps of a shop, as text; but for the mail that development keeps in order to show it.
async fn dump(shop: &TestShop) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('log', 'read')
         and tablename <> 'kept_message'",
    )
    .fetch_all(shop.log.pool())
    .await
    .unwrap();
    let mut all = String::new();
    for table in tables {
        let statement = format!("select coalesce(string_agg(t::text, E'\\n'), '') from {table} t");
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(shop.log.pool()).await.unwrap();
        all.push_str(&text);
    }
    all
}

fn address() -> Value {
    json!({"country": "GB", "name": format!("Ada {SECRET}"), "email": "ada.unverwechselbar@example.org",
        "lines": [format!("1 {SECRET} Road")], "postal_code": "SW1A 1AA", "city": "London"})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_sealed_at_rest_and_open_to_its_owner() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("SEALED-1", 500, 5).await;
    let cart = shop.full_cart(&variant, 1).await;
    let path = format!("/v1/carts/{}", cart.id);
    let put = || shop.put(&format!("{path}/address")).with(&cart).key("address").json(address());
    let first = put().send().await.expect(200);
    assert_eq!(first.body["address"], address());
    // The first answer again, from a receipt that holds it sealed.
    let again = put().send().await.expect(200);
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &first.body));
    let placed = shop.post(&format!("{path}/checkout")).with(&cart).send().await.expect(201);
    assert_eq!(placed.body["address"], address());
    let order = format!("/v1/orders/{}", placed.text("/id"));
    assert_eq!(shop.get(&order).with(&cart).send().await.expect(200).body["address"], address());

    let stored = dump(&shop).await.to_lowercase();
    assert!(stored.contains("$sealed") && stored.contains("\"gb\""), "the dump holds the events");
    for secret in [SECRET, "SW1A 1AA", "London"] {
        assert!(!stored.contains(&secret.to_lowercase()), "{secret} lies about in the clear");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_forgotten_is_shown_to_nobody_and_kept_no_more() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("SEALED-2", 500, 5).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let order = format!("/v1/orders/{}", placed.text("/id"));
    assert_eq!(shop.get(&order).with(&cart).send().await.expect(200).body["address"]["city"], "Berlin");
    let open = shop.full_cart(&variant, 1).await;

    let vault = shop.commands.vault();
    assert!(vault.erase(subject(&cart.id)).await.unwrap());
    assert!(!vault.erase(subject(&cart.id)).await.unwrap(), "it was so already");
    let shown = shop.get(&order).with(&cart).send().await.expect(200);
    assert_eq!(shown.body["address"], Value::Null);
    assert_eq!(shown.body["total"]["amount"], 500, "the order itself stays");
    let other = shop.get(&format!("/v1/carts/{}", open.id)).with(&open).send().await.expect(200);
    assert_eq!(other.body["address"]["city"], "Berlin", "other people are not concerned");

    assert!(vault.erase(subject(&open.id)).await.unwrap());
    let address = shop.put(&format!("/v1/carts/{}/address", open.id)).with(&open).json(address());
    address.send().await.expect_problem(409, "account.erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_buyer_says_of_a_return_is_between_them_and_staff() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("SEALED-3", 500, 5).await;
    let (placed, cart) = shop.order(&variant, 2).await;
    let order = format!("/v1/orders/{}", placed.text("/id"));
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{order}/payments")).with(&cart).json(pay).send().await.expect(201);
    shop.at_rest().await;
    shop.post(&format!("{order}/fulfil")).by(&staff).send().await.expect(200);
    let ask = |comment: Value| {
        let body = json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "damaged", "comment": comment});
        shop.post(&format!("{order}/returns")).with(&cart).json(body).send()
    };
    for wrong in [json!(""), json!("x".repeat(2_001)), json!("a\u{0}b"), json!(7)] {
        let refused = ask(wrong).await.expect_problem(422, "request.invalid");
        assert_eq!(refused.body["errors"][0]["pointer"], "/comment");
    }
    let said = format!("The handle came off.\nMy daughter {SECRET} cut herself.");
    let asked = ask(json!(said)).await.expect(201);
    assert_eq!(asked.body["comment"], said);
    assert_eq!(ask(Value::Null).await.expect(201).body["comment"], Value::Null);
    let path = format!("/v1/returns/{}", asked.id());
    for call in [shop.get(&path).with(&cart), shop.get(&path).by(&staff)] {
        assert_eq!(call.send().await.expect(200).body["comment"], said);
    }
    let listed = shop.get(&format!("{order}/returns")).by(&staff).send().await.expect(200);
    assert_eq!(listed.body["items"][0]["comment"], said);
    shop.get(&path).by(&shop.token(Role::Customer)).send().await.expect_problem(404, "return.missing");
    let story = shop.get(&format!("{order}/history")).with(&cart).send().await.expect(200);
    assert!(!story.body["story"].to_string().contains(SECRET), "{}", story.body);
    shop.at_rest().await;
    assert!(!dump(&shop).await.contains(SECRET), "it lies about in the clear");

    assert!(shop.commands.vault().erase(subject(&cart.id)).await.unwrap());
    assert_eq!(shop.get(&path).by(&staff).send().await.expect(200).body["comment"], Value::Null);
    ask(json!("once more")).await.expect_problem(409, "account.erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_wrapped_anew_and_names_stay_the_same() {
    let (ada, [old, new]) = (Subject(Clock.new_id()), [[1; 32], [2; 32]]);
    let fresh = Log::open(&fresh_database().await).unwrap();
    fresh.migrate().await.unwrap();
    let vault = |keys| Vault::new(fresh.clone(), keys);
    let before = vault(DataKeys::new(old, &[]));
    let sealed = before.seal(ada, &SECRET.to_owned()).await.unwrap();
    let name = before.blind("email", "ada@example.org").await.unwrap();

    let keys = DataKeys::new(new, &[old]);
    let rotated = rotate::rotate_given(&fresh, &keys).await.unwrap();
    assert_eq!(rotated.rewrapped, 2, "Ada's key, and the one of names");
    assert_eq!(rotate::rotate_given(&fresh, &keys).await.unwrap().rewrapped, 0);
    let after = vault(DataKeys::new(new, &[]));
    assert_eq!(after.open(&sealed).await.unwrap().as_deref(), Some(SECRET));
    assert_eq!(after.blind("email", "ada@example.org").await.unwrap(), name);
    let refused = vault(DataKeys::new(old, &[])).check().await.unwrap_err();
    assert!(matches!(refused, StoreError::Seal(SealError::OtherDataKey(_))), "{refused}");
}
