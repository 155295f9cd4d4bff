//! Filters and their counts, held against counting by hand.

use std::collections::{BTreeMap, BTreeSet};

use byteshop_commands::Intent;
use byteshop_commands::use_cases::products;
use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_domain::Actor;
use byteshop_domain::product::AttributeValue;
use byteshop_domain::text::{AttributeName, Label, Title};
use byteshop_eventstore::Clock;
use byteshop_projections::replay::Replay;
use byteshop_tests::random::Chance;
use serde_json::{Value, json};

use super::categories::Staff;

/// A product as the test knows it.
#[derive(Debug, Clone)]
struct Known {
    title: String,
    /// Index of its category.
    category: usize,
    colour: Option<&'static str>,
    size: Option<u64>,
    boxed: Option<bool>,
    /// What its two variants cost.
    price: (u64, u64),
    in_stock: bool,
}

/// What is asked for; empty means anything.
#[derive(Debug, Default, Clone)]
struct Wanted {
    categories: Vec<usize>,
    colours: Vec<&'static str>,
    sizes: Option<(u64, u64)>,
    boxed: Option<bool>,
    price: Option<(u64, u64)>,
    in_stock: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Filter {
    Category,
    Colour,
    Size,
    Boxed,
    Price,
    Stock,
}

const COLOURS: [&str; 4] = ["red", "green", "blue", "deep purple"];
/// Category 0 is the root of 1 and 2; 3 stands alone.
const PARENTS: [Option<usize>; 4] = [None, Some(0), Some(0), None];

/// A number below another.
fn any(random: &mut Chance, count: u64) -> usize {
    usize::try_from(random.between(0, count - 1)).unwrap()
}

fn below(category: usize, root: usize) -> bool {
    category == root || PARENTS[category] == Some(root)
}

impl Known {
    /// Whether one of its two variants costs so much.
    fn has_price(&self, low: u64, high: u64) -> bool {
        [self.price.0, self.price.1].iter().any(|price| (low..=high).contains(price))
    }
}

impl Wanted {
    fn fits(&self, it: &Known, but: Option<Filter>) -> bool {
        let asks = |filter| but != Some(filter);
        let within = |(low, high): (u64, u64)| it.size.is_some_and(|size| size >= low && size <= high);
        (!asks(Filter::Category)
            || self.categories.is_empty()
            || self.categories.iter().any(|root| below(it.category, *root)))
            && (!asks(Filter::Colour)
                || self.colours.is_empty()
                || it.colour.is_some_and(|it| self.colours.contains(&it)))
            && (!asks(Filter::Size) || self.sizes.is_none_or(within))
            && (!asks(Filter::Boxed) || self.boxed.is_none_or(|boxed| it.boxed == Some(boxed)))
            && (!asks(Filter::Price) || self.price.is_none_or(|(low, high)| it.has_price(low, high)))
            && (!asks(Filter::Stock) || !self.in_stock || it.in_stock)
    }

    fn query(&self, categories: &[String]) -> String {
        let mut terms = vec!["/v1/products?limit=100&sort=title".to_owned()];
        terms.extend(self.categories.iter().map(|it| format!("category={}", categories[*it])));
        terms.extend(self.colours.iter().map(|it| format!("attr.colour={}", it.replace(' ', "%20"))));
        terms.extend(self.sizes.iter().map(|(low, high)| format!("attr.size={low}..{high}")));
        terms.extend(self.boxed.iter().map(|it| format!("attr.boxed={it}")));
        terms.extend(self.price.iter().map(|(low, high)| format!("price_min={low}&price_max={high}")));
        terms.extend(self.in_stock.then(|| "in_stock=true".to_owned()));
        terms.join("&")
    }
}

struct Shelf {
    staff: Staff,
    categories: Vec<String>,
    known: Vec<Known>,
    at: i64,
}

impl Shelf {
    async fn filled(random: &mut Chance, count: usize) -> Self {
        let staff = Staff::start().await;
        let mut categories: Vec<String> = Vec::new();
        for (index, parent) in PARENTS.iter().enumerate() {
            let parent = parent.map(|parent| categories[parent].clone());
            let category = staff.category(&format!("c-{index}"), parent.as_deref()).await;
            let attributes = json!([
                {"name": "colour", "type": "choice", "values": COLOURS, "filterable": true},
                {"name": "size", "type": "number", "filterable": true},
                {"name": "boxed", "type": "boolean", "filterable": true},
                {"name": "note", "type": "text"},
            ]);
            staff.declare(&category, attributes).await.expect(200);
            categories.push(category);
        }
        let mut shelf = Self { staff, categories, known: Vec::new(), at: 0 };
        for number in 0..count {
            let known = Known {
                title: format!("thing {number:03}"),
                category: any(random, 4),
                colour: COLOURS.get(any(random, 5)).copied(),
                size: Some(any(random, 6) as u64).filter(|size| *size > 0),
                boxed: [None, Some(true), Some(false)][any(random, 3)],
                price: {
                    let low = 50 + any(random, 9000) as u64;
                    (low, low + any(random, 3000) as u64)
                },
                in_stock: any(random, 3) > 0,
            };
            shelf.add(number, known).await;
        }
        shelf
    }

