//! Forgetting a guest: by themselves or by staff, when nothing waits for their address, and then everywhere.

use byteshop_commands::Intent;
use byteshop_commands::use_cases::accounts::forget_buyer;
use byteshop_commands::use_cases::carts;
use byteshop_domain::cart::Cart;
use byteshop_domain::ids::{CartId, OrderId};
use byteshop_domain::order::{CancelReason, Order};
use byteshop_domain::{Actor, Subject};
use byteshop_eventstore::Clock;
use byteshop_gateway::security::token::Role;
use byteshop_projections::replay::Replay;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{GuestCart, TestShop};
use serde_json::{Value, json};

use super::closing::erase;

fn address() -> Value {
    json!({"country": "DE", "name": "Rahel Unverwechselbar", "email": "rahel@example.org",
        "lines": ["Mauerstraße 36"], "postal_code": "10117", "city": "Berlin"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_forgotten_when_their_order_has_arrived() {
    let shop = TestShop::start().await;
    let (staff, admin) = (shop.token(Role::Support), shop.token(Role::Admin));
    let (_, variant) = shop.product("GUEST-1", 500, 9).await;
    let guest = shop.full_cart(&variant, 1).await;
    let other = shop.full_cart(&variant, 1).await;
    let path = format!("/v1/carts/{}", guest.id);
    shop.put(&format!("{path}/address")).with(&guest).json(address()).send().await.expect(200);
    let placed = shop.post(&format!("{path}/checkout")).with(&guest).send().await.expect(201);
    let order = format!("/v1/orders/{}", placed.text("/id"));
    let buyer = format!("{order}/buyer");
    let card = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{order}/payments")).with(&guest).json(card).send().await.expect(201);
    shop.at_rest().await;

    shop.delete(&buyer).with(&other).send().await.expect_problem(404, "order.missing");
    shop.delete(&buyer).with(&guest).send().await.expect_problem(409, "order.under_way");
    shop.delete(&buyer).by(&staff).send().await.expect_problem(409, "order.under_way");
    shop.delete(&format!("{buyer}?force=true")).by(&staff).send().await.expect_problem(403, "auth.forbidden");
    shop.delete(&format!("{buyer}?force=true")).with(&guest).send().await.expect_problem(403, "auth.forbidden");
    let program = json!({"name": "Program", "scopes": ["orders:write"]});
    let key = shop.post("/v1/admin/api-keys").by(&admin).json(program).send().await.expect(201);
    let by_key = shop.delete(&format!("{buyer}?force=true")).by(key.text("/key")).send().await;
    by_key.expect_problem(403, "auth.forbidden");
    shop.post(&format!("{order}/fulfil")).by(&staff).send().await.expect(200);
    let search = async || shop.get("/v1/orders?email=rahel@example.org").by(&staff).send().await.expect(200).body;
    // Whoever makes a cart has the hash of any address made, so nobody is shown one.
    for path in [format!("{order}/history"), "/v1/admin/audit".to_owned()] {
        let told = shop.get(&path).by(&admin).send().await.expect(200).body.to_string();
        assert!(told.contains("destination") && !told.contains("email_hash"), "{path}: {told}");
    }
    eventually("it is found", async || (search().await["items"].as_array()?.len() == 1).then_some(())).await;

    for _ in 0..2 {
        shop.delete(&buyer).with(&guest).key("once").send().await.expect(204);
    }
    shop.delete(&buyer).with(&guest).send().await.expect(204);
    shop.at_rest().await;
    eventually("it is found no more", async || search().await["items"].as_array()?.is_empty().then_some(())).await;
    let papers = ["/history", "/invoice", "/packing-list"].map(|paper| format!("{order}{paper}"));
    for path in papers.into_iter().chain([order, "/v1/admin/notifications".to_owned()]) {
        let shown = shop.get(&path).by(&admin).send().await.expect(200).body.to_string();
        for trace in ["Unverwechselbar", "rahel@", "Mauerstra"] {
            assert!(!shown.contains(trace), "{path} shows {trace}: {shown}");
        }
    }
    let events = shop.log.read_log(0, 10_000).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.event_type == "buyer_forgotten").count(), 1, "twice is once");
    let report = shop.views.replay("order_email", Replay::Check, &|_| {}).await.unwrap();
    assert_eq!(report.different, 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_named_by_their_cart_in_everything_that_they_do_with_their_order() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("GUEST-9", 500, 9).await;
    let pay = async |order: &str, guest: &GuestCart, token: &str| {
        let card = json!({"provider": "test", "token": token});
        shop.post(&format!("{order}/payments")).with(guest).json(card).send().await.expect(201);
        shop.at_rest().await;
    };
    let post = async |path: &str, guest: &GuestCart, body: Value| {
        shop.post(path).with(guest).json(body).send().await.expect(if path.ends_with("returns") { 201 } else { 200 })
    };
    // Bought, sent and nearly sent back.
    let (placed, buyer) = shop.order(&variant, 2).await;
    let bought = format!("/v1/orders/{}", placed.text("/id"));
    pay(&bought, &buyer, "tok_declined").await;
    pay(&bought, &buyer, "tok_success").await;
    shop.post(&format!("{bought}/fulfil")).by(&staff).send().await.expect(200);
    let back = json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "damaged"});
    let back = post(&format!("{bought}/returns"), &buyer, back).await.id();
    post(&format!("/v1/returns/{back}/withdraw"), &buyer, json!({})).await;
    shop.delete(&format!("{bought}/buyer")).with(&buyer).send().await.expect(204);
    // Left at the payment.
    let (placed, leaver) = shop.order(&variant, 1).await;
    post(&format!("/v1/payments/{}/cancel", placed.text("/payment")), &leaver, json!({})).await;
    shop.at_rest().await;
    // Cancelled, and wanted again.
    let (placed, doubter) = shop.order(&variant, 1).await;
    let cancelled = format!("/v1/orders/{}", placed.text("/id"));
    post(&format!("{cancelled}/cancel"), &doubter, json!({})).await;
    post(&format!("{cancelled}/cart"), &doubter, json!({})).await;

    let mut done: Vec<(String, String)> = Vec::new();
    for event in shop.log.read_log(0, 10_000).await.unwrap() {
        let meta = event.meta().unwrap();
        match meta.actor {
            Actor::Guest { cart: Some(cart) } => done.push((meta.command, cart.to_string())),
            // The cart does not exist before this.
            Actor::Guest { cart: None } => assert_eq!(meta.command, "cart.create"),
            _ => {}
        }
    }
    for (command, guest) in [
        ("payment.pay", &buyer),
        ("return.request", &buyer),
        ("return.withdraw", &buyer),
        ("order.forget_buyer", &buyer),
        ("payment.cancel", &leaver),
        ("order.cancel", &doubter),
        ("order.move_to_cart", &doubter),
    ] {
        let by: Vec<&String> = done.iter().filter(|(done, _)| done == command).map(|(_, by)| by).collect();
        assert!(!by.is_empty() && by.iter().all(|by| **by == guest.id), "{command} by {by:?}");
    }
    let story = shop.get(&format!("{bought}/history")).by(&staff).send().await.expect(200);
    let tried = story.body["items"].as_array().unwrap().iter().filter(|event| event["type"] == "payment.attempted");
    let actors: Vec<&Value> = tried.map(|event| &event["actor"]).collect();
    assert_eq!(actors, [&json!(format!("guest {}", buyer.id)); 2]);
}

