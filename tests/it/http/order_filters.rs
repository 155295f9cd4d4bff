//! The order list as staff narrows it down: by what became of the goods and of refunds, by day, and by a buyer's e-mail address.

use byteshop_commands::ports::payment_test::FailureModes;
use byteshop_domain::ids::{Id as _, OrderId};
use byteshop_gateway::security::token::Role;
use byteshop_projections::replay::Replay;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, TestShop};
use chrono::{DateTime, Days, Utc};
use serde_json::{Value, json};

use super::aftersales::paid;

struct Desk {
    shop: TestShop,
    staff: String,
}

impl Desk {
    async fn new() -> Self {
        let shop = TestShop::start().await;
        let staff = shop.token(Role::Support);
        Self { shop, staff }
    }

    async fn asks(&self, query: &str) -> Answer {
        let head = self.shop.log.head().await.unwrap().to_string();
        let path = format!("/v1/orders?{query}");
        self.shop.get(&path).by(&self.staff).after(&head).send().await
    }

    /// The question is refused because of this parameter.
    async fn refuses(&self, query: &str, parameter: &str) {
        let refused = self.asks(query).await.expect_problem(400, "request.invalid_query");
        assert_eq!(refused.text("/errors/0/parameter"), parameter, "{query}: {}", refused.body);
    }

