//! Who may call what: every route of the document, called as each kind of caller, against the table that the routes make.

mod sellers;

use std::cmp::Reverse;
use std::path::PathBuf;

use byteshop_domain::Decider as _;
use byteshop_domain::ids::AccountId;
use byteshop_domain::mailbox::Mailbox;
use byteshop_domain::notification::Notification;
use byteshop_eventstore::read::{Filter, PAGE};
use byteshop_gateway::edge::access::{self, Access, Belongs, Route};
use byteshop_gateway::http::openapi::contract;
use byteshop_gateway::security::token::{LIFETIME, Role, Tokens};
use byteshop_tests::people::Person;
use byteshop_tests::shop::{Answer, Call, GuestCart, TestShop, address};
use reqwest::Method;
use serde_json::{Value, json};

/// What says that a caller may not ask at all.
const REFUSED: [&str; 5] = ["auth.missing", "auth.invalid", "auth.expired", "auth.forbidden", "auth.scope"];

/// One of each thing that a path can name, and whose it is.
struct Things {
    /// Whose account, cart and order they are.
    owner: Person,
    /// Somebody whom admins may do anything with.
    victim: AccountId,
    owned_cart: String,
    owned_order: String,
    owned_payment: String,
    owned_shipment: String,
    owned_return: String,
    /// A payment of which store credit pays a part, and the id of that.
    covered_payment: String,
    credit: String,
    address: String,
    guest: GuestCart,
    guest_order: String,
    guest_payment: String,
    product: String,
    variant: String,
    /// A seller of the owner of everything, in which the clerk is staff.
    seller: String,
    /// A published product of that seller.
    sold: (String, String),
    /// An order of it, with a parcel and a return.
    sold_order: String,
    sold_shipment: String,
    sold_return: String,
    clerk: Person,
    /// The owner of another seller.
    rival: Person,
}

impl Things {
    async fn make(shop: &TestShop) -> Self {
        let (product, variant) = shop.product("ACCESS", 500, 1_000).await;
        let (owner, victim) = (shop.person("owner@example.org").await, shop.person("victim@example.org").await.id);
        let bought = Self::bought(shop, &owner, &variant).await;
        let (covered_payment, credit) = Self::covered(shop, &owner, &variant).await;
        let (_, owned_shipment, owned_return) = Self::sent(shop, &owner, &variant).await;
        let address = shop.post("/v1/me/addresses").by(&owner.token).json(json!({"country": "DE"})).send().await;
        let (placed, _) = shop.order(&variant, 1).await;
        let (clerk, rival) = (shop.person("clerk@example.org").await, shop.person("rival@example.org").await);
        let seller = shop.seller(&owner, "kettles").await;
        shop.join(&seller, &owner, &clerk, "staff").await;
        shop.seller(&rival, "pans").await;
        let sold = shop.product_of(&seller, &owner, "KETTLE", 900, 5).await;
        let (sold_order, sold_shipment, sold_return) = Self::sent(shop, &owner, &sold.1).await;
        let owned_cart = Self::cart(shop, &owner, &variant).await;
        Self {
            seller,
            sold,
            sold_order,
            sold_shipment,
            sold_return,
            clerk,
            rival,
            owned_order: bought.text("/id").to_owned(),
            owned_shipment,
            owned_return,
            covered_payment,
            credit,
            owned_payment: bought.text("/payment").to_owned(),
            address: address.expect(201).id(),
            guest: shop.full_cart(&variant, 1).await,
            guest_order: placed.text("/id").to_owned(),
            guest_payment: placed.text("/payment").to_owned(),
            owner,
            victim,
            owned_cart,
            product,
            variant,
        }
    }

    /// The payment of an order of which store credit pays a part, and the id of that.
    async fn covered(shop: &TestShop, owner: &Person, variant: &str) -> (String, String) {
        let order = Self::bought(shop, owner, variant).await;
        let one = json!({"type": "granted", "amount": {"amount": 1, "currency": "EUR"}, "reason": "sorry"});
        let path = format!("/v1/admin/accounts/{}/credit", owner.id);
        let granted = shop.post(&path).by(&shop.token(Role::Support)).json(one).send().await.expect(200);
        let pay = shop.post(&format!("/v1/orders/{}/payments", order.id())).by(&owner.token);
        pay.json(json!({"provider": "store_credit"})).send().await.expect(201);
        (order.text("/payment").to_owned(), granted.id())
    }

