//! Gift cards and store credit: orders paid with them in part and in full, refunds, the ledger, and the last cent that fifty want.

use byteshop_domain::ids::AccountId;
use byteshop_eventstore::read::{Filter, PAGE};
use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::people::Person;
use byteshop_tests::shop::{Answer, GuestCart, TestShop, address};
use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// A shop, its staff, and something for 10.00.
struct Desk {
    shop: TestShop,
    staff: String,
    variant: String,
}

struct Unpaid {
    path: String,
    payment: String,
    cart: GuestCart,
}

fn euro(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn with_card(code: &str) -> Value {
    json!({"provider": "gift_card", "code": code})
}

fn by_provider() -> Value {
    json!({"provider": "test", "token": "tok_success"})
}

impl Desk {
    async fn open() -> Self {
        Self::beside(TestShop::start().await).await
    }

    async fn beside(shop: TestShop) -> Self {
        let (_, variant) = shop.product("STORED", 1_000, 500).await;
        let staff = shop.token(Role::Support);
        Self { shop, staff, variant }
    }

    async fn issue(&self, amount: i64) -> (String, String) {
        let body = json!({"amount": euro(amount), "reason": "a gift"});
        let card = self.shop.post("/v1/gift-cards").by(&self.staff).json(body).send().await.expect(201);
        (card.id(), card.text("/code").to_owned())
    }

    /// An order of two pieces for 20.00.
    async fn order(&self) -> Unpaid {
        let (placed, cart) = self.shop.order(&self.variant, 2).await;
        Unpaid {
            path: format!("/v1/orders/{}", placed.text("/id")),
            payment: format!("/v1/payments/{}", placed.text("/payment")),
            cart,
        }
    }

    async fn order_of(&self, buyer: &Person) -> Unpaid {
        let made =
            self.shop.post("/v1/carts").by(&buyer.token).json(json!({"currency": "EUR"})).send().await.expect(201);
        let path = format!("/v1/carts/{}", made.id());
        let put = |what: String, body| self.shop.put(&format!("{path}/{what}")).by(&buyer.token).json(body).send();
        put(format!("lines/{}", self.variant), json!({"quantity": 2})).await.expect(200);
        put("address".into(), address("DE")).await.expect(200);
        let placed = self.shop.post(&format!("{path}/checkout")).by(&buyer.token).send().await.expect(201);
        Unpaid {
            path: format!("/v1/orders/{}", placed.text("/id")),
            payment: format!("/v1/payments/{}", placed.text("/payment")),
            cart: GuestCart { id: made.id(), token: String::new() },
        }
    }

    async fn pay(&self, order: &Unpaid, body: Value) -> Answer {
        self.shop.post(&format!("{}/payments", order.path)).with(&order.cart).json(body).send().await
    }

    async fn pay_as(&self, buyer: &Person, order: &Unpaid, body: Value) -> Answer {
        self.shop.post(&format!("{}/payments", order.path)).by(&buyer.token).json(body).send().await
    }

    async fn grant(&self, account: AccountId, amount: i64) -> Answer {
        let body = json!({"type": "granted", "amount": euro(amount), "reason": "the parcel was late"});
        let path = format!("/v1/admin/accounts/{account}/credit");
        self.shop.post(&path).by(&self.staff).json(body).send().await
    }

    async fn card(&self, id: &str) -> Value {
        self.shop.get(&format!("/v1/gift-cards/{id}")).by(&self.staff).send().await.expect(200).body
    }

    async fn payment(&self, order: &Unpaid) -> Value {
        self.shop.get(&order.payment).by(&self.staff).send().await.expect(200).body
    }

    async fn becomes(&self, order: &Unpaid, status: &str) {
        eventually(&format!("the order is {status}"), async || {
            let order = self.shop.get(&order.path).by(&self.staff).send().await.expect(200).body;
            (order["payment_status"] == status || order["status"] == status).then_some(())
        })
        .await;
    }

    async fn card_becomes(&self, id: &str, balance: i64, held: i64) {
        eventually(&format!("the card has {balance} with {held} held"), async || {
            let card = self.card(id).await;
            let amounts = (card["balance"]["amount"].as_i64(), card["held"]["amount"].as_i64());
            (amounts == (Some(balance), Some(held))).then_some(())
        })
        .await;
    }

    async fn refund(&self, order: &Unpaid, amount: i64, to: Option<&str>) -> Answer {
        let mut body = json!({"amount": euro(amount), "reason": "a scratch"});
        if let Some(to) = to {
            body["to"] = json!(to);
        }
        self.shop.post(&format!("{}/refunds", order.payment)).by(&self.staff).json(body).send().await
    }

    /// The balances of the ledger: debits minus credits.
    async fn balance(&self, account: &str) -> i64 {
        let head = self.shop.at_rest().await;
        let found = self.shop.get("/v1/admin/ledger").by(&self.staff).after(head).send().await.expect(200).body;
        let items = found["items"].as_array().unwrap();
        let amount = |item: &Value| item["balance"]["amount"].as_i64().unwrap();
        assert_eq!(items.iter().map(amount).sum::<i64>(), 0, "the trial balance is not zero: {found}");
        items.iter().filter(|item| item["account"] == account).map(amount).sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_card_pays_a_part_and_the_provider_the_rest() {
    let desk = Desk::open().await;
    let (id, code) = desk.issue(1_500).await;
    let order = desk.order().await;
    let covered = desk.pay(&order, with_card(&code.to_lowercase())).await.expect(201).body;
    assert_eq!((&covered["status"], &covered["due"]), (&json!("open"), &euro(500)));
    assert_eq!(covered["covers"], json!([{"id": id, "kind": "gift_card", "amount": euro(1_500)}]));
    // What is held is no longer available.
    desk.card_becomes(&id, 1_500, 1_500).await;
    let check = desk.shop.post("/v1/gift-cards/check").json(json!({"code": code})).send().await.expect(200).body;
    assert_eq!(check["status"], "not_valid");
    let paid = desk.pay(&order, by_provider()).await.expect(201).body;
    assert_eq!(
        (&paid["status"], &paid["captured"], &paid["method"]),
        (&json!("captured"), &euro(2_000), &json!("test"))
    );
    desk.becomes(&order, "paid").await;
    desk.card_becomes(&id, 0, 0).await;
    let card = desk.card(&id).await;
    let movements: Vec<_> = card["movements"].as_array().unwrap().iter().map(|it| it["type"].clone()).collect();
    assert_eq!(
        (&card["status"], &card["code"], movements.as_slice()),
        (&json!("used_up"), &Value::Null, &["redeemed", "held", "issued"].map(Value::from)[..])
    );
    assert_eq!(desk.balance("gift_cards").await, 0);
    assert_eq!(
        (desk.balance("clearing").await, desk.balance("goodwill").await, desk.balance("customers").await),
        (500, 1_500, 0)
    );
    let invoice = desk.shop.get(&format!("{}/invoice?locale=en", order.path)).by(&desk.staff).send().await.expect(200);
    let page = invoice.body.as_str().unwrap();
    assert!(["Gift card", "€15.00", "€5.00"].iter().all(|text| page.contains(text)), "{page}");
    let history = desk.shop.get(&format!("{}/history?locale=en", order.path)).by(&desk.staff).send().await.expect(200);
    let story = history.body["story"].to_string();
    for sentence in ["used a gift card: it pays €15.00", "€5.00 was captured by the test provider"] {
        assert!(story.contains(sentence), "{story}");
    }
    let list =
        desk.shop.get("/v1/gift-cards").by(&desk.staff).after(desk.shop.at_rest().await).send().await.expect(200);
    assert_eq!((list.text("/items/0/id"), &list.body["items"][0]["balance"]), (id.as_str(), &euro(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn gift_cards_and_store_credit_pay_an_order_in_full() {
    let desk = Desk::open().await;
    let buyer = desk.shop.person("credit@example.org").await;
    desk.grant(buyer.id, 700).await.expect(200);
    let (id, code) = desk.issue(5_000).await;
    let order = desk.order_of(&buyer).await;
    let covered = desk.pay_as(&buyer, &order, json!({"provider": "store_credit"})).await.expect(201).body;
    assert_eq!(covered["due"], euro(1_300));
    let too_much = json!({"provider": "gift_card", "code": code, "amount": euro(1_301)});
    desk.pay_as(&buyer, &order, too_much).await.expect_problem(409, "payment.more_than_left");
    let paid = desk.pay_as(&buyer, &order, with_card(&code)).await.expect(201).body;
    assert_eq!(
        (&paid["status"], &paid["method"], &paid["due"]),
        (&json!("captured"), &json!("stored_value"), &euro(0))
    );
    desk.becomes(&order, "paid").await;
    desk.card_becomes(&id, 3_700, 0).await;
    let head = desk.shop.at_rest().await;
    let credit = desk.shop.get("/v1/me/credit").by(&buyer.token).after(head).send().await.expect(200).body;
    assert_eq!((&credit["items"][0]["balance"], &credit["items"][0]["currency"]), (&euro(0), &json!("EUR")));
    let movements = credit["items"][0]["movements"].as_array().unwrap();
    assert_eq!(movements.iter().map(|it| it["type"].clone()).collect::<Vec<_>>(), ["redeemed", "held", "granted"]);
    assert_eq!(movements[2]["reason"], "the parcel was late");
    assert_eq!((desk.balance("gift_cards").await, desk.balance("store_credit").await), (-3_700, 0));
    assert_eq!((desk.balance("clearing").await, desk.balance("customers").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_return_money_first_and_what_is_asked_for_to_store_credit() {
    let desk = Desk::open().await;
    let buyer = desk.shop.person("back@example.org").await;
    let (id, code) = desk.issue(1_500).await;
    let order = desk.order_of(&buyer).await;
    desk.pay_as(&buyer, &order, with_card(&code)).await.expect(201);
    desk.pay_as(&buyer, &order, by_provider()).await.expect(201);
    desk.becomes(&order, "paid").await;
    desk.refund(&order, 200, Some("store_credit")).await.expect(201);
    let refunded = desk.refund(&order, 1_000, None).await.expect(201).body;
    let asked = refunded["refunds"].as_array().unwrap();
    let amounts: Vec<_> = asked.iter().map(|it| (it["amount"]["amount"].clone(), it["to"]["kind"].clone())).collect();
    for share in [(json!(200), json!("store_credit")), (json!(300), Value::Null), (json!(700), json!("gift_card"))] {
        assert!(amounts.contains(&share), "{amounts:?} lacks {share:?}");
    }
    // 1.99 of the rest of 8.00 are refunded to a card that is blocked meanwhile.
    let block = json!({"reason": "reported as stolen"});
    desk.shop.post(&format!("/v1/gift-cards/{id}/block")).by(&desk.staff).json(block).send().await.expect(200);
    desk.refund(&order, 199, None).await.expect(201);
    desk.card_becomes(&id, 899, 0).await;
    desk.refund(&order, 602, None).await.expect_problem(409, "payment.too_much_refunded");
    let cancel = desk.shop.post(&format!("{}/cancel", order.path)).by(&desk.staff).send().await;
    cancel.expect(200);
    desk.becomes(&order, "refunded").await;
    desk.card_becomes(&id, 1_500, 0).await;
    assert_eq!(desk.payment(&order).await["refunded"], euro(2_000));
    assert_eq!((desk.balance("gift_cards").await, desk.balance("store_credit").await), (-1_500, -200));
    // The provider keeps what went to store credit instead.
    assert_eq!((desk.balance("clearing").await, desk.balance("customers").await), (200, 0));
    let guest = desk.order().await;
    desk.pay(&guest, by_provider()).await.expect(201);
    desk.becomes(&guest, "paid").await;
    desk.refund(&guest, 100, Some("store_credit")).await.expect_problem(422, "payment.no_account");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_released_when_it_is_not_needed() {
    let desk = Desk::open().await;
    let (id, code) = desk.issue(1_500).await;
    let order = desk.order().await;
    desk.pay(&order, with_card(&code)).await.expect(201);
    let remove = |value: &str| desk.shop.delete(&format!("{}/covers/{value}", order.payment)).with(&order.cart).send();
    remove("val_00000000000000000000000001").await.expect_problem(404, "payment.not_covered");
    let removed = remove(&id).await.expect(200).body;
    assert_eq!((&removed["covers"], &removed["due"]), (&json!([]), &euro(2_000)));
    let card = desk.card(&id).await;
    assert_eq!((&card["held"], &card["status"]), (&euro(0), &json!("valid")));
    // A smaller amount than there is.
    let some = json!({"provider": "gift_card", "code": code, "amount": euro(300)});
    assert_eq!(desk.pay(&order, some).await.expect(201).body["due"], euro(1_700));
    desk.card_becomes(&id, 1_500, 300).await;
    desk.shop.post(&format!("{}/cancel", order.path)).with(&order.cart).send().await.expect(200);
    desk.card_becomes(&id, 1_500, 0).await;
    desk.pay(&order, with_card(&code)).await.expect_problem(409, "order.cancelled");
    assert_eq!(desk.balance("gift_cards").await, -1_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_want_the_last_cent_one_gets_it() {
    let desk = Desk::open().await;
    let (id, code) = desk.issue(1).await;
    let mut orders = Vec::new();
    for _ in 0..50 {
        orders.push(desk.order().await);
    }
    let answers = join_all(orders.iter().map(|order| desk.pay(order, with_card(&code)))).await;
    let (paid, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(paid.len(), 1, "{:?}", refused.iter().map(|answer| &answer.body).collect::<Vec<_>>());
    for answer in refused {
        assert_eq!(answer.body["code"], "stored_value.nothing_left");
    }
    desk.card_becomes(&id, 1, 1).await;
    // All of them pay the rest at once.
    let answers = join_all(orders.iter().map(|order| desk.pay(order, by_provider()))).await;
    for answer in answers {
        answer.expect(201);
    }
    desk.card_becomes(&id, 0, 0).await;
    assert_eq!((desk.balance("gift_cards").await, desk.balance("clearing").await), (0, 50 * 2_000 - 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_card_expires_and_a_refund_makes_it_valid_again() {
    let desk = Desk::open().await;
    let soon = Utc::now() + TimeDelta::seconds(3);
    let body = json!({"amount": euro(2_500), "expires_at": soon, "reason": "a gift"});
    let card = desk.shop.post("/v1/gift-cards").by(&desk.staff).json(body).send().await.expect(201);
    let (id, code) = (card.id(), card.text("/code").to_owned());
    let order = desk.order().await;
    desk.pay(&order, with_card(&code)).await.expect(201);
    desk.becomes(&order, "paid").await;
    eventually("the card has expired", async || (desk.card(&id).await["balance"] == euro(0)).then_some(())).await;
    assert_eq!(desk.card(&id).await["status"], "expired");
    assert_eq!((desk.balance("breakage").await, desk.balance("gift_cards").await), (-500, 0));
    let other = desk.order().await;
    desk.pay(&other, with_card(&code)).await.expect_problem(409, "stored_value.expired");
    desk.refund(&order, 800, None).await.expect(201);
    desk.card_becomes(&id, 800, 0).await;
    assert_eq!(desk.card(&id).await["status"], "valid");
    assert_eq!(desk.pay(&other, with_card(&code)).await.expect(201).body["due"], euro(1_200));
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_cannot_be_found_by_trying() {
    let desk = Desk::beside(TestShop::start().limits(Limits::default().with_gift_cards(4)).await).await;
    let (id, code) = desk.issue(1_500).await;
    let check = |code: &str| desk.shop.post("/v1/gift-cards/check").json(json!({"code": code})).send();
    let known = check(&code).await.expect(200).body;
    assert_eq!((&known["status"], &known["available"]), (&json!("valid"), &euro(1_500)));
    // A code that does not exist, one with a typo, and one that is blocked look the same.
    let block = json!({"reason": "reported as stolen"});
    desk.shop.post(&format!("/v1/gift-cards/{id}/block")).by(&desk.staff).json(block).send().await.expect(200);
    let blocked = check(&code).await.expect(200).body;
    let order = desk.order().await;
    desk.pay(&order, with_card("7K3Q-X9MW-2FBA-8HJT-C5DR")).await.expect_problem(422, "stored_value.unknown_code");
    assert_eq!(check("7K3Q").await.expect(200).body, blocked);
    assert_eq!(check(&code).await.status, 429);
    assert_eq!(desk.pay(&order, with_card(&code)).await.status, 429);
    let unblock = json!({"reason": "it was found"});
    let path = format!("/v1/gift-cards/{id}/unblock");
    let card = desk.shop.post(&path).by(&desk.staff).json(unblock).send().await.expect(200).body;
    assert_eq!(card["status"], "valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_in_the_log_and_the_answer_is_repeated_under_its_key() {
    let desk = Desk::open().await;
    let issue = || {
        let body = json!({"amount": euro(900), "reason": "a gift"});
        desk.shop.post("/v1/gift-cards").by(&desk.staff).key("gift-1").json(body).send()
    };
    let (first, again) = (issue().await.expect(201), issue().await.expect(201));
    assert_eq!((first.id(), first.text("/code")), (again.id(), again.text("/code")));
    let code = first.text("/code").to_owned();
    let plain = code.replace('-', "");
    let events = desk.shop.log.read_filtered(0, PAGE, &Filter::default()).await.unwrap();
    assert!(events.iter().all(|event| !event.data.contains(&code) && !event.data.contains(&plain)));
    let kept: Vec<String> =
        sqlx::query_scalar("select response from log.receipt").fetch_all(desk.shop.log.pool()).await.unwrap();
    assert!(!kept.is_empty() && kept.iter().all(|text| !text.contains(&code)), "a receipt has the code");
}

#[tokio::test(flavor = "multi_thread")]
async fn store_credit_is_never_below_zero_and_of_its_account_alone() {
    let desk = Desk::open().await;
    let (buyer, other) = (desk.shop.person("one@example.org").await, desk.shop.person("two@example.org").await);
    let path = format!("/v1/admin/accounts/{}/credit", buyer.id);
    let change = |kind: &str, amount: i64| {
        let body = json!({"type": kind, "amount": euro(amount), "reason": "a correction"});
        desk.shop.post(&path).by(&desk.staff).json(body).send()
    };
    change("withdrawn", 1).await.expect_problem(404, "stored_value.missing");
    change("granted", 0).await.expect_problem(422, "stored_value.not_an_amount");
    assert_eq!(change("granted", 500).await.expect(200).body["balance"], euro(500));
    let order = desk.order_of(&buyer).await;
    desk.pay_as(&buyer, &order, json!({"provider": "store_credit", "amount": euro(400)})).await.expect(201);
    change("withdrawn", 101).await.expect_problem(409, "stored_value.not_enough");
    assert_eq!(change("withdrawn", 100).await.expect(200).body["available"], euro(0));
    let head = desk.shop.at_rest().await;
    let theirs = desk.shop.get("/v1/me/credit").by(&other.token).after(head).send().await.expect(200).body;
    assert_eq!(theirs, json!({"items": [], "next": null}));
    let seen = desk.shop.get(&path).by(&desk.staff).after(head).send().await.expect(200).body;
    assert_eq!(seen["items"][0]["held"], euro(400));
    let guest = desk.order().await;
    desk.pay(&guest, json!({"provider": "store_credit"})).await.expect_problem(422, "payment.no_account");
    let strange = format!("/v1/admin/accounts/{}/credit", "acc_00000000000000000000000001");
    let body = json!({"type": "granted", "amount": euro(1), "reason": "a typo"});
    desk.shop.post(&strange).by(&desk.staff).json(body).send().await.expect(404);
}
