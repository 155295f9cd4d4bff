//! Pages of every list while the shop goes on: what was there from the first page to the last is on one of them, once.

use std::collections::BTreeMap;

use byteshop_domain::dispute::{self, Cause, Dispute, Opening, Share};
use byteshop_domain::ids::{AccountId, DisputeId, Id as _, OrderId, PaymentId, PayoutFileId, PayoutId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::payout::{self, Payout};
use byteshop_domain::payout_account::Means;
use byteshop_domain::payout_file::{self, PayoutFile};
use byteshop_domain::seller::{self, Seller};
use byteshop_domain::text::{Country, Description, Handle, Name, Reference};
use byteshop_domain::{Currency, Personal, Subject};
use byteshop_gateway::security::token::Role;
use byteshop_tests::past;
use byteshop_tests::patience::eventually;
use byteshop_tests::payouts::debtor;
use byteshop_tests::receiver::Receiver;
use byteshop_tests::shop::{Answer, TestShop, address};
use serde_json::{Value, json};

use super::aftersales::{Paid, lines, paid};

/// A list, and the field by which its items are told apart.
#[derive(Debug, Clone)]
struct List {
    path: String,
    id: &'static str,
}

/// A shop in which something goes on.
struct Fair {
    shop: TestShop,
    admin: String,
    sold: Paid,
    variant: String,
    /// A seller, and what it sells.
    seller: (String, String),
    count: usize,
}

impl Fair {
    async fn open() -> Self {
        let shop = TestShop::start().await;
        let admin = shop.token(Role::Admin);
        let (_, variant) = shop.product("F-0", 500, 500).await;
        let sold = paid(&shop, &variant, 90).await;
        shop.post(&format!("{}/fulfil", sold.path)).by(&admin).send().await.expect(200);
        let owner = shop.person("owner@example.org").await;
        let seller = shop.seller(&owner, "kettles").await;
        let (_, kettle) = shop.product_of(&seller, &owner, "KETTLE", 900, 500).await;
        Self { shop, admin, sold, variant, seller: (seller, kettle), count: 0 }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.shop.post(path).by(&self.admin).json(body).send().await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.shop.patch(path).by(&self.admin).json(body).send().await.expect(200)
    }

    /// Everything that lists have gets one more.
    async fn goes_on(&mut self) {
        self.count += 1;
        let number = self.count;
        // Some at the beginning of what is sorted by name or rank, some at the end.
        let name = format!("{} {number}", ["Aaa", "Mmm", "Zzz"][number % 3]);
        self.post("/v1/categories", json!({"name": name, "slug": format!("c-{number}")})).await.expect(201);
        self.post("/v1/admin/api-keys", json!({"name": name, "scopes": ["stock:write"]})).await.expect(201);
        let benefit = json!({"kind": "percent", "percent_bps": 100});
        let coupon = json!({"label": name, "code": format!("CODE{number}"), "benefit": benefit});
        self.post("/v1/admin/promotions", coupon).await.expect(201);
        let product = self.post("/v1/products", json!({"title": name})).await.expect(201).id();
        let variant =
            json!({"sku": format!("K-{number}"), "price": {"amount": 500, "currency": "EUR"}, "physical": false});
        let added = self.post(&format!("/v1/products/{product}/variants"), variant).await.expect(201);
        let keys = format!("/v1/variants/{}/keys", added.text("/variants/0/id"));
        let import = self.shop.post(&keys).by(&self.admin).header("Content-Type", "text/plain").body_raw("AAAA-1");
        import.send().await.expect(200);
        self.shop.register(&format!("p{number}@example.org")).await.expect(202);
        self.applied(number, &name).await;
        self.paid_out().await;
        self.disputed(&name).await;
        self.shop.order(&self.seller.1, 1).await;
        let (placed, cart) = self.shop.order(&self.variant, 1).await;
        let pay = json!({"provider": "test", "token": "tok_success"});
        let path = format!("/v1/orders/{}/payments", placed.text("/id"));
        self.shop.post(&path).with(&cart).json(pay).send().await.expect(201);
        let back = json!({"lines": lines(&self.variant, 1), "reason": "damaged"});
        self.shop
            .post(&format!("{}/returns", self.sold.path))
            .with(&self.sold.cart)
            .json(back)
            .send()
            .await
            .expect(201);
    }

    /// A payout of the seller, whose destination was erased, and a file with it.
    async fn paid_out(&self) {
        let clock = self.shop.commands.clock();
        let request = payout::Command::Request {
            seller: self.seller.0.parse().unwrap(),
            amount: Money::new(1_000, Currency::EUR),
            means: Means::Sepa,
            destination: Personal::new(Subject(clock.new_id()), "sealed"),
        };
        let payout = PayoutId::from_uuid(clock.new_id());
        past::record::<Payout>(&self.shop.log, payout, &[request]).await;
        let create = payout_file::Command::Create {
            payouts: vec![(payout, Money::new(1_000, Currency::EUR))],
            debtor: debtor(),
            execute_on: clock.now().date_naive(),
        };
        past::record::<PayoutFile>(&self.shop.log, PayoutFileId::from_uuid(clock.new_id()), &[create]).await;
    }

    /// A dispute about an order with a part of the seller, of which nothing is kept back.
    async fn disputed(&self, name: &str) {
        let clock = self.shop.commands.clock();
        let amount = Money::new(1_000, Currency::EUR);
        let nothing = Money::zero(Currency::EUR);
        let opening = Opening {
            payment: PaymentId::from_uuid(clock.new_id()),
            order: OrderId::from_uuid(clock.new_id()),
            provider: None,
            reference: Reference::new(name).unwrap(),
            cause: Cause::Other,
            amount,
            held: nothing,
            shares: vec![Share { seller: self.seller.0.parse().unwrap(), amount: nothing }],
            respond_by: None,
        };
        let open = dispute::Command::Open(Box::new(opening));
        past::record::<Dispute>(&self.shop.log, DisputeId::from_uuid(clock.new_id()), &[open]).await;
    }

    /// An application to sell, without an account that made it.
    async fn applied(&self, number: usize, name: &str) {
        let owner = AccountId::from_uuid(self.shop.commands.clock().new_id());
        let apply = seller::Command::Apply {
            handle: Handle::new(&format!("seller-{number}")).unwrap(),
            name: Name::new(name).unwrap(),
            description: Description::new("").unwrap(),
            country: Country::new("DE").unwrap(),
            contact: Personal::new(Subject::from(owner), "sealed"),
            owner,
        };
        let id = SellerId::from_uuid(self.shop.commands.clock().new_id());
        past::record::<Seller>(&self.shop.log, id, &[apply]).await;
    }

    async fn page(&self, list: &List, limit: usize, cursor: Option<&str>) -> Answer {
        let head = self.shop.log.head().await.unwrap();
        let start = if list.path.contains('?') { '&' } else { '?' };
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("{}{start}limit={limit}{cursor}", list.path);
        self.shop.get(&path).by(&self.admin).after(head).send().await.expect(200)
    }

    fn ids(page: &Answer, list: &List) -> Vec<String> {
        page.body["items"].as_array().unwrap().iter().map(|item| item[list.id].to_string()).collect()
    }

    /// All that a list has, in pages of 100.
    async fn all(&self, list: &List) -> Vec<String> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = self.page(list, 100, cursor.as_deref()).await;
            all.extend(Self::ids(&page, list));
            cursor = page.body["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return all;
            }
        }
    }
}

