//! Links: buyers are led to them by counted URLs, and they are shown to no one else.

use byteshop_gateway::security::token::Role;
use byteshop_tests::people::Person;
use byteshop_tests::shop::{Call, TestShop};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Outlet, path_of};

const LINK: &str = "https://files.example.org/course?access=CANARY";

#[tokio::test(flavor = "multi_thread")]
async fn the_buyer_of_a_paid_order_is_led_to_the_link() {
    let outlet = Outlet::open().await;
    let shop = &outlet.shop;
    shop.get(&outlet.path("")).by(&outlet.staff).send().await.expect_problem(404, "digital_good.missing");
    let set = outlet.set_link(LINK).await.expect(200);
    assert_eq!(
        (&set.body["link"], &set.body["days"], &set.body["downloads"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    outlet.set_limits(Some(30), Some(2)).await.expect(200);
    let stock = shop.get(&format!("/v1/variants/{}/stock", outlet.variant)).by(&outlet.staff).send().await.expect(200);
    assert_eq!((&stock.body["unlimited"], &stock.body["on_hand"]), (&json!(true), &json!(0)));
    let buyer = shop.person("buyer@example.org").await;
    let order = shop.buy(&buyer.token, &outlet.variant, 1).await.expect(201).id();
    let path = format!("/v1/orders/{order}");
    let unpaid = shop.get(&format!("{path}/downloads")).by(&buyer.token).send().await.expect(200);
    assert_eq!(unpaid.body["lines"], json!([]));
    shop.pay(&buyer.token, &order).await.expect(201);
    shop.at_rest().await;
    let shown = shop.get(&path).by(&buyer.token).send().await.expect(200).body;
    assert_eq!((&shown["stage"], &shown["fulfilment"]), (&json!("completed"), &json!("fulfilled")));

    let link = async || {
        let head = shop.log.head().await.unwrap();
        let page = shop.get("/v1/me/purchases").by(&buyer.token).after(head).send().await.expect(200);
        assert_eq!((&page.body["items"][0]["order"], &page.body["next"]), (&json!(order), &Value::Null));
        page.body["items"][0]["lines"][0]["downloads"]["link"].clone()
    };
    let first = link().await;
    assert_eq!((&first["downloaded"], &first["remaining"]), (&json!(0), &json!(2)));
    assert!(!first.to_string().contains("CANARY"), "the link is shown");
    outlet.head(&first["url"]).await.expect(204);
    let led = outlet.follow(&first["url"]).await.expect(302);
    assert_eq!(led.header("location"), Some(LINK));
    let headers = (led.header("referrer-policy"), led.header("cache-control"));
    assert_eq!(headers, (Some("no-referrer"), Some("private, no-store")));
    // The same URL is the same download.
    outlet.follow(&first["url"]).await.expect(302);
    let second = link().await;
    assert_eq!((&second["downloaded"], &second["remaining"]), (&json!(1), &json!(1)));
    let spare = link().await;
    outlet.follow(&second["url"]).await.expect(302);
    outlet.follow(&spare["url"]).await.expect_problem(409, "download.used_up");
    assert_eq!((link().await["url"].clone(), outlet.counted().await), (Value::Null, 2));
    outlet.follow(&first["url"]).await.expect(302);

    let story = shop.get(&format!("{path}/history")).by(&buyer.token).send().await.expect(200);
    assert!(story.body["story"].to_string().contains("downloaded what the order delivers"), "{}", story.body["story"]);
    let by: Vec<String> =
        sqlx::query_scalar("select meta->>'actor' from log.event where category = 'download' and type = 'started'")
            .fetch_all(shop.log.pool())
            .await
            .unwrap();
    assert!(by.len() == 2 && by.iter().all(|actor| actor.contains(&buyer.id.to_string())), "{by:?}");
    // The canary: whatever was written down has no link in it.
    let stored = outlet.everything_stored().await;
    assert!(stored.contains("link_set") && stored.contains("purchase_list"), "the tables were not read");
    assert!(!stored.contains("CANARY"), "a link is stored in the clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_opens_only_what_it_was_made_for() {
    let outlet = Outlet::open().await;
    let shop = &outlet.shop;
    outlet.set_link(LINK).await.expect(200);
    let (path, cart) = outlet.sold(1).await;
    let (other, _) = outlet.sold(1).await;
    let url = path_of(&outlet.downloads(&path, &cart).await["link"]["url"]);
    for forged in [
        url.replace(&path, &other),
        url.replace("seal=", "seal=0"),
        url.replace("until=1", "until=2"),
        url.replace("ticket=0", "ticket=1"),
        format!("{}&seal=0", url.split("&seal=").next().unwrap()),
    ] {
        assert_ne!(forged, url, "nothing was forged");
        shop.get(&forged).send().await.expect_problem(403, "link.invalid");
    }
    let unsigned = url.split("&until=").next().unwrap();
    shop.get(unsigned).send().await.expect_problem(400, "request.invalid_query");
    assert_eq!(outlet.counted().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_buyer_gets_urls() {
    let outlet = Outlet::open().await;
    let shop = &outlet.shop;
    outlet.set_link(LINK).await.expect(200);
    let (buyer, stranger) = (shop.person("buyer@example.org").await, shop.person("other@example.org").await);
    let order = shop.buy(&buyer.token, &outlet.variant, 1).await.expect(201).id();
    shop.pay(&buyer.token, &order).await.expect(201);
    shop.at_rest().await;
    let (guests, cart) = outlet.sold(1).await;
    let (_, others_cart) = outlet.sold(1).await;
    for path in [&format!("/v1/orders/{order}"), &guests] {
        for of in ["downloads", "downloads/page"] {
            let call = || shop.get(&format!("{path}/{of}"));
            for call in [call(), call().by(&stranger.token), call().with(&others_cart)] {
                call.send().await.expect_problem(404, "order.missing");
            }
        }
        for staff in [&outlet.staff, &shop.token(Role::Admin)] {
            let list = shop.get(&format!("{path}/downloads")).by(staff).send().await.expect(200);
            let link = &list.body["lines"][0]["downloads"]["link"];
            assert_eq!((&link["remaining"], &link["url"]), (&json!(1_000), &Value::Null));
            let page = shop.get(&format!("{path}/downloads/page")).by(staff).send().await.expect(200);
            assert!(!page.body.to_string().contains("ticket="), "staff gets a URL");
        }
    }
    assert!(outlet.downloads(&guests, &cart).await["link"]["url"].is_string());
    let page = shop.get(&format!("{guests}/downloads/page")).with(&cart).send().await.expect(200);
    assert!(page.body.as_str().unwrap().contains("ticket="), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_back_is_revoked_at_once() {
    let outlet = Outlet::open().await;
    let shop = &outlet.shop;
    outlet.set_link(LINK).await.expect(200);
    outlet.set_limits(None, Some(1)).await.expect(200);
    let (path, cart) = outlet.sold(2).await;
    let url = outlet.downloads(&path, &cart).await["link"]["url"].clone();
    assert_eq!(outlet.downloads(&path, &cart).await["link"]["remaining"], 2);
    // A part of the price, as a goodwill.
    outlet.refund(&path, &cart, 100, 0).await.expect(201);
    outlet.refund(&path, &cart, 400, 1).await.expect(201);
    assert_eq!(outlet.downloads(&path, &cart).await["link"]["remaining"], 1);
    outlet.refund(&path, &cart, 100, 2).await.expect_problem(409, "order.too_many_keys");
    let back = json!({"lines": [{"variant": outlet.variant, "quantity": 1}], "reason": "changed_mind"});
    let back = shop.post(&format!("{path}/returns")).with(&cart).json(back).send().await.expect(201).id();
    outlet.follow(&url).await.expect_problem(409, "download.revoked");
    outlet.head(&url).await.expect(409);
    assert_eq!(outlet.downloads(&path, &cart).await["revoked"], true);
    let rejected = json!({"reason": "it was used"});
    shop.post(&format!("/v1/returns/{back}/reject")).by(&outlet.staff).json(rejected).send().await.expect(200);
    outlet.follow(&url).await.expect(302);
    outlet.refund(&path, &cart, 500, 0).await.expect(201);
    outlet.follow(&url).await.expect_problem(409, "download.revoked");
    let story = shop.get(&format!("{path}/history")).with(&cart).send().await.expect(200);
    assert!(story.body["story"].to_string().contains("The downloads of 1 item were revoked."), "{}", story.body);

    let (path, cart) = outlet.sold(1).await;
    let url = outlet.downloads(&path, &cart).await["link"]["url"].clone();
    let back = json!({"lines": [{"variant": outlet.variant, "quantity": 1}], "reason": "changed_mind"});
    let back = shop.post(&format!("{path}/returns")).with(&cart).json(back).send().await.expect(201).id();
    shop.post(&format!("/v1/returns/{back}/approve")).by(&outlet.staff).send().await.expect(200);
    let came = json!([{"variant": outlet.variant, "quantity": 1, "condition": "new", "restock": true}]);
    let receive = shop.post(&format!("/v1/returns/{back}/receive")).by(&outlet.staff).json(json!({"lines": came}));
    receive.send().await.expect(200);
    outlet.follow(&url).await.expect_problem(409, "download.revoked");
    let stock = shop.get(&format!("/v1/variants/{}/stock", outlet.variant)).by(&outlet.staff).send().await.expect(200);
    assert_eq!((&stock.body["on_hand"], &stock.body["unlimited"]), (&json!(0), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_requests_at_once_no_more_count_than_the_limit() {
    let outlet = Outlet::open().await;
    outlet.set_link(LINK).await.expect(200);
    outlet.set_limits(None, Some(3)).await.expect(200);
    let (path, cart) = outlet.sold(1).await;
    let mut urls = Vec::new();
    for _ in 0..50 {
        urls.push(outlet.downloads(&path, &cart).await["link"]["url"].clone());
    }
    let followed = join_all(urls.iter().map(|url| outlet.follow(url))).await;
    let led = followed.iter().filter(|answer| answer.status == 302).count();
    assert!(followed.iter().all(|it| it.status == 302 || it.body["code"] == "download.used_up"));
    assert_eq!((led, outlet.counted().await), (3, 3));
    // One URL, however often at once, is one download.
    let (path, cart) = outlet.sold(1).await;
    let url = outlet.downloads(&path, &cart).await["link"]["url"].clone();
    let followed = join_all((0..50).map(|_| outlet.follow(&url))).await;
    assert!(followed.iter().all(|answer| answer.status == 302));
    assert_eq!(outlet.counted().await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_followed_before_its_refund_or_not_at_all() {
    let outlet = Outlet::open().await;
    outlet.set_link(LINK).await.expect(200);
    for _ in 0..6 {
        let (path, cart) = outlet.sold(1).await;
        let url = outlet.downloads(&path, &cart).await["link"]["url"].clone();
        let before = outlet.counted().await;
        let (followed, refunded) = tokio::join!(outlet.follow(&url), outlet.refund(&path, &cart, 500, 1));
        refunded.expect(201);
        let counted = outlet.counted().await - before;
        if followed.status == 302 {
            assert_eq!(counted, 1);
        } else {
            followed.expect_problem(409, "download.revoked");
            assert_eq!(counted, 0);
        }
        outlet.follow(&url).await.expect_problem(409, "download.revoked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_for_later_orders_and_a_counted_stock_is_kept() {
    let outlet = Outlet::open().await;
    let shop = &outlet.shop;
    for (days, downloads, code) in [(Some(0), None, "days"), (Some(3_651), None, "days"), (None, Some(0), "downloads")]
    {
        let code = format!("digital_good.wrong_{code}");
        outlet.set_limits(days, downloads).await.expect_problem(422, &code);
    }
    outlet.set_limits(None, Some(5)).await.expect(200);
    outlet.is_not_sold().await;
    outlet.set_link(LINK).await.expect(200);
    let (path, cart) = outlet.sold(1).await;
    outlet.set_limits(None, Some(1)).await.expect(200);
    assert_eq!(outlet.downloads(&path, &cart).await["link"]["remaining"], 5);
    let (later, cart_of_later) = outlet.sold(1).await;
    assert_eq!(outlet.downloads(&later, &cart_of_later).await["link"]["remaining"], 1);
    // The present link, and none once it is removed.
    outlet.set_link("https://mirror.example.org/").await.expect(200);
    let url = outlet.downloads(&path, &cart).await["link"]["url"].clone();
    assert_eq!(outlet.follow(&url).await.expect(302).header("location"), Some("https://mirror.example.org/"));
    shop.put(&outlet.path("/link")).by(&outlet.staff).json(json!({"link": null})).send().await.expect(200);
    outlet.follow(&url).await.expect_problem(404, "download.missing");
    assert_eq!(outlet.downloads(&path, &cart).await["link"], Value::Null);
    outlet.is_not_sold().await;
    outlet.set_link(LINK).await.expect(200);

    let stock = format!("/v1/variants/{}/stock", outlet.variant);
    let moved = |kind: &str, quantity: i64| {
        shop.post(&stock).by(&outlet.staff).json(json!({"type": kind, "quantity": quantity})).send()
    };
    moved("received", 3).await.expect_problem(409, "stock.unlimited");
    assert_eq!(moved("counted", 1).await.expect(200).body["unlimited"], false);
    outlet.sold(1).await;
    let cart = shop.guest_cart().await;
    let line = shop.put(&format!("/v1/carts/{}/lines/{}", cart.id, outlet.variant)).with(&cart);
    line.json(json!({"quantity": 1})).send().await.expect_problem(409, "stock.not_enough");
    let good = shop.get(&outlet.path("")).by(&outlet.staff).send().await.expect(200);
    let variant = format!("/v1/products/{}/variants/{}", good.text("/product"), outlet.variant);
    let physical = shop.patch(&variant).by(&outlet.staff);
    physical.json(json!({"physical": true})).send().await.expect_problem(409, "stock.downloadable");
}

/// A buyer never pays for a download that has nothing to deliver.
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_with_a_download_whose_link_is_removed_cannot_be_checked_out() {
    let outlet = Outlet::open().await;
    let shop = &outlet.shop;
    outlet.set_link(LINK).await.expect(200);
    let cart = shop.full_cart(&outlet.variant, 1).await;
    let check_out = || shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send();
    let remove =
        async || shop.put(&outlet.path("/link")).by(&outlet.staff).json(json!({"link": null})).send().await.expect(200);
    remove().await;
    let shown = shop.get(&format!("/v1/carts/{}", cart.id)).with(&cart).send().await.expect(200).body;
    assert!(shown["problems"].to_string().contains(&outlet.variant), "{shown}");
    check_out().await.expect(409);
    outlet.set_link(LINK).await.expect(200);
    let stock = shop.get(&format!("/v1/variants/{}/stock", outlet.variant)).by(&outlet.staff).send().await.expect(200);
    assert_eq!((&stock.body["suspended"], &stock.body["unlimited"]), (&json!(false), &json!(true)));
    // At the same moment, the order comes before the removal, or is refused.
    let (_, sold) = tokio::join!(remove(), check_out());
    assert!(sold.status == 201 || sold.status == 409, "{}", sold.body);
    outlet.is_not_sold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_an_https_url_of_an_item_that_is_not_physical() {
    let outlet = Outlet::open().await;
    for link in ["http://files.example.org/", "https://ada:secret@files.example.org/", "javascript:alert(1)"] {
        outlet.set_link(link).await.expect_problem(422, "digital_good.not_https");
    }
    let (_, lamp) = outlet.shop.product("LAMP", 500, 1).await;
    let path = format!("/v1/variants/{lamp}/downloads/link");
    let call = outlet.shop.put(&path).by(&outlet.staff).json(json!({"link": LINK}));
    call.send().await.expect_problem(409, "digital_good.physical");
}

/// A seller with a published product that is downloaded.
pub(super) async fn stall(shop: TestShop) -> (Outlet, String, Person, Person) {
    let (ada, eve) = (shop.person("ada@example.org").await, shop.person("eve@example.org").await);
    let seller = shop.seller(&ada, "editors").await;
    shop.seller(&eve, "pans").await;
    let (product, _) = shop.product_of(&seller, &ada, "BOX", 500, 1).await;
    let variant = json!({"sku": "APP-1", "price": {"amount": 500, "currency": "EUR"}, "physical": false});
    let added = shop.post(&format!("/v1/products/{product}/variants")).by(&ada.token).json(variant).send().await;
    let added = added.expect(201).body;
    let variants = added["variants"].as_array().unwrap();
    let variant = variants.iter().find(|it| it["sku"] == "APP-1").unwrap()["id"].as_str().unwrap().to_owned();
    let staff = shop.token(Role::Support);
    (Outlet { shop, staff, variant }, seller, ada, eve)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_a_seller_set_its_links_and_what_was_sold_outlives_a_suspension() {
    let (outlet, seller, ada, eve) = stall(TestShop::start().await).await;
    let shop = &outlet.shop;
    let link = |by: &Person| shop.put(&outlet.path("/link")).by(&by.token).json(json!({"link": LINK}));
    let limits = |by: &Person| shop.put(&outlet.path("/limits")).by(&by.token).json(json!({"downloads": 3}));
    let see = |by: &Person| shop.get(&outlet.path("")).by(&by.token);
    link(&ada).send().await.expect(200);
    let refused: [Call; 3] = [link(&eve), limits(&eve), see(&eve)];
    for call in refused {
        call.send().await.expect_problem(403, "product.not_yours");
    }
    limits(&ada).send().await.expect(200);
    let shown = see(&ada).send().await.expect(200);
    assert!(!shown.body.to_string().contains("CANARY"), "a link is shown to its seller");
    let (path, cart) = outlet.sold(1).await;
    shop.decide(&seller, "suspend").await.expect(200);
    link(&ada).send().await.expect_problem(409, "seller.not_active");
    let url = outlet.downloads(&path, &cart).await["link"]["url"].clone();
    assert_eq!(outlet.follow(&url).await.expect(302).header("location"), Some(LINK));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_comes_by_the_link_in_the_mail() {
    let outlet = Outlet::of(super::super::links::shop_with_an_api().await).await;
    outlet.set_link(LINK).await.expect(200);
    let (order, _) = outlet.sold(1).await;
    let link = byteshop_tests::patience::eventually("the mail is there", async || {
        let mails = outlet.shop.get("/dev/mail?to=rahel@example.org").header("Accept", "application/json").send().await;
        let mails = mails.expect(200).body;
        assert!(!mails.to_string().contains("CANARY"), "a mail has a link in it");
        mails["items"].as_array()?.iter().find_map(|mail| {
            let (_, rest) = mail["text"].as_str()?.split_once(&format!("{order}/downloads/page?"))?;
            rest.split_whitespace().next().map(str::to_owned)
        })
    })
    .await;
    let page = format!("{order}/downloads/page?{link}");
    let browser = |path: &str| outlet.shop.get(path).header("Accept", "text/html").send();
    let shown = browser(&page).await.expect(200);
    let html = shown.body.as_str().unwrap();
    assert!(!html.contains("CANARY") && outlet.counted().await == 0, "opening the page counts");
    let (_, url) = html.split_once("href=\"").unwrap();
    let url = url.split('"').next().unwrap().replace("&amp;", "&").replace("&#x2f;", "/");
    assert_eq!(outlet.follow(&json!(url)).await.expect(302).header("location"), Some(LINK));
    browser(&page.replace("seal=", "seal=0")).await.expect(403);
    let signed = link.split('&').filter(|it| !it.starts_with("locale")).collect::<Vec<_>>().join("&");
    let list = outlet.shop.get(&format!("{order}/downloads?{signed}")).send().await.expect(200);
    assert_eq!(list.body["lines"][0]["downloads"]["link"]["downloaded"], 1);
    let by: String =
        sqlx::query_scalar("select meta->>'actor' from log.event where category = 'download' and type = 'started'")
            .fetch_one(outlet.shop.log.pool())
            .await
            .unwrap();
    assert!(by.contains("guest") && by.contains("cart_"), "{by}");
}
