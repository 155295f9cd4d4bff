//! The shop's own views and the questions to them.

use std::sync::Arc;
use std::time::Duration;

use byteshop_domain::category::Category;
use byteshop_domain::codec::encode;
use byteshop_domain::credit_note::CreditNote;
use byteshop_domain::ids::{AccountId, CategoryId, Id, OrderId, PaymentId, ProductId, VariantId};
use byteshop_domain::order::{self, Order};
use byteshop_domain::product::Product;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::{Currency, Decider};
use byteshop_eventstore::append::append;
use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::{Append, Clock, Log, NewEvent, StreamId};
use byteshop_projections::page::Ask;
use byteshop_projections::product_list::{Shown, Sort};
use byteshop_projections::replay::Replay;
use byteshop_projections::{Error, Page, Views, category_list, order_list, product_list, sales, stock_level};
use byteshop_tests::servers::fresh_database;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A log with events of the shop, and its views.
struct Shop {
    log: Log,
    views: Views,
    events: Vec<NewEvent>,
    /// How many of them are in the log.
    appended: usize,
}

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

impl Shop {
    async fn new() -> Self {
        let log = Log::open(&fresh_database().await).unwrap();
        log.migrate().await.unwrap();
        let views = Views::beside(log.clone());
        views.migrate().await.unwrap();
        Self { log, views, events: Vec::new(), appended: 0 }
    }

