//! The orders of sellers: each sees and handles its own part, and nothing else.

use byteshop_gateway::security::token::Role;
use byteshop_projections::View as _;
use byteshop_projections::part_list::PartList;
use byteshop_projections::replay::Replay;
use byteshop_tests::people::Person;
use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::aftersales::lines;
use super::order_parts::{Market, id_of, of_parts};

impl Market {
    /// The orders of a seller, when the list has everything that has happened.
    async fn listed(&self, seller: &str, person: &Person, query: &str) -> Answer {
        let head = self.shop.at_rest().await;
        self.shop.get(&format!("/v1/sellers/{seller}/orders{query}")).by(&person.token).after(head).send().await
    }

    /// Packs, hands over and delivers everything of the part of a seller.
    async fn sends(&self, order: &str, seller: &str, person: &Person) {
        let parcel = json!({"carrier": {"kind": "other", "name": "Post"}});
        let of_seller = format!("/v1/sellers/{seller}/orders/{}/shipments", id_of(order));
        let parcel = self.post(&of_seller, person, parcel).await.expect(201).id();
        let tracking = json!({"tracking": "T-1"});
        self.post(&format!("/v1/shipments/{parcel}/hand-over"), person, tracking).await.expect(200);
        let delivered = json!({"status": "delivered"});
        self.post(&format!("/v1/shipments/{parcel}/status"), person, delivered).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_sees_its_own_part_of_an_order_and_nothing_else_of_it() {
    let market = Market::open().await;
    let Market { shop, ada, eve, kettles, pans, kettle, pan, lamp, .. } = &market;
    let order = market.ordered(&[kettle, pan, lamp]).await;
    let of_ada = format!("/v1/sellers/{kettles}/orders/{}", id_of(&order));
    let unpaid = shop.get(&of_ada).by(&ada.token).send().await.expect(200);
    assert_eq!((unpaid.text("/payment_status"), &unpaid.body["address"]), ("awaiting", &Value::Null));
    shop.pay(&market.buyer.token, id_of(&order)).await.expect(201);
    market.becomes(&order, "/payment_status", &json!("paid")).await;
    let shown = shop.get(&of_ada).by(&ada.token).send().await.expect(200);
    assert_eq!((shown.text("/address/name"), &shown.body["address"]["email"]), ("Rahel Varnhagen", &Value::Null));
    assert_eq!((shown.text("/lines/0/sku"), shown.body["lines"].as_array().unwrap().len()), ("KETTLE", 1));
    assert_eq!((&shown.body["part"], &shown.body["payable"]["amount"]), (&json!(1), &json!(1350)));
    assert!(shown.body["placed_at"].is_string() && shown.body["paid_at"].is_string());
    let list = market.listed(kettles, ada, "").await.expect(200);
    assert_eq!((list.text("/items/0/id"), list.body["items"].as_array().unwrap().len()), (id_of(&order), 1));
    for body in [shown.body.to_string(), list.body.to_string()] {
        for hidden in [pans, pan, lamp, "2700", &market.buyer.id.to_string(), "rahel@example.org", "PAN", "LAMP"] {
            assert!(!body.contains(hidden), "{hidden} is in {body}");
        }
    }
    // Another member, another seller, and an order without the seller.
    shop.get(&of_ada).by(&eve.token).send().await.expect_problem(404, "seller.missing");
    market.listed(kettles, eve, "").await.expect_problem(404, "seller.missing");
    shop.get(&order).by(&ada.token).send().await.expect_problem(404, "order.missing");
    let house = market.ordered(&[lamp]).await;
    let of_house = format!("/v1/sellers/{kettles}/orders/{}", id_of(&house));
    shop.get(&of_house).by(&ada.token).send().await.expect_problem(404, "order.missing");
    shop.get(&of_ada).by(&shop.token(Role::Support)).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_lists_its_orders_by_how_far_its_part_is() {
    let market = Market::open().await;
    let Market { shop, ada, kettles, kettle, pan, lamp, .. } = &market;
    let unpaid = market.ordered(&[kettle]).await;
    let sent = market.paid(&[kettle, lamp]).await;
    market.sends(&sent, kettles, ada).await;
    let open = market.paid(&[pan, kettle]).await;
    market.paid(&[pan, lamp]).await;
    let listed = async |query: &str| -> Vec<String> {
        let list = market.listed(kettles, ada, query).await.expect(200);
        list.body["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    let [unpaid, sent, open] = [&unpaid, &sent, &open].map(|order| id_of(order));
    assert_eq!(listed("").await, [open, sent, unpaid]);
    assert_eq!(listed("?status=open&payment_status=paid").await, [open]);
    assert_eq!(listed("?status=completed").await, [sent]);
    assert_eq!(listed("?fulfilment=unfulfilled").await, [open, unpaid]);
    assert_eq!(listed("?payment_status=awaiting&until=2020-01-01").await, [""; 0]);
    let number = market.listed(kettles, ada, "?status=completed").await.expect(200).text("/items/0/number").to_owned();
    assert_eq!(listed(&format!("?number={number}")).await, [sent]);
    let first = market.listed(kettles, ada, "?limit=2").await.expect(200);
    let rest = listed(&format!("?limit=2&cursor={}", first.text("/next"))).await;
    assert_eq!((first.text("/items/1/id"), rest), (sent, vec![unpaid.to_owned()]));
    let report = shop.views.replay(PartList::NAME, Replay::Check, &|_| {}).await.unwrap();
    assert_eq!((report.different, report.differences), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_send_their_part_and_no_other() {
    let market = Market::open().await;
    let Market { shop, ada, eve, buyer, kettles, kettle, pan, lamp, .. } = &market;
    let order = market.paid(&[kettle, pan, lamp]).await;
    let of = |seller: &str, what: &str| format!("/v1/sellers/{seller}/orders/{}/{what}", id_of(&order));
    // A suspended seller still sends what was paid for.
    shop.decide(kettles, "suspend").await.expect(200);
    let post = json!({"kind": "other", "name": "Post"});
    let foreign = json!({"lines": lines(pan, 1), "carrier": post});
    market.post(&of(kettles, "shipments"), ada, foreign).await.expect_problem(409, "order.too_many_shipped");
    market.post(&of(kettles, "shipments"), eve, json!({})).await.expect_problem(404, "seller.missing");
    let parcel = market.post(&of(kettles, "shipments"), ada, json!({"carrier": post})).await.expect(201).id();
    let parcel = format!("/v1/shipments/{parcel}");
    let tracking = json!({"tracking": "T-1"});
    let hand_over = format!("{parcel}/hand-over");
    market.post(&hand_over, eve, tracking.clone()).await.expect_problem(404, "shipment.missing");
    market.post(&hand_over, buyer, tracking.clone()).await.expect_problem(404, "shipment.missing");
    market.post(&format!("{parcel}/pack"), ada, json!({"weight_g": 900})).await.expect(200);
    market.post(&hand_over, ada, tracking).await.expect(200);
    let delivered = json!({"status": "delivered"});
    market.post(&format!("{parcel}/status"), ada, delivered).await.expect(200);
    let there = market.seen(&order).await;
    assert_eq!(of_parts(&there, "status"), ["completed", "open", "open"]);
    assert_eq!(of_parts(&there, "fulfilment"), ["fulfilled", "unfulfilled", "unfulfilled"]);
    // The buyer reads that the seller sent it.
    let history = shop.get(&format!("{order}/history")).by(&buyer.token).send().await.expect(200);
    let story = history.body["story"].to_string();
    assert!(story.contains("The seller put 1 item in a parcel.") && story.contains("The customer ordered"), "{story}");
    assert!(!story.contains("The customer p") && !story.contains("The customer h"), "{story}");
    let packed = history.body["items"].as_array().unwrap().iter().find(|it| it["type"] == "shipment.packed").unwrap();
    assert_eq!(packed["actor"], "seller");
    let sent =
        shop.get(&format!("/v1/sellers/{kettles}/orders/{}", id_of(&order))).by(&ada.token).send().await.expect(200);
    assert_eq!((sent.text("/shipments/0/status"), &sent.body["address"]), ("delivered", &Value::Null));
    // A parcel of the house has goods of one part.
    let all = shop
        .post(&format!("{order}/shipments"))
        .by(&shop.token(Role::Support))
        .json(json!({"carrier": post}))
        .send()
        .await;
    all.expect_problem(422, "order.several_parts");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_cancel_and_take_back_their_part() {
    let market = Market::open().await;
    let Market { shop, ada, eve, buyer, kettles, pans, kettle, pan, lamp } = &market;
    let order = market.paid(&[kettle, pan, lamp]).await;
    let of = |seller: &str, what: &str| format!("/v1/sellers/{seller}/orders/{}/{what}", id_of(&order));
    market.sends(&order, kettles, ada).await;
    // The other seller cannot deliver: the buyer gets its price and its shipping back.
    market
        .post(&of(pans, "cancel"), eve, json!({"lines": lines(lamp, 1)}))
        .await
        .expect_problem(409, "order.too_many_cancelled");
    market.post(&of(pans, "cancel"), ada, json!({})).await.expect_problem(404, "seller.missing");
    let off = market.post(&of(pans, "cancel"), eve, json!({})).await.expect(200);
    assert_eq!((off.text("/status"), &off.body["credited"]["amount"]), ("cancelled", &json!(900)));
    market.post(&of(pans, "cancel"), eve, json!({})).await.expect_problem(409, "order.nothing_to_send");
    market.becomes(&order, "/parts/1/refunded/amount", &json!(900)).await;
    // The buyer sends the kettle back, and its seller takes it in.
    let back = json!({"lines": lines(kettle, 1), "reason": "other"});
    let back = market.post(&format!("{order}/returns"), buyer, back).await.expect(201).id();
    let back = format!("/v1/returns/{back}");
    market.post(&format!("{back}/approve"), eve, json!({})).await.expect_problem(404, "return.missing");
    market.post(&format!("{back}/approve"), ada, json!({})).await.expect(200);
    let came = json!([{"variant": kettle, "quantity": 1, "condition": "new", "restock": true}]);
    let receive = format!("{back}/receive");
    let more = json!({"lines": came, "shipping": true});
    market.post(&receive, ada, more).await.expect_problem(403, "auth.forbidden");
    market.post(&receive, ada, json!({"lines": came})).await.expect(200);
    let after = market.becomes(&order, "/parts/0/refunded/amount", &json!(900)).await;
    assert_eq!(of_parts(&after, "fulfilment"), ["returned", "unfulfilled", "unfulfilled"]);
    assert_eq!(of_parts(&after, "payment_status"), ["partly_refunded", "refunded", "paid"]);
    // The house sends the rest.
    let staff = shop.token(Role::Support);
    shop.post(&format!("{order}/fulfil")).by(&staff).send().await.expect(200);
    let over = market.seen(&order).await;
    assert_eq!(
        (&over["status"], of_parts(&over, "status")),
        (&json!("completed"), vec![json!("completed"), json!("cancelled"), json!("completed")])
    );
    assert_eq!(over["refunded"]["amount"], 1800);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sellers_and_the_buyer_cancel_at_the_same_moment_is_refunded_once() {
    let market = Market::open().await;
    let Market { ada, eve, buyer, kettles, pans, kettle, pan, lamp, .. } = &market;
    for _ in 0..4 {
        let order = market.paid(&[kettle, pan, lamp]).await;
        let of = |seller: &str| format!("/v1/sellers/{seller}/orders/{}/cancel", id_of(&order));
        let (of_ada, of_eve, of_order) = (of(kettles), of(pans), format!("{order}/cancel"));
        let done = tokio::join!(
            market.post(&of_ada, ada, json!({})),
            market.post(&of_eve, eve, json!({})),
            market.post(&of_order, buyer, json!({"part": 3})),
        );
        for answer in [done.0, done.1, done.2] {
            answer.expect(200);
        }
        // The last of them cancels all that is left.
        let off = market.becomes(&order, "/payment_status", &json!("refunded")).await;
        assert_eq!(
            (&off["status"], of_parts(&off, "refunded")),
            (&json!("cancelled"), vec![json!(1350), json!(900), json!(450)])
        );
    }
}
