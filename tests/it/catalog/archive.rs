//! What archiving gives free and what becomes of everything below: SKUs, slugs, categories and products.

use std::collections::BTreeSet;

use byteshop_domain::ids::ProductId;
use byteshop_domain::product::{Command, Product};
use byteshop_tests::past;
use byteshop_tests::shop::Answer;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::categories::Staff;

async fn draft(staff: &Staff) -> String {
    format!("/v1/products/{}", staff.post("/v1/products", json!({"title": "New"})).await.expect(201).id())
}

async fn add(staff: &Staff, product: &str, sku: &str) -> Answer {
    let variant = json!({"sku": sku, "price": {"amount": 500, "currency": "EUR"}});
    staff.post(&format!("{product}/variants"), variant).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_skus_of_an_archived_product_are_free_and_one_of_eight_gets_each() {
    let staff = Staff::start().await;
    let old = draft(&staff).await;
    for sku in ["AGAIN-1", "AGAIN-2"] {
        add(&staff, &old, sku).await.expect(201);
    }
    let products = join_all((0..8).map(|_| draft(&staff))).await;
    add(&staff, &products[0], "AGAIN-1").await.expect_problem(409, "name.taken");
    for _ in 0..2 {
        staff.post(&format!("{old}/archive"), json!({})).await.expect(200);
    }
    let asked = join_all(products.iter().map(|product| add(&staff, product, "AGAIN-1"))).await;
    let won: Vec<_> = asked.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(won.len(), 1, "{asked:?}");
    for lost in asked.iter().filter(|answer| answer.status != 201) {
        lost.clone().expect_problem(409, "name.taken");
    }
    // Archived once more, the old product takes nothing from who has the SKU now.
    staff.post(&format!("{old}/archive"), json!({})).await.expect(200);
    let late = draft(&staff).await;
    add(&staff, &late, "AGAIN-1").await.expect_problem(409, "name.taken");
    add(&staff, &late, "AGAIN-2").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_kept_its_skus_in_the_archive_releases_them_when_it_is_archived_again() {
    let staff = Staff::start().await;
    let old = draft(&staff).await;
    add(&staff, &old, "KEPT-1").await.expect(201);
    let id: ProductId = old.rsplit('/').next().unwrap().parse().unwrap();
    // As versions did that released nothing.
    past::record::<Product>(&staff.shop.log, id, &[Command::Archive {}]).await;
    let new = draft(&staff).await;
    add(&staff, &new, "KEPT-1").await.expect_problem(409, "name.taken");
    staff.post(&format!("{old}/archive"), json!({})).await.expect(200);
    add(&staff, &new, "KEPT-1").await.expect(201);
}

/// Three levels with a product at the lowest: the paths of the categories, and the position of the last event.
async fn branch(staff: &Staff, name: &str) -> ([String; 3], i64) {
    let top = staff.category(&format!("{name}-top"), None).await;
    let mid = staff.category(&format!("{name}-mid"), Some(&top)).await;
    let low = staff.category(&format!("{name}-low"), Some(&mid)).await;
    let made = staff.post("/v1/products", json!({"title": format!("Thing {name}"), "category": low})).await.expect(201);
    let product = format!("/v1/products/{}", made.id());
    add(staff, &product, &format!("{name}-1")).await.expect(201);
    let position = staff.post(&format!("{product}/publish"), json!({})).await.expect(200).position();
    ([top, mid, low], position)
}

/// The categories of a search as they are told with it: their names with those of their parents.
async fn facets(staff: &Staff, words: &str, at: i64) -> Vec<(String, Option<String>)> {
    let path = format!("/v1/products?q={words}");
    let found = staff.shop.get(&path).after(at).send().await.expect(200);
    assert_eq!(found.body["total"], 1, "{}", found.body);
    let facets = found.body["facets"]["categories"].as_array().unwrap().clone();
    let ids: BTreeSet<&str> = facets.iter().map(|facet| facet["id"].as_str().unwrap()).collect();
    for facet in &facets {
        assert!(facet["parent"].is_null() || ids.contains(facet["parent"].as_str().unwrap()), "{facets:?}");
    }
    let name = |id: &Value| facets.iter().find(|it| it["id"] == *id).map(|it| it["name"].as_str().unwrap().to_owned());
    let mut named: Vec<_> = facets.iter().map(|it| (name(&it["id"]).unwrap(), name(&it["parent"]))).collect();
    named.sort();
    named
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_is_archived_only_when_it_is_said_what_becomes_of_those_under_it() {
    let staff = Staff::start().await;
    let ([top, mid, _], at) = branch(&staff, "up").await;
    let pair = |name: &str, parent: Option<&str>| (name.to_owned(), parent.map(str::to_owned));
    assert_eq!(
        facets(&staff, "up", at).await,
        [pair("up-low", Some("up-mid")), pair("up-mid", Some("up-top")), pair("up-top", None)]
    );
    let refused = staff.post(&format!("/v1/categories/{mid}/archive"), json!({})).await;
    let detail = refused.expect_problem(409, "category.has_children").text("/detail").to_owned();
    assert!(detail.starts_with("1 open category is under it") && detail.contains("move_up"), "{detail}");
    let wrong = staff.post(&format!("/v1/categories/{mid}/archive?children=sell"), json!({})).await;
    wrong.expect_problem(400, "request.invalid_query");

    let up = staff.post(&format!("/v1/categories/{mid}/archive?children=move_up"), json!({})).await.expect(200);
    assert_eq!(up.body["archived"], true);
    assert_eq!(facets(&staff, "up", up.position()).await, [pair("up-low", Some("up-top")), pair("up-top", None)]);
    let up = staff.post(&format!("/v1/categories/{top}/archive?children=move_up"), json!({})).await.expect(200);
    assert_eq!(facets(&staff, "up", up.position()).await, [pair("up-low", None)]);
    let at = up.position().to_string();
    let roots = staff.shop.get("/v1/categories?parent=none").after(at).send().await.expect(200);
    assert_eq!((roots.text("/items/0/name"), &roots.body["items"][1]), ("up-low", &Value::Null));
    // The slug is free for another.
    staff.category("up-mid", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_archived_whole_and_its_products_stay_in_the_shop() {
    let staff = Staff::start().await;
    let ([top, mid, low], _) = branch(&staff, "whole").await;
    let done = staff.post(&format!("/v1/categories/{mid}/archive?children=archive"), json!({})).await.expect(200);
    for (id, archived) in [(&top, false), (&mid, true), (&low, true)] {
        let category = staff.shop.get(&format!("/v1/categories/{id}")).send().await.expect(200);
        assert_eq!(category.body["archived"], archived, "{}", category.body);
    }
    assert_eq!(facets(&staff, "whole", done.position()).await, [("whole-top".to_owned(), None)]);
    let within = staff.shop.get(&format!("/v1/products?category={top}")).send().await.expect(200);
    assert_eq!(within.body["total"], 1);
}

/// Archives a category while others are put under it and under its child; gives the answer, and how many open ones are left
/// under what is archived.
async fn archived_meanwhile(staff: &Staff, name: &str, query: &str) -> (Answer, usize) {
    let parent = staff.category(name, None).await;
    let child =
        if query.is_empty() { parent.clone() } else { staff.category(&format!("{name}-c"), Some(&parent)).await };
    let elsewhere = staff.category(&format!("{name}-e"), None).await;
    let made = join_all((0..8).map(|number| {
        let above = if number % 2 == 0 { &parent } else { &child };
        let slug = format!("{name}-{number}");
        let body = json!({"name": slug, "slug": slug, "parent": above});
        async move { staff.post("/v1/categories", body).await }
    }));
    let (archive, moved) = (format!("/v1/categories/{parent}/archive{query}"), format!("/v1/categories/{elsewhere}"));
    let (made, archived, moved) =
        tokio::join!(made, staff.post(&archive, json!({})), staff.patch(&moved, json!({"parent": parent})));
    for answer in made.iter().chain([&moved]).filter(|answer| answer.status >= 300) {
        answer.clone().expect_problem(409, "category.archived");
    }
    let at = staff.shop.log.head().await.unwrap();
    let mut left = 0;
    for above in BTreeSet::from([&parent, &child]) {
        let is = staff.shop.get(&format!("/v1/categories/{above}")).send().await.expect(200);
        if is.body["archived"] == true {
            let open = staff.shop.get(&format!("/v1/categories?parent={above}")).after(at).send().await.expect(200);
            left += open.body["items"].as_array().unwrap().len();
        }
    }
    (archived, left)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_open_is_left_under_a_category_that_is_archived_meanwhile() {
    let staff = Staff::start().await;
    for round in 0..20 {
        for (name, query) in [("up", "?children=move_up"), ("all", "?children=archive")] {
            let (archived, left) = archived_meanwhile(&staff, &format!("{name}-{round}"), query).await;
            archived.expect(200);
            assert_eq!(left, 0, "round {round} of {query}");
        }
        // Where nothing was said, it is refused if one was there before, and moved up if it came in between.
        let (archived, left) = archived_meanwhile(&staff, &format!("none-{round}"), "").await;
        assert!(matches!(archived.status, 200 | 409), "{}", archived.body);
        assert_eq!(left, 0, "round {round}");
    }
}