    /// A paid order with a parcel that is on its way, and a return of what was in it.
    async fn sent(shop: &TestShop, owner: &Person, variant: &str) -> (String, String, String) {
        let id = Self::bought(shop, owner, variant).await.text("/id").to_owned();
        let order = format!("/v1/orders/{id}");
        let (staff, pay) = (shop.token(Role::Support), json!({"provider": "test", "token": "tok_success"}));
        shop.post(&format!("{order}/payments")).by(&owner.token).json(pay).send().await.expect(201);
        byteshop_tests::patience::eventually("the order is paid", || async {
            let order = shop.get(&order).by(&owner.token).send().await.expect(200);
            (order.body["payment_status"] == "paid").then_some(())
        })
        .await;
        let post = json!({"carrier": {"kind": "other", "name": "Post"}});
        let made = shop.post(&format!("{order}/shipments")).by(&staff).json(post).send().await.expect(201).id();
        let hand_over = shop.post(&format!("/v1/shipments/{made}/hand-over")).by(&staff);
        hand_over.json(json!({"tracking": "T-1"})).send().await.expect(200);
        let back = json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "other"});
        let back = shop.post(&format!("{order}/returns")).by(&owner.token).json(back).send().await.expect(201);
        (id, made, back.id())
    }

    async fn cart(shop: &TestShop, owner: &Person, variant: &str) -> String {
        let made = shop.post("/v1/carts").by(&owner.token).json(json!({"currency": "EUR"})).send().await.expect(201);
        let path = format!("/v1/carts/{}", made.id());
        let put = |what: String, body| shop.put(&format!("{path}/{what}")).by(&owner.token).json(body).send();
        put(format!("lines/{variant}"), json!({"quantity": 1})).await.expect(200);
        put("address".into(), address("DE")).await.expect(200);
        made.id()
    }

    async fn bought(shop: &TestShop, owner: &Person, variant: &str) -> Answer {
        let cart = Self::cart(shop, owner, variant).await;
        shop.post(&format!("/v1/carts/{cart}/checkout")).by(&owner.token).send().await.expect(201)
    }

    /// The path with something real in it that belongs to the owner, or to the guest.
    fn path(&self, path: &str, guests: bool) -> String {
        let of = |owned: &str, guests_own: &str| if guests { guests_own.to_owned() } else { owned.to_owned() };
        let id = [
            ("/v1/carts/", of(&self.owned_cart, &self.guest.id)),
            ("/v1/orders/", of(&self.owned_order, &self.guest_order)),
            ("/v1/payments/{id}/covers/", of(&self.covered_payment, &self.guest_payment)),
            ("/v1/payments/", of(&self.owned_payment, &self.guest_payment)),
            ("/v1/shipments/", self.owned_shipment.clone()),
            ("/v1/returns/", self.owned_return.clone()),
            ("/v1/gift-cards/", "val_00000000000000000000000001".to_owned()),
            ("/v1/products/", self.product.clone()),
            ("/v1/variants/", self.variant.clone()),
            ("/v1/sellers/", self.seller.clone()),
            ("/v1/me/addresses/", self.address.clone()),
            ("/v1/me/sessions/", self.owner.session.clone()),
            ("/v1/admin/accounts/", self.victim.to_string()),
        ];
        let real = id.into_iter().find(|(start, _)| path.starts_with(start)).map(|(_, id)| id);
        let path = match real {
            Some(real) => path.replacen("{id}", &real, 1),
            None => path.to_owned(),
        };
        let (mut filled, mut before) = (String::new(), "");
        for part in path.split('/').skip(1) {
            filled.push('/');
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                None => filled.push_str(part),
                Some("variant") => filled.push_str(&self.variant),
                Some("order") => filled.push_str(&self.sold_order),
                Some("file") => filled.push_str("file_00000000000000000000000001"),
                Some("image") => filled.push_str("img_00000000000000000000000001"),
                Some("value") => filled.push_str(&self.credit),
                Some("receipt") => filled.push_str("rcp_00000000000000000000000001"),
                Some("invitation") => filled.push_str("inv_00000000000000000000000001"),
                Some("refund") => filled.push_str("rfd_00000000000000000000000001"),
                Some("id") => filled.push_str(&nothing(before)),
                Some(name) => filled.push_str(&nothing(name)),
            }
            before = part;
        }
        filled
    }

    /// Whether the things that a path is about are made here, so that it can be seen whose they are.
    fn knows(path: &str) -> bool {
        [
            "/v1/carts/",
            "/v1/orders/",
            "/v1/payments/",
            "/v1/shipments/",
            "/v1/returns/",
            "/v1/me/addresses/",
            "/v1/me/sessions/",
        ]
        .iter()
        .any(|start| path.starts_with(start))
    }
}

