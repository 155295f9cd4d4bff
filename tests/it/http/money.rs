//! Money of orders as an accountant would try it: what comes off the sales, what stands on papers, what sending costs, and what
//! becomes of a payment that was left.

use byteshop_commands::Intent;
use byteshop_commands::use_cases::orders;
use byteshop_domain::Actor;
use byteshop_domain::ids::OrderId;
use byteshop_domain::issuer::Issuer;
use byteshop_domain::order::{CancelReason, Order};
use byteshop_eventstore::Clock;
use byteshop_gateway::security::token::Role;
use byteshop_gateway::trade::Trade;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop, address};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::aftersales::{lines, paid, shop_stock, story};

fn euro(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn card(token: &str) -> Value {
    json!({"provider": "test", "token": token})
}

/// A parcel to Germany costs 9.00.
pub(super) async fn sends(shop: &TestShop) {
    let service = json!({"service": "flat", "name": "Flat", "days": {"min": 1, "max": 3},
        "bands": [{"up_to_g": 10_000, "prices": [euro(900)]}]});
    let zone = json!({"zone": "germany", "name": "Germany", "countries": ["DE"], "services": [service]});
    let admin = shop.token(Role::Admin);
    shop.put("/v1/admin/shipping")
        .by(&admin)
        .header("If-Match", "*")
        .json(json!({"zones": [zone]}))
        .send()
        .await
        .expect(200);
}

async fn taxes(shop: &TestShop, countries: Value) {
    let book = shop.put("/v1/admin/tax-rates").by(&shop.token(Role::Admin)).header("If-Match", "*");
    book.json(json!({"countries": countries})).send().await.expect(200);
}

/// A variant that is not sent.
async fn file(shop: &TestShop, sku: &str, price: i64) -> String {
    let (product, variant) = shop.product(sku, price, 10).await;
    let path = format!("/v1/products/{product}/variants/{variant}");
    shop.patch(&path).by(&shop.token(Role::Admin)).json(json!({"physical": false})).send().await.expect(200);
    variant
}

struct Ordered {
    path: String,
    payment: String,
    cart: GuestCart,
}

impl Ordered {
    async fn is(&self, shop: &TestShop) -> Value {
        shop.get(&self.path).with(&self.cart).send().await.expect(200).body
    }

    async fn pay(&self, shop: &TestShop, token: &str) -> Answer {
        shop.post(&format!("{}/payments", self.path)).with(&self.cart).json(card(token)).send().await
    }

    async fn awaits(&self, shop: &TestShop, pointer: &str, wanted: &Value) -> Value {
        eventually(&format!("{pointer} is {wanted}"), async || {
            let order = self.is(shop).await;
            (order.pointer(pointer) == Some(wanted)).then_some(order)
        })
        .await
    }

    async fn cancel(&self, shop: &TestShop, variant: &str) -> Answer {
        let body = json!({"lines": lines(variant, 1)});
        shop.post(&format!("{}/cancel", self.path)).with(&self.cart).json(body).send().await
    }

    async fn to_cart(&self, shop: &TestShop) -> Answer {
        shop.post(&format!("{}/cart", self.path)).with(&self.cart).send().await
    }
}

/// An order of one piece of each, sent flat where the shop sends.
async fn ordered(shop: &TestShop, variants: &[&str], service: bool) -> Ordered {
    let cart = shop.guest_cart().await;
    let path = format!("/v1/carts/{}", cart.id);
    for variant in variants {
        let one = json!({"quantity": 1});
        shop.put(&format!("{path}/lines/{variant}")).with(&cart).json(one).send().await.expect(200);
    }
    shop.put(&format!("{path}/address")).with(&cart).json(address("DE")).send().await.expect(200);
    if service {
        let flat = json!({"service": "flat"});
        shop.put(&format!("{path}/shipping")).with(&cart).json(flat).send().await.expect(200);
    }
    let placed = shop.post(&format!("{path}/checkout")).with(&cart).send().await.expect(201);
    let (order, payment) = (placed.text("/id"), placed.text("/payment"));
    Ordered { path: format!("/v1/orders/{order}"), payment: format!("/v1/payments/{payment}"), cart }
}

/// What the sales report has after credits, in all.
async fn sold(shop: &TestShop) -> i64 {
    let head = shop.log.head().await.unwrap().to_string();
    let sales = shop.get("/v1/admin/sales?by=country").by(&shop.token(Role::Admin)).header("Min-Log-Position", &head);
    let sales = sales.send().await.expect(200).body;
    let left = |row: &Value| row["after_credits"]["amount"].as_i64().unwrap();
    sales["items"].as_array().unwrap().iter().map(left).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_deducted_once_whether_it_is_refunded_or_cancelled_first() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("M-1", 4_500, 50).await;
    let kept = paid(&shop, &variant, 1).await;
    let refund = async |order: &super::aftersales::Paid, amount: i64| {
        let body = json!({"amount": euro(amount), "reason": "goodwill"});
        shop.post(&format!("{}/refunds", order.payment)).by(&staff).json(body).send().await
    };
    let cancel = async |order: &super::aftersales::Paid| {
        shop.post(&format!("{}/cancel", order.path)).by(&staff).send().await.expect(200)
    };
    // All of it is refunded, and the order cancelled before the provider has done it, by a slow one too; a part likewise.
    for silent in [false, true] {
        for amount in [4_500, 2_000] {
            let order = paid(&shop, &variant, 1).await;
            let manners = |silent| json!({"silent": silent});
            shop.put("/dev/provider").json(manners(silent)).send().await.expect(200);
            refund(&order, amount).await.expect(201);
            cancel(&order).await;
            shop.put("/dev/provider").json(manners(false)).send().await.expect(200);
            let done = order.awaits(&shop, "/payment_status", "refunded").await;
            assert_eq!(done["refunded"], euro(4_500));
            assert_eq!(sold(&shop).await, 4_500, "silent {silent}, refunded {amount}");
        }
    }
    // The other way round there is nothing left to refund.
    let order = paid(&shop, &variant, 1).await;
    cancel(&order).await;
    assert_eq!(refund(&order, 4_500).await.status, 409);
    order.awaits(&shop, "/payment_status", "refunded").await;
    assert_eq!(sold(&shop).await, 4_500);
    assert_eq!(kept.is(&shop).await["payment_status"], "paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn papers_stay_as_they_were_issued() {
    let seller = |name: &str, tax_id: &str| Issuer {
        name: name.into(),
        address: vec!["1 First Road".into(), "Here".into()],
        tax_id: Some(tax_id.into()),
    };
    let trading = |issuer| Trade { issuer, ..Trade::default() };
    let first = TestShop::start().trading(trading(seller("Old Owner Ltd", "XX1"))).await;
    let (product, variant) = first.product("M-2", 1_000, 9).await;
    let rate = |bps: u32| json!({"class": "standard", "rate_bps": bps, "valid_from": "2020-01-01"});
    let germany = |bps: u32| json!([{"country": "DE", "prices_include_tax": true, "rates": [rate(bps)]}]);
    taxes(&first, germany(1900)).await;
    let admin = first.token(Role::Admin);
    let promotion = |label: &str| json!({"label": label, "benefit": {"kind": "percent", "percent_bps": 1000}});
    let given = first.post("/v1/admin/promotions").by(&admin).json(promotion("Old sale")).send().await.expect(201).id();
    let order = ordered(&first, &[&variant], false).await;
    order.pay(&first, "tok_success").await.expect(201);
    order.awaits(&first, "/payment_status", &json!("paid")).await;
    let staff = first.token(Role::Support);
    let goodwill = json!({"amount": euro(100), "reason": "goodwill"});
    first.post(&format!("{}/refunds", order.payment)).by(&staff).json(goodwill).send().await.expect(201);
    let page = async |shop: &TestShop, paper: &str| {
        let page = shop.get(&format!("{}/{paper}?locale=en", order.path)).with(&order.cart).send().await.expect(200);
        page.body.as_str().unwrap().to_owned()
    };
    let papers = ["invoice", "credit-notes/print"];
    let issued = [page(&first, papers[0]).await, page(&first, papers[1]).await];
    assert!(issued[0].contains("Thing M-2") && issued[0].contains("Old sale") && issued[0].contains("19 %"));
    // The product and the promotion have other names now, and the rate is another one.
    let title = json!({"title": "Renamed"});
    first.patch(&format!("/v1/products/{product}")).by(&admin).json(title).send().await.expect(200);
    let path = format!("/v1/admin/promotions/{given}");
    first.put(&path).by(&admin).header("If-Match", "*").json(promotion("New sale")).send().await.expect(200);
    taxes(&first, germany(700)).await;
    for (paper, issued) in papers.iter().zip(&issued) {
        assert_eq!(&page(&first, paper).await, issued);
    }
    let second = first.beside().trading(trading(seller("New Owner Ltd", "XX999"))).await;
    for (paper, issued) in papers.iter().zip(&issued) {
        assert!(issued.contains("Old Owner Ltd") && issued.contains("XX1"), "{issued}");
        assert_eq!(&page(&second, paper).await, issued);
    }
    // What is issued from now on names the new one.
    first.stop().await;
    let next = ordered(&second, &[&variant], false).await;
    next.pay(&second, "tok_success").await.expect(201);
    next.awaits(&second, "/payment_status", &json!("paid")).await;
    let invoice = second.get(&format!("{}/invoice", next.path)).with(&next.cart).send().await.expect(200);
    assert!(invoice.body.as_str().unwrap().contains("New Owner Ltd"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_names_each_rate_once_and_the_date_of_supply() {
    let shop = TestShop::start().await;
    sends(&shop).await;
    let rate = json!({"class": "standard", "rate_bps": 1900, "valid_from": "2020-01-01"});
    let germany = json!({"country": "DE", "prices_include_tax": false, "rates": [rate]});
    let admin = shop.token(Role::Admin);
    shop.put("/v1/admin/tax-rates")
        .by(&admin)
        .header("If-Match", "*")
        .json(json!({"countries": [germany]}))
        .send()
        .await
        .expect(200);
    let (_, book) = shop.product("M-3", 3_000, 9).await;
    let file = file(&shop, "M-4", 2_000).await;
    let order = ordered(&shop, &[&book, &file], true).await;
    assert_eq!(order.cancel(&shop, &book).await.expect(200).body["payable"], euro(2_380));
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", &json!("paid")).await;
    let page = shop.get(&format!("{}/invoice?locale=en", order.path)).with(&order.cart).send().await.expect(200);
    let page = page.body.as_str().unwrap();
    assert_eq!(page.matches("19 % tax on").count(), 1, "{page}");
    for part in ["19 % tax on €20.00", "€3.80", "−€39.00", "€23.80", "Date of supply"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("on delivery"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shipping_goes_with_the_last_piece_that_is_sent() {
    let shop = TestShop::start().await;
    sends(&shop).await;
    let staff = shop.token(Role::Support);
    let (_, book) = shop.product("M-5", 3_000, 9).await;
    let file = file(&shop, "M-6", 2_000).await;
    // Paid: all but the file goes back, with one credit note.
    let order = ordered(&shop, &[&book, &file], true).await;
    assert_eq!(order.is(&shop).await["total"], euro(5_900));
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", &json!("paid")).await;
    order.cancel(&shop, &book).await.expect(200);
    let done = order.awaits(&shop, "/refunded", &euro(3_900)).await;
    assert_eq!((&done["status"], &done["fulfilment"]), (&json!("completed"), &json!("fulfilled")));
    let notes = shop.get(&format!("{}/credit-notes", order.path)).with(&order.cart).send().await.expect(200).body;
    let note = &notes["items"][0];
    assert_eq!((notes["items"].as_array().unwrap().len(), &note["total"]), (1, &euro(3_900)));
    assert_eq!((&note["shipping"], &note["lines"][0]["amount"]), (&euro(900), &euro(3_000)));
    // Not paid: it need not be paid.
    let order = ordered(&shop, &[&book, &file], true).await;
    assert_eq!(order.cancel(&shop, &book).await.expect(200).body["payable"], euro(2_000));
    let payment = shop.get(&order.payment).with(&order.cart).send().await.expect(200);
    assert_eq!(payment.body["amount"], euro(2_000));
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/status", &json!("completed")).await;
    // Staff says otherwise.
    let order = ordered(&shop, &[&book, &file], true).await;
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", &json!("paid")).await;
    let body = json!({"lines": lines(&book, 1), "shipping": false});
    shop.post(&format!("{}/cancel", order.path)).by(&staff).json(body).send().await.expect(200);
    order.awaits(&shop, "/refunded", &euro(3_000)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_can_be_cancelled_until_it_is_paid() {
    let shop = TestShop::start().await;
    sends(&shop).await;
    let (_, book) = shop.product("M-7", 3_000, 9).await;
    let file = file(&shop, "M-8", 2_000).await;
    let order = ordered(&shop, &[&book, &file], true).await;
    assert_eq!(order.cancel(&shop, &file).await.expect(200).body["payable"], euro(3_900));
    order.cancel(&shop, &file).await.expect_problem(409, "order.too_many_cancelled");
    assert_eq!(shop_stock(&shop, &file).await, (10, 0));
    let order = ordered(&shop, &[&book, &file], true).await;
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", &json!("paid")).await;
    order.cancel(&shop, &file).await.expect_problem(409, "order.too_many_cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_payment_page_can_pay_in_another_way() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("M-9", 1_000, 50).await;
    let order = ordered(&shop, &[&variant], false).await;
    let page = order.pay(&shop, "tok_redirect").await.expect(201).text("/action_url").to_owned();
    shop.post(&format!("{page}/cancel")).send().await.expect(200);
    let payment = shop.get(&order.payment).with(&order.cart).send().await.expect(200);
    assert_eq!((payment.text("/status"), payment.text("/decline_reason")), ("open", "buyer_left"));
    let is = order.is(&shop).await;
    assert_eq!((&is["status"], &is["payment_status"]), (&json!("open"), &json!("awaiting")));
    for token in ["tok_cancelled", "tok_failure"] {
        assert_eq!(order.pay(&shop, token).await.expect(201).text("/status"), "open");
    }
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", &json!("paid")).await;
    let told = shop.get(&format!("{}/history?locale=en", order.path)).with(&order.cart).send().await.expect(200);
    assert!(told.body["story"].to_string().contains("left the payment page"), "{}", told.body["story"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_the_payment_page_can_pay_in_another_way() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("M-16", 1_000, 50).await;
    let order = ordered(&shop, &[&variant], false).await;
    let page = order.pay(&shop, "tok_redirect").await.expect(201).text("/action_url").to_owned();
    // Nobody else ends the attempt by asking, and a wrong token is refused before it ends.
    let stranger = shop.guest_cart().await;
    let path = format!("{}/payments", order.path);
    shop.post(&path).with(&stranger).json(card("tok_success")).send().await.expect_problem(404, "order.missing");
    order.pay(&shop, "tok_unheard_of").await.expect_problem(422, "payment.unknown_token");
    let waits = shop.get(&order.payment).with(&order.cart).send().await.expect(200);
    assert_eq!(waits.text("/status"), "pending");
    // Another visit to the page, then a card.
    order.pay(&shop, "tok_redirect").await.expect(201);
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", &json!("paid")).await;
    let late = shop.post(&format!("{page}/approve")).send().await.expect(200);
    assert!(!late.body.as_str().unwrap().contains("waiting"), "{}", late.body);
    let states: Vec<_> = shop.commands.emulator().books().all().await.unwrap().into_iter().map(|it| it.state).collect();
    assert_eq!(states, ["cancelled", "cancelled", "captured"]);
    let told = shop.get(&format!("{}/history?locale=en", order.path)).with(&order.cart).send().await.expect(200);
    assert!(told.body["story"].to_string().contains("left the payment page"), "{}", told.body["story"]);
    // What the provider is processing is not called off, nor what it does not answer about.
    let order = ordered(&shop, &[&variant], false).await;
    order.pay(&shop, "tok_pending_success").await.expect(201);
    order.pay(&shop, "tok_success").await.expect_problem(409, "payment.in_progress");
    order.awaits(&shop, "/payment_status", &json!("paid")).await;
    let order = ordered(&shop, &[&variant], false).await;
    order.pay(&shop, "tok_redirect").await.expect(201);
    shop.put("/dev/provider").json(json!({"silent": true})).send().await.expect(200);
    order.pay(&shop, "tok_success").await.expect_problem(409, "payment.in_progress");
    shop.put("/dev/provider").json(json!({})).send().await.expect(200);
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", &json!("paid")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_deducted_once_though_the_provider_refuses_its_refunds() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("M-17", 4_500, 50).await;
    paid(&shop, &variant, 1).await;
    let refusing = |refuses: bool| shop.put("/dev/provider").json(json!({"refuses_refunds": refuses})).send();
    refusing(true).await.expect(200);
    let failed = async |payment: &str, count: usize| {
        eventually("the refund was refused", async || {
            let payment = shop.get(payment).by(&staff).send().await.expect(200).body;
            let refunds = payment["refunds"].as_array()?.clone();
            let failed = refunds.iter().filter(|it| it["status"] == "failed").count();
            (failed == count).then_some(refunds)
        })
        .await
    };
    for goodwill in [None, Some(1_000)] {
        let order = paid(&shop, &variant, 1).await;
        if let Some(amount) = goodwill {
            let body = json!({"amount": euro(amount), "reason": "goodwill"});
            shop.post(&format!("{}/refunds", order.payment)).by(&staff).json(body).send().await.expect(201);
            failed(&order.payment, 1).await;
        }
        shop.post(&format!("{}/cancel", order.path)).by(&staff).send().await.expect(200);
        let refused = failed(&order.payment, 1 + usize::from(goodwill.is_some())).await;
        assert_eq!(sold(&shop).await, 4_500, "refused after {goodwill:?}");
        refusing(false).await.expect(200);
        // Once one of them gave everything back, nothing is left for the others.
        for refund in refused {
            let retry = format!("{}/refunds/{}/retry", order.payment, refund["id"].as_str().unwrap());
            let again = shop.post(&retry).by(&staff).send().await;
            assert!(matches!(again.status, 201 | 409), "{}", again.body);
        }
        order.awaits(&shop, "/payment_status", "refunded").await;
        assert_eq!(sold(&shop).await, 4_500, "given back after {goodwill:?}");
        refusing(true).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tax_of_shipping_goes_back_with_it() {
    let shop = TestShop::start().await;
    sends(&shop).await;
    let rate = json!({"class": "standard", "rate_bps": 1900, "valid_from": "2020-01-01"});
    let germany = json!({"country": "DE", "prices_include_tax": false, "rates": [rate]});
    taxes(&shop, json!([germany])).await;
    let (_, book) = shop.product("M-18", 3_000, 9).await;
    let file = file(&shop, "M-19", 2_000).await;
    let order = ordered(&shop, &[&book, &file], true).await;
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", &json!("paid")).await;
    order.cancel(&shop, &book).await.expect(200);
    order.awaits(&shop, "/refunded", &euro(4_641)).await;
    let notes = shop.get(&format!("{}/credit-notes", order.path)).with(&order.cart).send().await.expect(200).body;
    let note = &notes["items"][0];
    assert_eq!((notes["items"].as_array().unwrap().len(), &note["total"]), (1, &euro(4_641)));
    assert_eq!(note["shipping"], euro(1_071));
    let taxes = note["taxes"].as_array().unwrap();
    assert_eq!((taxes.len(), &taxes[0]["rate_bps"], &taxes[0]["tax"]), (1, &json!(1900), &euro(741)), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_an_expired_order_are_put_into_a_cart_again() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("M-20", 1_000, 1).await;
    let order = ordered(&shop, &[&variant], false).await;
    let id: OrderId = order.path.rsplit('/').next().unwrap().parse().unwrap();
    let intent = Intent::new(Actor::System { name: "test".into() }, "order.cancel", Clock.new_id());
    // As its timer does.
    let expired = shop.commands.run(&intent, |unit| async move {
        let mut order = unit.load::<Order>(id).await?;
        orders::cancel(&unit, &mut order, CancelReason::PaymentWindowPassed, true).await
    });
    expired.await.unwrap();
    assert_eq!(order.is(&shop).await["status"], "expired");
    let cart = order.to_cart(&shop).await.expect(200);
    assert_eq!(order.to_cart(&shop).await.expect(200).id(), cart.id());
    assert_eq!(cart.body["lines"][0]["quantity"], 1);
    assert_eq!(order.is(&shop).await["moved_to"], cart.body["id"]);
    let again = GuestCart { id: cart.id(), token: order.cart.token.clone() };
    eventually("the piece is free again", async || {
        let placed = shop.post(&format!("/v1/carts/{}/checkout", again.id)).with(&again).send().await;
        (placed.status == 201).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_an_unpaid_order_are_put_into_a_cart_again_once() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (_, variant) = shop.product("M-10", 1_000, 2).await;
    let once = json!({"label": "Once", "code": "ONCE-1", "limits": {"total": 1},
        "benefit": {"kind": "percent", "percent_bps": 1000}});
    shop.post("/v1/admin/promotions").by(&admin).json(once).send().await.expect(201);
    let cart = shop.full_cart(&variant, 2).await;
    let path = format!("/v1/carts/{}", cart.id);
    shop.put(&format!("{path}/coupons")).with(&cart).json(json!({"coupons": ["ONCE-1"]})).send().await.expect(200);
    let placed = shop.post(&format!("{path}/checkout")).with(&cart).send().await.expect(201);
    let (order, payment) = (placed.text("/id").to_owned(), placed.text("/payment").to_owned());
    let order = Ordered { path: format!("/v1/orders/{order}"), payment: format!("/v1/payments/{payment}"), cart };
    // Many times at once it is moved once.
    let moved = join_all((0..8).map(|_| order.to_cart(&shop))).await;
    let ids: std::collections::BTreeSet<String> = moved.into_iter().map(|it| it.expect(200).id()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let again = GuestCart { id: ids.into_iter().next().unwrap(), token: order.cart.token.clone() };
    let cart = shop.get(&format!("/v1/carts/{}", again.id)).with(&again).send().await.expect(200);
    assert_eq!((cart.body["lines"][0]["quantity"].as_i64(), &cart.body["coupons"]), (Some(2), &json!(["ONCE-1"])));
    assert_eq!(cart.text("/address/name"), "Rahel Varnhagen");
    let is = order.is(&shop).await;
    assert_eq!((&is["status"], &is["moved_to"]), (&json!("cancelled"), &json!(again.id)));
    assert_eq!(shop_stock(&shop, &variant).await, (2, 0));
    // The goods and the promotion are free again, and used once.
    let bought = eventually("the promotion is free", async || {
        shop.get(&format!("/v1/carts/{}", again.id)).with(&again).send().await.expect(200);
        let placed = shop.post(&format!("/v1/carts/{}/checkout", again.id)).with(&again).send().await;
        (placed.status == 201).then_some(placed)
    })
    .await;
    assert_eq!(bought.body["total"], euro(1_800));
    shop.at_rest().await;
    assert_eq!(shop_stock(&shop, &variant).await, (2, 2));
    let told = shop.get(&format!("{}/history?locale=en", order.path)).with(&order.cart).send().await.expect(200);
    assert!(told.body["story"].to_string().contains("moved back to a cart"), "{}", told.body["story"]);
    order.pay(&shop, "tok_success").await.expect_problem(409, "order.cancelled");
    // Forgetting the buyer of the first does not take the address of the second.
    shop.delete(&format!("{}/buyer", order.path)).with(&order.cart).send().await.expect(204);
    let second = format!("/v1/orders/{}", bought.text("/id"));
    let second = shop.get(&second).with(&again).send().await.expect(200);
    assert_eq!(second.text("/address/name"), "Rahel Varnhagen");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_lines_go_into_its_open_cart_and_a_paid_order_stays() {
    let shop = TestShop::start().await;
    let anna = shop.token(Role::Customer);
    let (_, first) = shop.product("M-11", 1_000, 9).await;
    let (_, second) = shop.product("M-12", 2_000, 9).await;
    let cart = async || shop.post("/v1/carts").by(&anna).json(json!({"currency": "EUR"})).send().await.id();
    let fill = async |cart: &str, variant: &str| {
        let line = format!("/v1/carts/{cart}/lines/{variant}");
        shop.put(&line).by(&anna).json(json!({"quantity": 1})).send().await.expect(200);
    };
    let id = cart().await;
    fill(&id, &first).await;
    shop.put(&format!("/v1/carts/{id}/address")).by(&anna).json(address("DE")).send().await.expect(200);
    let placed = shop.post(&format!("/v1/carts/{id}/checkout")).by(&anna).send().await.expect(201);
    let order = format!("/v1/orders/{}", placed.text("/id"));
    let open = cart().await;
    fill(&open, &second).await;
    for token in [shop.token(Role::Customer), shop.token(Role::Support)] {
        shop.post(&format!("{order}/cart")).by(&token).send().await.expect_problem(404, "order.missing");
    }
    let moved = shop.post(&format!("{order}/cart")).by(&anna).send().await.expect(200);
    assert_eq!((moved.id(), moved.body["lines"].as_array().unwrap().len()), (open.clone(), 2));
    assert_eq!(shop.post(&format!("{order}/cart")).by(&anna).send().await.expect(200).id(), open);
    let checkout = shop.post(&format!("/v1/carts/{open}/checkout")).by(&anna).send().await.expect(201);
    let order = format!("/v1/orders/{}", checkout.text("/id"));
    let pay = shop.post(&format!("{order}/payments")).by(&anna).json(card("tok_success")).send().await;
    pay.expect(201);
    let move_paid = async || shop.post(&format!("{order}/cart")).by(&anna).send().await;
    let refused = eventually("the order has heard of its money", async || {
        let refused = move_paid().await;
        (refused.body["code"] == "order.already_paid").then_some(refused)
    })
    .await;
    refused.expect_problem(409, "order.already_paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn paying_and_moving_to_a_cart_at_once_takes_no_money_for_nothing() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("M-13", 1_000, 50).await;
    for token in ["tok_success", "tok_pending_success", "tok_timeout"] {
        for _ in 0..3 {
            let order = ordered(&shop, &[&variant], false).await;
            let (paid, moved) = tokio::join!(order.pay(&shop, token), order.to_cart(&shop));
            assert!(matches!((paid.status, moved.status), (201 | 409, 200 | 409)), "{} {}", paid.body, moved.body);
            let is = if moved.status == 200 {
                order.awaits(&shop, "/payment_status", &json!("voided")).await
            } else {
                order.awaits(&shop, "/payment_status", &json!("paid")).await
            };
            assert_eq!(is["moved_to"].is_null(), moved.status != 200);
            eventually("nothing is kept for an order that is off", async || {
                let payment = shop.get(&order.payment).with(&order.cart).send().await.expect(200).body;
                let kept = payment["captured"]["amount"].as_i64()? - payment["refunded"]["amount"].as_i64()?;
                let due = if moved.status == 200 { 0 } else { 1_000 };
                (kept == due && !matches!(payment["status"].as_str()?, "pending" | "unresolved")).then_some(())
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_bought_at_the_total_that_it_last_showed() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (_, variant) = shop.product("M-14", 1_500, 50).await;
    let first_only = json!({"label": "The first", "limits": {"total": 1},
        "benefit": {"kind": "fixed", "amounts": [euro(300)]}});
    shop.post("/v1/admin/promotions").by(&admin).json(first_only).send().await.expect(201);
    let (slow, fast) = (shop.full_cart(&variant, 1).await, shop.full_cart(&variant, 1).await);
    let look = async |cart: &GuestCart| {
        shop.get(&format!("/v1/carts/{}", cart.id)).with(cart).send().await.expect(200).body["total"].clone()
    };
    let buy = async |cart: &GuestCart, body: Value| {
        shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(cart).json(body).send().await
    };
    assert_eq!((look(&slow).await, look(&fast).await), (euro(1_200), euro(1_200)));
    buy(&fast, json!({})).await.expect(201);
    for _ in 0..2 {
        buy(&slow, json!({})).await.expect_problem(409, "cart.total_changed");
    }
    // In another process too, and until it is shown again.
    let beside = shop.beside().await;
    let there = beside.post(&format!("/v1/carts/{}/checkout", slow.id)).with(&slow).send().await;
    there.expect_problem(409, "cart.total_changed");
    // Headers alone show no total.
    shop.call(Method::HEAD, &format!("/v1/carts/{}", slow.id)).with(&slow).send().await.expect(200);
    buy(&slow, json!({})).await.expect_problem(409, "cart.total_changed");
    assert_eq!(look(&slow).await, euro(1_500));
    assert_eq!(buy(&slow, json!({})).await.expect(201).body["total"], euro(1_500));
    // Who names a total is held to that one.
    let named = shop.full_cart(&variant, 1).await;
    buy(&named, json!({"expected_total": euro(1_499)})).await.expect_problem(409, "cart.total_changed");
    buy(&named, json!({"expected_total": euro(1_500)})).await.expect(201);
    // A look writes nothing into the log.
    let cart = shop.full_cart(&variant, 1).await;
    let head = shop.at_rest().await;
    look(&cart).await;
    assert_eq!(shop.log.head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_refused_move_is_clear() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("M-15", 1_000, 9).await;
    let order = paid(&shop, &variant, 1).await;
    let refused = shop.post(&format!("{}/cart", order.path)).with(&order.cart).send().await;
    refused.expect_problem(409, "order.already_paid");
    assert!(!story(&shop, &order).await.contains("back to a cart"));
}
