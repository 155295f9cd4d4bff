//! Payments without a provider: a buyer who is told how to pay, staff who records what came and what went back, and both at once.

use byteshop_commands::ports::payment_test::FailureModes;
use byteshop_gateway::security::token::Role;
use byteshop_gateway::staff::StaffRules;
use byteshop_tests::checker::History;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::aftersales::paid;

const IBAN: &str = "IBAN DE02 1203 0000 0000 2020 51";

fn euro(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn card(token: &str) -> Value {
    json!({"provider": "test", "token": token})
}

fn by_hand(method: &str) -> Value {
    json!({"provider": "manual", "method": method})
}

pub(super) fn transfer() -> Value {
    json!({"method": "sepa", "kind": "bank_transfer", "title": "Bank transfer",
        "instructions": format!("{IBAN}\nHolder: ByteShop"), "currencies": ["EUR"], "days": 7})
}

fn counter() -> Value {
    json!({"method": "counter", "kind": "elsewhere", "title": "At the counter", "instructions": "Pay at our counter."})
}

fn abroad() -> Value {
    json!({"method": "abroad", "kind": "bank_transfer", "title": "Wire", "instructions": "Wire it.", "countries": ["GB"],
        "days": 14})
}

fn invoice() -> Value {
    json!({"method": "invoice", "kind": "elsewhere", "title": "By invoice", "instructions": "Wait for our letter.", "days": 30,
        "accounts_only": true})
}

pub(super) async fn offers(shop: &TestShop, methods: &[Value]) -> Answer {
    let book = shop.put("/v1/admin/payment-methods").by(&shop.token(Role::Admin)).header("If-Match", "*");
    book.json(json!({"methods": methods})).send().await
}

/// The entries of an order in the ledger, the oldest first: each with its document, and debits minus credits.
async fn entries(desk: &Desk, order: &Unpaid) -> Vec<(String, Value, Vec<(String, i64)>)> {
    let head = desk.shop.at_rest().await;
    let path = format!("/v1/admin/ledger/entries?order={}", order.path.rsplit('/').next().unwrap());
    let found = desk.shop.get(&path).by(&desk.staff).after(head).send().await.expect(200).body;
    let line = |line: &Value| {
        let amount = |side: &str| line[side]["amount"].as_i64().unwrap();
        (line["account"].as_str().unwrap().to_owned(), amount("debit") - amount("credit"))
    };
    let entry = |entry: &Value| {
        let lines = entry["lines"].as_array().unwrap().iter().map(line).collect();
        (entry["kind"].as_str().unwrap().to_owned(), entry["document"].clone(), lines)
    };
    found["items"].as_array().unwrap().iter().rev().map(entry).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_staff_receives_and_returns_is_in_the_ledger() {
    let desk = Desk::open().await;
    let order = desk.order().await;
    desk.pay(&order, by_hand("sepa")).await.expect(201);
    desk.receive(&order, 500, "s1").await.expect(201);
    let receipt = desk.receive(&order, 100, "s2").await.expect(201).text("/receipts/1/id").to_owned();
    let void = format!("{}/receipts/{receipt}/void", order.payment);
    desk.shop.post(&void).by(&desk.staff).json(json!({"reason": "a typo"})).send().await.expect(200);
    let paid = desk.receive_more(&order, 1_600, "s3").await.expect(201);
    let back = paid.body["refunds"][0].clone();
    desk.settle(&order, &back, "b1").await.expect(200);
    let lines = |lines: &[(&str, i64)]| lines.iter().map(|(name, sum)| ((*name).to_owned(), *sum)).collect::<Vec<_>>();
    let said: Vec<_> = entries(&desk, &order).await;
    let mut documents = said.iter().map(|(kind, document, _)| (kind.as_str(), document.as_str().unwrap_or_default()));
    let (_, invoice) = documents.find(|(kind, _)| *kind == "sale").unwrap();
    let entry = |kind: &str, document: Value, of: &[(&str, i64)]| (kind.to_owned(), document, lines(of));
    let mut expected = vec![
        entry("receipt", json!("s1"), &[("bank", 500), ("customers", -500)]),
        entry("receipt", json!("s2"), &[("bank", 100), ("customers", -100)]),
        entry("voided_receipt", Value::Null, &[("customers", 100), ("bank", -100)]),
        entry("receipt", json!("s3"), &[("bank", 1_600), ("customers", -1_600)]),
        entry("sale", json!(invoice), &[("customers", 2_000), ("sales", -2_000)]),
        entry("refund", json!("b1"), &[("customers", 100), ("bank", -100)]),
    ];
    // The order is marked paid a moment after its last receipt, perhaps after the refund.
    let sale = said.iter().position(|(kind, ..)| kind == "sale").unwrap();
    let moved = expected.remove(4);
    expected.insert(sale, moved);
    assert_eq!(said, expected);
}

/// An unpaid order, and staff.
struct Desk {
    shop: TestShop,
    staff: String,
    variant: String,
}

struct Unpaid {
    path: String,
    payment: String,
    number: String,
    cart: GuestCart,
}

impl Desk {
    async fn open() -> Self {
        let shop = TestShop::start().await;
        offers(&shop, &[transfer(), counter(), abroad(), invoice()]).await.expect(200);
        let (_, variant) = shop.product("BY-HAND", 1_000, 50).await;
        let staff = shop.token(Role::Support);
        Self { shop, staff, variant }
    }

    /// An order of two pieces for 20.00.
    async fn order(&self) -> Unpaid {
        let (placed, cart) = self.shop.order(&self.variant, 2).await;
        Unpaid {
            path: format!("/v1/orders/{}", placed.text("/id")),
            payment: format!("/v1/payments/{}", placed.text("/payment")),
            number: placed.text("/number").to_owned(),
            cart,
        }
    }

    async fn pay(&self, order: &Unpaid, body: Value) -> Answer {
        self.shop.post(&format!("{}/payments", order.path)).with(&order.cart).json(body).send().await
    }

    async fn receive(&self, order: &Unpaid, amount: i64, reference: &str) -> Answer {
        let body = json!({"amount": euro(amount), "reference": reference, "received_on": today(self)});
        self.shop.post(&format!("{}/receipts", order.payment)).by(&self.staff).json(body).send().await
    }

    async fn receive_more(&self, order: &Unpaid, amount: i64, reference: &str) -> Answer {
        let day = today(self);
        let body = json!({"amount": euro(amount), "reference": reference, "received_on": day, "surplus": true});
        self.shop.post(&format!("{}/receipts", order.payment)).by(&self.staff).json(body).send().await
    }

    async fn settle(&self, order: &Unpaid, refund: &Value, reference: &str) -> Answer {
        let path = format!("{}/refunds/{}/settle", order.payment, refund["id"].as_str().unwrap());
        let body = json!({"reference": reference, "settled_on": today(self)});
        self.shop.post(&path).by(&self.staff).json(body).send().await
    }

    async fn cancel(&self, order: &Unpaid) -> Answer {
        self.shop.post(&format!("{}/cancel", order.path)).with(&order.cart).json(json!({})).send().await
    }

    async fn payment(&self, order: &Unpaid) -> Value {
        self.shop.get(&order.payment).by(&self.staff).send().await.expect(200).body
    }

    async fn awaits(&self, order: &Unpaid, pointer: &str, wanted: &str) -> Value {
        eventually(&format!("{pointer} is {wanted}"), async || {
            let order = self.shop.get(&order.path).with(&order.cart).send().await.expect(200).body;
            (order.pointer(pointer).and_then(Value::as_str) == Some(wanted)).then_some(order)
        })
        .await
    }

    /// The orders with refunds that wait for staff.
    async fn to_settle(&self) -> Vec<Value> {
        let head = self.shop.log.head().await.unwrap().to_string();
        let list = self.shop.get("/v1/orders?refunds_to_settle=true").by(&self.staff).after(&head).send().await;
        list.expect(200).body["items"].as_array().unwrap().clone()
    }

    /// Everything that the processes do is done, and goods and money are where they belong.
    async fn is_sound(&self) {
        self.shop.at_rest().await;
        History::read(&self.shop.log).await.assert_sound();
    }
}

fn today(desk: &Desk) -> String {
    desk.shop.commands.clock().now().date_naive().to_string()
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn refunds(payment: &Value) -> Vec<Value> {
    payment["refunds"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_book_of_methods_is_replaced_whole_and_says_what_is_wrong() {
    let shop = TestShop::start().await;
    let (admin, path) = (shop.token(Role::Admin), "/v1/admin/payment-methods");
    let empty = shop.get(path).by(&shop.token(Role::Support)).send().await.expect(200);
    assert_eq!(empty.body, json!({"methods": [], "providers": []}));
    let body = json!({"methods": [transfer(), counter()]});
    shop.put(path).by(&admin).json(body.clone()).send().await.expect_problem(428, "request.precondition_required");
    shop.put(path).by(&shop.token(Role::Support)).header("If-Match", "*").json(body.clone()).send().await.expect(403);
    let set = offers(&shop, &[transfer(), counter()]).await.expect(200);
    let whole = |method: Value, rest: Value| {
        let (Value::Object(mut method), Value::Object(rest)) = (method, rest) else { panic!("objects") };
        method.extend(rest);
        Value::from(method)
    };
    let unsaid = json!({"countries": [], "accounts_only": false, "max_total": null});
    let counter_whole = whole(counter(), whole(unsaid.clone(), json!({"currencies": [], "days": null})));
    let transfer_whole = whole(transfer(), unsaid);
    assert_eq!(set.body, json!({"methods": [counter_whole, transfer_whole], "providers": []}));
    // What was read can be sent back.
    let again = shop.put(path).by(&admin).header("If-Match", set.header("etag").unwrap()).json(set.body.clone());
    assert_eq!(again.send().await.expect(200).body, set.body);
    let stale = shop.put(path).by(&admin).header("If-Match", "\"0\"").json(body).send().await;
    stale.expect_problem(412, "request.version_mismatch");
    let changed = |field: &str, value: Value| {
        let mut method = transfer();
        method[field] = value;
        method
    };
    for (methods, code, pointer) in [
        (vec![transfer(), transfer()], "payment_book.method_twice", "/methods/1/method"),
        (
            vec![counter(), changed("countries", json!(["Atlantis"]))],
            "request.country_unknown",
            "/methods/1/countries/0",
        ),
        (vec![changed("days", json!(0))], "payment_book.no_days", "/methods/0/days"),
        (vec![changed("days", json!(61))], "payment_book.no_days", "/methods/0/days"),
    ] {
        let refused = offers(&shop, &methods).await.expect_problem(422, code);
        assert_eq!(refused.text("/errors/0/pointer"), pointer, "{}", refused.body);
    }
    // Several faults of one body are told together.
    let wrong = json!([{"method": "No Slug", "kind": "cheque", "title": "", "instructions": "x"}]);
    let refused = offers(&shop, wrong.as_array().unwrap()).await.expect(422);
    let pointers: Vec<&str> =
        refused.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    for field in ["method", "kind", "title"] {
        assert!(pointers.contains(&format!("/methods/0/{field}").as_str()), "{pointers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_is_told_how_to_pay_and_the_receipts_make_the_order_paid() {
    let desk = Desk::open().await;
    let order = desk.order().await;
    let options = format!("{}/payment-methods", order.path);
    let offered = desk.shop.get(&options).with(&order.cart).send().await.expect(200);
    let names: Vec<_> = offered.body["items"].as_array().unwrap().iter().map(|it| it["method"].clone()).collect();
    assert_eq!(names, [Value::Null, json!("counter"), json!("sepa")]);
    assert_eq!((offered.text("/items/0/provider"), offered.text("/items/2/kind")), ("test", "bank_transfer"));
    desk.shop.get(&options).by(&desk.shop.token(Role::Customer)).send().await.expect_problem(404, "order.missing");

    let placed = desk.shop.get(&order.path).with(&order.cart).send().await.expect(200).body;
    let chosen = desk.pay(&order, by_hand("sepa")).await.expect(201);
    let told = &chosen.body["manual"];
    assert_eq!((&told["reference"], &told["amount"]), (&json!(order.number), &euro(2_000)));
    assert_eq!((chosen.text("/status"), &chosen.body["due"]), ("open", &euro(2_000)));
    assert!(told["instructions"].as_str().unwrap().starts_with(IBAN), "{told}");
    // The goods are reserved that long: the timer that ends the wait has moved.
    let until = moment(&told["pay_by"]);
    let now = desk.shop.get(&order.path).with(&order.cart).send().await.expect(200).body;
    assert_eq!(moment(&now["pay_by"]), until);
    assert!(until > moment(&placed["pay_by"]) + TimeDelta::days(6), "{until}");
    assert_eq!(moment(&offered.body["items"][2]["pay_by"]), until);
    eventually("the timer has moved", async || {
        let due: Option<DateTime<Utc>> =
            sqlx::query_scalar("select due_at from log.timer where key = $1 and process = $2")
                .bind(order.path.trim_start_matches("/v1/orders/"))
                .bind("settle_order")
                .fetch_optional(desk.shop.log.pool())
                .await
                .unwrap();
        (due == Some(until)).then_some(())
    })
    .await;
    eventually("the mail is sent", async || {
        let mails = desk.shop.log.kept(None, 10).await.unwrap();
        mails.iter().find(|mail| mail.text.contains(IBAN) && mail.text.contains(&order.number)).map(drop)
    })
    .await;
    let paper = desk.shop.get(&format!("{}/invoice", order.path)).with(&order.cart).send().await.expect(200);
    assert!(paper.body.as_str().unwrap().contains(IBAN), "{}", paper.body);

    let first = desk.receive(&order, 500, "statement 1").await.expect(201);
    assert_eq!((&first.body["received"], &first.body["due"]), (&euro(500), &euro(1_500)));
    desk.pay(&order, by_hand("counter")).await.expect_problem(409, "payment.partly_received");
    desk.pay(&order, card("tok_success")).await.expect_problem(409, "payment.partly_received");
    let whole = desk.receive(&order, 1_500, "statement 2").await.expect(201);
    assert_eq!((whole.text("/status"), whole.text("/method")), ("captured", "bank_transfer"));
    let is = desk.awaits(&order, "/payment_status", "paid").await;
    assert!(is["invoice"].is_string(), "{is}");
    let paper = desk.shop.get(&format!("{}/invoice", order.path)).with(&order.cart).send().await.expect(200);
    let paper = paper.body.as_str().unwrap();
    assert!(paper.contains("Bank transfer") || paper.contains("bank transfer"), "{paper}");
    assert!(paper.contains("statement 2") && !paper.contains(IBAN), "{paper}");
    let none = desk.shop.get(&options).with(&order.cart).send().await.expect(200);
    assert_eq!(none.body["items"], json!([]));
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_made_by_a_provider_or_by_hand_and_not_by_both() {
    let desk = Desk::open().await;
    let order = desk.order().await;
    for (body, pointer) in [
        (json!({"provider": "manual", "token": "tok_success"}), "/token"),
        (json!({"provider": "manual", "method": "sepa", "token": "tok_success"}), "/token"),
        (json!({"provider": "test", "method": "sepa"}), "/method"),
        (json!({"provider": "test", "token": "tok_success", "method": "sepa"}), "/method"),
        (json!({"provider": "stripe", "token": "x"}), "/provider"),
        (json!({"provider": "paypal", "token": "x"}), "/token"),
        (json!({"provider": "paypal", "method": "sepa"}), "/method"),
        (json!({"token": "tok_success"}), "/provider"),
        (json!({"provider": "manual", "method": "No Slug"}), "/method"),
        (json!({"provider": "manual"}), "/method"),
        (json!({"provider": "test"}), "/token"),
        (json!({"provider": "test", "token": "tok_success", "return_url": "a b"}), "/return_url"),
    ] {
        let refused = desk.pay(&order, body.clone()).await.expect(422);
        let errors = refused.body["errors"].as_array().unwrap();
        assert!(errors.iter().any(|error| error["pointer"] == pointer), "{body}: {}", refused.body);
    }
    for method in ["abroad", "invoice", "nothing"] {
        let refused = desk.pay(&order, by_hand(method)).await.expect_problem(422, "payment_book.not_offered");
        assert_eq!(refused.text("/errors/0/pointer"), "/method");
    }
    // The buyer may change their mind while nothing was received.
    for method in ["sepa", "counter", "sepa"] {
        let chosen = desk.pay(&order, by_hand(method)).await.expect(201);
        assert_eq!(chosen.text("/manual/method"), method);
    }
    let stranger = desk.order().await;
    let path = format!("{}/payments", order.path);
    let theirs = desk.shop.post(&path).with(&stranger.cart).json(by_hand("sepa")).send().await;
    theirs.expect_problem(404, "order.missing");
    let by_card = desk.pay(&order, card("tok_success")).await.expect(201);
    assert_eq!((by_card.text("/status"), &by_card.body["manual"]), ("captured", &Value::Null));
    desk.awaits(&order, "/payment_status", "paid").await;
    desk.pay(&order, by_hand("sepa")).await.expect_problem(409, "order.already_paid");
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_the_providers_page_can_pay_by_hand() {
    let desk = Desk::open().await;
    let order = desk.order().await;
    desk.pay(&order, card("tok_redirect")).await.expect(201);
    let chosen = desk.pay(&order, by_hand("sepa")).await.expect(201);
    assert_eq!((chosen.text("/status"), chosen.text("/manual/method")), ("open", "sepa"));
    desk.receive(&order, 2_000, "statement 1").await.expect(201);
    desk.awaits(&order, "/payment_status", "paid").await;
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_records_what_was_received_and_no_more_by_mistake() {
    let desk = Desk::open().await;
    let order = desk.order().await;
    let path = format!("{}/receipts", order.payment);
    let refused = desk.receive(&order, 2_001, "statement 1").await.expect_problem(409, "payment.more_than_due");
    assert!(refused.text("/detail").contains("20.00 EUR"), "{}", refused.body);
    assert_eq!(refused.text("/errors/0/pointer"), "/amount");
    let note =
        json!({"amount": euro(500), "reference": "statement 1", "received_on": today(&desk), "note": "from the till"});
    let record = |body: &Value, key: &str| desk.shop.post(&path).by(&desk.staff).key(key).json(body.clone()).send();
    let first = record(&note, "r-1").await.expect(201);
    assert_eq!(first.text("/receipts/0/note"), "from the till");
    let again = record(&note, "r-1").await.expect(201);
    assert_eq!((first.body.clone(), again.header("idempotency-replayed")), (again.body.clone(), Some("true")));
    let twice = record(&note, "r-2").await.expect_problem(409, "payment.reference_received");
    assert_eq!(twice.text("/errors/0/pointer"), "/reference");
    // Notes are for staff.
    let seen = desk.shop.get(&order.payment).with(&order.cart).send().await.expect(200);
    assert_eq!((seen.text("/receipts/0/reference"), &seen.body["receipts"][0]["note"]), ("statement 1", &Value::Null));
    let history = desk.shop.get(&format!("{}/history", order.path)).with(&order.cart).send().await.expect(200);
    assert!(!history.body.to_string().contains("from the till"), "{}", history.body);
    let tomorrow = (desk.shop.commands.clock().now() + TimeDelta::days(2)).date_naive().to_string();
    let early = json!({"amount": euro(500), "reference": "statement 2", "received_on": tomorrow});
    let early = desk.shop.post(&path).by(&desk.staff).json(early).send().await;
    assert_eq!(early.expect_problem(422, "payment.received_in_future").text("/errors/0/pointer"), "/received_on");
    desk.shop.post(&path).with(&order.cart).json(note).send().await.expect(401);
    // The first one was for another order.
    let receipt = first.text("/receipts/0/id");
    let void = |receipt: &str| {
        let path = format!("{path}/{receipt}/void");
        desk.shop.post(&path).by(&desk.staff).json(json!({"reason": "another order"})).send()
    };
    let voided = void(receipt).await.expect(200);
    assert_eq!((&voided.body["received"], voided.text("/receipts/0/voided")), (&euro(0), "another order"));
    void("rcp_00000000000000000000000001").await.expect_problem(404, "payment.no_such_receipt");
    // Nobody chose anything: it was paid elsewhere.
    let whole = desk.receive(&order, 2_000, "statement 1").await.expect(201);
    assert_eq!(whole.text("/method"), "elsewhere");
    desk.awaits(&order, "/payment_status", "paid").await;
    void(whole.text("/receipts/1/id")).await.expect_problem(409, "payment.receipt_in_use");
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_of_a_cancelled_order_goes_back_and_is_listed_until_then() {
    let desk = Desk::open().await;
    let order = desk.order().await;
    desk.pay(&order, by_hand("sepa")).await.expect(201);
    desk.receive(&order, 700, "statement 1").await.expect(201);
    desk.receive(&order, 300, "statement 2").await.expect(201);
    // A guest who cancels knows it; of a decision of the shop there is a mail.
    let cancel = desk.shop.post(&format!("{}/cancel", order.path)).by(&desk.staff).json(json!({})).send().await;
    cancel.expect(200);
    let refund = eventually("the refund is requested", async || refunds(&desk.payment(&order).await).pop()).await;
    assert_eq!((&refund["amount"], &refund["status"]), (&euro(1_000), &json!("requested")));
    assert_eq!((&refund["cause"]["kind"], &refund["manual"]), (&json!("not_due"), &json!(true)));
    let listed = desk.to_settle().await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["refunds_to_settle"], json!([refund["id"]]));
    eventually("the mail says what goes back", async || {
        let mails = desk.shop.log.kept(None, 20).await.unwrap();
        mails.iter().find(|mail| mail.text.contains("We will return the €10.00")).map(drop)
    })
    .await;
    // It arrived too late: nothing is due, but it is not forgotten.
    desk.receive(&order, 2_000, "statement 3").await.expect_problem(409, "payment.more_than_due");
    let late = desk.receive_more(&order, 2_000, "statement 3").await.expect(201);
    assert_eq!((late.text("/status"), refunds(&late.body).len()), ("voided", 2));
    for (number, refund) in refunds(&late.body).iter().enumerate() {
        let settled = desk.settle(&order, refund, &format!("back {number}")).await.expect(200);
        let settled = refunds(&settled.body).into_iter().find(|it| it["id"] == refund["id"]).unwrap();
        assert_eq!(
            (&settled["status"], &settled["settled"]["reference"]),
            (&json!("done"), &json!(format!("back {number}")))
        );
    }
    assert_eq!(desk.to_settle().await, Vec::<Value>::new());
    let over = desk.awaits(&order, "/payment_status", "voided").await;
    assert_eq!(over["refunded"], euro(0));
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_a_manual_payment_waits_for_staff() {
    let desk = Desk::open().await;
    let order = desk.order().await;
    desk.receive_more(&order, 2_500, "statement 1").await.expect(201);
    desk.awaits(&order, "/payment_status", "paid").await;
    let surplus = refunds(&desk.payment(&order).await);
    assert_eq!((surplus.len(), &surplus[0]["amount"]), (1, &euro(500)));
    desk.settle(&order, &surplus[0], "back 1").await.expect(200);
    let cancel = desk.shop.post(&format!("{}/cancel", order.path)).by(&desk.staff).json(json!({})).send().await;
    cancel.expect(200);
    let whole = eventually("the refund is requested", async || {
        let refunds = refunds(&desk.payment(&order).await);
        refunds.into_iter().find(|it| it["cause"]["kind"] == "order_cancelled")
    })
    .await;
    desk.shop.at_rest().await;
    assert_eq!(desk.awaits(&order, "/payment_status", "refund_due").await["refunded"], euro(0));
    let settled = desk.settle(&order, &whole, "back 2").await.expect(200);
    assert_eq!(settled.text("/status"), "refunded");
    let again = desk.settle(&order, &whole, "back 2").await.expect(200);
    assert_eq!(again.body, settled.body);
    desk.settle(&order, &whole, "back 3").await.expect_problem(409, "payment.refund_done");
    let over = desk.awaits(&order, "/payment_status", "refunded").await;
    assert_eq!(over["refunded"], euro(2_000));
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_provider_refused_for_good_is_settled_by_staff() {
    let desk = Desk::open().await;
    let order = paid(&desk.shop, &desk.variant, 1).await;
    desk.shop.commands.emulator().behave(FailureModes { refuses_refunds: true, ..FailureModes::default() });
    let give = json!({"amount": euro(300), "reason": "a scratch"});
    desk.shop.post(&format!("{}/refunds", order.payment)).by(&desk.staff).json(give).send().await.expect(201);
    let failed = eventually("the provider refuses", async || {
        let payment = desk.shop.get(&order.payment).by(&desk.staff).send().await.expect(200).body;
        refunds(&payment).pop().filter(|it| it["status"] == "failed")
    })
    .await;
    let path = format!("{}/refunds/{}/settle", order.payment, failed["id"].as_str().unwrap());
    let body = json!({"reference": "transfer 77", "settled_on": today(&desk)});
    let settled = desk.shop.post(&path).by(&desk.staff).json(body).send().await.expect(200);
    assert_eq!((&settled.body["refunded"], settled.text("/refunds/0/status")), (&euro(300), "done"));
    order.awaits(&desk.shop, "/payment_status", "partly_refunded").await;
    let head = desk.shop.log.head().await.unwrap().to_string();
    let failed = desk.shop.get("/v1/orders?refunds_failed=true").by(&desk.staff).after(&head).send().await.expect(200);
    assert_eq!(failed.body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_receipts_take_a_recent_proof() {
    let shop = TestShop::start().staffed(StaffRules { large_refund: 15, ..StaffRules::default() }).await;
    let clerk = shop.staff("clerk@example.org", Role::Support).await;
    let (_, variant) = shop.product("PROOF", 1_000, 10).await;
    let (placed, _) = shop.order(&variant, 2).await;
    let day = shop.commands.clock().now().date_naive().to_string();
    let receive = |token: &str, amount: i64, reference: &str| {
        let body = json!({"amount": euro(amount), "reference": reference, "received_on": day});
        shop.post(&format!("/v1/payments/{}/receipts", placed.text("/payment"))).by(token).json(body).send()
    };
    shop.age_proof(&clerk.session, 10).await;
    receive(&clerk.token, 1_499, "1").await.expect(201);
    // A small part counts as the whole that it completes.
    receive(&clerk.token, 501, "2").await.expect_problem(401, "auth.reauthentication_required");
    let key = json!({"name": "Robot", "scopes": ["orders:read", "orders:write"]});
    let key = shop.post("/v1/admin/api-keys").by(&shop.token(Role::Admin)).json(key).send().await.expect(201);
    receive(key.text("/key"), 501, "2").await.expect_problem(403, "auth.forbidden");
    receive(key.text("/key"), 500, "2").await.expect(201);
    receive(&shop.token(Role::Support), 1, "3").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_receipts_at_once_never_capture_twice() {
    let desk = Desk::open().await;
    for round in 0..5 {
        let order = desk.order().await;
        let (one, two) =
            tokio::join!(desk.receive(&order, 1_200, "statement 1"), desk.receive(&order, 1_200, "statement 2"));
        let mut answers = [one.status, two.status];
        answers.sort_unstable();
        assert_eq!(answers, [201, 409], "round {round}: {} {}", one.body, two.body);
        assert_eq!(desk.payment(&order).await["due"], euro(800));
        let (one, two) =
            tokio::join!(desk.receive_more(&order, 800, "statement 3"), desk.receive_more(&order, 800, "statement 4"));
        assert_eq!((one.status, two.status), (201, 201), "{} {}", one.body, two.body);
        let payment = desk.payment(&order).await;
        assert_eq!((&payment["captured"], &payment["received"]), (&euro(2_000), &euro(2_800)));
        assert_eq!(refunds(&payment)[0]["amount"], euro(800));
        desk.awaits(&order, "/payment_status", "paid").await;
    }
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_and_a_cancellation_at_once_forget_no_money() {
    let desk = Desk::open().await;
    for round in 0..6 {
        let order = desk.order().await;
        let (received, cancelled) = tokio::join!(
            desk.receive_more(&order, if round % 2 == 0 { 2_000 } else { 900 }, "statement 1"),
            desk.cancel(&order)
        );
        assert_eq!((received.status, cancelled.status), (201, 200), "{} {}", received.body, cancelled.body);
        desk.shop.at_rest().await;
        let payment = desk.payment(&order).await;
        let back: i64 = refunds(&payment).iter().map(|refund| refund["amount"]["amount"].as_i64().unwrap()).sum();
        assert_eq!(Some(back), payment["received"]["amount"].as_i64(), "{payment}");
        for refund in refunds(&payment) {
            desk.settle(&order, &refund, "back").await.expect(200);
        }
    }
    assert_eq!(desk.to_settle().await, Vec::<Value>::new());
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_and_an_attempt_at_once_leave_one_way_to_pay() {
    let desk = Desk::open().await;
    for token in ["tok_success", "tok_declined", "tok_timeout", "tok_pending_success", "tok_pending_failure"] {
        let order = desk.order().await;
        let (by_card, chosen) = tokio::join!(desk.pay(&order, card(token)), desk.pay(&order, by_hand("sepa")));
        assert!(matches!(by_card.status, 201 | 409), "{token}: {}", by_card.body);
        assert!(matches!(chosen.status, 201 | 409), "{token}: {}", chosen.body);
        let payment = eventually("the attempt has its outcome", async || {
            let payment = desk.payment(&order).await;
            let is_over = !matches!(payment["status"].as_str()?, "attempted" | "pending" | "unresolved");
            is_over.then_some(payment)
        })
        .await;
        if payment["status"] == "open" {
            desk.pay(&order, by_hand("sepa")).await.expect(201);
            desk.receive(&order, 2_000, "statement 1").await.expect(201);
        }
        desk.awaits(&order, "/payment_status", "paid").await;
        let payment = desk.payment(&order).await;
        assert_eq!((&payment["captured"], &payment["refunds"]), (&euro(2_000), &json!([])), "{token}");
    }
    desk.is_sound().await;
}