/// A well-formed id of something that is not there, by what a path calls such things; a text where they have no ids.
fn nothing(things: &str) -> String {
    let one = match things.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => things.strip_suffix('s').unwrap_or(things).to_owned(),
    };
    byteshop_domain::id_of(&one.replace('-', "_"), uuid::Uuid::from_u128(1)).unwrap_or_else(|| "x".to_owned())
}

/// A body that is read, for the routes that belong to somebody and take one; all others get an empty object.
fn body((method, path): &Route) -> Value {
    match (method.as_str(), path.as_str()) {
        ("PUT", "/v1/carts/{id}/lines/{variant}") => json!({"quantity": 1}),
        ("PUT", "/v1/carts/{id}/address" | "/v1/me/addresses/{id}") => json!({"country": "DE"}),
        ("PUT", "/v1/carts/{id}/shipping") => json!({"service": "parcel"}),
        ("PUT", "/v1/carts/{id}/coupons") => json!({"coupons": []}),
        ("POST", "/v1/orders/{id}/payments") => json!({"provider": "test", "token": "tok_success"}),
        ("POST", "/v1/orders/{id}/returns") => {
            json!({"lines": [{"variant": "var_00000000000000000000000001", "quantity": 1}], "reason": "other"})
        }
        ("POST", "/v1/shipments/{id}/status") => json!({"status": "in_transit"}),
        ("POST", "/v1/returns/{id}/reject") => json!({"reason": "the knife was used"}),
        ("POST", "/v1/returns/{id}/receive") => {
            let variant = "var_00000000000000000000000001";
            json!({"lines": [{"variant": variant, "quantity": 1, "condition": "new", "restock": true}]})
        }
        ("POST", "/v1/products") => json!({"title": "Kettle"}),
        ("POST", "/v1/products/{id}/variants") => json!({"sku": "K-1", "price": {"amount": 1, "currency": "EUR"}}),
        ("POST", "/v1/products/{id}/variants/matrix") => {
            let options = json!([{"name": "size", "values": ["S"]}]);
            json!({"sku": "K-{size}", "price": {"amount": 1, "currency": "EUR"}, "options": options})
        }
        ("PUT", "/v1/products/{id}/images") => json!({"images": []}),
        ("POST", "/v1/variants/{id}/stock") => json!({"type": "received", "quantity": 1}),
        ("POST", "/v1/variants/{id}/keys/withdraw") => json!({"batch": 1}),
        ("PUT", "/v1/variants/{id}/keys/pattern") => json!({"pattern": "{16}"}),
        ("POST", "/v1/sellers/{id}/invitations") => json!({"email": "new@example.org", "role": "staff"}),
        ("PUT", "/v1/sellers/{id}/legal-data") => json!({"name": "Kettles", "address": ["Yard 7"], "tax_id": "DE1"}),
        ("PUT", "/v1/sellers/{id}/shipping") => json!({"zones": []}),
        ("POST", "/v1/sellers/{id}/promotions") | ("PUT", "/v1/sellers/{id}/promotions/{promotion}") => {
            json!({"label": "Less", "code": "LESS-1", "benefit": {"kind": "percent", "percent_bps": 1}})
        }
        ("POST", "/v1/sellers/{id}/payouts") => json!({"currency": "EUR"}),
        ("PUT", "/v1/sellers/{id}/payout-account/destination") => json!({"kind": "paypal", "email": "new@example.org"}),
        ("PUT", "/v1/sellers/{id}/payout-account/schedule") => json!({"schedule": "weekly"}),
        ("PUT", "/v1/sellers/{id}/members/{account}") => json!({"role": "staff"}),
        _ => json!({}),
    }
}

fn routes() -> Vec<(&'static Route, &'static Access)> {
    let mut routes: Vec<_> = contract().routes().iter().filter(|((_, path), _)| path.starts_with("/v1/")).collect();
    // What takes things away comes last, so that the others still find them.
    let order = |method: &str| ["GET", "PATCH", "PUT", "POST", "DELETE"].iter().position(|known| *known == method);
    // A part of something goes before the whole of it.
    let parts = |method: &str, path: &str| if method == "DELETE" { path.split('/').count() } else { 0 };
    routes.sort_by_key(|((method, path), _)| (order(method), Reverse(parts(method, path)), path.clone()));
    routes
}

