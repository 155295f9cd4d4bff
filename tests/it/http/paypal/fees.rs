//! What PayPal keeps as its fees is in the ledger: the clearing account is what PayPal has for the shop, to the cent.

use byteshop_eventstore::Clock;
use byteshop_gateway::security::token::Role;
use reqwest::Client;
use serde_json::{Value, json};

use super::{Connected, Order, eventually};

impl Connected {
    /// The balance of an account of the ledger in euros: debits minus credits.
    pub(super) async fn balance(&self, account: &str) -> i64 {
        let head = self.shop.at_rest().await;
        let found = self.shop.get("/v1/admin/ledger").by(&self.shop.token(Role::Support)).after(head).send().await;
        let items = found.expect(200).body["items"].as_array().unwrap().clone();
        let found = items.iter().find(|it| it["account"] == account);
        found.map_or(0, |it| it["balance"]["amount"].as_i64().unwrap())
    }

    /// Waits until the clearing account is what PayPal has of all captures, and the fees are PayPal's.
    pub(super) async fn clearing_agrees(&self) {
        let books = self.paypal.books().await;
        let of = |capture: &Value, name: &str| capture[name].as_i64().unwrap();
        let captures = books["captures"].as_array().unwrap();
        let fees: i64 = captures.iter().map(|it| of(it, "paypal_fee")).sum();
        let kept = captures.iter().map(|it| of(&it["amount"], "minor") - of(it, "refunded") - of(it, "reversed"));
        let kept: i64 = kept.sum();
        eventually("the ledger has what PayPal has", async || {
            let found = (self.balance("clearing").await, self.balance("provider_fees").await);
            (found == (kept - fees, fees)).then_some(())
        })
        .await;
    }

    /// A request to PayPal's API that the shop does not make.
    pub(super) async fn past_the_shop(&self, path: &str, body: &Value) -> Value {
        let (client, account) = (Client::new(), self.paypal.account().await);
        let url = |path: &str| format!("{}{path}", account.url);
        let token = client.post(url("/v1/oauth2/token")).basic_auth(&account.client_id, Some(&account.client_secret));
        let form =
            token.header("Content-Type", "application/x-www-form-urlencoded").body("grant_type=client_credentials");
        let token: Value = form.send().await.unwrap().json().await.unwrap();
        let call = client.post(url(path)).json(body).bearer_auth(token["access_token"].as_str().unwrap());
        let answer = call.header("PayPal-Request-Id", Clock.new_id().to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    async fn kinds(&self, order: &Order) -> Vec<String> {
        let head = self.shop.at_rest().await;
        let path = format!("/v1/admin/ledger/entries?order={}", order.path.rsplit('/').next().unwrap());
        let found = self.shop.get(&path).by(&self.staff).after(head).send().await.expect(200).body;
        found["items"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clearing_account_is_what_paypal_has_after_its_fees() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PF-1", 1999, 9).await;
    let [kept, partly, cancelled] = [it.paid(&variant).await, it.paid(&variant).await, it.paid(&variant).await];
    it.clearing_agrees().await;
    let kinds = it.kinds(&kept).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "provider_fee").count(), 1, "{kinds:?}");
    let body = json!({"amount": {"amount": 500, "currency": "EUR"}, "reason": "a scratch"});
    it.shop.post(&format!("/v1/payments/{}/refunds", partly.payment)).by(&it.staff).json(body).send().await.expect(201);
    it.shop.post(&format!("{}/cancel", cancelled.path)).by(&it.staff).send().await.expect(200);
    it.awaits(&partly, "partly_refunded").await;
    it.awaits(&cancelled, "refunded").await;
    // PayPal keeps the fee of what goes back, and the shop is not told of its fees in the story of an order.
    it.clearing_agrees().await;
    assert!(it.balance("provider_fees").await > 0);
    it.books_agree(&[kept, partly, cancelled]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fee_of_an_authorized_amount_comes_with_its_capture() {
    let it = Connected::patient().await;
    let (_, variant) = it.shop.product("PF-2", 1999, 9).await;
    let order = it.order(&variant).await;
    let page = it.begin(&order).await;
    it.follow(&it.paypal.choose(&page, "approve").await).await.expect(200);
    it.awaits(&order, "authorized").await;
    assert_eq!(it.balance("provider_fees").await, 0);
    it.shop.post(&format!("/v1/payments/{}/capture", order.payment)).by(&it.staff).send().await.expect(200);
    it.awaits(&order, "paid").await;
    it.clearing_agrees().await;
    it.books_agree(&[order]).await;
}

/// A charge that was captured without the shop knowing it, for an order that is cancelled, goes back; its fee does not.
#[tokio::test(flavor = "multi_thread")]
async fn the_fee_of_a_charge_that_goes_back_unseen_is_paid_all_the_same() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PF-3", 1999, 9).await;
    let order = it.order(&variant).await;
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
    it.clearing_agrees().await;
    assert!(it.balance("clearing").await < 0, "the house bears the fee");
    it.books_agree(&[order]).await;
}
