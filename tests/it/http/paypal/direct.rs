//! Payments to the account of a seller at PayPal: the house gets its fee alone, and the books of both sides say so to the cent.

use byteshop_domain::payment::CaptureMode;
use byteshop_gateway::security::token::Role;
use byteshop_gateway::trade::Trade;
use byteshop_tests::paypal::StandIn;
use byteshop_tests::people::Person;
use byteshop_tests::shop::{Answer, GuestCart, TestShop, address};
use serde_json::{Value, json};

use super::{Connected, Order, eventually};

/// The account of the seller at PayPal.
const SELLER: &str = "SELLERB234567";
/// The price of its kettle.
const PRICE: i64 = 1_999;
/// What the house gets of it: 10 % of commission and 19 % of tax on that.
const FEE: i64 = 200 + 38;

/// A shop that is a platform at PayPal, with a seller who has an account there.
struct Platform {
    it: Connected,
    seller: String,
    owner: Person,
    kettle: String,
}

impl Platform {
    async fn start() -> Self {
        Self::with(Trade::default(), true).await
    }

    async fn with(trade: Trade, is_platform: bool) -> Self {
        let paypal = StandIn::start().await;
        let connected = if is_platform { paypal.connected_as_platform().await } else { paypal.connected().await };
        let shop = TestShop::start().addressed().trading(trade).connected_to(connected).await;
        paypal.tells(&shop.url);
        let staff = shop.token(Role::Support);
        let it = Connected { paypal, shop, staff };
        let rules = json!({"rules": [{"rule": "all", "rate_ppm": 100_000}], "tax_ppm": 190_000});
        let admin = it.shop.token(Role::Admin);
        let put = it.shop.put("/v1/admin/commission-rules").by(&admin).header("If-Match", "*").json(rules);
        put.send().await.expect(200);
        let owner = it.shop.person("owner@example.org").await;
        let seller = it.shop.seller(&owner, "kettles").await;
        let (_, kettle) = it.shop.product_of(&seller, &owner, "KT-1", PRICE, 99).await;
        let platform = Self { it, seller, owner, kettle };
        if is_platform {
            platform.link(SELLER).await;
        }
        platform
    }

    /// Tries to link an account of the seller.
    async fn try_to_link(&self, merchant: &str) -> Answer {
        let path = format!("/v1/admin/sellers/{}/paypal", self.seller);
        let body = json!({"merchant": merchant});
        self.it.shop.put(&path).by(&self.it.shop.token(Role::Admin)).json(body).send().await
    }

    async fn link(&self, merchant: &str) {
        let linked = self.try_to_link(merchant).await.expect(200);
        assert_eq!(linked.body["details"]["paypal"], merchant);
    }

    async fn of_seller(&self, what: &str) -> Value {
        let head = self.it.shop.at_rest().await;
        let path = format!("/v1/sellers/{}/{what}", self.seller);
        self.it.shop.get(&path).by(&self.owner.token).after(head).send().await.expect(200).body
    }

    /// What the house owes the seller, and what of that is available.
    async fn owed(&self) -> [i64; 2] {
        let balance = self.of_seller("balance").await;
        ["owed", "available"].map(|field| balance["items"][0][field]["amount"].as_i64().unwrap_or_default())
    }

    /// Kind and amount of the entries of the seller, the oldest first.
    async fn statement(&self) -> Vec<(String, i64)> {
        let statement = self.of_seller("statement").await;
        let entry = |it: &Value| (it["kind"].as_str().unwrap().to_owned(), it["amount"]["amount"].as_i64().unwrap());
        statement["items"].as_array().unwrap().iter().rev().map(entry).collect()
    }

    /// Waits until the house has this at PayPal by its ledger, and PayPal's books have the same of each charge.
    async fn house_has(&self, cents: i64) {
        eventually(&format!("the house has {cents} cents at PayPal"), async || {
            (self.it.balance("clearing").await == cents).then_some(())
        })
        .await;
        let compared = self.it.compared("").await;
        assert_eq!(compared["different"], 0, "{compared}");
    }

