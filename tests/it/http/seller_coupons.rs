//! Coupons of sellers: for their own goods, at their own cost, and for their members alone.

use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::order_parts::Market;

impl Market {
    /// Ada asks for something of the coupons of her seller.
    async fn coupons(&self, method: &str, rest: &str, body: Value) -> Answer {
        let path = format!("/v1/sellers/{}/promotions{rest}", self.kettles);
        let call = self.shop.call(method.parse().unwrap(), &path).by(&self.ada.token);
        if method == "GET" { call.after(self.shop.at_rest().await).send().await } else { call.json(body).send().await }
    }
}

fn coupon(code: &str, percent_bps: u16) -> Value {
    json!({"label": "Kettles for less", "code": code, "benefit": {"kind": "percent", "percent_bps": percent_bps}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_of_a_seller_reduces_its_own_part_and_what_it_is_owed() {
    let market = Market::open().await;
    let Market { shop, buyer, kettles, kettle, pan, lamp, .. } = &market;
    let made = market.coupons("POST", "", coupon("KETTLES-10", 1_000)).await.expect(201);
    assert_eq!((made.text("/status"), made.text("/terms/seller")), ("active", kettles.as_str()));
    let cart = shop.post("/v1/carts").by(&buyer.token).json(json!({"currency": "EUR"})).send().await.id();
    let cart = format!("/v1/carts/{cart}");
    let put = async |rest: &str, body: Value| {
        shop.put(&format!("{cart}/{rest}")).by(&buyer.token).json(body).send().await.expect(200)
    };
    for variant in [pan, lamp] {
        put(&format!("lines/{variant}"), json!({"quantity": 1})).await;
    }
    let unmet = put("coupons", json!({"coupons": ["kettles-10"]})).await;
    assert!(unmet.body["problems"].to_string().contains("coupon_not_applicable"), "{}", unmet.body);
    put(&format!("lines/{kettle}"), json!({"quantity": 1})).await;
    put("address", byteshop_tests::shop::address("DE")).await;
    put("shipping", json!({"service": "flat"})).await;
    let order = shop.post(&format!("{cart}/checkout")).by(&buyer.token).send().await.expect(201).id();
    let order = format!("/v1/orders/{order}");
    let seen = market.seen(&order).await;
    let discounts: Vec<(&Value, i64)> = seen["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (&part["seller"], part["discount"]["amount"].as_i64().unwrap()))
        .collect();
    // 10 % of the kettle for 9.00, and nothing of the others.
    let own: i64 = discounts.iter().filter(|(seller, _)| **seller == json!(kettles)).map(|(_, off)| off).sum();
    assert_eq!((own, discounts.iter().map(|(_, off)| off).sum::<i64>()), (90, 90), "{seen}");
    let listed = market.coupons("GET", "?status=active", Value::Null).await.expect(200);
    let row = &listed.body["items"][0];
    assert_eq!((&row["id"], &row["orders"], &row["given"][0]["amount"]), (&json!(made.id()), &json!(1), &json!(90)));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_keep_the_coupons_of_their_seller_and_no_others() {
    let market = Market::open().await;
    let Market { shop, eve, kettles, pans, .. } = &market;
    let made = market.coupons("POST", "", coupon("KETTLES-20", 2_000)).await.expect(201);
    let own = format!("/{}", made.id());
    let revised = market.coupons("PUT", &own, coupon("KETTLES-20", 2_500)).await.expect(200);
    assert_eq!(revised.body["terms"]["benefit"]["percent_bps"], 2_500);
    market.coupons("PUT", &own, coupon("KETTLES-21", 2_500)).await.expect_problem(422, "promotion.code_stays");
    for (terms, code) in [
        (json!({"label": "Less", "benefit": {"kind": "percent", "percent_bps": 1}}), "promotion.code_needed"),
        (
            json!({"label": "Less", "code": "SHIP", "benefit": {"kind": "free_shipping"}}),
            "promotion.shipping_of_seller",
        ),
    ] {
        market.coupons("POST", "", terms).await.expect_problem(422, code);
    }
    let mut foreign = coupon("FOREIGN", 1);
    foreign["seller"] = json!(pans);
    assert_eq!(market.coupons("POST", "", foreign).await.expect(422).text("/errors/0/pointer"), "/seller");
    // A code is of one promotion, whoever has it.
    let taken = shop.post(&format!("/v1/sellers/{pans}/promotions")).by(&eve.token).json(coupon("kettles-20", 1));
    assert_eq!(taken.send().await.status, 409);
    let theirs = format!("/v1/sellers/{pans}/promotions{own}");
    shop.get(&theirs).by(&eve.token).send().await.expect_problem(404, "promotion.missing");
    for what in ["pause", "resume", "end"] {
        shop.post(&format!("{theirs}/{what}")).by(&eve.token).send().await.expect_problem(404, "promotion.missing");
        let path = format!("/v1/sellers/{kettles}/promotions{own}/{what}");
        shop.post(&path).by(&eve.token).send().await.expect_problem(404, "seller.missing");
    }
    // A promotion of the house is none of theirs.
    let admin = shop.token(Role::Admin);
    let house = shop.post("/v1/admin/promotions").by(&admin).json(coupon("HOUSE", 1)).send().await.expect(201).id();
    market.coupons("POST", &format!("/{house}/pause"), json!({})).await.expect_problem(404, "promotion.missing");
    for (what, status) in [("pause", "paused"), ("resume", "active"), ("end", "ended")] {
        let shown = market.coupons("POST", &format!("{own}/{what}"), json!({})).await.expect(200);
        assert_eq!(shown.text("/status"), status);
    }
    let all = shop.get(&format!("/v1/admin/promotions?seller={kettles}")).by(&admin).send().await.expect(200);
    assert_eq!(all.body["items"].as_array().unwrap().len(), 1, "{}", all.body);
}
