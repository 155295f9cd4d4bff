//! What requests leave in the program's log: the real program, whose log is read line by line.

use byteshop_gateway::grpc::v1::catalog_service_client::CatalogServiceClient;
use byteshop_gateway::grpc::v1::{ProductVisibility, SearchProductsRequest};
use byteshop_tests::patience::eventually;
use byteshop_tests::program::Program;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery staple";
const EMAIL: &str = "ada-unmistakable@example.org";

struct Shop {
    program: Program,
    http: String,
    client: Client,
}

impl Shop {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[(&'static str, &str)]) -> Self {
        let mut program = Program::new();
        for (name, value) in settings {
            program.set(name, *value);
        }
        program.start().await;
        let http = program.run_json().unwrap()["http"].as_str().unwrap().to_owned();
        Self { program, http, client: Client::new() }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.http))
    }

    async fn post(&self, path: &str, body: Value) -> Response {
        self.call(Method::POST, path).json(&body).send().await.unwrap()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.program.data().join("shop.log")).unwrap()
    }

    /// The lines about a request: of the access log, and of what is told beside it.
    async fn lines(&self, request: &str) -> (Value, Vec<String>) {
        let of = || async {
            let log = self.log();
            let about: Vec<String> = log.lines().filter(|line| line.contains(request)).map(str::to_owned).collect();
            let (access, others): (Vec<String>, Vec<String>) =
                about.into_iter().partition(|line| line.contains("\"target\":\"access\""));
            let [access] = access.as_slice() else { return None };
            Some((serde_json::from_str(access).unwrap(), others))
        };
        eventually("the request has its line", of).await
    }
}

fn id_of(response: &Response) -> String {
    response.headers()["x-request-id"].to_str().unwrap().to_owned()
}

async fn body(response: Response) -> Value {
    response.json().await.unwrap()
}

/// An account with one order, and a guest's order beside it.
struct People {
    token: String,
    order: String,
    others: String,
    guest: String,
    key: String,
    staff: String,
}

async fn people(shop: &Shop) -> People {
    shop.post("/v1/auth/register", json!({"email": EMAIL, "password": PASSWORD})).await;
    let token = shop.program.say(&["token", "customer"]);
    let staff = shop.program.say(&["token", "admin"]);
    let new = json!({"title": "Thing"});
    let product =
        body(shop.call(Method::POST, "/v1/products").bearer_auth(&staff).json(&new).send().await.unwrap()).await;
    let product = format!("/v1/products/{}", product["id"].as_str().unwrap());
    let variant = json!({"sku": "T-1", "price": {"amount": 100, "currency": "EUR"}});
    let path = format!("{product}/variants");
    let variant = body(shop.call(Method::POST, &path).bearer_auth(&staff).json(&variant).send().await.unwrap()).await;
    let variant = variant["variants"][0]["id"].as_str().unwrap().to_owned();
    let publish = format!("{product}/publish");
    shop.call(Method::POST, &publish).bearer_auth(&staff).json(&json!({})).send().await.unwrap();
    let received = json!({"type": "received", "quantity": 9});
    let stock = format!("/v1/variants/{variant}/stock");
    shop.call(Method::POST, &stock).bearer_auth(&staff).json(&received).send().await.unwrap();
    let (order, _) = order(shop, &variant, Some(&token)).await;
    let (others, guest) = self::order(shop, &variant, None).await;
    let scopes = json!({"name": "Program", "scopes": ["stock:read"]});
    let made = shop.call(Method::POST, "/v1/admin/api-keys").bearer_auth(&staff).json(&scopes).send().await.unwrap();
    let key = body(made).await["key"].as_str().unwrap().to_owned();
    People { token, order, others, guest, key, staff }
}

/// Places an order of an account or of a guest; gives its path and what opens the guest's cart.
async fn order(shop: &Shop, variant: &str, token: Option<&str>) -> (String, String) {
    let by = |request: RequestBuilder, cart: &str| match token {
        Some(token) => request.bearer_auth(token),
        None => request.header("Cart-Token", cart),
    };
    let made = by(shop.call(Method::POST, "/v1/carts"), "none").json(&json!({"currency": "EUR"})).send().await.unwrap();
    let made = body(made).await;
    let (cart, guest) = (made["id"].as_str().unwrap(), made["cart_token"].as_str().unwrap_or_default().to_owned());
    let line = shop.call(Method::PUT, &format!("/v1/carts/{cart}/lines/{variant}")).json(&json!({"quantity": 1}));
    by(line, &guest).send().await.unwrap().error_for_status().unwrap();
    let address = json!({"country": "DE", "name": "Ada Unmistakable", "lines": ["Lindenstraße 1"],
        "postal_code": "10969", "city": "Berlin", "email": EMAIL});
    let address = shop.call(Method::PUT, &format!("/v1/carts/{cart}/address")).json(&address);
    by(address, &guest).send().await.unwrap().error_for_status().unwrap();
    let placed = by(shop.call(Method::POST, &format!("/v1/carts/{cart}/checkout")), &guest).json(&json!({}));
    let placed = body(placed.send().await.unwrap()).await;
    (format!("/v1/orders/{}", placed["id"].as_str().unwrap()), guest)
}