/// A guest's order of two pieces, and their token.
async fn order_of(shop: &TestShop, variant: &str, paid: bool) -> (String, GuestCart) {
    let guest = shop.full_cart(variant, 2).await;
    let path = format!("/v1/carts/{}", guest.id);
    shop.put(&format!("{path}/address")).with(&guest).json(address()).send().await.expect(200);
    let placed = shop.post(&format!("{path}/checkout")).with(&guest).send().await.expect(201);
    let id = placed.text("/id").to_owned();
    if paid {
        let card = json!({"provider": "test", "token": "tok_success"});
        shop.post(&format!("/v1/orders/{id}/payments")).with(&guest).json(card).send().await.expect(201);
    }
    shop.at_rest().await;
    (id, guest)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_the_shop_forgets_an_address_with_all_its_guests() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (_, variant) = shop.product("GUEST-2", 500, 9).await;
    let (unpaid, _) = order_of(&shop, &variant, false).await;
    let (paid, _) = order_of(&shop, &variant, true).await;
    let see = async |id: &str| shop.get(&format!("/v1/orders/{id}")).by(&admin).send().await.expect(200).body;

    let (done, said) = erase(&shop, &["RAHEL@example.org"]);
    assert!(!done && said.contains(&unpaid) && said.contains(&paid) && said.contains("--yes"), "{said}");
    let (done, said) = erase(&shop, &[&paid, "--yes"]);
    assert!(!done && said.contains("--force") && said.contains("not delivered yet"), "{said}");
    assert_eq!(see(&paid).await["address"]["name"], "Rahel Unverwechselbar", "nothing is half done");
    let (done, said) = erase(&shop, &["rahel@example.org", "--yes", "--force"]);
    assert!(done && said.matches("is cancelled").count() == 2 && said.matches("is erased").count() == 2, "{said}");
    shop.at_rest().await;
    for id in [&unpaid, &paid] {
        let order = see(id).await;
        assert_eq!((&order["address"], &order["status"]), (&Value::Null, &json!("cancelled")), "{order}");
    }
    assert_eq!(see(&paid).await["payment_status"], "refunded");
    let (done, said) = erase(&shop, &["rahel@example.org", "--yes"]);
    assert!(!done && said.contains("no account has"), "{said}");
    let (done, said) = erase(&shop, &[&paid, "--yes"]);
    assert!(done && said.contains("is erased"), "twice is once: {said}");
}