fn call(shop: &TestShop, route: &Route, path: &str) -> Call {
    let method: Method = route.0.parse().unwrap();
    let call = shop.call(method.clone(), path);
    if method == Method::GET { call } else { call.json(body(route)) }
}

fn code(answer: &Answer) -> &str {
    answer.body["code"].as_str().unwrap_or_default()
}

/// What was written after a position, besides mails about orders, which are sent some seconds later.
async fn written_after(shop: &TestShop, position: i64) -> Vec<String> {
    let events = shop.log.read_filtered(position, PAGE, &Filter::default()).await.unwrap();
    let mails = [Notification::CATEGORY, Mailbox::CATEGORY];
    let events = events.into_iter().filter(|event| !mails.contains(&&*event.category));
    events.map(|event| format!("{}.{}", event.category, event.event_type)).collect()
}

/// Whether the caller may ask; what comes of it is another matter.
fn admitted(answer: &Answer) -> bool {
    answer.status < 500 && !REFUSED.contains(&code(answer))
}

/// `make openapi` writes the page anew, beside the document.
#[test]
fn the_page_of_who_may_call_what_is_up_to_date() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/ACCESS.md");
    #[expect(clippy::disallowed_methods, reason = "the tests have no configuration but the environment")]
    if std::env::var_os("BYTESHOP_TEST_WRITE").is_some() {
        std::fs::write(&file, access::page(contract().routes())).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == access::page(contract().routes()), "docs/ACCESS.md is out of date: `make openapi` writes it anew");
}

