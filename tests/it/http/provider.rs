//! The emulated provider at its worst: what it tells is late, repeated, out of order, lost or forged, and no charge is made
//! twice, forgotten, or kept without an order.

use std::sync::atomic::{AtomicUsize, Ordering};

use byteshop_commands::ports::payment_test::FailureModes;
use byteshop_domain::ids::{Id as _, PaymentId};
use byteshop_eventstore::Clock;
use byteshop_gateway::http::provider::signed;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

struct Order {
    path: String,
    payment: String,
    cart: GuestCart,
}

async fn order(shop: &TestShop, variant: &str) -> Order {
    let (placed, cart) = shop.order(variant, 1).await;
    Order { path: format!("/v1/orders/{}", placed.text("/id")), payment: placed.text("/payment").into(), cart }
}

impl Order {
    async fn pay(&self, shop: &TestShop, token: &str) -> Answer {
        let pay = json!({"provider": "test", "token": token});
        shop.post(&format!("{}/payments", self.path)).with(&self.cart).json(pay).send().await
    }

    async fn awaits(&self, shop: &TestShop, wanted: &str) {
        eventually(&format!("the order is {wanted}"), async || {
            let order = shop.get(&self.path).with(&self.cart).send().await.expect(200).body;
            (order["payment_status"] == wanted).then_some(())
        })
        .await;
    }

    /// The reference of its last attempt.
    async fn reference(&self, shop: &TestShop) -> String {
        let id: PaymentId = self.payment.parse().unwrap();
        shop.commands.emulator().last_of(id).await.unwrap().unwrap().reference
    }
}

async fn told(shop: &TestShop, reference: &str, payment: &str) -> Answer {
    let (body, headers) = signed(shop.commands.emulator(), reference, payment, Clock.now()).await.unwrap();
    let call = headers.iter().fold(shop.post("/v1/webhooks/test"), |call, (name, value)| call.header(name, value));
    call.body(body).send().await
}

