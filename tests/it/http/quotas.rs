//! What guests may make the shop do and keep: checkouts, changes, receipts and mails.

use byteshop_domain::ids::{AccountId, Id as _};
use byteshop_domain::mailbox::UNPROVEN_MAX;
use byteshop_eventstore::Clock;
use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use chrono::TimeDelta;
use serde_json::json;

/// The receipts of callers; those of processes are others.
async fn receipts(shop: &TestShop) -> i64 {
    sqlx::query_scalar("select count(*) from log.receipt where who not like 'process %'")
        .fetch_one(shop.log.pool())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guests_cart_is_counted_by_the_address_whatever_token_is_shown_beside_it() {
    let shop = TestShop::start().limits(Limits::default().with_checkouts(2)).await;
    let (_, variant) = shop.product("QUOTA-1", 500, 50).await;
    let customer = shop.token(Role::Customer);
    let check_out = async |token: Option<&str>| {
        let cart = shop.full_cart(&variant, 1).await;
        let call = shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart);
        token
            .map_or(call, |token| shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).by(token))
            .send()
            .await
    };
    check_out(Some(&customer)).await.expect(201);
    check_out(None).await.expect(201);
    for token in [Some(customer.as_str()), None, Some(&shop.token(Role::Admin))] {
        check_out(token).await.expect_problem(429, "request.too_many");
    }
    // The cart of an account is counted by its own unpaid orders.
    let own = shop.post("/v1/carts").by(&customer).json(json!({"currency": "EUR"})).send().await.expect(201).id();
    let line = format!("/v1/carts/{own}/lines/{variant}");
    shop.put(&line).by(&customer).json(json!({"quantity": 1})).send().await.expect(200);
    let address = byteshop_tests::shop::address("DE");
    shop.put(&format!("/v1/carts/{own}/address")).by(&customer).json(address).send().await.expect(200);
    shop.post(&format!("/v1/carts/{own}/checkout")).by(&customer).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_have_a_quota_of_changes_apart_from_what_they_read() {
    let shop = TestShop::start().limits(Limits::default().with_guest_writes(3)).await;
    let customer = shop.token(Role::Customer);
    let new_cart = || shop.post("/v1/carts").json(json!({"currency": "EUR"}));
    let cart = shop.guest_cart().await;
    new_cart().send().await.expect(201);
    // A guest's cart is a guest's, with an access token beside its own.
    let empty = shop.delete(&format!("/v1/carts/{}/coupons", cart.id)).with(&cart).by(&customer);
    empty.send().await.expect(200);
    let refused = new_cart().send().await.expect_problem(429, "request.too_many");
    assert!(refused.header("retry-after").is_some());
    shop.delete(&format!("/v1/carts/{}", cart.id)).with(&cart).by(&customer).send().await.expect(429);
    // What a request says that it is makes it no call of gRPC.
    let disguised = shop.delete(&format!("/v1/carts/{}/coupons", cart.id)).with(&cart);
    disguised.header("Content-Type", "application/grpc").send().await.expect_problem(429, "request.too_many");
    // Reading goes on, and so does whoever acts for an account.
    shop.get(&format!("/v1/carts/{}", cart.id)).with(&cart).send().await.expect(200);
    shop.get("/v1/products").send().await.expect(200);
    for _ in 0..5 {
        new_cart().by(&customer).send().await;
    }
    new_cart().by(&customer).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_callers_expire_and_those_of_processes_stay() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("QUOTA-2", 500, 50).await;
    let admin = shop.token(Role::Admin);
    let cart = shop.guest_cart().await;
    let path = format!("/v1/carts/{}/lines/{variant}", cart.id);
    let set = || shop.put(&path).with(&cart).key("guest").json(json!({"quantity": 2})).send();
    let move_stock = || {
        let moved = json!({"type": "received", "quantity": 1});
        shop.post(&format!("/v1/variants/{variant}/stock")).by(&admin).key("staff").json(moved).send()
    };
    set().await.expect(200);
    move_stock().await.expect(200);
    shop.post("/v1/carts").key("nobody").json(json!({"currency": "EUR"})).send().await.expect(201);
    sqlx::query("insert into log.receipt values ('process settle_order', '1/x', '', null, null, '{}', now())")
        .execute(shop.log.pool())
        .await
        .unwrap();
    let now = Clock.now();
    let expire = async |at| shop.commands.delete_expired_receipts(at).await.unwrap();
    assert_eq!((expire(now).await, receipts(&shop).await), (0, 3));
    assert_eq!(set().await.header("idempotency-replayed"), Some("true"));
    // A guest's go first.
    assert_eq!((expire(now + TimeDelta::hours(2)).await, receipts(&shop).await), (2, 1));
    assert_eq!(move_stock().await.header("idempotency-replayed"), Some("true"));
    assert_eq!(set().await.expect(200).header("idempotency-replayed"), None);
    assert_eq!((expire(now + TimeDelta::days(2)).await, receipts(&shop).await), (2, 0));
    let kept: i64 = sqlx::query_scalar("select count(*) from log.receipt").fetch_one(shop.log.pool()).await.unwrap();
    assert_eq!(kept, 1, "the receipt of a process is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_receipts_are_deleted_in_parts() {
    let shop = TestShop::start().await;
    sqlx::query(
        "insert into log.receipt select 'cart:x', n::text, '', null, null, '{}', now(), now() from generate_series(1, 2500) n",
    )
    .execute(shop.log.pool())
    .await
    .unwrap();
    let later = Clock.now() + TimeDelta::minutes(1);
    assert_eq!(shop.log.delete_expired_receipts(later, 1_000).await.unwrap(), 1_000);
    assert_eq!(shop.commands.delete_expired_receipts(later).await.unwrap(), 1_500);
    assert_eq!(receipts(&shop).await, 0);
}

/// Puts variants of a new product into a cart; gives the last answer, and the one to the same request again.
async fn fill(
    shop: &TestShop,
    cart: &str,
    with: impl Fn(byteshop_tests::shop::Call) -> byteshop_tests::shop::Call,
) -> (Answer, Answer) {
    let admin = shop.token(Role::Admin);
    let variants: Vec<_> =
        (0..20).map(|n| json!({"sku": format!("{cart}-{n}"), "price": {"amount": 100, "currency": "EUR"}})).collect();
    let row = json!([{"title": "Thing", "variants": variants, "publish": true}]);
    let made = shop.post("/v1/products/bulk").by(&admin).json(row).send().await.expect(200);
    let product = shop.get(&format!("/v1/products/{}", made.text("/rows/0/id"))).send().await.expect(200);
    for variant in product.body["variants"].as_array().unwrap() {
        let id = variant["id"].as_str().unwrap();
        let stock = json!({"type": "received", "quantity": 5});
        shop.post(&format!("/v1/variants/{id}/stock")).by(&admin).json(stock).send().await.expect(200);
        let line = shop.put(&format!("/v1/carts/{cart}/lines/{id}")).json(json!({"quantity": 1}));
        with(line).send().await.expect(200);
    }
    let last = product.body["variants"][0]["id"].as_str().unwrap();
    let again =
        || with(shop.put(&format!("/v1/carts/{cart}/lines/{last}")).key("k").json(json!({"quantity": 2}))).send();
    (again().await.expect(200), again().await.expect(200))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_large_answer_to_the_public_only_the_outcome_is_kept() {
    let shop = TestShop::start().await;
    let cart = shop.guest_cart().await;
    let (first, again) = fill(&shop, &cart.id, |call| call.with(&cart)).await;
    assert!(first.body["lines"].as_array().unwrap().len() == 20 && first.body.to_string().len() > 4_096);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body["status"], "done");
    assert_eq!(first.header("etag"), again.header("etag"));
    assert!(again.header("log-position").is_some());
    let largest: i32 =
        sqlx::query_scalar("select max(length(response)) from log.receipt").fetch_one(shop.log.pool()).await.unwrap();
    assert!(largest < 4_300, "{largest}");

    // Anybody may have an account: its answers are kept like a guest's. Those of staff are kept whole.
    for (role, whole) in [(Role::Customer, false), (Role::Support, true)] {
        let token = shop.token(role);
        let own = shop.post("/v1/carts").by(&token).json(json!({"currency": "EUR"})).send().await.expect(201).id();
        let (first, again) = fill(&shop, &own, |call| call.by(&token)).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!((first.body == again.body, again.body["status"] == "done"), (whole, !whole), "{role:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_account_has_a_quota_of_changes_and_staff_and_programs_have_none() {
    let shop = TestShop::start().limits(Limits::default().with_account_writes(2)).await;
    let (customer, admin) = (shop.token(Role::Customer), shop.token(Role::Admin));
    let new_cart = |token: &str| shop.post("/v1/carts").by(token).json(json!({"currency": "EUR"})).send();
    new_cart(&customer).await.expect(201);
    new_cart(&customer).await.expect(200);
    let refused = new_cart(&customer).await.expect_problem(429, "request.too_many");
    assert!(refused.header("retry-after").is_some() && refused.text("/detail").contains("account-writes"));
    shop.get("/v1/me/cart").by(&customer).send().await.expect(200);
    new_cart(&shop.token(Role::Customer)).await.expect(201);
    let body = json!({"name": "Warehouse", "scopes": ["catalog:write"]});
    let key = shop.post("/v1/admin/api-keys").by(&admin).json(body).send().await.expect(201);
    for token in [admin.as_str(), key.text("/key")] {
        for number in 0..4 {
            let title = json!({"title": format!("Thing {number}")});
            shop.post("/v1/products").by(token).json(title).send().await.expect(201);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_who_lost_the_role_is_not_given_the_answers_of_before() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("QUOTA-3", 500, 50).await;
    let (placed, _) = shop.order(&variant, 1).await;
    let somebody = AccountId::from_uuid(Clock.new_id());
    let cancel = |role| {
        let path = format!("/v1/orders/{}/cancel", placed.text("/id"));
        shop.post(&path).by(&shop.token_of(role, somebody)).key("cancel-1").json(json!({})).send()
    };
    let first = cancel(Role::Support).await.expect(200);
    let again = cancel(Role::Support).await.expect(200);
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &first.body));
    let refused = cancel(Role::Customer).await.expect_problem(404, "order.missing");
    assert_eq!(refused.header("idempotency-replayed"), None);
}

/// The subjects of the mails to an address, the newest first.
async fn mails(shop: &TestShop, to: &str) -> Vec<String> {
    shop.at_rest().await;
    shop.log.kept(Some(to), 100).await.unwrap().into_iter().map(|mail| mail.subject).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_to_one_mailbox_are_counted_together_however_its_address_is_written() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("QUOTA-5", 500, 50).await;
    for email in ["r.ahel@gmail.com", "rahel+1@gmail.com", "Rahel@googlemail.com", "rahel+2@gmail.com"] {
        let cart = shop.full_cart(&variant, 1).await;
        let path = format!("/v1/carts/{}", cart.id);
        let mut to = byteshop_tests::shop::address("DE");
        to["email"] = email.into();
        shop.put(&format!("{path}/address")).with(&cart).json(to).send().await.expect(200);
        shop.post(&format!("{path}/checkout")).with(&cart).send().await.expect(201);
    }
    let admin = shop.token(Role::Admin);
    let notices = eventually("four notices", async || {
        let all = shop.get("/v1/admin/notifications?limit=100").by(&admin).send().await.expect(200);
        let items = all.body["items"].as_array().unwrap().clone();
        (items.len() == 4).then_some(items)
    })
    .await;
    let skipped = notices.iter().filter(|it| it["skip_reason"] == "too_many").count();
    assert_eq!(skipped, 4 - UNPROVEN_MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_gets_few_mails_about_unpaid_orders() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("QUOTA-4", 500, 50).await;
    let mut orders: Vec<(String, GuestCart)> = Vec::new();
    for _ in 0..10 {
        let (placed, cart) = shop.order(&variant, 1).await;
        orders.push((placed.text("/id").to_owned(), cart));
    }
    let told = async |count: usize| {
        eventually(&format!("{count} mails"), async || {
            (mails(&shop, "rahel@example.org").await.len() == count).then_some(())
        })
        .await;
    };
    told(UNPROVEN_MAX).await;
    let admin = shop.token(Role::Admin);
    let skipped = async || {
        let all = shop.get("/v1/admin/notifications?limit=100").by(&admin).send().await.expect(200);
        let items = all.body["items"].as_array().unwrap().clone();
        items.iter().filter(|it| it["skip_reason"] == "too_many").count()
    };
    eventually("the others are shown as skipped", async || (skipped().await == 7).then_some(())).await;
    // Whoever cancels knows that they did.
    for (order, cart) in &orders[..9] {
        shop.post(&format!("/v1/orders/{order}/cancel")).with(cart).json(json!({})).send().await.expect(200);
    }
    assert_eq!(mails(&shop, "rahel@example.org").await.len(), UNPROVEN_MAX);

    // Somebody pays: the mailbox is theirs.
    let (order, cart) = orders.last().unwrap();
    let token = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("/v1/orders/{order}/payments")).with(cart).json(token).send().await.expect(201);
    told(UNPROVEN_MAX + 1).await;
    for _ in 0..3 {
        shop.order(&variant, 1).await;
    }
    told(UNPROVEN_MAX + 4).await;
}