/// Whether anybody who has it could still read what a guest wrote into a cart.
async fn is_readable(shop: &TestShop, cart: &GuestCart) -> bool {
    let shown = shop.get(&format!("/v1/carts/{}", cart.id)).with(cart).send().await.body.to_string();
    let key = "select wrapped is not null from log.subject_key where subject = $1";
    let id: CartId = cart.id.parse().unwrap();
    let subject = Subject::of_cart(id, None).0;
    let kept: Option<bool> = sqlx::query_scalar(key).bind(subject).fetch_optional(shop.log.pool()).await.unwrap();
    shown.contains("Unverwechselbar") || kept == Some(true)
}

async fn written(shop: &TestShop, variant: &str) -> GuestCart {
    let cart = shop.full_cart(variant, 1).await;
    shop.put(&format!("/v1/carts/{}/address", cart.id)).with(&cart).json(address()).send().await.expect(200);
    assert!(is_readable(shop, &cart).await);
    cart
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_is_not_ordered_is_discarded_and_what_was_written_into_it_forgotten() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("GUEST-4", 500, 9).await;
    let (cart, other) = (written(&shop, &variant).await, shop.guest_cart().await);
    let path = format!("/v1/carts/{}", cart.id);
    shop.delete(&path).send().await.expect_problem(404, "cart.missing");
    shop.delete(&path).with(&other).send().await.expect_problem(404, "cart.missing");
    shop.delete(&path).by(&shop.token(Role::Admin)).send().await.expect_problem(404, "cart.missing");
    shop.delete(&path).with(&cart).header("If-Match", "\"1\"").send().await.expect(412);
    assert!(is_readable(&shop, &cart).await);
    for _ in 0..2 {
        shop.delete(&path).with(&cart).key("once").send().await.expect(204);
        assert!(!is_readable(&shop, &cart).await);
    }
    shop.get(&path).with(&cart).send().await.expect_problem(404, "cart.expired");
    shop.post(&format!("{path}/checkout")).with(&cart).send().await.expect_problem(404, "cart.expired");
    let line = format!("{path}/lines/{variant}");
    shop.put(&line).with(&cart).json(json!({"quantity": 2})).send().await.expect_problem(404, "cart.expired");
    let again = shop.put(&format!("{path}/address")).with(&cart).json(address()).send().await;
    again.expect_problem(404, "cart.expired");
    assert!(!is_readable(&shop, &cart).await);

    // What became an order is forgotten with that.
    let ordered = written(&shop, &variant).await;
    let path = format!("/v1/carts/{}", ordered.id);
    let order = shop.post(&format!("{path}/checkout")).with(&ordered).send().await.expect(201);
    let (done, said) = erase(&shop, &[&ordered.id, "--yes"]);
    assert!(!done && said.contains(&format!("byteshop erase {}", order.text("/id"))), "{said}");
    shop.delete(&path).with(&ordered).send().await.expect_problem(409, "cart.checked_out");
    assert!(is_readable(&shop, &ordered).await);

    // Who logs in takes the goods along, and their own address counts.
    let (ada, guest) = (shop.person("ada@example.org").await, written(&shop, &variant).await);
    let merge = format!("/v1/carts/{}/merge", guest.id);
    let own = shop.post(&merge).by(&ada.token).with(&guest).send().await.expect(200);
    assert!(!is_readable(&shop, &guest).await);
    // An account's cart goes, and what is known of its owner stays.
    let path = format!("/v1/carts/{}", own.id());
    shop.put(&format!("{path}/address")).by(&ada.token).json(address()).send().await.expect(200);
    let (done, said) = erase(&shop, &[&own.id(), "--yes"]);
    assert!(!done && said.contains("byteshop erase acc_"), "{said}");
    shop.delete(&path).by(&ada.token).send().await.expect(204);
    shop.get("/v1/me/cart").by(&ada.token).send().await.expect_problem(404, "cart.missing");
    assert_eq!(shop.get("/v1/me").by(&ada.token).send().await.expect(200).text("/email"), "ada@example.org");
    shop.post("/v1/carts").by(&ada.token).json(json!({"currency": "EUR"})).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_ordered_or_forgotten_and_never_an_order_without_an_address() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("GUEST-5", 500, 100).await;
    for round in 0..20 {
        let cart = written(&shop, &variant).await;
        let path = format!("/v1/carts/{}", cart.id);
        let (discard, checkout) = (shop.delete(&path).with(&cart), shop.post(&format!("{path}/checkout")).with(&cart));
        // Neither has the start of the other every time.
        let (gone, bought) = if round % 2 == 0 {
            tokio::join!(discard.send(), checkout.send())
        } else {
            let (bought, gone) = tokio::join!(checkout.send(), discard.send());
            (gone, bought)
        };
        match (gone.status, bought.status) {
            (204, 404) => assert!(!is_readable(&shop, &cart).await),
            (409, 201) => {
                let order = format!("/v1/orders/{}", bought.text("/id"));
                let order = shop.get(&order).with(&cart).send().await.expect(200);
                assert_eq!(order.text("/address/name"), "Rahel Unverwechselbar");
            }
            other => panic!("{other:?}: {} {}", gone.body, bought.body),
        }
    }
    // Whoever runs the shop finds the rest by the address, and by the cart.
    let (one, two) = (written(&shop, &variant).await, written(&shop, &variant).await);
    let (done, said) = erase(&shop, &[&one.id, "--yes"]);
    assert!(done && said.contains("is erased"), "{said}");
    let (done, said) = erase(&shop, &["rahel@example.org"]);
    assert!(!done && said.contains(&two.id) && !said.contains(&one.id), "{said}");
    let (done, said) = erase(&shop, &["rahel@example.org", "--yes", "--force"]);
    assert!(done && said.contains(&two.id), "{said}");
    let forgotten = shop.get(&format!("/v1/carts/{}", two.id)).with(&two).send().await;
    forgotten.expect_problem(404, "cart.expired");
    assert!(!is_readable(&shop, &one).await && !is_readable(&shop, &two).await);
}