/// How often each item was seen.
fn counted(seen: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for id in seen {
        *counts.entry(id.as_str()).or_default() += 1;
    }
    counts
}

/// Of what was there, all was seen once, and nothing else twice.
#[track_caller]
fn assert_once(there: &[String], seen: &[String], what: &str) {
    let counts = counted(seen);
    let missed: Vec<_> = there.iter().filter(|id| !counts.contains_key(id.as_str())).collect();
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(missed.is_empty() && twice.is_empty(), "{what}: missed {missed:?}, twice {twice:?}");
}

fn lists(endpoint: &str, seller: &str) -> Vec<List> {
    let list = |path: &str, id| List { path: path.to_owned(), id };
    vec![
        list("/v1/admin/notifications", "id"),
        list(&format!("/v1/webhook-endpoints/{endpoint}/deliveries"), "number"),
        list("/v1/categories", "id"),
        list("/v1/categories?parent=none&archived=true", "id"),
        list("/v1/orders", "id"),
        list("/v1/orders?payment_status=awaiting", "id"),
        list("/v1/admin/accounts", "id"),
        list("/v1/admin/accounts?q=example", "id"),
        list("/v1/returns", "id"),
        list("/v1/returns?status=requested", "id"),
        list("/v1/admin/promotions", "id"),
        list("/v1/admin/promotions?status=active", "id"),
        list("/v1/admin/api-keys", "id"),
        list("/v1/admin/sellers", "id"),
        list(&format!("/v1/sellers/{seller}/orders"), "id"),
        list(&format!("/v1/sellers/{seller}/orders?status=open"), "id"),
        list(&format!("/v1/sellers/{seller}/payouts"), "id"),
        list("/v1/admin/payouts?status=requested", "id"),
        list("/v1/admin/payout-files", "id"),
        list("/v1/admin/disputes?status=open", "id"),
        list(&format!("/v1/sellers/{seller}/disputes"), "id"),
        list("/v1/admin/key-pools", "variant"),
        list("/v1/admin/audit?type=order.placed", "position"),
        list("/v1/admin/ledger/entries", "position"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_is_on_one_page_of_every_list_while_others_are_added() {
    let mut fair = Fair::open().await;
    let receiver = Receiver::start(&[]).await;
    let endpoint = json!({"url": receiver.url, "filter": ["order.*"], "description": "a test"});
    let endpoint = fair.post("/v1/webhook-endpoints", endpoint).await.expect(201).id();
    for _ in 0..5 {
        fair.goes_on().await;
    }
    fair.shop.at_rest().await;
    let lists = lists(&endpoint, &fair.seller.0);
    let deliveries = &lists[1];
    eventually("something was delivered", || async { (fair.all(deliveries).await.len() >= 4).then_some(()) }).await;
    for (index, list) in lists.iter().enumerate() {
        let limit = 1 + index % 3;
        let there = fair.all(list).await;
        assert!(there.len() >= 4, "{list:?}: {there:?}");
        let (mut seen, mut cursor) = (Vec::new(), None);
        for turn in 0.. {
            let page = fair.page(list, limit, cursor.as_deref()).await;
            seen.extend(Fair::ids(&page, list));
            cursor = page.body["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
            if turn < 2 {
                fair.goes_on().await;
            }
        }
        assert_once(&there, &seen, &list.path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_for_one_list_with_its_filters() {
    let mut fair = Fair::open().await;
    let receiver = Receiver::start(&[]).await;
    let mut endpoints = Vec::new();
    for _ in 0..2 {
        let endpoint = json!({"url": receiver.url, "filter": ["order.*"], "description": "a test"});
        endpoints.push(fair.post("/v1/webhook-endpoints", endpoint).await.expect(201).id());
    }
    for _ in 0..3 {
        fair.goes_on().await;
        fair.shop.product(&format!("F-{}", fair.count), 500, 0).await;
    }
    fair.shop.at_rest().await;
    let mut all = lists(&endpoints[0], &fair.seller.0);
    all.push(List { path: format!("/v1/webhook-endpoints/{}/deliveries", endpoints[1]), id: "number" });
    let products = [
        "sort=newest",
        "sort=title",
        "sort=price",
        "q=thing",
        "q=thing&sort=newest",
        "sort=newest&price_max=500",
        "q=things",
    ];
    all.extend(products.map(|query| List { path: format!("/v1/products?{query}"), id: "id" }));
    let mut cursors = Vec::new();
    for list in &all {
        let what = format!("{list:?} has two pages");
        let next = || async { fair.page(list, 1, None).await.body["next"].as_str().map(str::to_owned) };
        cursors.push(eventually(&what, next).await);
    }
    for (list, own) in all.iter().zip(&cursors) {
        for cursor in &cursors {
            let start = if list.path.contains('?') { '&' } else { '?' };
            let path = format!("{}{start}limit=1&cursor={cursor}", list.path);
            let answer = fair.shop.get(&path).by(&fair.admin).send().await;
            if cursor == own {
                answer.expect(200);
            } else {
                let refused = answer.expect_problem(400, "request.invalid_query");
                assert_eq!(refused.text("/errors/0/parameter"), "cursor", "{path}");
            }
        }
    }
}

/// Titles that are as long as they can be, in letters of several bytes; some agree in all that is sorted by.
fn titles() -> Vec<String> {
    let long = |text: &str, times: usize, number: usize| format!("Lamp {} {number}", text.repeat(times));
    let mut titles: Vec<String> = (0..3).map(|number| long("Щ", 180, number)).collect();
    titles.extend((0..3).map(|number| long("😀", 100, number)));
    titles.extend((0..3).map(|number| long("灯", 190, number)));
    titles.extend((0..2).map(|number| long("ﷺ", 190, number)));
    titles.extend((0..2).map(|number| long("\"", 190, number)));
    titles.extend(["Lamp".to_owned(), "lamp Éclair".to_owned(), "Ёлочный lamp".to_owned()]);
    titles
}

#[tokio::test(flavor = "multi_thread")]
async fn each_product_is_on_one_page_of_every_order_while_it_and_others_change() {
    let fair = Fair::open().await;
    let mut products = Vec::new();
    for (number, title) in titles().iter().enumerate() {
        let (product, variant) = fair.shop.product(&format!("L-{number}"), 1_000 + 100 * number as i64, 0).await;
        let path = format!("/v1/products/{product}");
        fair.patch(&path, json!({"title": title, "description": "it shines"})).await;
        products.push((path, variant));
    }
    let mut turns = 0;
    for (index, query) in [
        "sort=newest",
        "sort=price",
        "sort=price_desc",
        "sort=title",
        "q=lamp",
        "q=lmap",
        "q=lamp&sort=title&price_max=4000",
    ]
    .iter()
    .enumerate()
    {
        let list = List { path: format!("/v1/products?status=published&currency=EUR&{query}"), id: "id" };
        let there = fair.all(&list).await;
        assert!(there.len() >= products.len(), "{query}: {there:?}");
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = fair.page(&list, 1 + index % 3, cursor.as_deref()).await;
            seen.extend(Fair::ids(&page, &list));
            cursor = page.body["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
            turns += 1;
            // One that is there goes from one end of the order to the other, and back.
            let (path, variant) = &products[turns % products.len()];
            let (amount, word) = [(1, "Aaa"), (3_999, "яяя"), (2_000, "Mmm")][turns % 3];
            let price = json!({"price": {"amount": amount, "currency": "EUR"}});
            fair.patch(&format!("{path}/variants/{variant}"), price).await;
            fair.patch(path, json!({"title": format!("{word} lamp {turns}"), "description": "lamp lamps"})).await;
            // And there is another one, which makes words more frequent.
            if turns % 4 == 0 {
                let (other, _) = fair.shop.product(&format!("N-{turns}"), 1_500, 0).await;
                fair.patch(&format!("/v1/products/{other}"), json!({"title": "New lamp, shines"})).await;
            }
        }
        assert_once(&there, &seen, query);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_titles_and_names_have_a_next_page() {
    let fair = Fair::open().await;
    let letters = "Щ".repeat(115);
    for number in 0..3 {
        let category = json!({"name": format!("{letters} {number}"), "slug": format!("long-{number}")});
        fair.post("/v1/categories", category).await.expect(201);
        let (product, _) = fair.shop.product(&format!("T-{number}"), 100, 0).await;
        let title = format!("{} {number}", "Щ".repeat(180));
        fair.patch(&format!("/v1/products/{product}"), json!({"title": title})).await;
    }
    let q = "%D0%A9".repeat(180);
    for path in ["/v1/categories".to_owned(), format!("/v1/products?sort=title&q={q}")] {
        let list = List { path, id: "id" };
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = fair.page(&list, 1, cursor.as_deref()).await;
            seen.extend(Fair::ids(&page, &list));
            cursor = page.body["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((seen.len(), counted(&seen).len()), (3, 3), "{}", list.path);
    }
}

impl Fair {
    /// A published product with this title; gives its id as pages show it.
    async fn titled(&self, sku: &str, title: &str) -> String {
        let (product, _) = self.shop.product(sku, 500, 0).await;
        self.patch(&format!("/v1/products/{product}"), json!({"title": title})).await;
        json!(product).to_string()
    }

    /// The ids of all pages of a list, one item each; something happens after the first.
    async fn turned(&self, list: &List, after_first: impl AsyncFnOnce()) -> Vec<String> {
        let first = self.page(list, 1, None).await;
        let (mut seen, mut next) = (Self::ids(&first, list), first.body["next"].clone());
        after_first().await;
        while let Some(cursor) = next.as_str() {
            let page = self.page(list, 1, Some(cursor)).await;
            seen.extend(Self::ids(&page, list));
            next = page.body["next"].clone();
        }
        seen
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_unfinished_word_finds_stays_found_when_its_word_appears() {
    let fair = Fair::open().await;
    let mut there = Vec::new();
    for number in 0..3 {
        there.push(fair.titled(&format!("R-{number}"), &format!("For a run {number}")).await);
    }
    for (number, sort) in ["", "&sort=title", "&sort=newest"].iter().enumerate() {
        let list = List { path: format!("/v1/products?q=runni{sort}"), id: "id" };
        // Nothing begins with it yet: it is taken for a form of `run`.
        let shoes = std::cell::Cell::new(None);
        let seen = fair
            .turned(&list, async || shoes.set(Some(fair.titled(&format!("S-{number}"), "Running shoes").await)))
            .await;
        assert_once(&there, &seen, &list.path);
        let shoes: Value = serde_json::from_str(&shoes.take().unwrap()).unwrap();
        let path = format!("/v1/products/{}", shoes.as_str().unwrap());
        fair.patch(&path, json!({"title": "Other shoes"})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_stay_in_the_currency_of_the_first_page() {
    let fair = Fair::open().await;
    let mut there = Vec::new();
    for number in 0..4 {
        there.push(fair.titled(&format!("E-{number}"), "Euro").await);
    }
    let list = List { path: "/v1/products?sort=price".into(), id: "id" };
    let seen = fair.turned(&list, async || {
        // From now on most prices are in dollars.
        for number in 0..9 {
            let product = fair.post("/v1/products", json!({"title": "Dollar"})).await.expect(201).id();
            let variant = json!({"sku": format!("D-{number}"), "price": {"amount": 100, "currency": "USD"}});
            fair.post(&format!("/v1/products/{product}/variants"), variant).await.expect(201);
            fair.post(&format!("/v1/products/{product}/publish"), json!({})).await.expect(200);
        }
    });
    assert_once(&there, &seen.await, &list.path);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_orders_and_messages_of_an_account_is_on_one_page() {
    let mut fair = Fair::open().await;
    let person = fair.shop.person("pages@example.org").await;
    fair.admin.clone_from(&person.token);
    let buy = async || {
        let cart = fair.post("/v1/carts", json!({"currency": "EUR"})).await.id();
        let put = async |part: &str, body: Value| {
            let path = format!("/v1/carts/{cart}/{part}");
            fair.shop.put(&path).by(&person.token).json(body).send().await.expect(200);
        };
        put(&format!("lines/{}", fair.variant), json!({"quantity": 1})).await;
        put("address", address("DE")).await;
        let placed = fair.post(&format!("/v1/carts/{cart}/checkout"), json!({})).await.expect(201);
        let pay = json!({"provider": "test", "token": "tok_success"});
        fair.post(&format!("/v1/orders/{}/payments", placed.text("/id")), pay).await.expect(201);
        fair.shop.at_rest().await;
    };
    for _ in 0..4 {
        buy().await;
    }
    for path in ["/v1/me/orders", "/v1/me/notifications"] {
        let list = List { path: path.to_owned(), id: "id" };
        let there = fair.all(&list).await;
        assert!(there.len() >= 4, "{path}: {there:?}");
        let seen = fair.turned(&list, &buy).await;
        assert_once(&there, &seen, path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_page_comes_from_a_process_that_has_not_read_the_product_where_the_last_one_ended() {
    let fair = Fair::open().await;
    let beside = fair.shop.beside().await;
    let list = List { path: "/v1/products?sort=newest&status=draft".into(), id: "id" };
    let make = async || fair.post("/v1/products", json!({"title": "Beside"})).await.expect(201);
    let mut before = make().await.id();
    for _ in 0..20 {
        // It reads everything, and does not look again so soon.
        let head = fair.shop.log.head().await.unwrap();
        beside.get(&list.path).by(&fair.admin).after(head).send().await.expect(200);
        let newest = make().await.id();
        let first = fair.page(&list, 1, None).await;
        assert_eq!(Fair::ids(&first, &list), [json!(newest).to_string()]);
        let next = format!("{}&limit=1&cursor={}", list.path, first.text("/next"));
        let second = beside.get(&next).by(&fair.admin).send().await.expect(200);
        assert_eq!(Fair::ids(&second, &list), [json!(before).to_string()]);
        before = newest;
    }
}
