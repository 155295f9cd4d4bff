//! Closing an account with orders: what is not paid for is called off, what is paid for keeps the account open, whatever happens
//! at the same moment.

use byteshop_domain::account::Account;
use byteshop_domain::order::{Order, PaymentStatus, Status};
use byteshop_gateway::security::token::Role;
use byteshop_tests::people::{PASSWORD, Person};
use byteshop_tests::program::binary;
use byteshop_tests::shop::{Answer, TestShop};
use serde_json::{Value, json};

/// The keys of people in these shops, as the program is told them.
const DATA_KEY: &str = "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio=";

/// `byteshop erase`, as whoever runs the shop gives it; whether it was done, and what it said.
pub(super) fn erase(shop: &TestShop, arguments: &[&str]) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(binary());
    command.current_dir(directory.path()).arg("erase").args(arguments);
    command.env("BYTESHOP_DATABASE_URL", &shop.database).env("BYTESHOP_DATA_KEY", DATA_KEY);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

async fn close(shop: &TestShop, person: &Person) -> Answer {
    shop.delete("/v1/me").by(&person.token).json(json!({"password": PASSWORD})).send().await
}

/// An order that its buyer has paid for.
async fn paid(shop: &TestShop, person: &Person, variant: &str) -> String {
    let order = shop.buy(&person.token, variant, 1).await.expect(201).text("/id").to_owned();
    shop.pay(&person.token, &order).await.expect(201);
    shop.at_rest().await;
    order
}

async fn seen(shop: &TestShop, order: &str) -> Value {
    let admin = shop.token(Role::Admin);
    shop.get(&format!("/v1/orders/{order}")).by(&admin).send().await.expect(200).body
}

