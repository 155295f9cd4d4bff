//! The products of sellers: who keeps them, and that they go with their seller and come back with it.

use byteshop_domain::Decider as _;
use byteshop_domain::order::Order;
use byteshop_domain::seller::Seller;
use byteshop_eventstore::read::{Filter, PAGE};
use byteshop_gateway::security::token::Role;
use byteshop_projections::View as _;
use byteshop_projections::product_list::ProductList;
use byteshop_projections::replay::Replay;
use byteshop_tests::people::Person;
use byteshop_tests::shop::{Answer, TestShop};
use serde_json::{Value, json};

/// The titles of a list of products, when it has everything that has happened.
async fn titles(shop: &TestShop, path: &str, token: Option<&str>) -> Vec<String> {
    let head = shop.at_rest().await;
    let call = shop.get(path).after(head);
    let list = if let Some(token) = token { call.by(token).send().await } else { call.send().await };
    let list = list.expect(200);
    list.body["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

async fn people(shop: &TestShop) -> [Person; 3] {
    [shop.person("ada@example.org").await, shop.person("bob@example.org").await, shop.person("eve@example.org").await]
}

async fn change(shop: &TestShop, product: &str, token: &str, body: Value) -> Answer {
    shop.patch(&format!("/v1/products/{product}")).by(token).json(body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn members_keep_the_products_of_their_seller() {
    let shop = TestShop::start().await;
    let [ada, bob, eve] = people(&shop).await;
    let seller = shop.seller(&ada, "kettles").await;
    shop.join(&seller, &ada, &bob, "staff").await;
    shop.seller(&eve, "pans").await;
    let new = json!({"title": "Kettle", "seller": seller});
    let made = shop.post("/v1/products").by(&bob.token).json(new.clone()).send().await.expect(201);
    assert_eq!((made.text("/seller/handle"), made.text("/seller/name")), ("kettles", "Seller kettles"));
    let product = made.id();
    // A draft is there for members and staff alone.
    let path = format!("/v1/products/{product}");
    shop.get(&path).send().await.expect_problem(404, "product.missing");
    shop.get(&path).by(&eve.token).send().await.expect_problem(404, "product.missing");
    shop.get(&path).by(&ada.token).send().await.expect(200);
    change(&shop, &product, &eve.token, json!({"title": "Mine"})).await.expect_problem(404, "product.missing");
    let own = format!("/v1/sellers/{seller}/products");
    assert_eq!(titles(&shop, &own, Some(&bob.token)).await, ["Kettle"]);
    assert!(titles(&shop, &format!("{own}?status=published"), Some(&bob.token)).await.is_empty());
    shop.get(&own).by(&eve.token).send().await.expect_problem(404, "seller.missing");
    let variant = json!({"sku": "K-1", "price": {"amount": 900, "currency": "EUR"}, "tax_class": "reduced"});
    let add = |body: Value| shop.post(&format!("{path}/variants")).by(&bob.token).json(body).send();
    add(variant).await.expect_problem(403, "product.tax_class_of_house");
    let variant = json!({"sku": "K-1", "price": {"amount": 900, "currency": "EUR"}});
    let variant = add(variant).await.expect(201).text("/variants/0/id").to_owned();
    let of_variant = format!("{path}/variants/{variant}");
    let cheaper = json!({"price": {"amount": 800, "currency": "EUR"}});
    shop.patch(&of_variant).by(&bob.token).json(cheaper.clone()).send().await.expect(200);
    let reduced = json!({"tax_class": "reduced"});
    let refused = shop.patch(&of_variant).by(&bob.token).json(reduced.clone()).send().await;
    refused.expect_problem(403, "product.tax_class_of_house");
    shop.patch(&of_variant).by(&shop.token(Role::Support)).json(reduced).send().await.expect(200);
    shop.post(&format!("{path}/publish")).by(&bob.token).send().await.expect(200);
    let stock = format!("/v1/variants/{variant}/stock");
    let count = json!({"type": "counted", "quantity": 4});
    shop.post(&stock).by(&eve.token).json(count.clone()).send().await.expect_problem(403, "product.not_yours");
    shop.post(&stock).by(&bob.token).json(count).send().await.expect(200);
    assert_eq!(shop.get(&stock).by(&bob.token).send().await.expect(200).body["on_hand"], 4);
    shop.get(&stock).by(&eve.token).send().await.expect_problem(403, "product.not_yours");
    change(&shop, &product, &eve.token, json!({"title": "Mine"})).await.expect_problem(403, "product.not_yours");
    // Everybody sees it, with its seller.
    let shown = shop.get(&path).send().await.expect(200);
    assert_eq!((shown.text("/seller/id"), &shown.body["schedule"]), (seller.as_str(), &Value::Null));
    shop.product("HOUSE-1", 100, 1).await;
    assert_eq!(titles(&shop, "/v1/products?seller=kettles", None).await, ["Kettle"]);
    assert_eq!(titles(&shop, &format!("/v1/products?seller={seller}&q=kettle"), None).await, ["Kettle"]);
    assert!(titles(&shop, "/v1/products?seller=pans", None).await.is_empty());
    shop.get("/v1/products?seller=nothing").send().await.expect_problem(400, "request.invalid_query");
    let list = shop.get("/v1/products?sort=title").send().await.expect(200);
    assert_eq!((list.text("/items/0/seller/handle"), &list.body["items"][1]["seller"]), ("kettles", &Value::Null));
    assert_eq!(shop.get("/v1/sellers/kettles").send().await.expect(200).body["products"], 1);
    shop.post(&format!("{path}/archive")).by(&bob.token).send().await.expect(200);
    shop.at_rest().await;
    let report = shop.views.replay(ProductList::NAME, Replay::Check, &|_| {}).await.unwrap();
    assert_eq!((report.different, report.differences), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_keep_nothing_else() {
    let shop = TestShop::start().await;
    let [ada, _, eve] = people(&shop).await;
    let seller = shop.seller(&ada, "kettles").await;
    let (house, variant) = shop.product("HOUSE-1", 100, 1).await;
    change(&shop, &house, &ada.token, json!({"title": "Mine"})).await.expect_problem(403, "product.not_yours");
    let lost = json!({"type": "lost", "quantity": 1});
    let stock = shop.post(&format!("/v1/variants/{variant}/stock")).by(&ada.token).json(lost).send().await;
    stock.expect_problem(403, "product.not_yours");
    let create = async |token: &str, body: Value| shop.post("/v1/products").by(token).json(body).send().await;
    create(&ada.token, json!({"title": "House"})).await.expect_problem(403, "product.not_yours");
    let new = json!({"title": "Kettle", "seller": seller});
    create(&eve.token, new.clone()).await.expect_problem(403, "product.not_yours");
    let applied = shop.apply(&eve, "pans").await.expect(201).id();
    create(&eve.token, json!({"title": "Pan", "seller": applied})).await.expect_problem(409, "seller.not_active");
    create(&ada.token, json!({"title": "Pan", "seller": applied})).await.expect_problem(422, "seller.missing");
    let staff = shop.token(Role::Support);
    create(&staff, json!({"title": "Pan", "seller": applied})).await.expect_problem(409, "seller.not_active");
    create(&staff, new).await.expect(201);
    for path in ["/v1/products/bulk", "/v1/categories", "/v1/admin/promotions"] {
        shop.post(path).by(&ada.token).json(json!({})).send().await.expect_problem(403, "auth.forbidden");
    }
    // A member who is banned keeps nothing at all.
    let (product, _) = shop.product_of(&seller, &ada, "K-1", 900, 1).await;
    let token = shop.token_of(Role::Customer, ada.id);
    let ban = format!("/v1/admin/accounts/{}/ban", ada.id);
    shop.post(&ban).by(&shop.token(Role::Admin)).json(json!({})).send().await.expect(200);
    change(&shop, &product, &token, json!({"title": "Mine"})).await.expect_problem(403, "account.banned");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_products_of_a_suspended_seller_are_neither_shown_nor_sold() {
    let shop = TestShop::start().await;
    let [ada, ..] = people(&shop).await;
    let seller = shop.seller(&ada, "kettles").await;
    let (product, variant) = shop.product_of(&seller, &ada, "K-1", 900, 9).await;
    let buyer = shop.person("buyer@example.org").await;
    let paid = shop.buy(&buyer.token, &variant, 1).await.expect(201).text("/id").to_owned();
    shop.pay(&buyer.token, &paid).await.expect(201);
    let cart = shop.full_cart(&variant, 1).await;
    shop.decide(&seller, "suspend").await.expect(200);
    let path = format!("/v1/products/{product}");
    for path in [path.clone(), format!("{path}/price-history")] {
        shop.get(&path).send().await.expect_problem(404, "product.missing");
    }
    for path in ["/v1/products", "/v1/products?q=kettle", "/v1/products?seller=kettles"] {
        assert!(titles(&shop, path, None).await.is_empty(), "{path}");
    }
    let watch = json!({"on": ["price_drop"]});
    let watched = shop.post(&format!("{path}/watch")).by(&buyer.token).json(watch).send().await;
    watched.expect_problem(404, "product.missing");
    let line = shop.put(&format!("/v1/carts/{}/lines/{variant}", cart.id)).with(&cart).json(json!({"quantity": 2}));
    line.send().await.expect_problem(404, "variant.missing");
    let shown = shop.get(&format!("/v1/carts/{}", cart.id)).with(&cart).send().await.expect(200);
    assert!(shown.body.to_string().contains("\"unavailable\""), "{}", shown.body);
    let checkout = || shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send();
    checkout().await.expect_problem(409, "cart.unavailable");
    // Its members and staff still see it, and only staff changes it.
    assert_eq!(titles(&shop, &format!("/v1/sellers/{seller}/products"), Some(&ada.token)).await, ["Kettle K-1"]);
    assert_eq!(titles(&shop, "/v1/products?status=all", Some(&shop.token(Role::Support))).await, ["Kettle K-1"]);
    shop.get(&path).by(&ada.token).send().await.expect(200);
    change(&shop, &product, &ada.token, json!({"title": "Mine"})).await.expect_problem(409, "seller.not_active");
    change(&shop, &product, &shop.token(Role::Support), json!({"description": "Old"})).await.expect(200);
    // What was paid for is sent.
    let staff = shop.token(Role::Support);
    shop.post(&format!("/v1/orders/{paid}/fulfil")).by(&staff).send().await.expect(200);
    shop.decide(&seller, "reinstate").await.expect(200);
    assert_eq!(titles(&shop, "/v1/products?q=kettle", None).await, ["Kettle K-1"]);
    checkout().await.expect(201);
    shop.post(&format!("/v1/sellers/{seller}/close")).by(&ada.token).send().await.expect(200);
    assert!(titles(&shop, "/v1/products", None).await.is_empty());
    shop.get(&path).send().await.expect_problem(404, "product.missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_comes_before_the_suspension_or_is_refused() {
    let shop = TestShop::start().await;
    let [ada, ..] = people(&shop).await;
    let seller = shop.seller(&ada, "kettles").await;
    let (_, variant) = shop.product_of(&seller, &ada, "K-1", 900, 50).await;
    for _ in 0..8 {
        let before = shop.log.head().await.unwrap();
        let cart = shop.full_cart(&variant, 1).await;
        let checkout = shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send();
        let (placed, suspended) = tokio::join!(checkout, shop.decide(&seller, "suspend"));
        suspended.expect(200);
        let categories = vec![Order::CATEGORY.to_owned(), Seller::CATEGORY.to_owned()];
        let filter = Filter { categories, ..Filter::default() };
        let events = shop.log.read_filtered(before, PAGE, &filter).await.unwrap();
        let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
        if placed.status == 201 {
            assert_eq!(types, ["placed", "suspended"]);
        } else {
            placed.expect_problem(409, "cart.unavailable");
            assert_eq!(types, ["suspended"]);
        }
        shop.decide(&seller, "reinstate").await.expect(200);
    }
}
