//! Forgetting a guest: by themselves or by staff, when nothing waits for their address, and then everywhere.

use byteshop_commands::Intent;
use byteshop_commands::accounts::forget_buyer;
use byteshop_domain::Actor;
use byteshop_domain::ids::OrderId;
use byteshop_domain::order::{CancelReason, Order};
use byteshop_eventstore::Clock;
use byteshop_gateway::token::Role;
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
    let order = format!("/v1/orders/{}", placed.text("/order_id"));
    let buyer = format!("{order}/buyer");
    let card = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{order}/payments")).with(&guest).json(card).send().await.expect(201);
    shop.at_rest().await;

    shop.delete(&buyer).with(&other).send().await.expect_problem(404, "order.missing");
    shop.delete(&buyer).with(&guest).send().await.expect_problem(409, "order.under_way");
    shop.delete(&buyer).by(&staff).send().await.expect_problem(409, "order.under_way");
    shop.delete(&format!("{buyer}?force=true")).by(&staff).send().await.expect_problem(403, "auth.forbidden");
    shop.delete(&format!("{buyer}?force=true")).with(&guest).send().await.expect_problem(403, "auth.forbidden");
    shop.post(&format!("{order}/fulfil")).by(&staff).send().await.expect(200);
    let search = async || shop.get("/v1/orders?email=rahel@example.org").by(&staff).send().await.expect(200).body;
    eventually("it is found", async || (search().await["items"].as_array()?.len() == 1).then_some(())).await;

    shop.delete(&buyer).with(&guest).send().await.expect(204);
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

/// A guest's order of two pieces, and their token.
async fn order_of(shop: &TestShop, variant: &str, paid: bool) -> (String, GuestCart) {
    let guest = shop.full_cart(variant, 2).await;
    let path = format!("/v1/carts/{}", guest.id);
    shop.put(&format!("{path}/address")).with(&guest).json(address()).send().await.expect(200);
    let placed = shop.post(&format!("{path}/checkout")).with(&guest).send().await.expect(201);
    let id = placed.text("/order_id").to_owned();
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
    assert!(!done && said.contains("--force") && said.contains("under way"), "{said}");
    assert_eq!(see(&paid).await["address"]["name"], "Rahel Unverwechselbar", "nothing is half done");
    let (done, said) = erase(&shop, &["rahel@example.org", "--yes", "--force"]);
    assert!(done && said.matches("is called off").count() == 2 && said.matches("is forgotten").count() == 2, "{said}");
    shop.at_rest().await;
    for id in [&unpaid, &paid] {
        let order = see(id).await;
        assert_eq!((&order["address"], &order["status"]), (&Value::Null, &json!("cancelled")), "{order}");
    }
    assert_eq!(see(&paid).await["payment_status"], "refunded");
    let (done, said) = erase(&shop, &["rahel@example.org", "--yes"]);
    assert!(!done && said.contains("nobody has an account"), "{said}");
    let (done, said) = erase(&shop, &[&paid, "--yes"]);
    assert!(done && said.contains("is forgotten"), "twice is once: {said}");
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
    assert!(forgotten.called_off);
    shop.at_rest().await;
    let seen = shop.get(&format!("/v1/orders/{id}")).by(&shop.token(Role::Admin)).send().await.expect(200).body;
    assert_eq!((&seen["address"], &seen["status"]), (&Value::Null, &json!("cancelled")), "{seen}");
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