async fn parcel(shop: &TestShop, order: &str) -> String {
    let carrier = json!({"carrier": {"kind": "other", "name": "Post"}});
    let path = format!("/v1/orders/{order}/shipments");
    shop.post(&path).by(&shop.token(Role::Support)).json(carrier).send().await.expect(201).id()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_stays_until_what_was_paid_for_has_arrived() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("CLOSE-1", 1_000, 9).await;
    let ada = shop.person("ada@example.org").await;
    let [sent, cancelled] = [paid(&shop, &ada, &variant).await, paid(&shop, &ada, &variant).await];
    let refused = close(&shop, &ada).await.expect_problem(409, "account.orders_under_way");
    assert!([&sent, &cancelled].iter().all(|order| refused.text("/detail").contains(*order)), "{}", refused.body);
    shop.get("/v1/me").by(&ada.token).send().await.expect(200);
    let admin = shop.token(Role::Admin);
    let path = format!("/v1/admin/accounts/{}", ada.id);
    shop.delete(&path).by(&admin).send().await.expect_problem(409, "account.orders_under_way");
    shop.delete(&format!("{path}?force=perhaps")).by(&admin).send().await.expect_problem(400, "request.invalid_query");

    let parcel = format!("/v1/shipments/{}", parcel(&shop, &sent).await);
    let refused = close(&shop, &ada).await.expect_problem(409, "account.orders_under_way");
    assert!(refused.text("/detail").contains(&sent), "it is packed: {}", refused.body);
    shop.post(&format!("/v1/orders/{cancelled}/cancel")).by(&ada.token).send().await.expect(200);
    shop.post(&format!("{parcel}/hand-over")).by(&staff).json(json!({"tracking": "T-1"})).send().await.expect(200);
    let refused = close(&shop, &ada).await.expect_problem(409, "account.orders_under_way");
    let named = refused.text("/detail");
    assert!(named.contains(&sent) && !named.contains(&cancelled), "one is on its way: {named}");
    let arrived = json!({"status": "delivered"});
    shop.post(&format!("{parcel}/status")).by(&staff).json(arrived).send().await.expect(200);
    close(&shop, &ada).await.expect(204);
    shop.at_rest().await;
    assert_eq!(seen(&shop, &sent).await["address"], Value::Null, "its owner is forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_paid_for_is_called_off_with_the_account() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("CLOSE-2", 1_000, 9).await;
    let ada = shop.person("ada@example.org").await;
    let order = shop.buy(&ada.token, &variant, 3).await.expect(201).text("/id").to_owned();
    let cart = shop.post("/v1/carts").by(&ada.token).json(json!({"currency": "EUR"})).send().await.expect(201).id();
    close(&shop, &ada).await.expect(204);
    shop.at_rest().await;
    let seen = seen(&shop, &order).await;
    assert_eq!([&seen["status"], &seen["cancel_reason"]], ["cancelled", "buyer_request"], "{seen}");
    let stock = shop.get(&format!("/v1/variants/{variant}/stock")).by(&shop.token(Role::Admin)).send().await;
    assert_eq!((&stock.body["on_hand"], &stock.body["reserved"]), (&json!(9), &json!(0)));
    // A token that another process has not heard of yet orders nothing either.
    let late = shop.token_of(Role::Customer, ada.id);
    let line = shop.put(&format!("/v1/carts/{cart}/lines/{variant}")).by(&late).json(json!({"quantity": 1}));
    line.send().await.expect(200);
    let place = json!({"country": "DE", "lines": ["Mauerstraße 36"], "city": "Berlin", "name": "Ada"});
    let sealed = shop.put(&format!("/v1/carts/{cart}/address")).by(&late).json(place).send().await;
    sealed.expect_problem(409, "account.erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_the_shop_can_close_it_all_the_same() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("CLOSE-3", 1_000, 9).await;
    let ada = shop.person("ada@example.org").await;
    let [packed, not_packed] = [paid(&shop, &ada, &variant).await, paid(&shop, &ada, &variant).await];
    parcel(&shop, &packed).await;
    let path = format!("/v1/admin/accounts/{}?force=true", ada.id);
    shop.delete(&path).by(&shop.token(Role::Admin)).send().await.expect(200);
    shop.at_rest().await;
    let [left, off] = [seen(&shop, &packed).await, seen(&shop, &not_packed).await];
    assert_eq!([&left["status"], &left["payment_status"]], ["open", "paid"], "{left}");
    assert_eq!([&off["cancel_reason"], &off["payment_status"]], ["staff_request", "refunded"], "{off}");
    shop.get("/v1/me").by(&ada.token).send().await.expect_problem(401, "session.ended");

    let berta = shop.person("berta@example.org").await;
    let [packed, not_packed] = [paid(&shop, &berta, &variant).await, paid(&shop, &berta, &variant).await];
    parcel(&shop, &packed).await;
    let (done, said) = erase(&shop, &[&berta.email, "--yes"]);
    assert!(!done && said.contains(&packed) && said.contains("--force"), "{said}");
    shop.get("/v1/me").by(&berta.token).send().await.expect(200);
    let (done, said) = erase(&shop, &[&berta.email, "--yes", "--force"]);
    let told = [format!("{not_packed} is cancelled"), format!("{packed} is packed or shipped")];
    assert!(done && told.iter().all(|told| said.contains(told)), "{said}");
    shop.at_rest().await;
    assert_eq!(seen(&shop, &not_packed).await["payment_status"], "refunded");
}

/// An account that is closed while it orders or pays: whatever comes first, no goods are paid for that nobody can send.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_ordered_or_paid_for_behind_the_back_of_a_closing_account() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("CLOSE-4", 1_000, 99).await;
    for round in 0..8 {
        let ada = shop.person(&format!("ada{round}@example.org")).await;
        let unpaid = shop.buy(&ada.token, &variant, 1).await.expect(201).text("/id").to_owned();
        let made = shop.post("/v1/carts").by(&ada.token).json(json!({"currency": "EUR"})).send().await;
        let cart = format!("/v1/carts/{}", made.id());
        let line = shop.put(&format!("{cart}/lines/{variant}")).by(&ada.token).json(json!({"quantity": 1}));
        line.send().await.expect(200);
        let place = byteshop_tests::shop::address("DE");
        shop.put(&format!("{cart}/address")).by(&ada.token).json(place).send().await.expect(200);
        let check_out = async {
            let path = format!("{cart}/checkout");
            let placed = shop.post(&path).by(&ada.token).send().await;
            (placed.status == 201).then(|| placed.text("/id").to_owned())
        };
        let (closed, another, _) = tokio::join!(close(&shop, &ada), check_out, shop.pay(&ada.token, &unpaid));
        shop.at_rest().await;
        let account = shop.commands.get::<Account>(ada.id).await.unwrap().unwrap();
        let gone = matches!(*account.state, Account::Erased);
        assert_eq!(gone, closed.status == 204, "round {round}: {}", closed.body);
        for order in [Some(unpaid), another].into_iter().flatten() {
            let found = shop.commands.get::<Order>(order.parse().unwrap()).await.unwrap().unwrap();
            let placed = found.state.live().unwrap();
            let over = placed.progress.status == Status::Cancelled;
            assert!(over || !gone, "round {round}: {order} goes on: {placed:?}");
            let settled = matches!(placed.progress.payment_status, PaymentStatus::Voided | PaymentStatus::Refunded);
            assert!(settled || !gone, "round {round}: {order} keeps money: {placed:?}");
        }
    }
}

/// Evidence is sealed with the key of the buyer: while a dispute is open the buyer stays, unless staff gives the evidence up.
#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_disputes_a_payment_stays_until_the_dispute_has_ended() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (_, variant) = shop.product("CLOSE-5", 1_000, 99).await;
    let delivered = async |ada: &Person| {
        let order = paid(&shop, ada, &variant).await;
        let parcel = format!("/v1/shipments/{}", parcel(&shop, &order).await);
        shop.post(&format!("{parcel}/hand-over")).by(&admin).json(json!({"tracking": "T-1"})).send().await.expect(200);
        shop.post(&format!("{parcel}/status")).by(&admin).json(json!({"status": "delivered"})).send().await.expect(200);
        order
    };
    let dispute = async |payment: &str| {
        shop.post("/dev/disputes").json(json!({"payment": payment})).send().await.expect(201).id()
    };
    let payment_of = async |order: &str| seen(&shop, order).await["payment"].as_str().unwrap().to_owned();

    let ada = shop.person("ada@example.org").await;
    let [quiet, order] = [delivered(&ada).await, delivered(&ada).await];
    let opened = dispute(&payment_of(&order).await).await;
    let refused = close(&shop, &ada).await.expect_problem(409, "account.orders_disputed");
    assert!(refused.text("/detail").contains(&order) && !refused.text("/detail").contains(&quiet), "{}", refused.body);
    let path = format!("/v1/admin/accounts/{}", ada.id);
    shop.delete(&path).by(&admin).send().await.expect_problem(409, "account.orders_disputed");
    let (done, said) = erase(&shop, &[&ada.email, "--yes"]);
    assert!(!done && said.contains(&order) && said.contains("--force"), "{said}");
    let evidence = json!({"text": "Signed by the buyer."});
    let at = format!("/v1/admin/disputes/{opened}/evidence");
    shop.post(&at).by(&admin).json(evidence).send().await.expect(201);
    shop.post(&format!("/dev/disputes/{opened}")).json(json!({"won": true})).send().await.expect(204);
    close(&shop, &ada).await.expect(204);

    let berta = shop.person("berta@example.org").await;
    dispute(&payment_of(&delivered(&berta).await).await).await;
    shop.delete(&format!("/v1/admin/accounts/{}?force=true", berta.id)).by(&admin).send().await.expect(200);

    let (placed, guest) = shop.order(&variant, 1).await;
    let order = format!("/v1/orders/{}", placed.text("/id"));
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{order}/payments")).with(&guest).json(pay).send().await.expect(201);
    shop.at_rest().await;
    let opened = dispute(placed.text("/payment")).await;
    shop.post(&format!("/dev/disputes/{opened}")).json(json!({"won": true})).send().await.expect(204);
    shop.post(&format!("{order}/cancel")).with(&guest).send().await.expect(200);
    shop.at_rest().await;
    // Of the money that went back nothing is held, and the dispute is open all the same.
    dispute(placed.text("/payment")).await;
    let buyer = format!("{order}/buyer");
    shop.delete(&buyer).with(&guest).send().await.expect_problem(409, "order.disputed");
    let (done, said) = erase(&shop, &[placed.text("/id"), "--yes"]);
    assert!(!done && said.contains("--force"), "{said}");
    let (done, said) = erase(&shop, &[placed.text("/id"), "--yes", "--force"]);
    assert!(done, "{said}");
}
