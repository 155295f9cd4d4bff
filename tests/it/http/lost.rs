//! Parcels that carriers lose: sent again or given back, told once as a loss, and found again without harm.

use byteshop_commands::ports::carrier::SILENCE;
use byteshop_eventstore::Recorded;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, TestShop};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::aftersales::{Paid, lines, paid, shop_stock, story};

/// Orders of one variant, and who packs them.
struct Desk {
    shop: TestShop,
    staff: String,
    variant: String,
}

impl Desk {
    async fn new(on_hand: i64) -> Self {
        let shop = TestShop::start().await;
        let staff = shop.token(Role::Support);
        let (_, variant) = shop.product("LOST-1", 1000, on_hand).await;
        Self { shop, staff, variant }
    }

    /// Puts everything that is left in a parcel.
    async fn pack(&self, order: &Paid) -> Answer {
        let post = json!({"carrier": {"kind": "other", "name": "Post"}});
        self.shop.post(&format!("{}/shipments", order.path)).by(&self.staff).json(post).send().await
    }

    /// A parcel of everything that is left, on its way.
    async fn send(&self, order: &Paid) -> String {
        let parcel = format!("/v1/shipments/{}", self.pack(order).await.expect(201).id());
        let tracking = json!({"tracking": "T-1"});
        self.shop.post(&format!("{parcel}/hand-over")).by(&self.staff).json(tracking).send().await.expect(200);
        parcel
    }

    async fn tell(&self, parcel: &str, status: &str) -> Answer {
        self.shop.post(&format!("{parcel}/status")).by(&self.staff).json(json!({"status": status})).send().await
    }

    async fn call_off(&self, order: &Paid, quantity: i64) -> Answer {
        let off = json!({"lines": lines(&self.variant, quantity)});
        self.shop.post(&format!("{}/cancel", order.path)).by(&self.staff).json(off).send().await
    }

    /// Pieces that the sales tell as lost.
    async fn losses(&self) -> i64 {
        let admin = self.shop.token(Role::Admin);
        let head = self.shop.log.head().await.unwrap().to_string();
        let sales = self.shop.get("/v1/admin/sales").by(&admin).after(&head);
        let sales = sales.send().await.expect(200);
        sales.body["losses"].as_array().unwrap().iter().filter_map(|row| row["lost_quantity"].as_i64()).sum()
    }

    /// How often a movement of this type was written.
    async fn movements(&self, event_type: &str) -> usize {
        let events = self.shop.log.read_log(0, 10_000).await.unwrap();
        events.iter().filter(|event| event.category == "stock" && event.event_type == event_type).count()
    }
}

