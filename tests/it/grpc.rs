//! The catalog over gRPC: it says what HTTP says, behind the same edge.

use std::path::Path;

use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::grpc::v1::attribute_value::Kind;
use byteshop_gateway::grpc::v1::catalog_service_client::CatalogServiceClient;
use byteshop_gateway::grpc::v1::get_product_request::By;
use byteshop_gateway::grpc::v1::{
    AttributeFilter, GetProductRequest, GetProductResponse, LineToValidate, Money, ProductSort, ProductStatus,
    ProductVisibility, SearchProductsRequest, SearchProductsResponse, ValidateLinesRequest, ValidateLinesResponse,
    ValueFacet,
};
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::TestShop;
use prost::Message as _;
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

/// `make openapi` writes it anew. A build then needs no compiler of Protocol Buffers, and none of the crates of one.
#[test]
fn the_generated_code_is_that_of_the_contracts() {
    let gateway = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/proto");
    let kept = gateway.join("generated");
    let made = tempfile::tempdir().unwrap();
    let described = protox::compile(["byteshop/v1/catalog.proto"], [&gateway]).unwrap();
    std::fs::write(made.path().join("byteshop.bin"), described.encode_to_vec()).unwrap();
    tonic_prost_build::configure().build_transport(false).out_dir(made.path()).compile_fds(described).unwrap();
    for file in std::fs::read_dir(made.path()).unwrap() {
        let name = file.unwrap().file_name();
        let (made, kept) = (std::fs::read(made.path().join(&name)).unwrap(), kept.join(&name));
        if std::env::var_os("BYTESHOP_TEST_WRITE").is_some() {
            std::fs::write(kept, made).unwrap();
        } else {
            assert!(std::fs::read(kept).unwrap_or_default() == made, "{name:?} is old: run make openapi");
        }
    }
}

/// A client of a shop, which says who it is.
struct Client {
    catalog: CatalogServiceClient<Channel>,
    channel: Channel,
    token: Option<String>,
}

impl Client {
    async fn of(shop: &TestShop) -> Self {
        let channel = Channel::from_shared(shop.url.clone()).unwrap().connect().await.unwrap();
        Self { catalog: CatalogServiceClient::new(channel.clone()), channel, token: None }
    }

    fn by(self, token: String) -> Self {
        Self { token: Some(token), ..self }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        request
    }

    async fn search(&self, asked: SearchProductsRequest) -> Result<SearchProductsResponse, Status> {
        self.catalog.clone().search_products(self.request(asked)).await.map(tonic::Response::into_inner)
    }

    async fn get(&self, by: Option<By>) -> Result<GetProductResponse, Status> {
        self.catalog.clone().get_product(self.request(GetProductRequest { by })).await.map(tonic::Response::into_inner)
    }

    async fn validate(&self, currency: &str, lines: Vec<LineToValidate>) -> Result<ValidateLinesResponse, Status> {
        let asked = ValidateLinesRequest { currency: currency.to_owned(), lines };
        self.catalog.clone().validate_lines(self.request(asked)).await.map(tonic::Response::into_inner)
    }
}

#[track_caller]
fn expect<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, reason: &str) -> Status {
    let status = answer.unwrap_err();
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no details: {status:?}"));
    assert_eq!((status.code(), info.reason.as_str(), info.domain.as_str()), (code, reason, "byteshop"), "{status:?}");
    status
}

/// The fields that a refusal blames.
fn blamed(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|it| it.field_violations.clone()).unwrap_or_default();
    violations.into_iter().map(|it| it.field).collect()
}

fn line(variant: &str, quantity: i64) -> LineToValidate {
    LineToValidate { variant: variant.to_owned(), quantity, unit_price: None }
}

fn euros(amount: i64) -> Money {
    Money { amount, currency: "EUR".to_owned() }
}