    async fn add(&mut self, number: usize, known: Known) {
        let mut attributes = serde_json::Map::new();
        known.colour.iter().for_each(|it| drop(attributes.insert("colour".into(), json!(it))));
        known.size.iter().for_each(|it| drop(attributes.insert("size".into(), json!(it))));
        known.boxed.iter().for_each(|it| drop(attributes.insert("boxed".into(), json!(it))));
        attributes.insert("note".into(), json!(format!("note {number}")));
        let category = &self.categories[known.category];
        let body = json!({"title": known.title, "category": category, "attributes": attributes});
        let path = format!("/v1/products/{}", self.staff.post("/v1/products", body).await.expect(201).id());
        for (index, amount) in [known.price.0, known.price.1].into_iter().enumerate() {
            let variant = json!({"sku": format!("T-{number}-{index}"), "price": {"amount": amount, "currency": "EUR"}});
            let added = self.staff.post(&format!("{path}/variants"), variant).await.expect(201);
            if index == 0 && known.in_stock {
                let path = format!("/v1/variants/{}/stock", added.text("/variants/0/id"));
                self.staff.post(&path, json!({"type": "received", "quantity": 1})).await.expect(200);
            }
        }
        self.at = self.staff.post(&format!("{path}/publish"), json!({})).await.expect(200).position();
        self.known.push(known);
    }

    /// Asks, and counts by hand.
    async fn check(&self, wanted: &Wanted) {
        let path = wanted.query(&self.categories);
        let found = self.staff.shop.get(&path).after(self.at).send().await.expect(200);
        let fitting = |but| self.known.iter().filter(move |it| wanted.fits(it, but));
        let titles: BTreeSet<&str> = fitting(None).map(|it| it.title.as_str()).collect();
        let items = found.body["items"].as_array().unwrap();
        assert_eq!(items.iter().map(|it| it["title"].as_str().unwrap()).collect::<BTreeSet<_>>(), titles, "{wanted:?}");
        assert_eq!(found.body["total"], titles.len(), "{wanted:?}");

        let facets = &found.body["facets"];
        for (index, id) in self.categories.iter().enumerate() {
            let count = fitting(Some(Filter::Category)).filter(|it| below(it.category, index)).count();
            let listed = facets["categories"].as_array().unwrap().iter().find(|it| it["id"] == *id);
            assert_eq!(
                listed.map_or(0, |it| it["count"].as_u64().unwrap()),
                count as u64,
                "category {index} {wanted:?}"
            );
        }
        let counts = |name: &str| -> BTreeMap<String, u64> {
            let facet = facets["attributes"].as_array().unwrap().iter().find(|it| it["name"] == name);
            let values = facet.into_iter().flat_map(|facet| facet["values"].as_array().unwrap());
            values.map(|it| (it["value"].to_string(), it["count"].as_u64().unwrap())).collect()
        };
        let by_hand = |but, of: &dyn Fn(&Known) -> Option<Value>| -> BTreeMap<String, u64> {
            let mut counts = BTreeMap::new();
            fitting(Some(but)).filter_map(of).for_each(|value| *counts.entry(value.to_string()).or_default() += 1);
            counts
        };
        assert_eq!(counts("colour"), by_hand(Filter::Colour, &|it| it.colour.map(Value::from)), "{wanted:?}");
        assert_eq!(counts("size"), by_hand(Filter::Size, &|it| it.size.map(Value::from)), "{wanted:?}");
        assert_eq!(counts("boxed"), by_hand(Filter::Boxed, &|it| it.boxed.map(Value::from)), "{wanted:?}");
        assert!(counts("note").is_empty());
        assert_eq!(facets["in_stock"], fitting(Some(Filter::Stock)).filter(|it| it.in_stock).count(), "{wanted:?}");
        for range in facets["price"]["ranges"].as_array().into_iter().flatten() {
            let (low, high) = (range["min"].as_u64().unwrap_or(0), range["max"].as_u64().unwrap_or(u64::MAX));
            let inside = fitting(Some(Filter::Price)).filter(|it| it.has_price(low, high));
            assert_eq!(range["count"], inside.count(), "{low}..{high} {wanted:?}");
        }
    }