#[test]
fn every_route_says_who_may_call_it() {
    let document: Value = serde_json::from_str(byteshop_gateway::http::openapi::document()).unwrap();
    for ((method, path), access) in routes() {
        let said = &document["paths"][path][method.to_lowercase()]["security"];
        assert!(said.is_array(), "{method} {path} has no row: say who may call it in its `security`");
        let somebody = access.public || access.guest || !access.roles.is_empty();
        assert!(somebody, "{method} {path} is for nobody: {said}");
        for way in said.as_array().unwrap() {
            let known = way
                .as_object()
                .unwrap()
                .keys()
                .all(|name| ["bearer", "cart_token", "api_key"].contains(&name.as_str()));
            assert!(known, "{method} {path}: {way}");
        }
    }
    for (role, path) in [("admin", "/v1/admin/audit"), ("anybody", "/v1/products")] {
        let access = contract().access("GET", path).unwrap();
        assert_eq!(if access.public { "anybody" } else { "admin" }, role);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_only_what_is_for_anybody_is_open() {
    let shop = TestShop::start().await;
    let things = Things::make(&shop).await;
    for (route, access) in routes() {
        let answer = call(&shop, route, &things.path(&route.1, true)).send().await;
        let said = format!("{route:?}: {}", answer.body);
        match access {
            Access { public: true, .. } => assert!(admitted(&answer), "{said}"),
            // There may be such a thing, but not for nobody.
            Access { guest: true, .. } => assert!(answer.status == 404 || code(&answer) == "auth.missing", "{said}"),
            _ => assert_eq!((answer.status, code(&answer)), (401, "auth.missing"), "{said}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_open_nothing() {
    let shop = TestShop::start().await;
    let things = Things::make(&shop).await;
    let owner = &things.owner;
    let expired = shop.tokens.issue(Role::Admin, owner.id, std::time::Duration::ZERO).unwrap();
    let foreign = Tokens::ephemeral().unwrap().issue(Role::Admin, owner.id, LIFETIME).unwrap();
    let claims = shop.token(Role::Admin);
    let claims = claims.split('.').nth(1).unwrap();
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let forged_key = "bsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned();
    byteshop_tests::patience::eventually("the token expires", || async {
        let answer = shop.get("/v1/me").by(&expired).send().await;
        (code(&answer) == "auth.expired").then_some(())
    })
    .await;
    for (route, access) in routes().into_iter().filter(|(_, access)| !access.public) {
        for token in [&expired, &foreign, &none, &forged_key] {
            let answer = call(&shop, route, &things.path(&route.1, false)).by(token).send().await;
            assert!(answer.status == 401, "{route:?} {access:?} {token}: {}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_somebody_is_there_for_nobody_else() {
    let shop = TestShop::start().await;
    let things = Things::make(&shop).await;
    let (stranger, other) = (shop.person("stranger@example.org").await, shop.guest_cart().await);
    let before = shop.at_rest().await;
    let one = |belongs| matches!(belongs, Belongs::Owner | Belongs::OwnerAndStaff);
    let owned = || routes().into_iter().filter(|(_, access)| one(access.belongs));
    for (route, access) in owned() {
        assert!(Things::knows(&route.1), "{route:?}: make one in `Things`, so that it can be seen whose it is");
        for guests in [false, true].into_iter().filter(|guests| access.guest || !guests) {
            let path = things.path(&route.1, guests);
            for call in [call(&shop, route, &path).by(&stranger.token), call(&shop, route, &path).with(&other)] {
                let answer = call.send().await;
                // Some of it takes an account, which a guest has not.
                let nobody = code(&answer) == "auth.missing";
                assert!(answer.status == 404 || nobody, "{route:?} (give it a body in `body`?): {}", answer.body);
            }
        }
    }
    assert_eq!(written_after(&shop, before).await, [""; 0], "a refusal wrote something");
    for (route, access) in owned() {
        // A guest's cart becomes part of the cart of whoever logs in: it takes both.
        let both = route.1 == "/v1/carts/{id}/merge";
        let mut asked = call(&shop, route, &things.path(&route.1, both)).by(&things.owner.token);
        asked = if both { asked.with(&things.guest) } else { asked };
        let answer = asked.send().await;
        assert!(admitted(&answer) && answer.status != 404, "{route:?} by its owner: {}", answer.body);
        if access.guest {
            let mut call = call(&shop, route, &things.path(&route.1, true));
            call = if route.1.starts_with("/v1/carts/") { call.with(&things.guest) } else { call };
            let answer = call.send().await;
            assert!(!route.1.starts_with("/v1/carts/") || answer.status != 404, "{route:?}: {}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_what_its_row_says() {
    let shop = TestShop::start().await;
    let things = Things::make(&shop).await;
    for role in Role::ALL {
        let token = shop.token(role);
        for (route, access) in routes() {
            let answer = call(&shop, route, &things.path(&route.1, false)).by(&token).send().await;
            let said = format!("{route:?} by {}: {}", role.as_str(), answer.body);
            // Staff knows of the order, and that its keys are for the buyer.
            if role.is_staff() && (answer.status, code(&answer)) == (403, "order.keys_of_buyer") {
                assert_eq!(access.belongs, Belongs::Owner, "{said}");
            } else if access.public || access.roles.contains(&role) {
                assert!(admitted(&answer), "{said}");
                let foreign = match access.belongs {
                    Belongs::Nobody => false,
                    Belongs::OwnerAndStaff | Belongs::Members => !role.is_staff(),
                    Belongs::Owner | Belongs::SellerOwners => true,
                };
                // What everybody sees is not missing; and an image is no JSON.
                let told = code(&answer) == "product.not_yours" || answer.status == 415;
                assert!(!foreign || told || answer.status == 404 || answer.status == 422, "{said}");
            } else {
                assert_eq!((answer.status, code(&answer)), (403, "auth.forbidden"), "{said}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_the_routes_of_its_scopes() {
    use byteshop_domain::api_key::Scope;
    let shop = TestShop::start().await;
    let (things, admin) = (Things::make(&shop).await, shop.token(Role::Admin));
    let key = async |scopes: &[Scope]| {
        let body = json!({"name": "Program", "scopes": scopes});
        let made = shop.post("/v1/admin/api-keys").by(&admin).json(body).send().await.expect(201);
        made.text("/key").to_owned()
    };
    let all = key(&Scope::ALL).await;
    for (route, access) in routes() {
        let lacking: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| Some(*scope) != access.scope).collect();
        let lacking = key(&lacking).await;
        for (token, has) in [(&all, access.scope.is_some()), (&lacking, false)] {
            let answer = call(&shop, route, &things.path(&route.1, false)).by(token).send().await;
            let said = format!("{route:?} {has}: {}", answer.body);
            if access.public || has {
                assert!(admitted(&answer), "{said}");
            } else {
                let expected = if access.scope.is_some() { "auth.scope" } else { "auth.forbidden" };
                assert_eq!((answer.status, code(&answer)), (403, expected), "{said}");
            }
        }
    }
}