/// A call of gRPC that only staff may make: the id of the request, and how it was refused.
async fn call(shop: &Shop, token: &str) -> (String, tonic::Status) {
    let channel = tonic::transport::Channel::from_shared(shop.http.clone()).unwrap().connect().await.unwrap();
    let mut client = CatalogServiceClient::new(channel);
    let asked = SearchProductsRequest { visibility: ProductVisibility::All.into(), ..SearchProductsRequest::default() };
    let mut asked = tonic::Request::new(asked);
    asked.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let status = client.search_products(asked).await.unwrap_err();
    (status.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned(), status)
}

/// Calls of gRPC that are refused leave the same lines.
async fn calls_are_told_too(shop: &Shop, people: &People) {
    let (id, status) = call(shop, "forged-unmistakable").await;
    assert_eq!(status.code(), tonic::Code::Unauthenticated, "{status:?}");
    let (access, others) = shop.lines(&id).await;
    assert_eq!((&access["status"], &access["code"]), (&json!(401), &json!("auth.invalid")));
    assert!(matches!(others.as_slice(), [line] if line.contains("refused")), "{others:?}");
    let (id, status) = call(shop, &people.token).await;
    assert_eq!(status.code(), tonic::Code::PermissionDenied, "{status:?}");
    let (access, others) = shop.lines(&id).await;
    assert_eq!(access["status"], 403, "what a method itself refuses");
    assert!(matches!(others.as_slice(), [line] if line.contains("refused")), "{others:?}");
}

/// A link for staff opens the packing list of an order for whoever has it.
async fn a_paper_by_a_link_is_told_too(shop: &Shop, people: &People) {
    let order = body(shop.call(Method::GET, &people.others).bearer_auth(&people.staff).send().await.unwrap()).await;
    let [list, invoice] = ["packing_list", "invoice"].map(|paper| order["papers"][paper].as_str().unwrap().to_owned());
    let follow = async |link: &str| {
        let path = link.strip_prefix(&shop.http).unwrap_or(link);
        let read = shop.call(Method::GET, path).send().await.unwrap();
        assert_eq!(read.status(), StatusCode::OK, "{link}");
        shop.lines(&id_of(&read)).await.1
    };
    let told = follow(&list).await;
    assert!(
        matches!(told.as_slice(), [line] if line.contains("staff has read personal data by a signed link")),
        "{told:?}"
    );
    assert_eq!(follow(&invoice).await, Vec::<String>::new(), "its buyer has the same link");
}