    /// The ids of the orders that are found, the newest first.
    async fn finds(&self, query: &str) -> Vec<String> {
        let found = self.asks(query).await.expect(200);
        found.body["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn mail_to(email: &str) -> Value {
    json!({"country": "DE", "name": "Rahel Varnhagen", "lines": ["Mauerstraße 36"], "postal_code": "10117",
        "city": "Berlin", "email": email})
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_what_became_of_their_goods() {
    let desk = Desk::new().await;
    let (_, variant) = desk.shop.product("F-1", 500, 9).await;
    let sent = paid(&desk.shop, &variant, 1).await;
    let post = json!({"carrier": {"kind": "other", "name": "Post"}});
    let made = desk.shop.post(&format!("{}/shipments", sent.path)).by(&desk.staff).json(post).send().await.expect(201);
    let hand_over = format!("/v1/shipments/{}/hand-over", made.id());
    desk.shop.post(&hand_over).by(&desk.staff).json(json!({"tracking": "T-1"})).send().await.expect(200);
    let sent = sent.path.trim_start_matches("/v1/orders/").to_owned();
    let (placed, _) = desk.shop.order(&variant, 1).await;
    let waits = placed.text("/id").to_owned();
    assert_eq!(desk.finds("fulfilment=unfulfilled").await, [waits]);
    assert_eq!(desk.finds("fulfilment=fulfilled").await, std::slice::from_ref(&sent));
    assert_eq!(desk.finds("fulfilment=fulfilled&status=open&payment_status=paid").await, [sent]);
    assert_eq!(desk.finds("fulfilment=returned").await, [""; 0]);
    desk.refuses("fulfilment=lost", "fulfilment").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_a_refund_that_the_provider_refused_until_it_is_tried_again() {
    let desk = Desk::new().await;
    let (_, variant) = desk.shop.product("F-4", 500, 9).await;
    let (it, other) = (paid(&desk.shop, &variant, 2).await, paid(&desk.shop, &variant, 1).await);
    let [id, other] = [&it, &other].map(|order| order.path.trim_start_matches("/v1/orders/").to_owned());
    let failed = || async {
        let found = desk.asks("refunds_failed=true").await.expect(200);
        let rows = found.body["items"].as_array().unwrap().clone();
        assert!(rows.iter().all(|row| row["id"] == id.as_str()), "{rows:?}");
        rows.iter().flat_map(|row| row["refunds_failed"].as_array().unwrap().clone()).collect::<Vec<_>>()
    };
    let fails = async |before: &[Value]| {
        eventually("the provider refuses", async || {
            let failed = failed().await;
            (failed.len() == 1 && failed != before).then_some(failed)
        })
        .await
    };
    let retry = async |refund: &Value| {
        let path = format!("{}/refunds/{}/retry", it.payment, refund.as_str().unwrap());
        desk.shop.post(&path).by(&desk.staff).send().await.expect(201);
    };
    assert_eq!(desk.finds("refunds_failed=false").await, [other.clone(), id.clone()]);
    assert!(failed().await.is_empty());
    let unkind =
        || desk.shop.commands.emulator().behave(FailureModes { refuses_refunds: true, ..FailureModes::default() });
    unkind();
    let give = json!({"amount": {"amount": 300, "currency": "EUR"}, "reason": "a scratch"});
    let refunds = format!("{}/refunds", it.payment);
    desk.shop.post(&refunds).by(&desk.staff).json(give.clone()).send().await.expect(201);
    let first = fails(&[]).await;
    assert_eq!(desk.finds("refunds_failed=true&payment_status=paid&status=open").await, std::slice::from_ref(&id));
    assert_eq!(desk.finds("refunds_failed=true&payment_status=refunded").await, [""; 0]);
    assert_eq!(desk.finds("refunds_failed=false").await, std::slice::from_ref(&other));
    let payment = desk.shop.get(&it.payment).by(&desk.staff).send().await.expect(200);
    assert_eq!((&payment.body["refunds"][0]["id"], payment.text("/refunds/0/status")), (&first[0], "failed"));
    // The second try fails as well, and the third does not.
    retry(&first[0]).await;
    let second = fails(&first).await;
    desk.shop.commands.emulator().behave(FailureModes::default());
    retry(&second[0]).await;
    it.awaits(&desk.shop, "/payment_status", "partly_refunded").await;
    assert!(failed().await.is_empty());
    // With the whole order goes back what failed before.
    unkind();
    desk.shop.post(&refunds).by(&desk.staff).json(give).send().await.expect(201);
    fails(&[]).await;
    desk.shop.commands.emulator().behave(FailureModes::default());
    desk.shop.post(&format!("{}/cancel", it.path)).by(&desk.staff).send().await.expect(200);
    it.awaits(&desk.shop, "/payment_status", "refunded").await;
    assert!(failed().await.is_empty());
    assert_eq!(desk.finds("refunds_failed=false").await, [other, id]);
    for bad in ["yes", "1", "", "%00"] {
        desk.refuses(&format!("refunds_failed={bad}"), "refunds_failed").await;
    }
    // Whose it failed for, is for staff to ask.
    let ada = desk.shop.person("ada@example.org").await;
    for path in ["/v1/orders?refunds_failed=true", "/v1/me/orders?refunds_failed=false"] {
        desk.shop.get(path).by(&ada.token).send().await.expect_problem(403, "auth.forbidden");
    }
    let report = desk.shop.views.replay("order_list", Replay::Check, &|_| {}).await.unwrap();
    assert_eq!(report.different, 0, "{:?}", report.differences);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_the_day_that_they_were_placed() {
    let desk = Desk::new().await;
    let (_, variant) = desk.shop.product("F-2", 500, 9).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(desk.shop.order(&variant, 1).await.0.text("/id").to_owned());
    }
    let newest_first: Vec<String> = ids.iter().rev().cloned().collect();
    let rows = desk.asks("").await.expect(200);
    let moment = |at: usize| rows.body["items"][at]["placed_at"].as_str().unwrap().to_owned();
    let (middle, last) = (moment(1), moment(0));
    // The first moment is meant, the last one is not.
    assert_eq!(desk.finds(&format!("from={middle}")).await, newest_first[..2]);
    assert_eq!(desk.finds(&format!("until={middle}")).await, newest_first[2..]);
    assert_eq!(desk.finds(&format!("from={middle}&until={last}")).await, newest_first[1..2]);
    assert_eq!(desk.finds(&format!("from={middle}&until={middle}")).await, [""; 0]);
    let first: DateTime<Utc> = moment(2).parse().unwrap();
    let last: DateTime<Utc> = last.parse().unwrap();
    let (day, after) = (first.date_naive(), last.date_naive() + Days::new(1));
    assert_eq!(desk.finds(&format!("from={day}&until={after}")).await, newest_first);
    assert_eq!(desk.finds(&format!("until={day}")).await, [""; 0]);
    assert_eq!(desk.finds(&format!("from={after}")).await, [""; 0]);
    // An offset is an offset, and pages go on within what is asked for.
    let elsewhere = format!("from={day}T02:00:00%2B02:00&limit=2");
    let page = desk.asks(&elsewhere).await.expect(200);
    assert_eq!(page.body["items"].as_array().unwrap().len(), 2);
    let rest = format!("{elsewhere}&cursor={}", page.text("/next"));
    assert_eq!(desk.finds(&rest).await, newest_first[2..]);
    for bad in ["yesterday", "2026-02-30", "2026-11-20T08:00:00", "", "%00", "-9999-01-01", "+12026-01-01"] {
        desk.refuses(&format!("from={bad}"), "from").await;
        desk.refuses(&format!("until={bad}"), "until").await;
    }
    desk.refuses("from=2026-02-01&until=2026-01-01", "until").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_the_address_of_a_guest_and_of_an_account_until_it_is_forgotten() {
    let desk = Desk::new().await;
    let shop = &desk.shop;
    let (_, variant) = shop.product("F-3", 500, 9).await;
    let guest = shop.full_cart(&variant, 1).await;
    let path = format!("/v1/carts/{}/address", guest.id);
    shop.put(&path).with(&guest).json(mail_to("Rahel@Example.org")).send().await.expect(200);
    let placed = shop.post(&format!("/v1/carts/{}/checkout", guest.id)).with(&guest).send().await.expect(201);
    let of_guest = placed.text("/id").to_owned();

    let ada = shop.person("ada@example.org").await;
    let cart = shop.post("/v1/carts").by(&ada.token).json(json!({"currency": "EUR"})).send().await.expect(201).id();
    let line = format!("/v1/carts/{cart}/lines/{variant}");
    shop.put(&line).by(&ada.token).json(json!({"quantity": 1})).send().await.expect(200);
    let address = mail_to("office@example.org");
    shop.put(&format!("/v1/carts/{cart}/address")).by(&ada.token).json(address).send().await.expect(200);
    let checkout = shop.post(&format!("/v1/carts/{cart}/checkout")).by(&ada.token).send().await.expect(201);
    let of_account = checkout.text("/id").to_owned();

    assert_eq!(desk.finds("email=rahel@example.org").await, std::slice::from_ref(&of_guest));
    assert_eq!(desk.finds("email=ADA@example.org").await, std::slice::from_ref(&of_account));
    assert_eq!(desk.finds("email=ADA@example.org&payment_status=paid").await, [""; 0]);
    assert_eq!(desk.finds("email=nobody@example.org").await, [""; 0]);
    let all = desk.asks("").await.expect(200).body.to_string();
    assert!(!all.contains("hash"), "{all}");
    for bad in ["", "x", "a@b@c", "%00@example.org"] {
        desk.refuses(&format!("email={bad}"), "email").await;
    }
    // Whose it is, is for staff to ask.
    for path in ["/v1/orders?email=ada@example.org", "/v1/me/orders?email=rahel@example.org"] {
        shop.get(path).by(&ada.token).send().await.expect_problem(403, "auth.forbidden");
    }
    // Of an account nothing is written down that would outlive it.
    let events = shop.log.read_log(0, 10_000).await.unwrap();
    let hashed = |stream: &str| {
        let stream = stream.parse::<OrderId>().unwrap().uuid();
        events.iter().any(|event| event.stream == stream && event.data.contains("email_hash"))
    };
    assert!(hashed(&of_guest) && !hashed(&of_account));

    let admin = shop.token(Role::Admin);
    let closing = format!("/v1/admin/accounts/{}?force=true", ada.id);
    let closed = shop.delete(&closing).by(&admin).send().await;
    assert!(closed.status < 300, "{}", closed.body);
    shop.at_rest().await;
    assert_eq!(desk.finds("email=ada@example.org").await, [""; 0]);
    for view in ["order_list", "order_email"] {
        shop.views.replay(view, Replay::Rebuild, &|_| {}).await.unwrap();
    }
    let found = async || (desk.finds("email=rahel@example.org").await == std::slice::from_ref(&of_guest)).then_some(());
    eventually("the rebuilt views", found).await;
    assert_eq!(desk.finds("email=ada@example.org").await, [""; 0]);
    assert_eq!(desk.finds("email=office@example.org").await, [""; 0]);
}