fn lost_of(order: &Value) -> Option<i64> {
    order["lines"][0]["lost"].as_i64()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_parcel_is_sent_again_from_the_stock_and_told_as_a_loss_once() {
    let desk = Desk::new(5).await;
    let order = paid(&desk.shop, &desk.variant, 2).await;
    let parcel = desk.send(&order).await;
    for _ in 0..2 {
        let told = desk.tell(&parcel, "lost").await.expect(200);
        assert_eq!(told.body["status"], "lost");
    }
    let is = order.is(&desk.shop).await;
    assert_eq!((is["status"].as_str(), is["fulfilment"].as_str()), (Some("open"), Some("unfulfilled")));
    assert_eq!(lost_of(&is), Some(2));
    assert_eq!((shop_stock(&desk.shop, &desk.variant).await, desk.losses().await), ((3, 0), 2));
    let fulfil = desk.shop.post(&format!("{}/fulfil", order.path)).by(&desk.staff).send().await;
    fulfil.expect_problem(409, "order.pieces_lost");

    let again = desk.send(&order).await;
    assert_eq!(lost_of(&order.is(&desk.shop).await), Some(0));
    assert_eq!((shop_stock(&desk.shop, &desk.variant).await, desk.losses().await), ((1, 0), 2));
    desk.tell(&again, "delivered").await.expect(200);
    order.awaits(&desk.shop, "/status", "completed").await;
    // The first one arrives after all: the buyer has both, and nothing else changes.
    desk.tell(&parcel, "delivered").await.expect(200);
    let is = order.is(&desk.shop).await;
    assert_eq!((is["status"].as_str(), is["lines"][0]["handed_over"].as_i64()), (Some("completed"), Some(2)));
    assert_eq!((shop_stock(&desk.shop, &desk.variant).await, desk.losses().await), ((1, 0), 2));
    let told = story(&desk.shop, &order).await;
    for sentence in [
        "The parcel was lost in transit.",
        "Staff replaced 2 items of a lost parcel from stock.",
        "The lost parcel was found; 2 items in it had already been replaced or refunded.",
    ] {
        assert!(told.contains(sentence), "{told}");
    }
    let path = format!("{}/history?locale=ru", order.path);
    let russian = desk.shop.get(&path).with(&order.cart).send().await.expect(200).body.to_string();
    assert!(russian.contains("Посылка потерялась в пути."), "{russian}");
    // No more comes back than was bought.
    let back = json!({"lines": lines(&desk.variant, 3), "reason": "other"});
    let back = desk.shop.post(&format!("{}/returns", order.path)).with(&order.cart).json(back).send().await;
    back.expect_problem(409, "order.too_many_returned");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_parcel_is_given_back_for_and_nothing_comes_back_to_the_stock() {
    let desk = Desk::new(3).await;
    let order = paid(&desk.shop, &desk.variant, 3).await;
    let parcel = desk.send(&order).await;
    desk.tell(&parcel, "lost").await.expect(200);
    desk.pack(&order).await.expect_problem(409, "stock.not_enough");
    desk.call_off(&order, 1).await.expect(200);
    let some = order.awaits(&desk.shop, "/payment_status", "partly_refunded").await;
    assert_eq!((lost_of(&some), some["refunded"]["amount"].as_i64()), (Some(2), Some(1000)));
    desk.call_off(&order, 2).await.expect(200);
    let off = order.awaits(&desk.shop, "/payment_status", "refunded").await;
    assert_eq!((off["status"].as_str(), off["refunded"]["amount"].as_i64()), (Some("cancelled"), Some(3000)));
    desk.shop.at_rest().await;
    assert_eq!((shop_stock(&desk.shop, &desk.variant).await, desk.losses().await), ((0, 0), 3));
    // It is here again after all, and nobody waits for it: it is for sale.
    desk.tell(&parcel, "returned").await.expect(200);
    assert_eq!((shop_stock(&desk.shop, &desk.variant).await, desk.losses().await), ((3, 0), 0));
    desk.tell(&parcel, "delivered").await.expect(200);
    desk.tell(&parcel, "lost").await.expect(200);
    assert_eq!((shop_stock(&desk.shop, &desk.variant).await, desk.losses().await), ((3, 0), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_says_that_a_parcel_is_lost_and_found_and_its_buyer_hears_of_it() {
    let desk = Desk::new(5).await;
    let order = paid(&desk.shop, &desk.variant, 1).await;
    let found = json!({"carrier": {"kind": "simulated", "story": "found"}});
    let made = desk.shop.post(&format!("{}/shipments", order.path)).by(&desk.staff).json(found).send().await;
    let parcel = format!("/v1/shipments/{}", made.expect(201).id());
    desk.shop.post(&format!("{parcel}/hand-over")).by(&desk.staff).send().await.expect(200);
    let done = order.awaits(&desk.shop, "/status", "completed").await;
    assert_eq!((done["fulfilment"].as_str(), lost_of(&done)), (Some("fulfilled"), Some(0)));
    assert_eq!((desk.movements("lost_in_transit").await, desk.movements("found_in_transit").await), (1, 1));
    assert_eq!((shop_stock(&desk.shop, &desk.variant).await, desk.losses().await), ((4, 0), 0));
    let subject = format!("A parcel of order {} was lost", done["number"].as_str().unwrap());
    eventually("the mail about it", async || {
        let mails = desk.shop.get("/dev/mail").header("Accept", "application/json").send().await.expect(200);
        mails.body["items"].as_array().unwrap().iter().any(|mail| mail["subject"] == subject.as_str()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_whose_news_has_to_wait_is_asked_for_it_again() {
    let desk = Desk::new(5).await;
    let order = paid(&desk.shop, &desk.variant, 1).await;
    let lost = json!({"carrier": {"kind": "simulated", "story": "lost"}});
    let made = desk.shop.post(&format!("{}/shipments", order.path)).by(&desk.staff).json(lost).send().await;
    let parcel = format!("/v1/shipments/{}", made.expect(201).id());
    desk.shop.post(&format!("{parcel}/hand-over")).by(&desk.staff).send().await.expect(200);
    // Nothing of it can be lost while its buyer is about to send it back.
    let back = json!({"lines": lines(&desk.variant, 1), "reason": "other"});
    desk.shop.post(&format!("{}/returns", order.path)).with(&order.cart).json(back).send().await.expect(201);
    let pause = eventually("a pause longer than a chapter of the story", async || {
        let events = desk.shop.log.read_log(0, 10_000).await.unwrap();
        let waited = events.iter().filter(|event| event.category == "shipment" && event.event_type == "waited");
        waited.map(pause).find(|pause| *pause > TimeDelta::seconds(10))
    })
    .await;
    assert!(pause <= SILENCE, "{pause}");
    let is = desk.shop.get(&parcel).by(&desk.staff).send().await.expect(200);
    assert_eq!(is.body["status"], "in_transit", "what was said with the loss is said again with it");
    assert_eq!(desk.movements("lost_in_transit").await, 0);
}

/// How long after it was written the carrier is to be asked again.
fn pause(waited: &Recorded) -> TimeDelta {
    let data: Value = serde_json::from_str(&waited.data).unwrap();
    let check_at: DateTime<Utc> = data["check_at"].as_str().unwrap().parse().unwrap();
    check_at - waited.recorded_at
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_delivered_at_once_end_as_delivered() {
    let desk = Desk::new(40).await;
    let mut left = 40;
    for _ in 0..6 {
        let order = paid(&desk.shop, &desk.variant, 2).await;
        left -= 2;
        let parcel = desk.send(&order).await;
        let (one, other, third) =
            tokio::join!(desk.tell(&parcel, "lost"), desk.tell(&parcel, "delivered"), desk.tell(&parcel, "lost"));
        for told in [one, other, third] {
            told.expect(200);
        }
        let is = order.is(&desk.shop).await;
        assert_eq!((is["status"].as_str(), is["fulfilment"].as_str()), (Some("completed"), Some("fulfilled")));
        assert_eq!((lost_of(&is), is["lines"][0]["handed_over"].as_i64()), (Some(0), Some(2)));
        assert_eq!((shop_stock(&desk.shop, &desk.variant).await, desk.losses().await), ((left, 0), 0));
    }
    assert_eq!(desk.movements("lost_in_transit").await, desk.movements("found_in_transit").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_settle_a_lost_parcel_at_once_one_does() {
    let desk = Desk::new(60).await;
    for round in 0..8 {
        let before = shop_stock(&desk.shop, &desk.variant).await.0;
        let order = paid(&desk.shop, &desk.variant, 2).await;
        let parcel = desk.send(&order).await;
        let (one, other) = tokio::join!(desk.tell(&parcel, "lost"), desk.tell(&parcel, "lost"));
        assert_eq!((one.expect(200).status, other.expect(200).status), (200, 200));
        let (one, other) = if round % 2 == 0 {
            tokio::join!(desk.pack(&order), desk.pack(&order))
        } else {
            tokio::join!(desk.pack(&order), desk.call_off(&order, 2))
        };
        let (done, refused) = if one.status < 300 { (one, other) } else { (other, one) };
        assert!(done.status < 300 && refused.status == 409, "{} {}: {}", done.status, refused.status, refused.body);
        let sent_again = done.status == 201;
        desk.shop.at_rest().await;
        let gone = if sent_again { 4 } else { 2 };
        assert_eq!(shop_stock(&desk.shop, &desk.variant).await, (before - gone, 0));
        assert_eq!(desk.losses().await, (round + 1) * 2, "each loss is told once");
    }
}