/// The process destroys the key when the one who asked for it died before that.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_forgotten_although_nobody_was_there_to_destroy_the_key() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("GUEST-3", 500, 9).await;
    let (id, _) = order_of(&shop, &variant, false).await;
    let order: OrderId = id.parse().unwrap();
    let intent = Intent::new(Actor::System { name: "test".into() }, "order.forget_buyer", Clock.new_id());
    let forget = shop.commands.run(&intent, |unit| async move {
        let mut order = unit.load::<Order>(order).await?.exists()?;
        forget_buyer(&unit, &mut order, CancelReason::BuyerRequest, false).await
    });
    let forgotten = forget.await.unwrap().answer;
    assert!(forgotten.is_cancelled);
    shop.at_rest().await;
    let seen = shop.get(&format!("/v1/orders/{id}")).by(&shop.token(Role::Admin)).send().await.expect(200).body;
    assert_eq!((&seen["address"], &seen["status"]), (&Value::Null, &json!("cancelled")), "{seen}");
}

/// So it does for a cart.
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_forgotten_although_nobody_was_there_to_destroy_the_key() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("GUEST-6", 500, 9).await;
    let cart = written(&shop, &variant).await;
    let id: CartId = cart.id.parse().unwrap();
    let intent = Intent::new(Actor::System { name: "test".into() }, "cart.discard", Clock.new_id());
    let discard = shop.commands.run(&intent, |unit| async move {
        let mut cart = unit.load::<Cart>(id).await?.exists()?;
        carts::discard(&unit, &mut cart)
    });
    discard.await.unwrap();
    shop.at_rest().await;
    assert!(!is_readable(&shop, &cart).await);
}

/// Paying and being forgotten at the same moment: who is paid for stays known, who is forgotten has nothing to pay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paying_and_being_forgotten_at_the_same_moment_leaves_nothing_half_done() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (_, variant) = shop.product("GUEST-4", 500, 100).await;
    for _ in 0..8 {
        let (id, guest) = order_of(&shop, &variant, false).await;
        let path = format!("/v1/orders/{id}");
        let card = json!({"provider": "test", "token": "tok_success"});
        let payments = format!("{path}/payments");
        let pay = shop.post(&payments).with(&guest).json(card).send();
        let buyer = format!("{path}/buyer");
        let forget = shop.delete(&buyer).with(&guest).send();
        let (_, answer) = tokio::join!(pay, forget);
        shop.at_rest().await;
        let order = shop.get(&path).by(&admin).send().await.expect(200).body;
        let left = if answer.status == 204 { (&Value::Null, "cancelled") } else { (&json!("Berlin"), "open") };
        assert!([204, 409].contains(&answer.status), "{}", answer.body);
        assert_eq!((&order["address"]["city"], order["status"].as_str().unwrap()), left, "{order}");
        assert!(["paid", "voided", "refunded"].contains(&order["payment_status"].as_str().unwrap()), "{order}");
    }
}
