//! From a sale to the balance: pending until the hold ends after the delivery, and less by what is refunded.

use byteshop_commands::PayoutRules;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::TestShop;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::trade;
use crate::http::order_parts::{Market, id_of};

impl Market {
    /// The balance of the first seller is, or becomes, this: pending, reserved, available, in transit, paid out.
    async fn has(&self, wanted: [i64; 5]) {
        eventually(&format!("the balance is {wanted:?}"), async || {
            let figures = self.shop.balance(&self.kettles, &self.ada).await;
            (figures == wanted).then_some(())
        })
        .await;
        // It is what the ledger says.
        let head = self.shop.at_rest().await;
        let staff = self.shop.token(Role::Support);
        let found = self.shop.get("/v1/admin/ledger").by(&staff).after(head).send().await.expect(200).body;
        let account = format!("seller_payable/{}", self.kettles);
        let of_seller = found["items"].as_array().unwrap().iter().find(|item| item["account"] == account.as_str());
        let owed = of_seller.map_or(0, |item| -item["balance"]["amount"].as_i64().unwrap());
        assert_eq!(owed, wanted[..3].iter().sum::<i64>());
    }

    /// The first seller sends its part of an order.
    async fn send(&self, order: &str) -> String {
        let path = format!("/v1/sellers/{}/orders/{}/shipments", self.kettles, id_of(order));
        let post = json!({"carrier": {"kind": "other", "name": "Post"}});
        let parcel = self.post(&path, &self.ada, post).await.expect(201).id();
        let path = format!("/v1/shipments/{parcel}");
        self.post(&format!("{path}/hand-over"), &self.ada, json!({"tracking": "T-1"})).await.expect(200);
        path
    }

    async fn deliver(&self, parcel: &str) {
        self.post(&format!("{parcel}/status"), &self.ada, json!({"status": "delivered"})).await.expect(200);
    }

    async fn refund(&self, order: &str, amount: i64) {
        let seen = self.seen(order).await;
        let path = format!("/v1/payments/{}/refunds", seen["payment"].as_str().unwrap());
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch", "part": 1});
        self.shop.post(&path).by(&self.shop.token(Role::Admin)).json(body).send().await.expect(201);
    }
}

fn rules(hold_days: i64) -> PayoutRules {
    PayoutRules { hold: TimeDelta::days(hold_days), minimum: 1, ..PayoutRules::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_pending_until_its_goods_are_delivered_and_less_by_what_is_refunded() {
    let market = Market::with(TestShop::start().trading(trade(&rules(0)))).await;
    // The kettle for 9.00 has 6.75 of the shipping for 9.00.
    let order = market.paid(&[&market.kettle, &market.lamp]).await;
    market.has([1_575, 0, 0, 0, 0]).await;
    let parcel = market.send(&order).await;
    market.refund(&order, 75).await;
    market.has([1_500, 0, 0, 0, 0]).await;
    market.deliver(&parcel).await;
    market.has([0, 0, 1_500, 0, 0]).await;
    market.refund(&order, 500).await;
    market.has([0, 0, 1_000, 0, 0]).await;
    // What the seller cancels was never earned.
    let other = market.paid(&[&market.kettle]).await;
    market.has([1_800, 0, 1_000, 0, 0]).await;
    let cancel = format!("/v1/sellers/{}/orders/{}/cancel", market.kettles, id_of(&other));
    market.post(&cancel, &market.ada, json!({})).await.expect(200);
    market.has([0, 0, 1_000, 0, 0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_delivered_is_held_and_a_share_of_the_sales_of_a_new_seller_longer() {
    let market =
        Market::with(TestShop::start().trading(trade(&PayoutRules { reserve_percent: 10, ..rules(30) }))).await;
    let order = market.paid(&[&market.kettle]).await;
    market.has([1_620, 180, 0, 0, 0]).await;
    let parcel = market.send(&order).await;
    market.deliver(&parcel).await;
    market.has([1_620, 180, 0, 0, 0]).await;
    // The other seller sold nothing.
    let path = format!("/v1/sellers/{}/balance", market.pans);
    let found = market.shop.get(&path).by(&market.eve.token).send().await.expect(200).body;
    assert_eq!(found["items"], Value::Array(vec![]));
}