/// Their own new secrets are nothing of somebody else's, nor are those of the shop.
async fn what_staff_makes_for_themselves_is_not_told(shop: &Shop) {
    let made = shop.program.say(&["grant", "eve@example.org", "admin", "--create"]);
    let (_, password) = made.split_once("\npassword ").unwrap();
    let login = json!({"email": "eve@example.org", "password": password});
    let eve = shop.call(Method::POST, "/v1/auth/login").json(&login).send().await.unwrap();
    let eve = body(eve).await["access_token"].as_str().unwrap().to_owned();
    let post = |path: &str| shop.call(Method::POST, path).bearer_auth(&eve);
    let endpoint = json!({"url": "https://example.org/hook", "filter": ["order.*"]});
    for own in [
        post("/v1/me/second-factor"),
        post("/v1/admin/api-keys").json(&json!({"name": "Robot", "scopes": ["stock:read"]})),
        post("/v1/webhook-endpoints").json(&endpoint),
        shop.call(Method::GET, "/v1/me").bearer_auth(&eve),
    ] {
        let made = own.send().await.unwrap();
        assert!(made.status().is_success(), "{made:?}");
        assert_eq!(shop.lines(&id_of(&made)).await.1, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_setting_turns_the_access_log_off_and_none_turns_off_what_is_refused() {
    let shop = Shop::start_with(&[("BYTESHOP_ACCESS_LOG", "0"), ("BYTESHOP_LOG_LEVEL", "error")]).await;
    let ask = async |path: &str| id_of(&shop.call(Method::GET, path).send().await.unwrap());
    let (served, refused) = (ask("/v1/products").await, ask("/v1/me").await);
    let told = || async { shop.log().lines().find(|line| line.contains(&refused)).map(str::to_owned) };
    let line = eventually("the refusal has its line", told).await;
    assert!(line.contains("a request was refused") && line.contains("auth.missing"), "{line}");
    let log = shop.log();
    assert!(!log.contains("\"target\":\"access\"") && !log.contains(&served), "{log}");
    assert_eq!(log.lines().filter(|line| line.contains(&refused)).count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_requests_of_a_program_that_stops_have_their_lines() {
    let mut shop = Shop::start().await;
    let mut asked = Vec::new();
    for number in 0..300 {
        let path = format!("/v1/products?limit={}", number % 7 + 1);
        asked.push(id_of(&shop.call(Method::GET, &path).send().await.unwrap()));
    }
    shop.program.interrupt().await;
    let log = shop.log();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let access = lines.iter().filter(|line| line["target"] == "access");
    let told: Vec<&str> = access.filter_map(|line| line["request_id"].as_str()).collect();
    let own: Vec<&str> = told.into_iter().filter(|id| asked.iter().any(|asked| asked == id)).collect();
    assert_eq!(own, asked, "each has one line, in their order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_and_what_staff_reads_leave_one_line_each_without_a_secret() {
    let shop = Shop::start().await;
    let people = people(&shop).await;
    let wrong = || json!({"email": EMAIL, "password": "wrong password, unmistakable"});
    let login = || shop.call(Method::POST, "/v1/auth/login");
    let get = |path: &str| shop.call(Method::GET, path);
    let disguised = |request: RequestBuilder| request.header("Content-Type", "application/grpc");
    let refusals = [
        (get("/v1/me"), 401, "auth.missing"),
        (get("/v1/me").bearer_auth("forged-unmistakable"), 401, "auth.invalid"),
        (login().json(&wrong()), 401, "auth.wrong_credentials"),
        (get("/v1/admin/accounts").bearer_auth(&people.token), 403, "auth.forbidden"),
        (get(&people.order).bearer_auth(&people.key), 403, "auth.scope"),
        (get(&people.others).bearer_auth(&people.token), 404, "order.missing"),
        (get(&people.order).header("Cart-Token", &people.guest), 404, "order.missing"),
        (shop.call(Method::HEAD, &people.others).bearer_auth(&people.token), 404, "order.missing"),
        // It is the route that makes a call of gRPC, whatever the request says.
        (disguised(get(&people.others).bearer_auth(&people.token)), 404, "order.missing"),
        (disguised(get("/v1/me").bearer_auth("forged-unmistakable")), 401, "auth.invalid"),
    ];
    for (request, status, code) in refusals {
        let response = request.send().await.unwrap();
        let id = id_of(&response);
        assert_eq!(response.status().as_u16(), status, "{code}");
        let (access, others) = shop.lines(&id).await;
        assert_eq!((&access["status"], &access["code"]), (&json!(status), &json!(code)));
        assert!(matches!(others.as_slice(), [line] if line.contains("refused") && line.contains(code)), "{others:?}");
    }
    let mut last = login().json(&wrong()).send().await.unwrap();
    while last.status() != StatusCode::TOO_MANY_REQUESTS {
        last = login().json(&wrong()).send().await.unwrap();
    }
    let (_, others) = shop.lines(&id_of(&last)).await;
    assert!(
        matches!(others.as_slice(), [line] if line.contains("auth.too_many_attempts") && line.contains("mailbox ")),
        "{others:?}"
    );

    calls_are_told_too(&shop, &people).await;
    a_paper_by_a_link_is_told_too(&shop, &people).await;

    // Staff who reads of a person is told; the person themselves is not, nor is what shows nobody.
    for path in [people.order.clone(), "/v1/admin/accounts".to_owned(), format!("{}/invoice", people.order)] {
        let read = get(&path).bearer_auth(&people.staff).send().await.unwrap();
        assert_eq!(read.status(), StatusCode::OK, "{path}");
        let (access, others) = shop.lines(&id_of(&read)).await;
        assert!(access["actor"].as_str().unwrap().starts_with("admin acc_"), "{access}");
        assert!(
            matches!(others.as_slice(), [line] if line.contains("staff has read personal data")),
            "{path}: {others:?}"
        );
    }
    for own in [get(&people.order).bearer_auth(&people.token), get("/v1/products").bearer_auth(&people.staff)] {
        let read = own.send().await.unwrap();
        assert_eq!(read.status(), StatusCode::OK);
        let (access, others) = shop.lines(&id_of(&read)).await;
        assert_eq!(others, Vec::<String>::new());
        assert_eq!(access["client_request_id"], Value::Null);
    }
    what_staff_makes_for_themselves_is_not_told(&shop).await;
    let named =
        get(&people.order).bearer_auth(&people.token).header("X-Request-Id", "018f3e5c-0000-7000-8000-000000000001");
    let (access, _) = shop.lines(&id_of(&named.send().await.unwrap())).await;
    assert_eq!(access["client_request_id"], "018f3e5c-0000-7000-8000-000000000001");
    assert_eq!((&access["method"], &access["route"]), (&json!("GET"), &json!("/v1/orders/{id}")));
    assert_eq!(format!("/v1/orders/{}", access["resource"].as_str().unwrap()), people.order);

    let log = shop.log();
    for secret in
        [PASSWORD, EMAIL, "nmistakable", "127.0.0.1:", &people.token, &people.key, &people.guest, &people.staff]
    {
        let told = log.lines().find(|line| line.contains("request_id") && line.contains(secret));
        assert_eq!(told, None, "{secret}");
    }
}