/// What the provider took and kept is what the orders believe, charge by charge.
async fn books_agree(shop: &TestShop) {
    let mut kept = std::collections::BTreeMap::new();
    for charge in shop.commands.emulator().books().all().await.unwrap() {
        assert!(charge.refunded <= charge.amount, "{charge:?}");
        if charge.state == "captured" {
            *kept.entry(PaymentId::from_uuid(charge.payment).to_string()).or_insert(0) +=
                charge.amount - charge.refunded;
        }
        assert!(charge.state != "authorized", "money is left set aside: {charge:?}");
    }
    let staff = shop.token(Role::Support);
    for (payment, kept) in kept {
        let known = shop.get(&format!("/v1/payments/{payment}")).by(&staff).send().await.expect(200).body;
        let believed = known["captured"]["amount"].as_i64().unwrap() - known["refunded"]["amount"].as_i64().unwrap();
        assert_eq!(kept, believed, "{known}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_is_granted_while_its_order_is_called_off_goes_back() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("W-0", 1000, 500).await;
    let staff = shop.token(Role::Support);
    for _ in 0..60 {
        let it = order(&shop, &variant).await;
        // As a buyer who changes their mind at once, in three places.
        let give_up = format!("/v1/payments/{}/cancel", it.payment);
        let call_off = format!("{}/cancel", it.path);
        tokio::join!(
            it.pay(&shop, "tok_success"),
            shop.post(&give_up).by(&staff).send(),
            shop.post(&call_off).by(&staff).send(),
        );
        eventually("nothing is kept of the payment", async || {
            let known = shop.get(&format!("/v1/payments/{}", it.payment)).by(&staff).send().await.expect(200);
            matches!(known.text("/status"), "voided" | "refunded" | "cancelled").then_some(())
        })
        .await;
    }
    books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_notification_is_refused_and_a_true_one_is_only_a_hint() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("W-1", 1000, 9).await;
    let it = order(&shop, &variant).await;
    it.pay(&shop, "tok_redirect").await.expect(201);
    let reference = it.reference(&shop).await;
    let body = json!({"type": "charge.updated", "reference": reference, "payment": it.payment});
    let post = || shop.post("/v1/webhooks/test");
    post().json(body.clone()).send().await.expect_problem(401, "webhook.not_signed");
    let forged = post().json(body.clone()).header("webhook-id", "1").header("webhook-signature", "v1,AAAA");
    let now = Clock.now().timestamp().to_string();
    forged.header("webhook-timestamp", &now).send().await.expect_problem(401, "webhook.not_signed");
    // Recorded and played again, or signed for another body.
    let old = Clock.now() - TimeDelta::hours(1);
    let (text, headers) = signed(shop.commands.emulator(), &reference, &it.payment, old).await.unwrap();
    let call = headers.iter().fold(post(), |call, (name, value)| call.header(name, value));
    call.body(text).send().await.expect_problem(401, "webhook.not_signed");
    let (text, headers) = signed(shop.commands.emulator(), &reference, &it.payment, Clock.now()).await.unwrap();
    let call = headers.iter().fold(post(), |call, (name, value)| call.header(name, value));
    call.body(text.replace("charge", "refund")).send().await.expect_problem(401, "webhook.not_signed");
    // A signature is one of a few: each costs a hash, and anybody may send a hundred thousand.
    let (text, headers) = signed(shop.commands.emulator(), &reference, &it.payment, Clock.now()).await.unwrap();
    let call = headers.iter().fold(post(), |call, (name, value)| match *name {
        "webhook-signature" => call.header(name, &format!("{}{value}", "v1,AAAA ".repeat(50))),
        _ => call.header(name, value),
    });
    call.body(text).send().await.expect_problem(401, "webhook.not_signed");
    for garbage in ["", "{", "[]", "\u{0}"] {
        let status = post().body(garbage).send().await.status;
        assert!((400..500).contains(&status), "{garbage:?}: {status}");
    }
    // It is signed, and still the provider says that nobody has paid.
    told(&shop, &reference, &it.payment).await.expect(202);
    let seen = shop.get(&format!("/v1/payments/{}", it.payment)).with(&it.cart).send().await.expect(200);
    assert_eq!(seen.body["status"], "pending");
    // What names nothing of this shop is heard and forgotten.
    let head = shop.at_rest().await;
    told(&shop, "test-success-00", &it.payment).await.expect(202);
    told(&shop, &reference, "pay_00000000000000000000000001").await.expect(202);
    assert_eq!(shop.log.head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_approves_declines_or_leaves_on_the_providers_page() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("W-2", 1999, 9).await;
    for (verdict, status, said) in [
        ("approve", "paid", "Payment complete"),
        ("decline", "awaiting", "The payment was declined."),
        ("cancel", "awaiting", "was cancelled"),
    ] {
        let it = order(&shop, &variant).await;
        let paying = it.pay(&shop, "tok_redirect").await.expect(201);
        let page = paying.text("/action_url").to_owned();
        let shown = shop.get(&page).send().await.expect(200);
        assert!(shown.body.as_str().unwrap().contains("€19.99"));
        assert!(shown.header("content-security-policy").unwrap().contains("default-src 'none'"));
        // The client follows to the page, which says what became of it.
        let decided = shop.post(&format!("{page}/{verdict}")).send().await.expect(200);
        assert!(decided.body.as_str().unwrap().contains(said), "{}", decided.body);
        it.awaits(&shop, status).await;
        // Twice is once, and otherwise is too late.
        shop.post(&format!("{page}/approve")).send().await.expect(200);
        it.awaits(&shop, status).await;
        if status == "awaiting" {
            it.pay(&shop, "tok_success").await.expect(201);
            it.awaits(&shop, "paid").await;
        }
    }
    shop.get("/dev/pay/pay_00000000000000000000000001").send().await.expect(404);
    shop.get("/dev/pay/x").send().await.expect(404);
    books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_provider_leads_back_to_the_shop_and_nowhere_else() {
    let shop = TestShop::start().open_to("https://shop.example.org".parse().unwrap()).await;
    let (_, variant) = shop.product("W-10", 1999, 9).await;
    let it = order(&shop, &variant).await;
    let pay = |url: &str| {
        let body = json!({"provider": "test", "token": "tok_redirect", "return_url": url});
        shop.post(&format!("{}/payments", it.path)).with(&it.cart).json(body).send()
    };
    for foreign in ["https://evil.example/", "https://shop.example.org@evil.example/", "javascript:alert(1)"] {
        let refused = pay(foreign).await.expect_problem(422, "request.invalid");
        assert_eq!(refused.text("/errors/0/pointer"), "/return_url", "{foreign}");
    }
    let back = "https://shop.example.org/thanks?order=1&paid=yes";
    let page = pay(back).await.expect(201).text("/action_url").to_owned();
    let link = "href=\"https:&#x2f;&#x2f;shop.example.org&#x2f;thanks?order=1&amp;paid=yes\"";
    let waiting = shop.get(&page).send().await.expect(200);
    assert!(!waiting.body.as_str().unwrap().contains("shop.example.org"), "{}", waiting.body);
    let decided = shop.post(&format!("{page}/approve")).send().await.expect(200);
    let html = decided.body.as_str().unwrap();
    assert!(html.contains(link) && html.contains("http-equiv=\"refresh\""), "{html}");
    it.awaits(&shop, "paid").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_notifications_changes_nothing_twice() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("W-3", 1000, 9).await;
    let it = order(&shop, &variant).await;
    it.pay(&shop, "tok_timeout").await.expect(201);
    let reference = it.reference(&shop).await;
    let storm = join_all((0..100).map(|_| told(&shop, &reference, &it.payment))).await;
    for answer in storm {
        answer.expect(202);
    }
    it.awaits(&shop, "paid").await;
    let history = shop.get(&format!("{}/history", it.path)).with(&it.cart).send().await.expect(200);
    let count =
        |wanted: &str| history.body["items"].as_array().unwrap().iter().filter(|item| item["type"] == wanted).count();
    assert_eq!((count("payment.captured"), count("payment.authorized"), count("order.paid")), (1, 1, 1));
    books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_charge_is_settled_whatever_becomes_of_the_notifications() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("W-4", 1000, 99).await;
    let bad = [
        FailureModes { lost_percent: 100, tells_all: true, ..FailureModes::default() },
        FailureModes { duplicates: 20, shuffled: true, tells_all: true, ..FailureModes::default() },
        FailureModes { delay_ms: 3_000, lost_percent: 50, duplicates: 2, shuffled: true, ..FailureModes::default() },
    ];
    let mut orders = Vec::new();
    for manners in bad {
        shop.commands.emulator().behave(manners);
        for (token, ends) in [
            ("tok_success", "paid"),
            ("tok_timeout", "paid"),
            ("tok_pending_success", "paid"),
            ("tok_pending_failure", "open"),
            ("tok_failure", "open"),
        ] {
            let it = order(&shop, &variant).await;
            // The client repeats itself, with its key and without.
            let pay = json!({"provider": "test", "token": token});
            let ask = || {
                let call = shop.post(&format!("{}/payments", it.path)).with(&it.cart).json(pay.clone());
                call.key("again").send()
            };
            join_all([ask(), ask(), ask()]).await;
            it.pay(&shop, token).await;
            orders.push((it, ends));
        }
    }
    for (it, ends) in &orders {
        if *ends == "paid" {
            it.awaits(&shop, ends).await;
            continue;
        }
        eventually("the attempt failed, and another one can be made", async || {
            let payment = shop.get(&format!("/v1/payments/{}", it.payment)).with(&it.cart).send().await.expect(200);
            (payment.text("/status") == *ends && payment.text("/decline_reason") == "provider_error").then_some(())
        })
        .await;
        it.awaits(&shop, "awaiting").await;
    }
    books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_provider_is_asked_again_and_holds_nobody_up() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("W-5", 1000, 9).await;
    let [first, second, third] =
        [order(&shop, &variant).await, order(&shop, &variant).await, order(&shop, &variant).await];
    first.pay(&shop, "tok_success").await.expect(201);
    first.awaits(&shop, "paid").await;
    shop.commands.emulator().behave(FailureModes { silent: true, ..FailureModes::default() });
    let off = shop.post(&format!("{}/cancel", first.path)).by(&staff).send().await.expect(200);
    assert_eq!(off.body["payment_status"], "refund_due");
    let unsure = second.pay(&shop, "tok_success").await.expect(201);
    assert_eq!(unsure.body["status"], "unresolved");
    // Others are not held up: the shop goes on.
    shop.post(&format!("{}/cancel", third.path)).with(&third.cart).send().await.expect(200);
    third.awaits(&shop, "voided").await;
    shop.commands.emulator().behave(FailureModes::default());
    first.awaits(&shop, "refunded").await;
    // The charge never reached the provider, so another attempt may be made.
    eventually("the attempt is known to have failed", async || {
        let payment = shop.get(&format!("/v1/payments/{}", second.payment)).with(&second.cart).send().await.expect(200);
        (payment.body["status"] == "open" && payment.body["decline_reason"] == "not_received").then_some(())
    })
    .await;
    second.pay(&shop, "tok_success").await.expect(201);
    second.awaits(&shop, "paid").await;
    books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_provider_refuses_is_tried_again_under_its_note_and_no_other_goes_under_it() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("W-6", 1000, 9).await;
    let it = order(&shop, &variant).await;
    it.pay(&shop, "tok_success").await.expect(201);
    it.awaits(&shop, "paid").await;
    let path = format!("/v1/payments/{}", it.payment);
    let give = |amount: i64, reason: &str| {
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": reason});
        shop.post(&format!("{path}/refunds")).by(&staff).json(body).send()
    };
    let retry = |refund: &str| shop.post(&format!("{path}/refunds/{refund}/retry")).by(&staff);
    shop.commands.emulator().behave(FailureModes { refuses_refunds: true, ..FailureModes::default() });
    give(700, "a scratch").await.expect(201);
    let failed = last_failed(&shop, &path, 1).await;
    retry(&failed).send().await.expect(201);
    let failed_again = last_failed(&shop, &path, 2).await;
    shop.commands.emulator().behave(FailureModes::default());
    // What is given back for another reason has a note of its own, and there is none for what has one.
    give(200, "it was late").await.expect(201);
    let refused = give(101, "everything").await.expect_problem(409, "payment.credited_already");
    assert!(refused.text("/detail").contains(&failed_again), "{}", refused.body);
    retry(&failed).send().await.expect_problem(409, "payment.refund_retried");
    retry("rfd_01h455vb4pex5vsknk084sn02q").send().await.expect_problem(404, "payment.no_such_refund");
    let keyed = || retry(&failed_again).header("Idempotency-Key", "once").send();
    let first = keyed().await.expect(201);
    assert_eq!(first.body, keyed().await.expect(201).body);
    give(100, "the rest").await.expect(201);
    it.awaits(&shop, "refunded").await;
    books_agree(&shop).await;
    let payment = shop.get(&path).by(&staff).send().await.expect(200).body;
    let done = payment["refunds"].as_array().unwrap().iter().filter(|it| it["status"] == "done").count();
    assert_eq!(done, 3, "{payment}");
    let notes = shop.get(&format!("{}/credit-notes", it.path)).by(&staff).send().await.expect(200).body;
    let said = |note: &Value| (note["total"]["amount"].as_i64().unwrap(), note["reason"].as_str().unwrap().to_owned());
    let mut said: Vec<_> = notes["items"].as_array().unwrap().iter().map(said).collect();
    said.sort();
    let expected = [(100, "the rest"), (200, "it was late"), (700, "a scratch")];
    assert_eq!(said, expected.map(|(amount, reason)| (amount, reason.to_owned())));
    let told = shop.get(&format!("{}/history", it.path)).by(&staff).send().await.expect(200).body.to_string();
    assert!(told.contains("requested a refund of €7.00 again: a scratch"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_an_order_that_is_off_goes_back_in_whatever_order_its_refunds_are_tried_again() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("W-11", 1000, 99).await;
    for smaller_first in [true, false] {
        let it = order(&shop, &variant).await;
        it.pay(&shop, "tok_success").await.expect(201);
        it.awaits(&shop, "paid").await;
        let path = format!("/v1/payments/{}", it.payment);
        shop.commands.emulator().behave(FailureModes { refuses_refunds: true, ..FailureModes::default() });
        let body = json!({"amount": {"amount": 300, "currency": "EUR"}, "reason": "it was late"});
        shop.post(&format!("{path}/refunds")).by(&staff).json(body).send().await.expect(201);
        let smaller = last_failed(&shop, &path, 1).await;
        shop.post(&format!("{}/cancel", it.path)).by(&staff).send().await.expect(200);
        let whole = eventually("the provider refuses the whole, too", async || {
            let payment = shop.get(&path).by(&staff).send().await.expect(200).body;
            let failed = |it: &&Value| it["status"] == "failed" && it["id"] != smaller.as_str();
            Some(payment["refunds"].as_array()?.iter().find(failed)?["id"].as_str()?.to_owned())
        })
        .await;
        shop.commands.emulator().behave(FailureModes::default());
        let retry = |refund: &str| shop.post(&format!("{path}/refunds/{refund}/retry")).by(&staff).send();
        if smaller_first {
            retry(&smaller).await.expect(201);
            retry(&whole).await.expect(201);
        } else {
            retry(&whole).await.expect(201);
            retry(&smaller).await.expect_problem(409, "payment.too_much_refunded");
        }
        it.awaits(&shop, "refunded").await;
        let payment = shop.get(&path).by(&staff).send().await.expect(200).body;
        assert_eq!(payment["refunded"]["amount"], 1000, "{payment}");
        let notes = shop.get(&format!("{}/credit-notes", it.path)).by(&staff).send().await.expect(200).body;
        let credited = notes["items"].as_array().unwrap().iter().map(|note| note["total"]["amount"].as_i64().unwrap());
        assert_eq!(credited.sum::<i64>(), 1000, "{notes}");
    }
    books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_many_try_again_at_once_beside_others_goes_back_once() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("W-10", 1000, 99).await;
    for round in 0..6 {
        let it = order(&shop, &variant).await;
        it.pay(&shop, "tok_success").await.expect(201);
        it.awaits(&shop, "paid").await;
        let path = format!("/v1/payments/{}", it.payment);
        let give = |amount: i64| {
            let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch"});
            shop.post(&format!("{path}/refunds")).by(&staff).json(body).send()
        };
        shop.commands.emulator().behave(FailureModes { refuses_refunds: true, ..FailureModes::default() });
        give(600).await.expect(201);
        let failed = last_failed(&shop, &path, 1).await;
        shop.commands.emulator().behave(FailureModes::default());
        let retry = format!("{path}/refunds/{failed}/retry");
        let retries = join_all((0..6).map(|_| shop.post(&retry).by(&staff).send()));
        let gifts = join_all((0..3).map(|_| give(300)));
        let order = it.path.clone();
        let cancel = async {
            if round % 2 == 1 {
                shop.post(&format!("{order}/cancel")).by(&staff).send().await.expect(200);
            }
        };
        let (retries, gifts, ()) = tokio::join!(retries, gifts, cancel);
        let taken = |answers: &[Answer]| answers.iter().filter(|it| it.status == 201).count();
        assert!(taken(&retries) <= 1 && taken(&gifts) <= 1, "{retries:?} {gifts:?}");
        for refused in retries.iter().chain(&gifts).filter(|it| it.status != 201) {
            assert_eq!(refused.status, 409, "{refused:?}");
        }
        if round % 2 == 1 {
            it.awaits(&shop, "refunded").await;
        } else {
            assert_eq!((taken(&retries), taken(&gifts)), (1, 1));
            it.awaits(&shop, "partly_refunded").await;
        }
        shop.at_rest().await;
        let payment = shop.get(&path).by(&staff).send().await.expect(200).body;
        let notes = shop.get(&format!("{order}/credit-notes")).by(&staff).send().await.expect(200).body;
        let credited = notes["items"].as_array().unwrap().iter().map(|note| note["total"]["amount"].as_i64().unwrap());
        assert_eq!(Some(credited.sum()), payment["refunded"]["amount"].as_i64(), "{notes} {payment}");
    }
    books_agree(&shop).await;
}

/// The refund that failed last, once so many did.
async fn last_failed(shop: &TestShop, payment: &str, count: usize) -> String {
    let staff = shop.token(Role::Support);
    eventually("the provider refuses", async || {
        let payment = shop.get(payment).by(&staff).send().await.expect(200).body;
        let refunds = payment["refunds"].as_array().unwrap();
        let failed: Vec<_> = refunds.iter().filter(|it| it["status"] == "failed").collect();
        let last = failed.iter().find(|it| it["retried_as"].is_null())?;
        (failed.len() == count).then(|| last["id"].as_str().unwrap().to_owned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_whose_money_the_provider_refused_is_settled_when_it_goes_back_after_all() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("W-8", 1000, 9).await;
    let it = order(&shop, &variant).await;
    it.pay(&shop, "tok_success").await.expect(201);
    it.awaits(&shop, "paid").await;
    shop.post(&format!("{}/fulfil", it.path)).by(&staff).send().await.expect(200);
    shop.commands.emulator().behave(FailureModes { refuses_refunds: true, ..FailureModes::default() });
    let lines = json!([{"variant": variant, "quantity": 1}]);
    let back = json!({"lines": lines, "reason": "other"});
    let asked = shop.post(&format!("{}/returns", it.path)).with(&it.cart).json(back).send().await.expect(201);
    let back = format!("/v1/returns/{}", asked.id());
    shop.post(&format!("{back}/approve")).by(&staff).send().await.expect(200);
    let came = json!({"lines": [{"variant": variant, "quantity": 1, "condition": "new", "restock": true}]});
    shop.post(&format!("{back}/receive")).by(&staff).json(came).send().await.expect(200);
    let path = format!("/v1/payments/{}", it.payment);
    let failed = last_failed(&shop, &path, 1).await;
    shop.commands.emulator().behave(FailureModes::default());
    shop.post(&format!("{path}/refunds/{failed}/retry")).by(&staff).send().await.expect(201);
    it.awaits(&shop, "refunded").await;
    eventually("the return is settled", async || {
        let back = shop.get(&back).by(&staff).send().await.expect(200).body;
        (back["status"] == "refunded" && back["refund"] != failed.as_str()).then_some(())
    })
    .await;
    books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_a_paid_order_is_put_off_while_the_order_is_about_to_hear_of_its_money() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("W-9", 1000, 99).await;
    let put_off = AtomicUsize::new(0);
    for round in 0..20 {
        let it = order(&shop, &variant).await;
        it.pay(&shop, "tok_success").await.expect(201);
        let body = json!({"amount": {"amount": 10, "currency": "EUR"}, "reason": "a scratch"});
        let key = format!("round-{round}");
        let give = || {
            let path = format!("/v1/payments/{}/refunds", it.payment);
            shop.post(&path).by(&staff).header("Idempotency-Key", &key).json(body.clone()).send()
        };
        eventually("the same request is taken in", async || {
            let answer = give().await;
            if answer.status == 201 {
                return Some(());
            }
            put_off.fetch_add(1, Ordering::Relaxed);
            let refused = answer.expect_problem(409, "order.not_paid");
            assert_eq!(refused.header("retry-after"), Some("1"), "{}", refused.body);
            None
        })
        .await;
    }
    assert!(put_off.into_inner() > 0, "every order had heard of its money: nothing was tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_did_not_give_back_of_a_cancelled_order_staff_gives_back_under_the_same_note() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("W-7", 1000, 9).await;
    let it = order(&shop, &variant).await;
    it.pay(&shop, "tok_success").await.expect(201);
    it.awaits(&shop, "paid").await;
    shop.commands.emulator().behave(FailureModes { refuses_refunds: true, ..FailureModes::default() });
    let order = it.path.clone();
    shop.post(&format!("{order}/cancel")).by(&staff).send().await.expect(200);
    let path = format!("/v1/payments/{}", it.payment);
    let failed = last_failed(&shop, &path, 1).await;
    shop.commands.emulator().behave(FailureModes::default());
    let body = json!({"amount": {"amount": 1000, "currency": "EUR"}, "reason": "by hand"});
    let given = shop.post(&format!("{path}/refunds")).by(&staff).json(body).send().await;
    given.expect_problem(409, "order.cancelled");
    shop.post(&format!("{path}/refunds/{failed}/retry")).by(&staff).send().await.expect(201);
    it.awaits(&shop, "refunded").await;
    let notes = shop.get(&format!("{order}/credit-notes")).by(&staff).send().await.expect(200).body;
    assert_eq!((notes["items"].as_array().unwrap().len(), &notes["items"][0]["total"]["amount"]), (1, &json!(1000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manners_of_the_provider_are_switched_while_developing() {
    let shop = TestShop::start().await;
    let bad = json!({"duplicates": 3, "lost_percent": 10, "shuffled": true});
    shop.put("/dev/provider").json(bad).send().await.expect(200);
    let seen = shop.get("/dev/provider").send().await.expect(200);
    assert_eq!((&seen.body["duplicates"], &seen.body["silent"]), (&json!(3), &Value::Bool(false)));
    let body = json!({"lost_percent": 101});
    shop.put("/dev/provider").json(body).send().await.expect_problem(422, "request.invalid");
    shop.put("/dev/provider").json(json!({"loud": true})).send().await.expect(422);
    // A page of somebody else, under a name that leads here or from where it is, changes nothing and sees nothing.
    for (method, path) in [("GET", "/dev/mail"), ("GET", "/dev/provider"), ("PUT", "/dev/provider")] {
        let call = || shop.call(method.parse().unwrap(), path);
        let refused = call().header("Host", "evil.example").send().await.expect_problem(403, "request.foreign_host");
        assert!(refused.text("/detail").ends_with("this request had `Host: evil.example`"), "{}", refused.body);
    }
    let foreign = shop.delete("/dev/mail").header("Origin", "https://evil.example").send().await;
    let refused = foreign.expect_problem(403, "request.foreign_origin");
    assert!(refused.text("/detail").ends_with("this request had `Origin: https://evil.example`"), "{}", refused.body);
    shop.delete("/dev/mail").header("Origin", &shop.url).send().await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_messages_that_are_shown_are_deleted() {
    let shop = TestShop::start().await;
    let kept = async |to: &str| {
        let list =
            shop.get(&format!("/dev/mail?to={to}")).header("Accept", "application/json").send().await.expect(200);
        list.body["items"].as_array().unwrap().len()
    };
    for (email, locale) in [("ada@example.org", "en"), ("boris@example.org", "ru")] {
        let body = json!({"email": email, "password": "a long enough password", "locale": locale});
        shop.post("/v1/auth/register").json(body).send().await.expect(202);
        eventually("the mail", || async { (kept(email).await > 0).then_some(()) }).await;
    }
    shop.post("/dev/mail/empty?to=Ada@example.org").send().await.expect(200);
    assert_eq!((kept("ada@example.org").await, kept("boris@example.org").await), (0, 1));
    shop.delete("/dev/mail").send().await.expect(204);
    assert_eq!(kept("boris@example.org").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pays_again_while_the_page_is_approved_pays_once() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("W-9", 1000, 500).await;
    let mut approved = 0;
    for round in 0..20 {
        let it = order(&shop, &variant).await;
        let page = it.pay(&shop, "tok_redirect").await.expect(201).text("/action_url").to_owned();
        let approve = async || {
            // Sometimes a moment later, so that each is first now and then.
            for _ in 0..round % 4 {
                shop.get(&page).send().await.expect(200);
            }
            shop.post(&format!("{page}/approve")).send().await.expect(200)
        };
        let (again, also, _) = tokio::join!(it.pay(&shop, "tok_success"), it.pay(&shop, "tok_success"), approve());
        for answer in [again, also] {
            if answer.status != 201 {
                let code = answer.expect(409).text("/code").to_owned();
                let known = ["order.already_paid", "payment.already_authorized", "payment.in_progress"];
                assert!(known.contains(&code.as_str()), "{code}");
            }
        }
        it.awaits(&shop, "paid").await;
        let payment: PaymentId = it.payment.parse().unwrap();
        // What was charged beside it is given back a moment later.
        let kept = eventually("one charge is kept", async || {
            let mut kept = shop.commands.emulator().books().all().await.unwrap();
            kept.retain(|it| it.payment == payment.uuid() && it.state == "captured" && it.refunded == 0);
            (kept.len() == 1).then_some(kept)
        })
        .await;
        approved += usize::from(kept[0].scenario == "redirect");
    }
    books_agree(&shop).await;
    assert!(approved < 20, "no attempt was called off");
}