/// Three chairs, of which the green one is a draft; waits until the view has them.
async fn chairs(shop: &TestShop) -> (Vec<String>, Vec<String>, i64) {
    let admin = shop.token(Role::Admin);
    let chairs = json!({"name": "Chairs", "slug": "chairs"});
    let category = shop.post("/v1/categories").by(&admin).json(chairs).send().await.expect(201).id();
    let declared = json!({"attributes": [{"name": "color", "type": "text", "labels": {"en": "Colour"}, "filterable": true},
        {"name": "legs", "type": "number", "labels": {"en": "Legs"}, "filterable": true}, {"name": "oak", "type": "boolean"}]});
    let path = format!("/v1/categories/{category}/attributes");
    shop.put(&path).by(&admin).json(declared).send().await.expect(200);
    let (mut products, mut variants, mut position) = (vec![], vec![], 0);
    for (index, color) in ["red", "blue", "green"].into_iter().enumerate() {
        let attributes = json!({"color": color, "legs": 4, "oak": true});
        let body = json!({"title": format!("Chair {color}"), "category": category, "attributes": attributes});
        let product = shop.post("/v1/products").by(&admin).json(body).send().await.expect(201).id();
        let path = format!("/v1/products/{product}");
        let body = json!({"sku": format!("CH-{index}"), "price": {"amount": 1_000 * (index + 1), "currency": "EUR"}});
        let added = shop.post(&format!("{path}/variants")).by(&admin).json(body).send().await.expect(201);
        let variant = added.text("/variants/0/id").to_owned();
        let stock = json!({"type": "received", "quantity": 5});
        let moved = shop.post(&format!("/v1/variants/{variant}/stock")).by(&admin).json(stock).send().await.expect(200);
        position = moved.position();
        if color != "green" {
            position = shop.post(&format!("{path}/publish")).by(&admin).send().await.expect(200).position();
        }
        products.push(product);
        variants.push(variant);
    }
    (products, variants, position)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_what_it_finds_over_http() {
    let shop = TestShop::start().await;
    let (products, _, position) = chairs(&shop).await;
    let client = Client::of(&shop).await;
    let mut first = client.request(SearchProductsRequest {
        q: "chiar".to_owned(),
        facets: true,
        sort: ProductSort::PriceDesc.into(),
        ..SearchProductsRequest::default()
    });
    first.metadata_mut().insert("min-log-position", shop.token_at(position).parse().unwrap());
    let found = client.catalog.clone().search_products(first).await.unwrap().into_inner();
    let path = "/v1/products?q=chiar&facets=true&sort=price_desc";
    let http = shop.get(path).after(position).send().await.expect(200);
    let of_http: Vec<&str> =
        http.body["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(found.products.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), of_http);
    assert_eq!(of_http, [products[1].as_str(), products[0].as_str()]);
    assert_eq!((found.total, found.corrected.as_str(), found.next.as_str()), (2, "chair", ""));
    let (facets, of_http) = (found.facets.unwrap(), &http.body["facets"]);
    assert_eq!(Value::from(facets.in_stock), of_http["in_stock"]);
    assert_eq!(Value::from(facets.price.unwrap().max), of_http["price"]["max"]);
    assert_eq!((facets.categories[0].name.as_str(), facets.categories[0].count), ("Chairs", 2));
    let told = facets.attributes.iter().find(|it| it.name == "legs").unwrap();
    assert_eq!((told.r#type.as_str(), told.min, told.max), ("number", Some(4), Some(4)));
    let colors = facets.attributes.iter().find(|it| it.name == "color").unwrap();
    let counted = |it: &ValueFacet| match it.value.clone().unwrap().kind.unwrap() {
        Kind::Text(text) => (text, it.count),
        other => panic!("{other:?}"),
    };
    let counts: Vec<(String, u64)> = colors.values.iter().map(counted).collect();
    assert_eq!(counts, [("blue".to_owned(), 1), ("red".to_owned(), 1)]);

    let blue = AttributeFilter { name: "color".to_owned(), values: vec!["blue".to_owned()] };
    let asked = SearchProductsRequest { attributes: vec![blue], ..SearchProductsRequest::default() };
    assert_eq!(client.search(asked).await.unwrap().products[0].id, products[1]);

    let mut seen = Vec::new();
    let mut asked =
        SearchProductsRequest { limit: 1, sort: ProductSort::Title.into(), ..SearchProductsRequest::default() };
    loop {
        let page = client.search(asked.clone()).await.unwrap();
        assert_eq!((page.products.len(), page.facets), (1, None));
        seen.extend(page.products.into_iter().map(|it| it.title));
        asked.cursor = page.next;
        if asked.cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["Chair blue", "Chair red"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_staff_finds_what_is_not_published() {
    let shop = TestShop::start().await;
    let (products, _, position) = chairs(&shop).await;
    let asked =
        SearchProductsRequest { visibility: ProductVisibility::Draft.into(), ..SearchProductsRequest::default() };
    let guest = Client::of(&shop).await;
    expect(guest.search(asked.clone()).await, Code::PermissionDenied, "auth.forbidden");
    let customer = Client::of(&shop).await.by(shop.token(Role::Customer));
    expect(customer.search(asked.clone()).await, Code::PermissionDenied, "auth.forbidden");
    let staff = Client::of(&shop).await.by(shop.token(Role::Support));
    let mut asked = staff.request(asked);
    asked.metadata_mut().insert("min-log-position", position.into());
    let found = staff.catalog.clone().search_products(asked).await.unwrap().into_inner();
    assert_eq!(found.products.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [products[2].as_str()]);
    let green = || Some(By::Product(products[2].clone()));
    for other in [&guest, &customer] {
        expect(other.get(green()).await, Code::NotFound, "product.missing");
    }
    let seen = staff.get(green()).await.unwrap().product.unwrap();
    assert_eq!(seen.status, i32::from(ProductStatus::Draft));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_found_by_its_id_by_a_variant_and_by_a_code() {
    let shop = TestShop::start().await;
    let (products, variants, _) = chairs(&shop).await;
    let client = Client::of(&shop).await;
    let http = shop.get(&format!("/v1/products/{}", products[0])).send().await.expect(200);
    for by in [By::Product(products[0].clone()), By::Variant(variants[0].clone()), By::Sku("CH-0".to_owned())] {
        let found = client.get(Some(by.clone())).await.unwrap();
        let product = found.product.unwrap();
        assert_eq!((&product.id, &product.title[..]), (&products[0], "Chair red"), "{by:?}");
        assert!(http.header("etag").unwrap().starts_with(&format!("\"{}-", found.version)));
        let variant = &product.variants[0];
        assert_eq!((&variant.id, variant.available), (&variants[0], Some(5)));
        assert_eq!(variant.prices[0].price, Some(euros(1_000)));
        assert_eq!(Value::from(product.attributes.len()), json!(3));
    }
    let nothing = [
        By::Product("prod_00000000000000000000000001".to_owned()),
        By::Product(variants[0].clone()),
        By::Variant("var_00000000000000000000000001".to_owned()),
        By::Variant("nonsense".to_owned()),
        By::Sku("CH-99".to_owned()),
        By::Sku(String::new()),
    ];
    for by in nothing {
        expect(client.get(Some(by)).await, Code::NotFound, "product.missing");
    }
    let status = expect(client.get(None).await, Code::InvalidArgument, "request.invalid");
    assert_eq!(blamed(&status), ["by"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_validated_against_what_is_offered_now() {
    let shop = TestShop::start().await;
    let (products, variants, _) = chairs(&shop).await;
    let client = Client::of(&shop).await;
    let shown = LineToValidate { unit_price: Some(euros(1_000)), ..line(&variants[0], 2) };
    let good = client.validate("EUR", vec![shown.clone(), line(&variants[1], 1)]).await.unwrap();
    assert!(good.purchasable, "{good:?}");
    assert_eq!((good.subtotal, good.lines[0].amount.clone()), (Some(euros(4_000)), Some(euros(2_000))));
    assert_eq!((&good.lines[0].product, &good.lines[0].sku[..], good.lines[0].available), (&products[0], "CH-0", 5));

    // What a command did is seen at once: no view is asked.
    let admin = shop.token(Role::Admin);
    let price = json!({"price": {"amount": 1_100, "currency": "EUR"}});
    let path = format!("/v1/products/{}/variants/{}", products[0], variants[0]);
    shop.patch(&path).by(&admin).json(price).send().await.expect(200);
    let unknown = "var_00000000000000000000000001";
    let asked = vec![shown, line(&variants[1], 6), line(&variants[2], 1), line(unknown, 1)];
    let bad = client.validate("EUR", asked).await.unwrap();
    assert!(!bad.purchasable);
    let codes: Vec<&str> = bad.lines.iter().map(|it| it.problems[0].code.as_str()).collect();
    assert_eq!(codes, ["price_changed", "not_enough", "unavailable", "unavailable"]);
    // Of what is not published nothing is told.
    assert_eq!((bad.lines[2].title.as_str(), bad.lines[2].unit_price.clone()), ("", None));
    assert_eq!(bad.subtotal, Some(euros(2 * 1_100 + 6 * 2_000)));
    let elsewhere = client.validate("USD", vec![line(&variants[0], 1)]).await.unwrap();
    assert!(!elsewhere.purchasable);
    let [no_price] = &elsewhere.lines[0].problems[..] else { panic!("{elsewhere:?}") };
    assert_eq!((&no_price.code[..], elsewhere.lines[0].available), ("other_currency", 5));
    assert!(no_price.detail.ends_with("has no price in USD"), "{no_price:?}");

    // All that holds is told.
    let codes = |answer: &ValidateLinesResponse| -> Vec<String> {
        answer.lines[0].problems.iter().map(|it| it.code.clone()).collect()
    };
    let old = LineToValidate { unit_price: Some(euros(1_000)), ..line(&variants[0], 6) };
    assert_eq!(codes(&client.validate("EUR", vec![old]).await.unwrap()), ["price_changed", "not_enough"]);
    let elsewhere = client.validate("USD", vec![line(&variants[0], 6)]).await.unwrap();
    assert_eq!(codes(&elsewhere), ["other_currency", "not_enough"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_meant_is_refused_and_the_field_named() {
    let shop = TestShop::start().await;
    let (_, variants, _) = chairs(&shop).await;
    let client = Client::of(&shop).await;
    let v = &variants[0];
    let dollars = Money { amount: 1, currency: "USD".to_owned() };
    let lines: [(&str, Vec<LineToValidate>, &str); 9] = [
        ("", vec![line(v, 1)], "currency"),
        ("XXZ", vec![line(v, 1)], "currency"),
        ("EUR", vec![], "lines"),
        ("EUR", vec![line(v, 1); 101], "lines"),
        ("EUR", vec![line(v, 1), line(v, 1)], "lines.1.variant"),
        ("EUR", vec![line(v, 0)], "lines.0.quantity"),
        ("EUR", vec![line(v, i64::MAX)], "lines.0.quantity"),
        ("EUR", vec![line("x", 1)], "lines.0.variant"),
        ("EUR", vec![LineToValidate { unit_price: Some(dollars), ..line(v, 1) }], "lines.0.unit_price"),
    ];
    for (currency, lines, field) in lines {
        let status = expect(client.validate(currency, lines).await, Code::InvalidArgument, "request.invalid");
        assert_eq!(blamed(&status), [field]);
    }
    let of = SearchProductsRequest::default;
    let filter = |name: &str, value: String| AttributeFilter { name: name.to_owned(), values: vec![value] };
    let nothing = AttributeFilter { name: "color".to_owned(), values: vec![] };
    let searches = [
        (SearchProductsRequest { q: "x".repeat(201), ..of() }, "q"),
        (SearchProductsRequest { limit: 101, ..of() }, "limit"),
        (SearchProductsRequest { cursor: "x".to_owned(), ..of() }, "cursor"),
        (SearchProductsRequest { price_min: Some(-1), ..of() }, "price_min"),
        (SearchProductsRequest { price_min: Some(2), price_max: Some(1), ..of() }, "price_max"),
        (SearchProductsRequest { category: vec![v.clone()], ..of() }, "category"),
        (SearchProductsRequest { sort: 99, ..of() }, "sort"),
        (SearchProductsRequest { visibility: -1, ..of() }, "visibility"),
        (
            SearchProductsRequest { attributes: vec![nothing, filter("color", "red".to_owned())], ..of() },
            "attributes.0.values",
        ),
        (SearchProductsRequest { attributes: vec![filter("nobody", "x".to_owned())], ..of() }, "attr.nobody"),
        (SearchProductsRequest { attributes: vec![filter("color", "x".to_owned()); 101], ..of() }, "attributes"),
        // 60 kB and as many empty values: a copy of the name for each would be two gigabytes.
        (
            SearchProductsRequest {
                attributes: vec![AttributeFilter { name: "x".repeat(60_000), values: vec![String::new(); 30_000] }],
                ..of()
            },
            "attributes",
        ),
    ];
    for (asked, field) in searches {
        let status = expect(client.search(asked).await, Code::InvalidArgument, "request.invalid_query");
        assert_eq!(blamed(&status), [field]);
    }
    let long = SearchProductsRequest { q: "x".repeat(200_000), ..of() };
    expect(client.search(long).await, Code::ResourceExhausted, "request.too_large");
    // One byte that begins nothing, where a message of five bytes was announced; and a message of one byte that is none.
    for body in [vec![0, 0, 0, 0, 5, 0xff], vec![0, 0, 0, 0, 1, 0xff]] {
        let path = "/byteshop.v1.CatalogService/GetProduct";
        let call = shop.post(path).body_raw(body).header("content-type", "application/grpc").send().await.expect(200);
        assert_eq!(call.header("grpc-status"), Some("3"), "{:?}", call.headers);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edge_is_the_same_as_that_of_http() {
    let shop = TestShop::start().await;
    let client = Client::of(&shop).await;
    let unknown = || Some(By::Sku("X".to_owned()));
    let forged = Client::of(&shop).await.by("forged".to_owned());
    expect(forged.get(unknown()).await, Code::Unauthenticated, "auth.invalid");
    let mut named = client.request(GetProductRequest { by: unknown() });
    let id = "018f3e5c-0000-7000-8000-000000000001";
    named.metadata_mut().insert("x-request-id", id.parse().unwrap());
    let status = expect(client.catalog.clone().get_product(named).await, Code::NotFound, "product.missing");
    assert_ne!(status.metadata().get("x-request-id").unwrap(), id);
    for position in ["x", "99"] {
        let mut late = client.request(GetProductRequest { by: unknown() });
        late.metadata_mut().insert("min-log-position", position.parse().unwrap());
        let answer = client.catalog.clone().get_product(late).await;
        expect(answer, Code::InvalidArgument, "request.invalid_min_log_position");
    }

    // With another protocol it is a path like any other.
    let path = "/byteshop.v1.CatalogService/GetProduct";
    shop.post(path).json(json!({})).send().await.expect_problem(415, "request.unsupported_media_type");
    shop.get(path).send().await.expect_problem(405, "request.method_not_allowed");

    let few = TestShop::start().limits(Limits::per_minute(12, 100)).await;
    let client = Client::of(&few).await;
    for _ in 0..2 {
        expect(client.get(unknown()).await, Code::NotFound, "product.missing");
    }
    let status = expect(client.get(unknown()).await, Code::ResourceExhausted, "request.too_many");
    assert!(status.get_error_details().retry_info().is_some(), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_program_opens_what_is_for_anybody_and_one_that_was_revoked_nothing() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let body = json!({"name": "Program", "scopes": ["stock:read"]});
    let made = shop.post("/v1/admin/api-keys").by(&admin).json(body).send().await.expect(201);
    let program = Client::of(&shop).await.by(made.text("/key").to_owned());
    assert_eq!(program.search(SearchProductsRequest::default()).await.unwrap().total, 0);
    let asked = SearchProductsRequest { visibility: ProductVisibility::All.into(), ..SearchProductsRequest::default() };
    expect(program.search(asked).await, Code::PermissionDenied, "auth.forbidden");
    shop.delete(&format!("/v1/admin/api-keys/{}", made.id())).by(&admin).send().await.expect(200);
    expect(program.search(SearchProductsRequest::default()).await, Code::Unauthenticated, "auth.invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_is_told_how_the_shop_is_and_which_services_it_has() {
    use tonic_health::pb::health_client::HealthClient;
    use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

    let shop = TestShop::start().await;
    let client = Client::of(&shop).await;
    let mut health = HealthClient::new(client.channel.clone());
    for service in ["", "byteshop.v1.CatalogService"] {
        let asked = HealthCheckRequest { service: service.to_owned() };
        let status = health.check(asked).await.unwrap().into_inner().status;
        assert_eq!(status, i32::from(ServingStatus::Serving), "{service}");
    }
    let asked = HealthCheckRequest { service: "byteshop.v1.Nothing".to_owned() };
    assert_eq!(health.check(asked.clone()).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(health.watch(asked).await.unwrap_err().code(), Code::Unimplemented);

    // Of the two names of the protocol older clients know only the second.
    macro_rules! listed {
        ($version:ident) => {{
            use reflection::server_reflection_request::MessageRequest;
            use reflection::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$version as reflection;
            let asked = reflection::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = reflection::server_reflection_client::ServerReflectionClient::new(client.channel.clone());
            let answers = client.server_reflection_info(futures_util::stream::iter([asked])).await.unwrap();
            let answer = answers.into_inner().message().await.unwrap().unwrap();
            let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
                panic!("{answer:?}")
            };
            listed.service.into_iter().map(|it| it.name).collect::<Vec<_>>()
        }};
    }
    for names in [listed!(v1), listed!(v1alpha)] {
        for service in ["byteshop.v1.CatalogService", "grpc.health.v1.Health"] {
            assert!(names.iter().any(|name| name == service), "{names:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_compared_in_one_form_and_prices_one_by_one() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let attributes = json!([{"name": "brand", "type": "text", "filterable": true}]);
    let category = json!({"name": "Cups", "slug": "cups"});
    let category = shop.post("/v1/categories").by(&admin).json(category).send().await.expect(201).id();
    let declared = shop.put(&format!("/v1/categories/{category}/attributes")).by(&admin);
    declared.json(json!({"attributes": attributes})).send().await.expect(200);
    let (product, _) = shop.product("Caf\u{e9}-1", 1_000, 5).await;
    let path = format!("/v1/products/{product}");
    let second = json!({"sku": "CAFE-2", "price": {"amount": 4_000, "currency": "EUR"}});
    shop.post(&format!("{path}/variants")).by(&admin).json(second).send().await.expect(201);
    let brand = json!({"category": category, "attributes": {"brand": "Caf\u{e9}"}});
    let position = shop.patch(&path).by(&admin).json(brand).send().await.expect(200).position();
    shop.get("/v1/products").after(position).send().await.expect(200);
    let client = Client::of(&shop).await;
    for sku in ["Caf\u{e9}-1", "Cafe\u{301}-1"] {
        let found = client.get(Some(By::Sku(sku.to_owned()))).await.unwrap();
        assert_eq!(found.product.unwrap().id, product, "{sku:?}");
    }
    for brand in ["Caf\u{e9}", "Cafe\u{301}"] {
        let filter = AttributeFilter { name: "brand".to_owned(), values: vec![brand.to_owned()] };
        let asked = SearchProductsRequest { attributes: vec![filter], ..SearchProductsRequest::default() };
        assert_eq!(client.search(asked).await.unwrap().total, 1, "{brand:?}");
    }
    for (min, max, total) in [(2_000, 3_000, 0), (1_000, 1_000, 1), (3_000, 4_000, 1)] {
        let asked = SearchProductsRequest {
            currency: "EUR".to_owned(),
            price_min: Some(min),
            price_max: Some(max),
            ..SearchProductsRequest::default()
        };
        assert_eq!(client.search(asked).await.unwrap().total, total, "{min} to {max}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_product_is_on_one_page_while_it_and_others_change() {
    let shop = TestShop::start().await;
    let (products, variants, position) = chairs(&shop).await;
    shop.get("/v1/products").after(position).send().await.expect(200);
    let (client, admin) = (Client::of(&shop).await, shop.token(Role::Admin));
    for sort in [ProductSort::Newest, ProductSort::Title, ProductSort::Price, ProductSort::PriceDesc] {
        let mut asked = SearchProductsRequest {
            limit: 1,
            sort: sort.into(),
            currency: "EUR".to_owned(),
            ..SearchProductsRequest::default()
        };
        let mut seen = Vec::new();
        for turn in 0.. {
            let page = client.search(asked.clone()).await.unwrap();
            seen.extend(page.products.into_iter().map(|it| it.id));
            asked.cursor = page.next;
            if asked.cursor.is_empty() {
                break;
            }
            if turn > 2 {
                continue;
            }
            // Both go to the other end, and another one comes first.
            for (number, title) in [(0, "Chair red"), (1, "Chair blue")] {
                let path = format!("/v1/products/{}", products[number]);
                let other = format!("{} {title}", ["Zzz", "Aaa"][(number + seen.len()) % 2]);
                shop.patch(&path).by(&admin).json(json!({"title": other})).send().await.expect(200);
                let price = json!({"price": {"amount": 5_000 - 4_000 * number, "currency": "EUR"}});
                let path = format!("{path}/variants/{}", variants[number]);
                shop.patch(&path).by(&admin).json(price).send().await.expect(200);
            }
            shop.product(&format!("NEW-{sort:?}-{}", seen.len()), 10, 0).await;
            let head = shop.log.head().await.unwrap();
            shop.get("/v1/products").after(head).send().await.expect(200);
        }
        for product in &products[..2] {
            assert_eq!(seen.iter().filter(|it| *it == product).count(), 1, "{sort:?}: {seen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_products_of_a_seller_name_it_and_go_with_it() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let seller = shop.seller(&ada, "kettles").await;
    let (product, variant) = shop.product_of(&seller, &ada, "K-1", 900, 5).await;
    shop.product("HOUSE-1", 100, 1).await;
    shop.at_rest().await;
    let client = Client::of(&shop).await;
    let asked = || SearchProductsRequest { seller: seller.clone(), ..SearchProductsRequest::default() };
    let found = eventually("the product is found", || async {
        let found = client.search(asked()).await.unwrap();
        (found.total > 0).then_some(found)
    })
    .await;
    assert_eq!((found.total, found.products[0].seller.as_ref().unwrap().handle.as_str()), (1, "kettles"));
    let get = || client.get(Some(By::Product(product.clone())));
    assert_eq!(get().await.unwrap().product.unwrap().seller.unwrap().name, "Seller kettles");
    let valid = || client.validate("EUR", vec![line(&variant, 1)]);
    assert!(valid().await.unwrap().purchasable);
    shop.decide(&seller, "suspend").await.expect(200);
    expect(get().await, Code::NotFound, "product.missing");
    let lines = valid().await.unwrap().lines;
    assert_eq!(lines[0].problems[0].code, "unavailable");
    shop.at_rest().await;
    eventually("nothing is found", || async { (client.search(asked()).await.unwrap().total == 0).then_some(()) }).await;
    let unreadable = SearchProductsRequest { seller: "kettles".to_owned(), ..SearchProductsRequest::default() };
    expect(client.search(unreadable).await, Code::InvalidArgument, "request.invalid_query");
}
