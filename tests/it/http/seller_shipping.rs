//! Sellers that ship their goods at prices of their own.

use byteshop_gateway::security::token::Role;
use byteshop_tests::people::Person;
use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::order_parts::{Market, of_parts};
use super::papers::taxed;

/// Services to Germany at these prices.
fn to_germany(services: &[(&str, i64)]) -> Value {
    let service = |(name, price): &(&str, i64)| {
        let bands = json!([{"up_to_g": 10_000, "prices": [{"amount": price, "currency": "EUR"}]}]);
        json!({"service": name, "name": format!("{name} of its own"), "bands": bands, "days": {"min": 1, "max": 2}})
    };
    let services: Vec<Value> = services.iter().map(service).collect();
    json!({"zones": [{"zone": "home", "name": "Home", "countries": ["DE"], "services": services}]})
}

impl Market {
    async fn ships(&self, seller: &str, owner: &Person, book: Value) -> Answer {
        let call = self.shop.put(&format!("/v1/sellers/{seller}/shipping")).by(&owner.token);
        call.header("If-Match", "*").json(book).send().await
    }

    /// A cart with one piece of each of these variants, by its path.
    async fn filled(&self, variants: &[&str]) -> String {
        let (shop, token) = (&self.shop, &self.buyer.token);
        let cart = shop.post("/v1/carts").by(token).json(json!({"currency": "EUR"})).send().await.id();
        let cart = format!("/v1/carts/{cart}");
        for variant in variants {
            let line = shop.put(&format!("{cart}/lines/{variant}")).by(token).json(json!({"quantity": 1}));
            line.send().await.expect(200);
        }
        let address = byteshop_tests::shop::address("DE");
        shop.put(&format!("{cart}/address")).by(token).json(address).send().await.expect(200);
        cart
    }

