//! Carts: one of an account, a guest's put into it, their end, and sums that do not fit.

use super::*;

async fn mine(shop: &TestShop, token: &str) -> Answer {
    shop.get("/v1/me/cart").by(token).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_one_open_cart_in_each_currency() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("B-1", 500, 50).await;
    let anna = shop.token(Role::Customer);
    mine(&shop, &anna).await.expect_problem(404, "cart.missing");
    let make = |currency: &str| shop.post("/v1/carts").by(&anna).json(json!({"currency": currency})).send();
    let first = make("EUR").await.expect(201);
    assert_eq!(make("EUR").await.expect(200).id(), first.id());
    assert_eq!(mine(&shop, &anna).await.expect(200).id(), first.id());
    let path = format!("/v1/carts/{}", first.id());
    let line = format!("{path}/lines/{variant}");
    shop.put(&line).by(&anna).json(json!({"quantity": 1})).send().await.expect(200);
    shop.put(&format!("{path}/address")).by(&anna).json(to("DE")).send().await.expect(200);
    shop.post(&format!("{path}/checkout")).by(&anna).send().await.expect(201);
    mine(&shop, &anna).await.expect_problem(404, "cart.missing");
    let second = make("EUR").await.expect(201);
    assert_ne!(second.id(), first.id());
    // In another currency it is another cart.
    let pounds = make("GBP").await.expect(201);
    assert_eq!(mine(&shop, &anna).await.expect(200).id(), pounds.id());
    // The first one is there when it is asked for again.
    for (currency, cart) in [("EUR", &second), ("GBP", &pounds), ("EUR", &second), ("EUR", &second)] {
        assert_eq!(make(currency).await.expect(200).id(), cart.id());
        assert_eq!(mine(&shop, &anna).await.expect(200).id(), cart.id());
    }
    // A guest's cart goes into the one in its currency, and that one is found then.
    assert_eq!(make("GBP").await.expect(200).id(), pounds.id());
    let guest = shop.full_cart(&variant, 3).await;
    let merge = shop.post(&format!("/v1/carts/{}/merge", guest.id)).by(&anna).with(&guest);
    assert_eq!(merge.send().await.expect(200).id(), second.id());
    assert_eq!(mine(&shop, &anna).await.expect(200).id(), second.id());
    let own = format!("/v1/carts/{}", second.id());
    shop.delete(&own).by(&anna).send().await.expect(204);
    let third = make("EUR").await.expect(201);
    assert_eq!(make("GBP").await.expect(200).id(), pounds.id());
    assert_eq!(make("EUR").await.expect(200).id(), third.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_make_one_cart() {
    let shop = TestShop::start().await;
    let anna = shop.token(Role::Customer);
    let cart = |_| shop.post("/v1/carts").by(&anna).json(json!({"currency": "EUR"})).send();
    let made = futures_util::future::join_all((0..20).map(cart)).await;
    let ids: std::collections::BTreeSet<_> = made.iter().map(Answer::id).collect();
    assert_eq!((ids.len(), made.iter().filter(|it| it.status == 201).count()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guests_cart_is_put_into_the_accounts_once() {
    let shop = TestShop::start().await;
    let (_, one) = shop.product("B-2", 500, 50).await;
    let (_, two) = shop.product("B-3", 300, 50).await;
    promotion(&shop, json!({"code": "MERGED"})).await;
    let anna = shop.token(Role::Customer);
    let made = shop.post("/v1/carts").by(&anna).json(json!({"currency": "EUR"})).send().await.expect(201);
    let line = format!("/v1/carts/{}/lines/{one}", made.id());
    shop.put(&line).by(&anna).json(json!({"quantity": 2})).send().await.expect(200);
    let guest = shop.full_cart(&one, 3).await;
    let line = format!("/v1/carts/{}/lines/{two}", guest.id);
    shop.put(&line).with(&guest).json(json!({"quantity": 1})).send().await.expect(200);
    enter(&shop, &guest, "MERGED").await.expect(200);
    let merge = |token: &str, guest: &GuestCart| {
        shop.post(&format!("/v1/carts/{}/merge", guest.id)).by(token).with(guest).send()
    };
    let merged = merge(&anna, &guest).await.expect(200);
    assert_eq!((merged.id(), &merged.body["coupons"]), (made.id(), &json!(["MERGED"])));
    let told: Vec<_> = merged.body["lines"].as_array().unwrap().iter().map(|it| it["quantity"].as_i64()).collect();
    assert_eq!(told, [Some(5), Some(1)]);
    // Again, nothing happens.
    let again = merge(&anna, &guest).await.expect(200);
    assert_eq!((&again.body["lines"], again.header("etag")), (&merged.body["lines"], merged.header("etag")));
    let gone = look(&shop, &guest).await;
    assert_eq!(gone.text("/merged_into"), made.id());
    let line = format!("/v1/carts/{}/lines/{two}", guest.id);
    let late = shop.put(&line).with(&guest).json(json!({"quantity": 2})).send().await;
    late.expect_problem(409, "cart.merged");
    check_out(&shop, &guest).await.expect_problem(409, "cart.merged");
    // Nobody else gets at it, and nobody takes what they cannot open.
    merge(&shop.token(Role::Customer), &guest).await.expect_problem(404, "cart.missing");
    let other = shop.full_cart(&one, 1).await;
    let path = format!("/v1/carts/{}/merge", other.id);
    shop.post(&path).by(&anna).send().await.expect_problem(404, "cart.missing");
    shop.post(&path).by(&anna).with(&guest).send().await.expect_problem(404, "cart.missing");
    shop.post(&path).with(&other).send().await.expect_problem(401, "auth.missing");
    // Who has no cart gets one with it.
    let berta = shop.token(Role::Customer);
    let merged = merge(&berta, &other).await.expect(200);
    assert_eq!(mine(&shop, &berta).await.expect(200).id(), merged.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_shows_what_is_today() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("B-4", 500, 5).await;
    let cart = shop.full_cart(&variant, 2).await;
    let seen = look(&shop, &cart).await;
    let line = &seen.body["lines"][0];
    assert_eq!((&line["unit_price"], &line["seen_price"], &line["available"]), (&euro(500), &Value::Null, &json!(5)));
    assert!(seen.text("/expires_at") > "2026");
    let admin = shop.token(Role::Admin);
    let path = format!("/v1/products/{product}/variants/{variant}");
    shop.patch(&path).by(&admin).json(json!({"price": euro(700)})).send().await.expect(200);
    let dearer = look(&shop, &cart).await;
    assert_eq!((problems(&dearer), amount(&dearer, "/total")), (vec!["price_changed".to_owned()], 1_400));
    let (line, problem) = (&dearer.body["lines"][0], &dearer.body["problems"][0]);
    assert_eq!([&line["unit_price"], &line["seen_price"], &line["amount"]], [&euro(700), &euro(500), &euro(1_400)]);
    assert_eq!([&problem["now"], &problem["was"]], [&line["unit_price"], &line["seen_price"]]);
    let set = format!("/v1/carts/{}/lines/{variant}", cart.id);
    shop.put(&set).with(&cart).json(json!({"quantity": 2})).send().await.expect(200);
    let taken = look(&shop, &cart).await;
    assert_eq!((problems(&taken), &taken.body["lines"][0]["seen_price"]), (vec![], &Value::Null));
    shop.patch(&path).by(&admin).json(json!({"price": euro(600)})).send().await.expect(200);
    check_out(&shop, &cart).await.expect_problem(409, "cart.price_changed");
    shop.post(&format!("/v1/products/{product}/unpublish")).by(&admin).send().await.expect(200);
    let gone = look(&shop, &cart).await;
    assert_eq!((problems(&gone), amount(&gone, "/lines/0/unit_price")), (vec!["unavailable".to_owned()], 600));
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_that_do_not_fit_are_refused() {
    let shop = TestShop::start().await;
    let most = byteshop_domain::money::PRICE_MAX;
    let cart = shop.guest_cart().await;
    let mut refused = None;
    for number in 0..11 {
        let (_, variant) = shop.product(&format!("DEAR-{number}"), most, 1_000_000).await;
        let line = format!("/v1/carts/{}/lines/{variant}", cart.id);
        let answer = shop.put(&line).with(&cart).json(json!({"quantity": 1_000_000})).send().await;
        assert!(answer.status < 500, "{}", answer.body);
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    refused.unwrap().expect_problem(422, "cart.too_expensive");
    // The tax on top of what only just fits does not.
    tax(&shop, json!([germany(false)])).await.expect(200);
    let address = format!("/v1/carts/{}/address", cart.id);
    let dear = shop.put(&address).with(&cart).json(to("DE")).send().await;
    assert!(dear.status == 422 || dear.status == 200, "{}", dear.body);
    let placed = check_out(&shop, &cart).await;
    assert_eq!(placed.status, 422, "{}", placed.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_nobody_changes_is_given_up() {
    use byteshop_commands::Intent;
    use byteshop_commands::use_cases::carts;
    use byteshop_domain::cart::LIFETIME_DAYS;
    use byteshop_domain::ids::{AccountId, Id as _};
    use byteshop_domain::{Actor, Currency};
    use byteshop_eventstore::Clock;
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("B-5", 500, 50).await;
    let month = i64::from(LIFETIME_DAYS);
    let made = async |days: i64| {
        let account = AccountId::from_uuid(Clock.new_id());
        let actor = Actor::Customer { id: account };
        let occurred_at = Some(Clock.now() - chrono::TimeDelta::days(days));
        let intent = Intent { occurred_at, ..Intent::new(actor, "cart.create", Clock.new_id()) };
        let make = |unit: byteshop_commands::Unit| async move {
            let (cart, _) = carts::open_cart(&unit, account, Currency::EUR, LIFETIME_DAYS).await?;
            Ok(cart.id.to_string())
        };
        let id = shop.commands.run(&intent, make).await.unwrap().answer;
        (format!("/v1/carts/{id}"), shop.token_of(Role::Customer, account))
    };
    let line = |cart: &str, who: &str| {
        shop.put(&format!("{cart}/lines/{variant}")).by(who).json(json!({"quantity": 1})).send()
    };
    let (old, anna) = made(month).await;
    shop.get(&old).by(&anna).send().await.expect_problem(404, "cart.expired");
    shop.get(&old).by(&shop.token(Role::Customer)).send().await.expect_problem(404, "cart.missing");
    line(&old, &anna).await.expect_problem(404, "cart.expired");
    shop.post(&format!("{old}/checkout")).by(&anna).send().await.expect_problem(404, "cart.expired");
    // A change in the second half of its time puts the end off.
    let (late, berta) = made(month - 1).await;
    let ends = shop.get(&late).by(&berta).send().await.expect(200).text("/expires_at").to_owned();
    let changed = line(&late, &berta).await.expect(200);
    assert!(changed.text("/expires_at") > ends.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_names_an_address_of_their_book_and_nobody_else_does() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("B-9", 500, 9).await;
    let [ada, berta] = [shop.person("ada@example.org").await, shop.person("berta@example.org").await];
    let keep = |token: &str, address: Value| shop.post("/v1/me/addresses").by(token).json(address).send();
    let kept = keep(&ada.token, to("DE")).await.expect(201).id();
    let hers = keep(&berta.token, to("FR")).await.expect(201).id();
    let made = shop.post("/v1/carts").by(&ada.token).json(json!({"currency": "EUR"})).send().await.expect(201);
    let cart = format!("/v1/carts/{}", made.id());
    let line = shop.put(&format!("{cart}/lines/{variant}")).by(&ada.token).json(json!({"quantity": 1}));
    line.send().await.expect(200);
    let send_to = |body: Value| shop.put(&format!("{cart}/address")).by(&ada.token).json(body).send();
    let by_id = |id: &str| json!({"address": id});
    assert_eq!(send_to(by_id(&kept)).await.expect(200).body["address"], to("DE"));
    // What the cart has is what stood there then, and the order has what the cart has.
    let changed = shop.put(&format!("/v1/me/addresses/{kept}")).by(&ada.token).json(to("AT"));
    changed.send().await.expect(200);
    shop.delete(&format!("/v1/me/addresses/{kept}")).by(&ada.token).send().await.expect(204);
    for wrong in [&kept, &hers, "addr_00000000000000000000000001"] {
        let refused = send_to(by_id(wrong)).await.expect_problem(422, "address.missing");
        assert_eq!(refused.body["errors"][0]["pointer"], "/address");
    }
    for (body, pointer) in [
        (json!({"address": kept, "country": "DE"}), "/address"),
        (json!({"address": kept, "lines": ["Mauerstraße 36"]}), "/address"),
        (json!({"address": "acc_00000000000000000000000001"}), "/address"),
        (json!({"address": null}), "/country"),
        (json!({}), "/country"),
        (json!({"city": "Berlin"}), "/country"),
    ] {
        let refused = send_to(body.clone()).await.expect_problem(422, "request.invalid");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    let placed = shop.post(&format!("{cart}/checkout")).by(&ada.token).send().await.expect(201);
    assert_eq!(placed.body["address"], to("DE"));
    // A guest has no address book, and staff that looks after a cart does not get at one.
    let guest = shop.full_cart(&variant, 1).await;
    let path = format!("/v1/carts/{}/address", guest.id);
    shop.put(&path).with(&guest).json(by_id(&hers)).send().await.expect_problem(422, "address.missing");
    let both = shop.put(&path).with(&guest).by(&berta.token).json(by_id(&hers)).send().await;
    both.expect_problem(422, "address.missing");
}