    /// Notes an event, given as it is stored, that happened on this day.
    fn add<A: Decider>(&mut self, stream: u128, day: &str, event: Value) {
        // Read and written by the real types, so that no event is made up.
        let event: A::Event = serde_json::from_value(event).unwrap();
        let stored = encode(&event).unwrap();
        let stream = StreamId::of::<A>(id(stream));
        let version = self.events.iter().filter(|event| event.stream == stream).count() + 1;
        self.events.push(NewEvent {
            id: Clock.new_id(),
            stream,
            version: i64::try_from(version).unwrap(),
            event_type: stored.event_type,
            schema: stored.schema,
            data: stored.data,
            meta: format!(r#"{{"occurred_at":"{day}T10:00:00Z"}}"#).into(),
            correlation: Uuid::nil(),
            recorded_at: Clock.now(),
        });
    }

    /// Appends what was noted, and waits until all views have it.
    async fn settle(&mut self) {
        let events = self.events[self.appended..].to_vec();
        self.appended = self.events.len();
        let appends = [Append { events, ..Append::default() }];
        append(&mut self.log.writer().await.unwrap(), &appends).await.unwrap();
        let head = self.log.head().await.unwrap();
        let cancel = CancellationToken::new();
        let feed = Feed::start(self.log.clone(), None, 0, cancel.clone());
        let mut task = JoinSet::new();
        let (views, running) = (self.views.clone(), cancel.clone());
        task.spawn(async move { views.run(feed, &[], running).await });
        for view in self.views.names() {
            assert!(self.views.wait(view, head, Duration::from_secs(30)).await.unwrap(), "{view}");
        }
        cancel.cancel();
        task.join_all().await;
        for view in self.views.names() {
            let report = self.views.replay(view, Replay::Check, &|_| {}).await.unwrap();
            assert_eq!(report.different, 0, "{view}: {:?}", report.differences);
        }
    }

    fn order(&mut self, number: u128, day: &str, account: Option<u128>, amount: i64, country: &str) {
        let money = json!({"amount": amount, "currency": "GBP"});
        let account = account.map(|account| id::<AccountId>(account).to_string());
        let mut buyer = json!({});
        if let Some(account) = account {
            buyer["account"] = account.into();
        }
        let placed = json!({"placed": {
            "buyer": buyer, "destination": {"country": country}, "total": money, "payment": id::<PaymentId>(number),
            "lines": [{"variant": id::<VariantId>(1), "product": id::<ProductId>(1), "sku": "MUG-1", "title": "Mug",
                       "quantity": 2, "unit_price": {"amount": amount / 2, "currency": "GBP"}, "amount": money}],
        }});
        self.add::<Order>(number, day, placed);
    }

    fn product(&mut self, number: u128, title: &str, category: u128, price: i64) {
        let day = format!("2010-01-{number:02}");
        let created = json!({"created": {"title": title, "description": "Made of clay, for drinking", "category": id::<CategoryId>(category),
                                          "attributes": {"colour": "blue"}}});
        self.add::<Product>(number, &day, created);
        let added = json!({"variant_added": {"variant": id::<VariantId>(number), "sku": format!("SKU-{number}X"), "title": title,
                                              "price": {"amount": price, "currency": "GBP"}, "options": {}}});
        self.add::<Product>(number, &day, added);
    }
}

fn items<R>(page: &Page<R>) -> Vec<Value> {
    let page: Value = serde_json::from_str(&page.json()).unwrap();
    page["items"].as_array().unwrap().clone()
}

fn next<R>(page: &Page<R>) -> Option<String> {
    page.next.clone()
}

fn field<R>(page: &Page<R>, name: &str) -> Vec<String> {
    items(page).iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn orders_are_listed_by_page_buyer_and_status() {
    let mut shop = Shop::new().await;
    for number in 1..=25 {
        shop.order(number, &format!("2010-01-{number:02}"), Some(number % 2), 1000, "France");
    }
    shop.add::<Order>(3, "2010-02-01", json!({"paid": {"payment": id::<PaymentId>(3), "commit": []}}));
    shop.settle().await;
    let ask = |limit, cursor| Ask { limit: Some(limit), cursor, ..Ask::default() };
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let query = order_list::Query { ask: ask(10, cursor), ..Default::default() };
        let page = shop.views.order_list(&query).await.unwrap();
        seen.extend(field(&page, "id"));
        cursor = next(&page);
        if cursor.is_none() {
            break;
        }
    }
    let newest_first: Vec<_> = (1..=25).rev().map(|number| id::<OrderId>(number).to_string()).collect();
    assert_eq!(seen, newest_first);
    let mine = order_list::Query { account: Some(id(1)), ask: ask(100, None), ..Default::default() };
    assert_eq!(items(&shop.views.order_list(&mine).await.unwrap()).len(), 13);
    let paid = order_list::Query { payment_status: Some(order::PaymentStatus::Paid), ..Default::default() };
    assert_eq!(field(&shop.views.order_list(&paid).await.unwrap(), "id"), [id::<OrderId>(3).to_string()]);
    let bad = order_list::Query { ask: ask(10, Some("nonsense".into())), ..Default::default() };
    assert!(matches!(shop.views.order_list(&bad).await, Err(Error::Cursor)));
}

#[tokio::test]
async fn products_are_found_filtered_and_sorted() {
    let mut shop = Shop::new().await;
    let kitchen = json!({"created": {"name": "Kitchen", "slug": "kitchen"}});
    let mugs = json!({"created": {"name": "Mugs", "slug": "mugs", "parent": id::<CategoryId>(1)}});
    shop.add::<Category>(1, "2010-01-01", kitchen);
    shop.add::<Category>(2, "2010-01-01", mugs);
    shop.product(1, "Blue mug", 2, 500);
    shop.product(2, "apron", 1, 900);
    shop.product(3, "Drinking cup", 2, 700);
    shop.product(4, "Secret mug", 2, 100);
    for number in 1..=3 {
        shop.add::<Product>(number, "2010-02-01", json!({"published": {}}));
    }
    shop.add::<StockLevel>(1, "2010-02-01", json!({"opened": {"product": id::<ProductId>(1), "sku": "SKU-1X"}}));
    shop.add::<StockLevel>(1, "2010-02-01", json!({"received": {"quantity": 3}}));
    shop.settle().await;
    let find = async |query: product_list::Query| shop.views.product_list(&query).await;
    let ask = async |query| field(&find(query).await.unwrap().page, "title");
    let q = |words: &str| product_list::Query { q: Some(words.into()), ..Default::default() };
    let sorted = |sort| product_list::Query { sort: Some(sort), ..Default::default() };
    assert_eq!(ask(sorted(Sort::Newest)).await, ["Drinking cup", "apron", "Blue mug"]);
    assert_eq!(ask(sorted(Sort::Price)).await, ["Blue mug", "Drinking cup", "apron"]);
    assert_eq!(ask(sorted(Sort::PriceDesc)).await, ["apron", "Drinking cup", "Blue mug"]);
    assert_eq!(ask(sorted(Sort::Title)).await, ["apron", "Blue mug", "Drinking cup"]);
    assert_eq!(ask(q("mugs")).await, ["Blue mug"]);
    assert_eq!(ask(q("drinks -apron")).await, ["Drinking cup", "Blue mug"]);
    assert_eq!(ask(q("sku-2x")).await, ["apron"]);
    assert_eq!(ask(q("a\0b & | ! ( \"")).await, Vec::<String>::new());
    let all = product_list::Query { shown: Shown::All, ..q("mug") };
    assert_eq!(ask(all).await, ["Secret mug", "Blue mug"]);
    let under = |category| product_list::Query {
        categories: vec![id(category)],
        sort: Some(Sort::Title),
        ..Default::default()
    };
    assert_eq!(ask(under(1)).await, ["apron", "Blue mug", "Drinking cup"]);
    assert_eq!(ask(under(2)).await, ["Blue mug", "Drinking cup"]);
    let priced = product_list::Query { price_min: Some(600), price_max: Some(800), ..Default::default() };
    assert_eq!(ask(priced).await, ["Drinking cup"]);
    let colour =
        |value: &str| product_list::Query { attributes: vec![("colour".into(), value.into())], ..Default::default() };
    assert_eq!((ask(colour("blue")).await.len(), ask(colour("red")).await.len()), (3, 0));
    assert_eq!(ask(product_list::Query { in_stock: true, ..Default::default() }).await, ["Blue mug"]);

    let one = |sort, cursor| product_list::Query {
        sort: Some(sort),
        ask: Ask { limit: Some(1), cursor, ..Ask::default() },
        ..Default::default()
    };
    for sort in [Sort::Newest, Sort::Price, Sort::PriceDesc, Sort::Title] {
        let first = find(one(sort, None)).await.unwrap();
        let second = find(one(sort, next(&first.page))).await.unwrap();
        let titles = [field(&first.page, "title"), field(&second.page, "title")].concat();
        assert_eq!(titles, ask(sorted(sort)).await[..2], "{sort:?}");
    }
    let first = find(one(Sort::Price, None)).await.unwrap();
    assert!(matches!(find(one(Sort::Title, next(&first.page))).await, Err(Error::Cursor)));

    let roots = category_list::Query { parent: Some(None), ..Default::default() };
    assert_eq!(field(&shop.views.category_list(&roots).await.unwrap(), "name"), ["Kitchen"]);
    assert_eq!(
        field(&shop.views.category_list(&category_list::Query::default()).await.unwrap(), "name"),
        ["Kitchen", "Mugs"]
    );
    let low = stock_level::Query { product: Some(id(1)), available_below: Some(4), ..Default::default() };
    assert_eq!(items(&shop.views.stock_level(&low).await.unwrap())[0]["available"], 3);
}

/// The titles of the list for everybody, each with whether it is available.
async fn listed(shop: &mut Shop) -> Vec<(String, bool)> {
    shop.settle().await;
    let now = product_list::Query { now: true, ..Default::default() };
    let fresh = shop.views.product_list(&now).await.unwrap();
    let query = product_list::Query::default();
    let made = shop.views.product_list(&query).await.unwrap();
    let kept = shop.views.product_list(&query).await.unwrap();
    assert!(Arc::ptr_eq(&made, &kept), "the second time it is in memory");
    assert_eq!(fresh.json().unwrap().as_str(), kept.json().unwrap().as_str());
    let row = |item: &Value| (item["title"].as_str().unwrap().to_owned(), item["available"] == true);
    items(&kept.page).iter().map(row).collect()
}

#[tokio::test]
async fn a_list_that_was_asked_for_before_shows_what_has_changed_since() {
    let mut shop = Shop::new().await;
    shop.product(1, "Blue mug", 1, 500);
    shop.add::<Product>(1, "2010-02-01", json!({"published": {}}));
    shop.add::<StockLevel>(1, "2010-02-01", json!({"opened": {"product": id::<ProductId>(1), "sku": "SKU-1X"}}));
    let row = |title: &str, available: bool| (title.to_owned(), available);
    assert_eq!(listed(&mut shop).await, [row("Blue mug", false)]);
    shop.add::<StockLevel>(1, "2010-02-02", json!({"received": {"quantity": 3}}));
    assert_eq!(listed(&mut shop).await, [row("Blue mug", true)]);
    shop.product(2, "Apron", 1, 700);
    shop.add::<Product>(2, "2010-02-03", json!({"published": {}}));
    assert_eq!(listed(&mut shop).await, [row("Apron", false), row("Blue mug", true)]);
    shop.add::<Product>(1, "2010-02-04", json!({"unpublished": {}}));
    assert_eq!(listed(&mut shop).await, [row("Apron", false)]);
}

#[tokio::test]
async fn sales_are_summed_by_month_and_country() {
    let mut shop = Shop::new().await;
    shop.order(1, "2010-01-05", None, 1000, "France");
    shop.order(2, "2010-01-31", None, 600, "Spain");
    shop.order(3, "2010-02-01", None, 400, "France");
    shop.order(4, "2010-02-02", None, 9900, "France");
    let cancelled = |number, was_paid| json!({"cancelled": {"reason": "buyer_request", "payment": id::<PaymentId>(number), "was_paid": was_paid, "release": []}});
    shop.add::<Order>(4, "2010-02-03", cancelled(4, false));
    shop.add::<Order>(3, "2010-03-03", cancelled(3, true));
    let note = json!({"issued": {"reference": "C1", "buyer": {}, "country": "France", "lines": [], "total": {"amount": 250, "currency": "GBP"}}});
    shop.add::<CreditNote>(5, "2010-02-10", note);
    shop.add::<StockLevel>(1, "2010-01-01", json!({"opened": {"product": id::<ProductId>(1), "sku": "MUG-1"}}));
    shop.add::<StockLevel>(1, "2010-01-09", json!({"lost": {"quantity": 7}}));
    shop.settle().await;
    let ask = async |by, from: Option<&str>| {
        let from = from.map(|day| day.parse().unwrap());
        let report = shop.views.sales(&sales::Query { by, from, until: None }).await.unwrap();
        let short = |sums: sales::Totals| {
            assert_eq!(sums.after_credits.currency, Currency::GBP);
            let left = sums.after_credits.amount;
            (sums.month.unwrap_or_default(), sums.country.unwrap_or_default(), sums.orders, left)
        };
        let losses = report.losses.into_iter().map(|it| (it.month.unwrap_or_default(), it.lost_quantity));
        (report.items.into_iter().map(short).collect::<Vec<_>>(), losses.collect::<Vec<_>>())
    };
    let line = |month: &str, country: &str, orders, left: i64| (month.to_owned(), country.to_owned(), orders, left);
    let lost = |month: &str| vec![(month.to_owned(), 7)];
    assert_eq!(
        ask(sales::By::Month, None).await,
        (vec![line("2010-01", "", 2, 1600), line("2010-02", "", 1, -250)], lost("2010-01"))
    );
    assert_eq!(
        ask(sales::By::Country, Some("2010-01-10")).await,
        (vec![line("", "France", 1, -250), line("", "Spain", 1, 600)], vec![])
    );
    assert_eq!(ask(sales::By::Country, None).await.1, lost(""));
    assert_eq!(ask(sales::By::MonthCountry, None).await.0.len(), 3);
}