    fn some(random: &mut Chance) -> Wanted {
        let mut chosen =
            |count: usize, odds: u64| -> Vec<usize> { (0..count).filter(|_| any(random, odds) == 0).collect() };
        let (categories, colours) = (chosen(4, 4), chosen(4, 4));
        let price = 50 + any(random, 9000) as u64;
        Wanted {
            categories,
            colours: colours.into_iter().map(|index| COLOURS[index]).collect(),
            sizes: (any(random, 3) == 0).then(|| (any(random, 3) as u64, 2 + any(random, 4) as u64)),
            boxed: [None, None, Some(true), Some(false)][any(random, 4)],
            price: (any(random, 3) == 0).then(|| (price, price + any(random, 4000) as u64)),
            in_stock: any(random, 3) == 0,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_count_is_the_one_that_counting_by_hand_gives() {
    let mut random = Chance::of(7);
    let mut shelf = Shelf::filled(&mut random, 60).await;
    shelf.check(&Wanted::default()).await;
    for _ in 0..60 {
        shelf.check(&Shelf::some(&mut random)).await;
    }
    // What is new, and what was there, is counted from then on.
    let known = Known { title: "thing 900".into(), colour: Some("red"), ..shelf.known[0].clone() };
    shelf.add(900, known).await;
    for _ in 0..10 {
        shelf.check(&Shelf::some(&mut random)).await;
    }
    for view in ["product_list", "category_list"] {
        let report = shelf.staff.shop.views.replay(view, Replay::Check, &|_| {}).await.unwrap();
        assert_eq!((report.different, report.rows > 0), (0, true), "{view}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_between_those_of_two_variants_is_nobodys() {
    let staff = Staff::start().await;
    let (product, _) = staff.shop.product("P-1", 1_000, 0).await;
    let other = json!({"sku": "P-1b", "price": {"amount": 9_900, "currency": "EUR"}});
    let at = staff.post(&format!("/v1/products/{product}/variants"), other).await.expect(201).position().to_string();
    for (query, total) in [
        ("price_min=2000&price_max=3000", 0),
        ("price_min=1001&price_max=9899", 0),
        ("price_min=1000&price_max=1000", 1),
        ("price_min=3000", 1),
        ("price_max=999", 0),
    ] {
        let path = format!("/v1/products?currency=EUR&{query}");
        let found = staff.shop.get(&path).after(&at).send().await.expect(200);
        assert_eq!(found.body["total"], total, "{query}");
        let ranges = found.body["facets"]["price"]["ranges"].as_array().unwrap();
        let counts: Vec<_> = ranges.iter().map(|it| (it["min"].as_i64(), it["count"].as_i64().unwrap())).collect();
        assert_eq!(counts, [(None, 1), (Some(2_000), 0), (Some(5_000), 1)], "{query}: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_is_named_by_its_slug_too_and_stands_under_an_open_one() {
    let staff = Staff::start().await;
    let top = staff.category("top", None).await;
    let middle = staff.category("middle", Some(&top)).await;
    let bottom = staff.category("bottom", Some(&middle)).await;
    let (product, _) = staff.shop.product("B-1", 500, 0).await;
    let at = staff.patch(&format!("/v1/products/{product}"), json!({"category": bottom})).await.expect(200).position();
    let ask = async |query: &str, at: i64| {
        let path = format!("/v1/products?{query}");
        staff.shop.get(&path).after(at).send().await
    };
    for query in ["category=top".to_owned(), "category=bottom".to_owned(), format!("category={middle}")] {
        assert_eq!(ask(&query, at).await.expect(200).body["total"], 1, "{query}");
    }
    let unknown = ask("category=cellar", at).await.expect_problem(400, "request.invalid_query");
    assert_eq!(unknown.text("/errors/0/parameter"), "category");
    // Its page is found by its slug, with its breadcrumbs.
    for name in ["bottom", bottom.as_str()] {
        let page = staff.shop.get(&format!("/v1/categories/{name}")).send().await.expect(200);
        assert_eq!((page.text("/id"), page.text("/slug")), (bottom.as_str(), "bottom"));
        let crumb = |id: &str, name: &str| json!({"id": id, "name": name, "slug": name});
        assert_eq!(page.body["path"], json!([crumb(&top, "top"), crumb(&middle, "middle")]));
    }
    assert_eq!(staff.shop.get("/v1/categories/top").send().await.expect(200).body["path"], json!([]));
    for unknown in ["cellar", "Bottom", "%20"] {
        staff.shop.get(&format!("/v1/categories/{unknown}")).send().await.expect_problem(404, "category.missing");
    }
    // Whatever becomes of what is below a closed category, a facet names no parent that it does not list.
    let listed = async |at: i64| {
        let found = ask("", at).await.expect(200);
        let facets = found.body["facets"]["categories"].as_array().unwrap().clone();
        for facet in &facets {
            let parent = &facet["parent"];
            assert!(parent.is_null() || facets.iter().any(|it| it["id"] == *parent), "{facets:?}");
        }
        facets.len()
    };
    assert_eq!(listed(at).await, 3);
    let closed = staff.post(&format!("/v1/categories/{middle}/archive"), json!({})).await;
    if closed.status == 200 {
        listed(closed.position()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_is_found_as_it_is_now() {
    let staff = Staff::start().await;
    let (product, variant) = staff.shop.product("C-1", 500, 1).await;
    let path = format!("/v1/products/{product}");
    let count = async |query: &str, at: i64| {
        let path = format!("/v1/products?{query}");
        let found = staff.shop.get(&path).after(at).send().await.expect(200);
        found.body["total"].as_u64().unwrap()
    };
    let at = staff.patch(&path, json!({"title": "Walnut desk", "attributes": {"wood": "walnut"}})).await.position();
    assert_eq!(
        (count("q=walnut", at).await, count("attr.wood=walnut", at).await, count("q=thing", at).await),
        (1, 1, 0)
    );
    assert_eq!((count("in_stock=true", at).await, count("price_max=499", at).await), (1, 0));
    let available = async |at: i64| {
        let found = staff.shop.get("/v1/products?currency=EUR").after(at).send().await.expect(200);
        found.body["items"][0]["available"].as_bool()
    };
    assert_eq!(available(at).await, Some(true));
    let at =
        staff.patch(&format!("{path}/variants/{variant}"), json!({"price": {"amount": 499, "currency": "EUR"}})).await;
    assert_eq!(count("price_max=499", at.position()).await, 1);
    assert_eq!(count("price_max=499&currency=USD", at.position()).await, 0);
    let lost = json!({"type": "lost", "quantity": 1});
    let at = staff.post(&format!("/v1/variants/{variant}/stock"), lost).await.expect(200).position();
    assert_eq!((count("in_stock=true", at).await, count("", at).await), (0, 1));
    assert_eq!(available(at).await, Some(false));
    let at = staff.post(&format!("{path}/unpublish"), json!({})).await.expect(200).position();
    assert_eq!((count("", at).await, count("q=walnut", at).await), (0, 0));
    // Replaying the view leaves nothing behind in memory.
    staff.shop.views.replay("product_list", Replay::Rebuild, &|_| {}).await.unwrap();
    let at = staff.post(&format!("{path}/publish"), json!({})).await.expect(200).position();
    assert_eq!((count("", at).await, count("attr.wood=walnut", at).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_that_cannot_be_read_are_refused() {
    let staff = Staff::start().await;
    for query in [
        "category=cat_x",
        "category=prod_00000000000000000000000009",
        "price_min=1.5",
        "price_min=-1",
        "price_max=",
        "price_min=200&price_max=100",
        "limit=1&limit=2",
        "sort=price&sort=title",
        "currency=XX",
        "currency=eur",
        "in_stock=1",
        "sort=best",
        "facets=maybe",
        "limit=x",
        "colour=red",
        "attr[colour=red",
        "attr[colour][0]=red&attr=red",
        "cursor=AAAA",
        "status=gone",
    ] {
        let answer = staff.shop.get(&format!("/v1/products?{query}")).send().await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
    }
    // Nobody knows these, so they are slips and no filters.
    for name in ["", "A%20b", "colour", "size%00"] {
        let answer = staff.shop.get(&format!("/v1/products?attr.{name}=x")).send().await;
        assert!(answer.expect_problem(400, "request.invalid_query").text("/detail").contains("the attribute"));
    }
    let category = staff.category("things", None).await;
    let attributes = json!([{"name": "colour", "type": "text"}, {"name": "size", "type": "number"}, {"name": "boxed", "type": "boolean"}]);
    let declared = staff.declare(&category, attributes).await.expect(200).position().to_string();
    let ask = |query: &str| staff.shop.get(&format!("/v1/products?{query}")).after(&declared).send();
    for query in
        ["attr.colour=red", "attr.colour=", "attr.colour=%00", "attr.colour=9..1", "attr.size=1..9", "attr[size]=1..9"]
    {
        assert_eq!(ask(query).await.expect(200).body["total"], 0, "{query}");
    }
    for value in ["", "..", "9..1", "x", "1.5", "1..x"] {
        let refused = ask(&format!("attr.size={value}")).await.expect_problem(400, "request.invalid_query");
        assert_eq!(refused.text("/errors/0/parameter"), "attr.size", "{value}");
    }
    for value in ["", "yes", "1"] {
        let refused = ask(&format!("attr.boxed={value}")).await.expect_problem(400, "request.invalid_query");
        assert!(refused.text("/detail").ends_with("true or false"), "{value}");
    }
    // One name with two meanings takes what either takes.
    let other = staff.category("other", None).await;
    let declared = staff.declare(&other, json!([{"name": "size", "type": "text"}])).await.expect(200);
    let call = staff.shop.get("/v1/products?attr.size=XL").after(declared.position());
    assert_eq!(call.send().await.expect(200).body["total"], 0);
    let many: Vec<String> = (0..101).map(|number| format!("attr.a{number}=x")).collect();
    let answer = staff.shop.get(&format!("/v1/products?{}", many.join("&"))).send().await;
    answer.expect_problem(400, "request.invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_finds_a_value_in_whatever_form_it_is_written() {
    let staff = Staff::start().await;
    let category = staff.category("coffee", None).await;
    staff.declare(&category, json!([{"name": "brand", "type": "text", "filterable": true}])).await.expect(200);
    let (composed, decomposed) = ("Caf\u{e9}", "Cafe\u{301}");
    for (sku, brand) in [("FORM-1", composed), ("FORM-2", decomposed)] {
        let body = json!({"title": sku, "category": category, "attributes": {"brand": brand}});
        staff.post("/v1/products", body).await.expect(201);
    }
    // As versions did that kept a text as it was written.
    let intent = Intent::new(Actor::System { name: "test".into() }, "product.create", Clock.new_id());
    let category = category.parse().unwrap();
    let made = staff.shop.commands.run(&intent, |unit| async move {
        let brand = AttributeValue::Text(Label::new(decomposed).unwrap());
        let attributes = [(AttributeName::new("brand").unwrap(), brand)].into();
        let title = Title::new("FORM-3").unwrap();
        let new = products::NewProduct { category: Some(category), attributes, ..products::NewProduct::titled(title) };
        products::create(&unit, new, ActsFor::House).await?;
        Ok(())
    });
    let at = made.await.unwrap().position.unwrap();
    for written in ["Caf%C3%A9", "Cafe%CC%81"] {
        let path = format!("/v1/products?status=draft&facets=true&attr.brand={written}");
        let found = staff.shop.get(&path).by(&staff.admin).after(at).send().await.expect(200);
        assert_eq!(found.body["total"], 3, "{written}: {}", found.body);
        let values = &found.body["facets"]["attributes"][0]["values"];
        assert_eq!(values, &json!([{"value": composed, "count": 3}]));
    }
}