    async fn chooses(&self, cart: &str, body: Value) -> Answer {
        self.shop.put(&format!("{cart}/shipping")).by(&self.buyer.token).json(body).send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_seller_ships_its_part_at_its_own_price_and_the_house_the_rest() {
    let market = Market::open().await;
    let Market { shop, ada, eve, buyer, kettles, pans, kettle, pan, lamp, .. } = &market;
    market.ships(kettles, ada, to_germany(&[("express", 900), ("flat", 400)])).await.expect(200);
    market.ships(kettles, eve, to_germany(&[("flat", 1)])).await.expect_problem(404, "seller.missing");
    let bare = shop.put(&format!("/v1/sellers/{pans}/shipping")).by(&eve.token).json(json!({"zones": []}));
    bare.send().await.expect(428);
    let twice = json!({"zones": [to_germany(&[("flat", 1)])["zones"][0], to_germany(&[("flat", 1)])["zones"][0]]});
    market.ships(pans, eve, twice).await.expect_problem(422, "shipping_book.zone_twice");
    let cart = market.filled(&[kettle, pan, lamp]).await;
    let options = shop.get(&format!("{cart}/shipping-options")).by(&buyer.token).send().await.expect(200).body;
    assert_eq!(options["items"].as_array().unwrap().len(), 1, "{options}");
    assert_eq!(options["sellers"][0]["seller"], json!(kettles));
    assert_eq!(options["sellers"][0]["items"][0]["service"], "flat");
    // The service of the house chooses that of the same name, and the seller's can be chosen by itself.
    let chosen = market.chooses(&cart, json!({"service": "flat"})).await.expect(200).body;
    assert_eq!((&chosen["shipping"]["amount"], &chosen["total"]["amount"]), (&json!(1_300), &json!(3_100)));
    assert_eq!(chosen["seller_deliveries"][0]["service"], "flat");
    market
        .chooses(&cart, json!({"service": "boat", "seller": kettles}))
        .await
        .expect_problem(422, "cart.shipping_gone");
    let express = market.chooses(&cart, json!({"service": "express", "seller": kettles})).await.expect(200).body;
    assert_eq!((&express["shipping"]["amount"], &express["problems"]), (&json!(1_800), &json!([])));
    let placed = shop.post(&format!("{cart}/checkout")).by(&buyer.token).send().await.expect(201);
    let order = format!("/v1/orders/{}", placed.id());
    let seen = market.seen(&order).await;
    // The 9.00 of the house are split as 6 : 3.
    assert_eq!(of_parts(&seen, "shipping"), [900, 600, 300]);
    assert_eq!(of_parts(&seen, "total"), [1_800, 1_200, 600]);
    assert_eq!(
        (&seen["parts"][0]["delivery"]["name"], &seen["delivery"]["name"]),
        (&json!("express of its own"), &json!("Flat"))
    );
    let its =
        shop.get(&format!("/v1/sellers/{kettles}/orders/{}", placed.id())).by(&ada.token).send().await.expect(200);
    assert_eq!(its.text("/service_name"), "express of its own");
    // Prices of the book that change later do not change the order.
    market.ships(kettles, ada, json!({"zones": []})).await.expect(200);
    assert_eq!(market.seen(&order).await["total"], seen["total"]);
    let later = market.filled(&[kettle, pan, lamp]).await;
    let house = market.chooses(&later, json!({"service": "flat"})).await.expect(200).body;
    assert_eq!((&house["shipping"]["amount"], &house["seller_deliveries"]), (&json!(900), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refunded_of_shipping_is_the_price_of_its_own_part() {
    let market = Market::open().await;
    taxed(&market.shop).await;
    let Market { shop, ada, eve, buyer, kettles, pans, kettle, pan, lamp, .. } = &market;
    market.ships(kettles, ada, to_germany(&[("flat", 401)])).await.expect(200);
    market.ships(pans, eve, to_germany(&[("flat", 777)])).await.expect(200);
    let order = market.paid(&[kettle, pan, lamp]).await;
    let seen = market.seen(&order).await;
    assert_eq!(of_parts(&seen, "shipping"), [401, 777, 900]);
    let payment = seen["payment"].as_str().unwrap().to_owned();
    let refund = async |amount: i64, part: u8| {
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch", "part": part});
        let path = format!("/v1/payments/{payment}/refunds");
        shop.post(&path).by(&shop.token(Role::Admin)).json(body).send().await
    };
    refund(1_378, 2).await.expect_problem(409, "order.too_much_of_part");
    refund(100, 2).await.expect(201);
    // The last piece of a part takes its own shipping with it.
    market.post(&format!("{order}/cancel"), buyer, json!({"part": 1})).await.expect(200);
    let off = market.seen(&order).await;
    assert_eq!(of_parts(&off, "credited"), [1_301, 100, 0]);
    market.post(&format!("{order}/cancel"), buyer, json!({})).await.expect(200);
    let off = market.becomes(&order, "/payment_status", &json!("refunded")).await;
    assert_eq!(of_parts(&off, "refunded"), [1_301, 1_377, 1_200]);
    let head = shop.at_rest().await;
    let ledger = shop.get("/v1/admin/ledger").by(&shop.token(Role::Support)).after(head).send().await.expect(200).body;
    assert!(ledger["items"].as_array().unwrap().iter().all(|item| item["balance"]["amount"] == 0), "{ledger}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_a_seller_does_not_ship_to_cannot_be_checked_out() {
    let market = Market::open().await;
    let Market { shop, ada, buyer, kettles, kettle, .. } = &market;
    let mut abroad = to_germany(&[("flat", 400)]);
    abroad["zones"][0]["countries"] = json!(["FR"]);
    market.ships(kettles, ada, abroad).await.expect(200);
    let cart = market.filled(&[kettle]).await;
    let seen = shop.get(&cart).by(&buyer.token).send().await.expect(200);
    assert_eq!(seen.body["problems"], json!([{"code": "no_shipping", "country": "DE", "seller": kettles}]));
    let refused = shop.post(&format!("{cart}/checkout")).by(&buyer.token).send().await;
    refused.expect_problem(409, "cart.no_shipping");
    // A cart of that seller alone needs no service of the house.
    market.ships(kettles, ada, to_germany(&[("flat", 400)])).await.expect(200);
    shop.get(&cart).by(&buyer.token).send().await.expect(200);
    let placed = shop.post(&format!("{cart}/checkout")).by(&buyer.token).send().await.expect(201);
    assert_eq!(of_parts(&placed.body, "shipping"), [400]);
}