    /// To whom PayPal pays each capture, with the fees of the platform and what of these went back, in minor units.
    async fn captures(&self) -> Vec<(String, i64, i64)> {
        let books = self.it.paypal.books().await;
        let fees = |it: &Value| {
            let fees = it["platform_fees"].as_array().unwrap().iter();
            fees.map(|fee| fee["amount"]["minor"].as_i64().unwrap()).sum()
        };
        let capture = |it: &Value| {
            let payee = it["payee"]["merchant_id"].as_str().unwrap().to_owned();
            (payee, fees(it), it["platform_fees_refunded"].as_i64().unwrap())
        };
        books["captures"].as_array().unwrap().iter().map(capture).collect()
    }
}

fn entry(kind: &str, amount: i64) -> (String, i64) {
    (kind.to_owned(), amount)
}

async fn refund(it: &Connected, order: &Order, cents: i64) {
    let body = json!({"amount": {"amount": cents, "currency": "EUR"}, "reason": "a scratch"});
    it.shop.post(&format!("/v1/payments/{}/refunds", order.payment)).by(&it.staff).json(body).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn paypal_pays_the_seller_and_the_house_its_fee_and_refunds_take_from_both() {
    let market = Platform::start().await;
    let it = &market.it;
    let order = it.paid(&market.kettle).await;
    assert_eq!(market.captures().await, [(SELLER.to_owned(), FEE, 0)]);
    market.house_has(FEE).await;
    assert_eq!(market.owed().await, [0, 0]);
    let sold = [entry("seller_paid", FEE - PRICE), entry("sale", PRICE - FEE)];
    assert_eq!(market.statement().await, sold);
    // 500 of 1,999 are a quarter and a bit of the fee: 59.52 cents.
    refund(it, &order, 500).await;
    it.awaits(&order, "partly_refunded").await;
    market.house_has(FEE - 59).await;
    assert_eq!(market.captures().await, [(SELLER.to_owned(), FEE, 59)]);
    let owed = market.owed().await[0];
    assert!(owed.abs() <= 1, "the share of the credit note is that of the refund, but for a cent: {owed}");
    it.shop.post(&format!("{}/cancel", order.path)).by(&it.staff).send().await.expect(200);
    it.awaits(&order, "refunded").await;
    // Each refund gives back its part of the fee, rounded down: the cent that is left is the seller's.
    let (_, fee, back) = market.captures().await.remove(0);
    market.house_has(fee - back).await;
    assert_eq!((fee - back, market.owed().await), (1, [1, 1]));
    it.books_agree(&[order]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_house_is_paid_where_a_seller_cannot_be() {
    let market = Platform::start().await;
    let it = &market.it;
    let house = it.paypal.account().await.merchant_id;
    // PayPal refuses this account.
    market.link("RESTR23456789").await;
    let refused = it.paid(&market.kettle).await;
    market.link(SELLER).await;
    // Goods of the house beside those of the seller.
    let (_, own) = it.shop.product("PX-1", 1_000, 9).await;
    let cart = it.shop.full_cart(&market.kettle, 1).await;
    let at = format!("/v1/carts/{}", cart.id);
    it.shop.put(&format!("{at}/lines/{own}")).with(&cart).json(json!({"quantity": 1})).send().await.expect(200);
    let placed = it.shop.post(&format!("{at}/checkout")).with(&cart).send().await.expect(201);
    let mixed =
        Order { path: format!("/v1/orders/{}", placed.text("/id")), payment: placed.text("/payment").into(), cart };
    let page = it.begin(&mixed).await;
    it.follow(&it.paypal.choose(&page, "approve").await).await.expect(200);
    it.awaits(&mixed, "paid").await;
    let path = format!("/v1/admin/sellers/{}/paypal", market.seller);
    it.shop.delete(&path).by(&it.shop.token(Role::Admin)).send().await.expect(200);
    let unlinked = it.paid(&market.kettle).await;
    let expected = (house, 0, 0);
    assert_eq!(market.captures().await, [expected.clone(), expected.clone(), expected]);
    assert_eq!(market.owed().await, [3 * (PRICE - FEE), 0]);
    it.clearing_agrees().await;
    it.books_agree(&[refused, mixed, unlinked]).await;

    // Without an attribution id the house is no platform.
    let other = Platform::with(Trade::default(), false).await;
    other.try_to_link(SELLER).await.expect_problem(409, "seller.no_platform");
    other.it.paid(&other.kettle).await;
    assert_eq!(other.captures().await[0].0, other.it.paypal.account().await.merchant_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_dispute_and_a_reversal_are_the_sellers_and_nothing_is_kept_back() {
    let market = Platform::start().await;
    let it = &market.it;
    let [disputed, reversed] = [it.paid(&market.kettle).await, it.paid(&market.kettle).await];
    let named = it.disputes(&disputed, None).await;
    let dispute = it.recorded(&disputed, "open").await;
    assert_eq!(dispute["shares"][0]["amount"]["amount"], 0, "{dispute}");
    assert_eq!(market.owed().await, [0, 0]);
    it.decides(&named, "RESOLVED_BUYER_FAVOUR").await;
    it.recorded(&disputed, "lost").await;
    // PayPal took all of it from the seller, and the house keeps its fee: it owes that to the seller.
    market.house_has(2 * FEE).await;
    assert_eq!(market.owed().await, [FEE, FEE]);
    it.reverses(&reversed).await;
    it.awaits(&reversed, "refunded").await;
    market.house_has(2 * FEE).await;
    assert_eq!(market.owed().await, [2 * FEE, 2 * FEE]);
    it.books_agree(&[disputed, reversed]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorized_amount_of_a_seller_is_captured_and_voided() {
    let market = Platform::with(Trade { capture: CaptureMode::Manual, ..Trade::default() }, true).await;
    let it = &market.it;
    let mut orders = Vec::new();
    for _ in 0..2 {
        let order = it.order(&market.kettle).await;
        let page = it.begin(&order).await;
        it.follow(&it.paypal.choose(&page, "approve").await).await.expect(200);
        it.awaits(&order, "authorized").await;
        orders.push(order);
    }
    it.shop.post(&format!("{}/cancel", orders[0].path)).with(&orders[0].cart).send().await.expect(200);
    it.awaits(&orders[0], "voided").await;
    it.shop.post(&format!("/v1/payments/{}/capture", orders[1].payment)).by(&it.staff).send().await.expect(200);
    it.awaits(&orders[1], "paid").await;
    assert_eq!(market.captures().await, [(SELLER.to_owned(), FEE, 0)]);
    market.house_has(FEE).await;
    assert_eq!(market.owed().await, [0, 0]);
    it.books_agree(&orders).await;
}

/// PayPal moves no fraction of a forint: neither does the fee, nor what goes back of it.
#[tokio::test(flavor = "multi_thread")]
async fn fees_and_refunds_are_whole_amounts_where_paypal_has_no_fractions() {
    let market = Platform::start().await;
    let (it, shop, owner) = (&market.it, &market.it.shop, &market.owner.token);
    let new = json!({"title": "A kettle for forints", "seller": market.seller});
    let product =
        format!("/v1/products/{}", shop.post("/v1/products").by(owner).json(new).send().await.expect(201).id());
    let variant = json!({"sku": "KT-HUF", "price": {"amount": 1_190_000, "currency": "HUF"}});
    let added = shop.post(&format!("{product}/variants")).by(owner).json(variant).send().await.expect(201);
    let variant = added.text("/variants/0/id");
    shop.post(&format!("{product}/publish")).by(owner).send().await.expect(200);
    let received = json!({"type": "received", "quantity": 9});
    shop.post(&format!("/v1/variants/{variant}/stock")).by(owner).json(received).send().await.expect(200);
    let made = shop.post("/v1/carts").json(json!({"currency": "HUF"})).send().await.expect(201);
    let cart = GuestCart { id: made.id(), token: made.text("/cart_token").to_owned() };
    let at = format!("/v1/carts/{}", cart.id);
    shop.put(&format!("{at}/lines/{variant}")).with(&cart).json(json!({"quantity": 1})).send().await.expect(200);
    shop.put(&format!("{at}/address")).with(&cart).json(address("DE")).send().await.expect(200);
    let placed = shop.post(&format!("{at}/checkout")).with(&cart).send().await.expect(201);
    let order =
        Order { path: format!("/v1/orders/{}", placed.text("/id")), payment: placed.text("/payment").into(), cart };
    let page = it.begin(&order).await;
    it.follow(&it.paypal.choose(&page, "approve").await).await.expect(200);
    it.awaits(&order, "paid").await;
    // 1,190.00 and 226.10 of tax, rounded up; the stand-in counts forints, and the shop hundredths.
    assert_eq!(market.captures().await, [(SELLER.to_owned(), 1_417, 0)]);
    market.house_has(141_700).await;
    assert_eq!(market.owed().await[0], 90);
    let refund = |amount: i64| {
        let body = json!({"amount": {"amount": amount, "currency": "HUF"}, "reason": "a scratch"});
        shop.post(&format!("/v1/payments/{}/refunds", order.payment)).by(&it.staff).json(body).send()
    };
    refund(100_150).await.expect_problem(422, "payment.amount_not_accepted");
    refund(100_100).await.expect(201);
    it.awaits(&order, "partly_refunded").await;
    market.house_has(141_700 - 11_900).await;
    assert_eq!(market.captures().await, [(SELLER.to_owned(), 1_417, 119)]);
}

/// A charge that was captured without the shop knowing it, for an order that is cancelled, goes back from the seller and the house.
#[tokio::test(flavor = "multi_thread")]
async fn a_charge_of_a_seller_that_goes_back_unseen_leaves_nothing() {
    let market = Platform::start().await;
    let it = &market.it;
    let order = it.order(&market.kettle).await;
    let page = it.begin(&order).await;
    it.paypal.switch(json!({"loss_percent": 100})).await;
    it.paypal.choose(&page, "approve").await;
    let id = page.split_once("token=").unwrap().1;
    it.past_the_shop(&format!("/v2/checkout/orders/{id}/capture"), &json!({})).await;
    it.shop.post(&format!("{}/cancel", order.path)).with(&order.cart).send().await.expect(200);
    eventually("the money went back", async || {
        let payment = it.payment(&order).await;
        matches!(payment["status"].as_str(), Some("voided" | "refunded")).then_some(())
    })
    .await;
    market.house_has(0).await;
    assert_eq!(market.captures().await, [(SELLER.to_owned(), FEE, FEE)]);
    assert_eq!(market.owed().await, [0, 0]);
    it.books_agree(&[order]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_links_an_account_and_only_one_of_paypal() {
    let market = Platform::start().await;
    let (shop, path) = (&market.it.shop, format!("/v1/admin/sellers/{}/paypal", market.seller));
    for token in [&market.owner.token, &market.it.staff] {
        let link = shop.put(&path).by(token).json(json!({"merchant": SELLER}));
        link.send().await.expect_problem(403, "auth.forbidden");
        shop.delete(&path).by(token).send().await.expect_problem(403, "auth.forbidden");
    }
    let admin = shop.token(Role::Admin);
    for wrong in ["", "SELLERB23456", "SELLERB2345678", "SELLERO234567", "sellerb234567", "a@example.org"] {
        let link = shop.put(&path).by(&admin).json(json!({"merchant": wrong}));
        link.send().await.expect_problem(422, "request.invalid");
    }
    let house = market.it.paypal.account().await.merchant_id;
    market.try_to_link(&house).await.expect_problem(422, "seller.own_account");
    let missing = "/v1/admin/sellers/sel_00000000000000000000000001/paypal";
    let link = shop.put(missing).by(&admin).json(json!({"merchant": SELLER}));
    link.send().await.expect_problem(404, "seller.missing");
    // Nobody but its members and staff sees the account.
    let seen = shop.get(&format!("/v1/sellers/{}", market.seller)).send().await.expect(200);
    assert!(!seen.body.to_string().contains(SELLER), "{}", seen.body);
}
