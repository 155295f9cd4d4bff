//! Emulators are for development: elsewhere nobody pays, and nothing travels, unless somebody named one.

use byteshop_commands::Connected;
use byteshop_commands::ports::connected::Provider;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::TestShop;
use serde_json::{Value, json};

/// Every token that the emulated provider knows.
const TOKENS: [&str; 9] = [
    "tok_success",
    "tok_declined",
    "tok_insufficient_funds",
    "tok_cancelled",
    "tok_failure",
    "tok_timeout",
    "tok_pending_success",
    "tok_pending_failure",
    "tok_redirect",
];

fn only_payments() -> Connected {
    Connected { providers: vec![Provider::Test], ..Connected::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_outside_of_development_takes_no_token_of_the_emulated_provider() {
    let desk = TestShop::start().await;
    let (_, variant) = desk.product("E-1", 1_000, 5).await;
    let shop = desk.beside().in_production().connected_to(Connected::default()).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let order = format!("/v1/orders/{}", placed.text("/id"));
    for token in TOKENS {
        let pay = json!({"provider": "test", "token": token});
        let refused = shop.post(&format!("{order}/payments")).with(&cart).json(pay).send().await;
        let refused = refused.expect_problem(503, "payment.no_provider");
        assert!(refused.text("/detail").contains("BYTESHOP_PAYMENT_PROVIDER"), "{}", refused.body);
        assert!(refused.header("retry-after").is_some());
    }
    let it = shop.get(&order).with(&cart).send().await.expect(200).body;
    assert_eq!((it["payment_status"].as_str(), it["status"].as_str()), (Some("awaiting"), Some("open")), "{it}");
    assert_eq!(shop.commands.emulator().books().all().await.unwrap().len(), 0, "the emulator was asked");
    // Neither its notifications nor the pages of development are there.
    shop.post("/v1/webhooks/test").json(json!({})).send().await.expect_problem(404, "request.not_found");
    let payment = it["payment"].as_str().unwrap();
    for path in ["/dev/mail", "/dev/provider", &format!("/dev/pay/{payment}")] {
        shop.get(path).send().await.expect_problem(404, "request.not_found");
    }
    let ready = shop.ask_operations("/health/ready").send().await.expect(200);
    assert_eq!(ready.body["emulated"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_needs_a_carrier_that_is_there_or_is_told_by_hand() {
    let shop = TestShop::start().connected_to(only_payments()).await;
    let (_, variant) = shop.product("E-2", 1_000, 5).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let (order, staff) = (format!("/v1/orders/{}", placed.text("/id")), shop.token(Role::Admin));
    let pay = |token: &str| json!({"provider": "test", "token": token});
    let payments = format!("{order}/payments");
    // Its page is one of development.
    let elsewhere = shop.beside().in_production().connected_to(only_payments()).await;
    let waiting = elsewhere.post(&payments).with(&cart).json(pay("tok_redirect")).send().await;
    waiting.expect_problem(422, "request.invalid");
    shop.post(&payments).with(&cart).json(pay("tok_success")).send().await.expect(201);
    let paid = async || (shop.get(&order).with(&cart).send().await.body["payment_status"] == "paid").then_some(());
    eventually("the order is paid", paid).await;

    let parcels = format!("{order}/shipments");
    for unnamed in [json!({}), json!({"carrier": {"kind": "simulated"}})] {
        let refused = shop.post(&parcels).by(&staff).json(unnamed).send().await;
        let refused = refused.expect_problem(422, "shipment.no_carrier");
        assert_eq!(refused.text("/errors/0/pointer"), "/carrier");
    }
    // A number in the form of the simulated carrier's plays no story either.
    let by_hand = json!({"carrier": {"kind": "other", "name": "DHL"}});
    let parcel = shop.post(&parcels).by(&staff).json(by_hand).send().await.expect(201).id();
    let hand_over = format!("/v1/shipments/{parcel}/hand-over");
    let unnumbered = shop.post(&hand_over).by(&staff).json(json!({})).send().await;
    unnumbered.expect_problem(422, "shipment.tracking_needed");
    let tracking = json!({"tracking": "SIMD0000000000010001"});
    shop.post(&hand_over).by(&staff).json(tracking).send().await.expect(200);
    shop.at_rest().await;
    let it = shop.get(&format!("/v1/shipments/{parcel}")).by(&staff).send().await.expect(200).body;
    assert_eq!((it["status"].as_str(), &it["news"]), (Some("handed_over"), &json!([])), "{it}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_that_was_named_says_so_in_readiness_and_on_papers() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("E-3", 1_000, 5).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let (order, staff) = (format!("/v1/orders/{}", placed.text("/id")), shop.token(Role::Admin));
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{order}/payments")).with(&cart).json(pay).send().await.expect(201);
    let is = async || shop.get(&order).with(&cart).send().await.expect(200).body;
    let payment =
        eventually("the order has an invoice", async || is().await["invoice"].as_str().map(str::to_owned)).await;
    assert!(payment.starts_with("INV-"), "{payment}");
    let ready = shop.ask_operations("/health/ready").send().await.expect(200);
    assert_eq!(ready.body["emulated"], json!(["payment provider test", "carrier simulated"]));

    let parcel = shop.post(&format!("{order}/shipments")).by(&staff).json(json!({})).send().await.expect(201).id();
    let refund = json!({"amount": {"amount": 100, "currency": "EUR"}, "reason": "a scratch"});
    let payment = is().await["payment"].as_str().unwrap().to_owned();
    shop.post(&format!("/v1/payments/{payment}/refunds")).by(&staff).json(refund).send().await.expect(201);
    let page = async |path: &str| {
        let page = shop.get(path).by(&staff).header("Accept-Language", "en").send().await.expect(200);
        assert!(matches!(page.body, Value::String(_)), "{}", page.body);
        page.body.as_str().unwrap().to_owned()
    };
    for path in [format!("{order}/invoice"), format!("{order}/credit-notes/print")] {
        assert!(page(&path).await.contains("no money moved"), "{path}");
    }
    assert!(page(&format!("/v1/shipments/{parcel}/label")).await.contains("no carrier will collect this parcel"));
}
