//! The tree of categories, what it asks of products, and the options of their variants.

use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::{Answer, TestShop};
use serde_json::{Value, json};

/// A shop and somebody who may change its catalog.
pub struct Staff {
    pub shop: TestShop,
    pub admin: String,
}

impl Staff {
    pub async fn start() -> Self {
        let shop = TestShop::start().await;
        let admin = shop.token(Role::Admin);
        Self { shop, admin }
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.shop.post(path).by(&self.admin).json(body).send().await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.shop.patch(path).by(&self.admin).json(body).send().await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.shop.put(path).by(&self.admin).json(body).send().await
    }

    pub async fn category(&self, slug: &str, parent: Option<&str>) -> String {
        let body = json!({"name": slug, "slug": slug, "parent": parent});
        self.post("/v1/categories", body).await.expect(201).id()
    }

    pub async fn declare(&self, category: &str, attributes: Value) -> Answer {
        self.put(&format!("/v1/categories/{category}/attributes"), json!({"attributes": attributes})).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn categories_stand_in_the_order_they_are_given() {
    let staff = Staff::start().await;
    let root = staff.category("root", None).await;
    let mut children = Vec::new();
    for slug in ["anvils", "bolts", "chisels"] {
        children.push(staff.category(slug, Some(&root)).await);
    }
    let order = |parent: Value, ids: &[&String]| json!({"parent": parent, "categories": ids});
    let [anvils, bolts, chisels] = [&children[0], &children[1], &children[2]];
    let ordered = staff.post("/v1/categories/order", order(json!(root), &[chisels, anvils, bolts])).await.expect(200);
    let at = ordered.position().to_string();
    let path = format!("/v1/categories?parent={root}&limit=2");
    let first = staff.shop.get(&path).after(&at).send().await.expect(200);
    let names = |page: &Answer| -> Vec<String> {
        page.body["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["chisels", "anvils"]);
    let second = staff.shop.get(&format!("{path}&cursor={}", first.text("/next"))).send().await.expect(200);
    assert_eq!((names(&second), &second.body["next"]), (vec!["bolts".to_owned()], &Value::Null));

    let wrong = staff.post("/v1/categories/order", order(Value::Null, &[anvils])).await;
    assert_eq!(wrong.expect_problem(422, "category.missing").body["errors"][0]["pointer"], "/categories/0");
    for ids in [vec![anvils, anvils], vec![]] {
        staff.post("/v1/categories/order", order(json!(root), &ids)).await.expect_problem(422, "request.invalid");
    }
    let customer = staff.shop.token(Role::Customer);
    let body = order(json!(root), &[anvils]);
    staff.shop.post("/v1/categories/order").by(&customer).json(body).send().await.expect_problem(403, "auth.forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn products_have_the_attributes_that_their_category_asks_for() {
    let staff = Staff::start().await;
    let kitchen = staff.category("kitchen", None).await;
    let knives = staff.category("knives", Some(&kitchen)).await;
    let maker = json!({"name": "maker", "type": "text", "required": true, "labels": {"en": "Maker", "ru": "Мастер"}});
    staff.declare(&kitchen, json!([maker])).await.expect(200);
    let steel = json!({"name": "steel", "type": "choice", "values": ["x50", "vg10"], "filterable": true});
    let length = json!({"name": "length_mm", "type": "number", "unit": "mm", "filterable": true});
    let declared = staff.declare(&knives, json!([steel, length])).await.expect(200);
    assert_eq!(declared.body["attributes"][0], steel);
    let counting = staff.shop.get(&format!("/v1/categories/{knives}/attributes")).send().await.expect(200);
    assert_eq!(counting.body["attributes"], json!([steel, length, maker]));

    let product = |attributes| json!({"title": "Knife", "category": knives, "attributes": attributes});
    for (attributes, code, pointer) in [
        (json!({"steel": "tin"}), "product.attribute_choice", "/attributes/steel"),
        (json!({"length_mm": "long"}), "product.attribute_type", "/attributes/length_mm"),
        (json!({"colour": "red"}), "product.attribute_unknown", "/attributes/colour"),
    ] {
        let refused = staff.post("/v1/products", product(attributes)).await.expect_problem(422, code);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    // A draft may be unfinished; what is published is not.
    let made = staff.post("/v1/products", product(json!({"steel": "x50"}))).await.expect(201);
    let path = format!("/v1/products/{}", made.id());
    let variant = json!({"sku": "K-1", "price": {"amount": 100, "currency": "EUR"}});
    staff.post(&format!("{path}/variants"), variant).await.expect(201);
    let refused = staff.post(&format!("{path}/publish"), json!({})).await;
    refused.expect_problem(422, "product.attribute_missing");
    let attributes = json!({"steel": "x50", "maker": "Anna"});
    staff.patch(&path, json!({"attributes": attributes})).await.expect(200);
    staff.post(&format!("{path}/publish"), json!({})).await.expect(200);
    let taken = staff.patch(&path, json!({"attributes": {"steel": "x50"}})).await;
    taken.expect_problem(422, "product.attribute_missing");
    // Where nothing is asked for, anything goes; and what is asked for later does not hide what is shown.
    staff.patch(&path, json!({"category": null, "attributes": {"colour": "red"}})).await.expect(200);
    staff.patch(&path, json!({"category": kitchen})).await.expect_problem(422, "product.attribute_unknown");
    staff.patch(&path, json!({"title": "Other"})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_that_make_no_sense_are_refused() {
    let staff = Staff::start().await;
    let category = staff.category("any", None).await;
    let refused = async |attributes: Value, code: &str, pointer: &str| {
        let answer = staff.declare(&category, attributes).await.expect_problem(422, code);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.body);
    };
    let number = json!({"name": "a", "type": "number"});
    refused(json!([number, number]), "category.attribute_twice", "/attributes/1/name").await;
    refused(json!([{"name": "a", "type": "choice"}]), "category.attribute_values", "/attributes/0/values").await;
    refused(
        json!([{"name": "a", "type": "text", "values": ["x"]}]),
        "category.attribute_values",
        "/attributes/0/values",
    )
    .await;
    refused(json!([{"name": "A b", "type": "text"}]), "request.invalid", "/attributes/0/name").await;
    refused(json!([{"name": "a", "type": "money"}]), "request.invalid", "/attributes/0/type").await;
    refused(
        json!([{"name": "a", "type": "text", "labels": {"de": "x"}}]),
        "request.invalid",
        "/attributes/0/labels/de",
    )
    .await;
    let customer = staff.shop.token(Role::Customer);
    let path = format!("/v1/categories/{category}/attributes");
    let body = json!({"attributes": []});
    staff.shop.put(&path).by(&customer).json(body.clone()).send().await.expect_problem(403, "auth.forbidden");
    let gone = "/v1/categories/cat_00000000000000000000000009/attributes";
    staff.put(gone, body.clone()).await.expect_problem(404, "category.missing");
    staff.shop.get(gone).send().await.expect_problem(404, "category.missing");
    let stale = staff.shop.put(&path).by(&staff.admin).header("If-Match", "\"7\"").json(body).send().await;
    assert_eq!(stale.status, 412);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_below_a_category_counts_when_it_moves() {
    let staff = Staff::start().await;
    let chain = async |name: &str, length: usize| {
        let mut ids: Vec<String> = Vec::new();
        for level in 0..length {
            ids.push(staff.category(&format!("{name}-{level}"), ids.last().map(String::as_str)).await);
        }
        ids
    };
    let (seven, four) = (chain("seven", 7).await, chain("four", 4).await);
    let under = |child: &str, parent: &str| {
        let path = format!("/v1/categories/{child}");
        let body = json!({"parent": parent});
        let staff = &staff;
        async move { staff.patch(&path, body).await }
    };
    let refused = under(&four[0], &seven[6]).await.expect_problem(422, "category.too_deep");
    assert_eq!(refused.text("/errors/0/pointer"), "/parent");
    under(&four[1], &seven[6]).await.expect(200);
    // What moved with it counts from its new place on.
    under(&seven[0], &four[0]).await.expect_problem(422, "category.too_deep");
    under(&four[3], &four[0]).await.expect(200);
    under(&seven[1], &four[0]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_moves_at_once_never_make_a_circle() {
    let staff = Staff::start().await;
    for round in 0..5 {
        let one = staff.category(&format!("one-{round}"), None).await;
        let two = staff.category(&format!("two-{round}"), None).await;
        let under = |child: &str, parent: &str| {
            let body = json!({"parent": parent});
            staff.shop.patch(&format!("/v1/categories/{child}")).by(&staff.admin).json(body).send()
        };
        let (first, second) = tokio::join!(under(&one, &two), under(&two, &one));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", first.body, second.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_differ_in_the_options_of_their_product() {
    let staff = Staff::start().await;
    let options = json!([{"name": "size", "values": ["S", "M"]}, {"name": "colour", "values": ["red"]}]);
    let made = staff.post("/v1/products", json!({"title": "Shirt", "options": options})).await.expect(201);
    assert_eq!(made.body["options"], options);
    let path = format!("/v1/products/{}", made.id());
    let add = async |sku: &str, options: Value| {
        let price = json!({"amount": 100, "currency": "EUR"});
        staff.post(&format!("{path}/variants"), json!({"sku": sku, "price": price, "options": options})).await
    };
    add("S-1", json!({"size": "S", "colour": "red"})).await.expect(201);
    add("S-2", json!({"size": "S", "colour": "red"})).await.expect_problem(409, "product.options_twice");
    add("S-3", json!({"size": "L", "colour": "red"})).await.expect_problem(422, "product.option_value");
    add("S-4", json!({"size": "M"})).await.expect_problem(422, "product.option_missing");
    add("S-5", json!({"size": "M", "colour": "red", "cut": "slim"}))
        .await
        .expect_problem(422, "product.option_unknown");
    // A refused variant has not taken its code.
    add("S-2", json!({"size": "M", "colour": "red"})).await.expect(201);
    let fewer = json!({"options": [{"name": "size", "values": ["S"]}]});
    staff.patch(&path, fewer).await.expect_problem(409, "product.variant_does_not_fit");
    staff
        .patch(&path, json!({"options": [{"name": "a", "values": []}]}))
        .await
        .expect_problem(422, "product.option_values");
    let more = json!([{"name": "size", "values": ["S", "M", "L"]}, {"name": "colour", "values": ["red"]}]);
    assert_eq!(staff.patch(&path, json!({"options": more})).await.expect(200).body["options"], more);
}
