//! Access control: one table of every route, read from the contract of the routes.
//!
//! A route declares its callers in its `security`: `()` for anybody, `cart_token` for the guest who owns the resource,
//! `bearer` for accounts (`["staff"]`, `["admin"]` or `["seller"]` for these roles only), and `api_key` with the scope
//! that a program needs; on staff routes the tag of the route determines the scope. A resource with an owner is visible
//! to its owner and staff only, which its handler checks. `["member"]` is for accounts that are members of the seller
//! that the resource is of, and for staff; `["owner"]` for the owners of that seller alone. Use cases check both.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use byteshop_domain::api_key::Scope;
use serde_json::Value;

use crate::grpc::protocol::METHODS;
use crate::security::token::Role;

/// The callers of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Anybody.
    pub public: bool,
    /// A guest, by the token of the cart that it is about.
    pub guest: bool,
    /// Accounts with one of these roles.
    pub roles: Vec<Role>,
    /// A program whose key has this scope.
    pub scope: Option<Scope>,
    /// The owner of the resource.
    pub belongs: Belongs,
}

/// The kind of owner that the resource of a route has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Belongs {
    /// The resource has no owner.
    #[default]
    Nobody,
    /// The owner and staff; for all others it does not exist.
    OwnerAndStaff,
    /// Only the owner, not even staff.
    Owner,
    /// The members of a seller, and staff.
    Members,
    /// The owners of a seller, not even staff.
    SellerOwners,
}

/// A route: the method in capitals, and the path with its parameters in braces.
pub type Route = (String, String);

/// Every route with who may call it.
pub type Table = BTreeMap<Route, Access>;

/// Parts of the shop, by the tag of their routes, with what a program needs to see and to change what staff does there.
const SCOPES: [(&str, Scope, Scope); 9] = [
    ("catalog", Scope::CatalogRead, Scope::CatalogWrite),
    ("stock", Scope::StockRead, Scope::StockWrite),
    ("orders", Scope::OrdersRead, Scope::OrdersWrite),
    ("payments", Scope::OrdersRead, Scope::OrdersWrite),
    ("delivery", Scope::OrdersRead, Scope::OrdersWrite),
    ("promotions", Scope::PromotionsWrite, Scope::PromotionsWrite),
    ("tax", Scope::SettingsWrite, Scope::SettingsWrite),
    ("shipping", Scope::SettingsWrite, Scope::SettingsWrite),
    ("webhooks", Scope::WebhooksWrite, Scope::WebhooksWrite),
];

/// Routes of staff that require re-authentication, which programs cannot give.
const IN_PERSON: [(&str, &str); 1] = [("delete", "/v1/orders/{id}/buyer")];

/// The name, in `security`, of the members of the seller that a resource is of.
const MEMBER: &str = "member";
/// The name, in `security`, of the owners of that seller.
const SELLER_OWNER: &str = "owner";

/// Prefixes of routes that only the owner may call, not staff.
const PRIVATE: [&str; 3] = ["/v1/carts/", "/v1/me/", "/v1/orders/{id}/keys"];

/// The scope of a program on a route of staff, by the tag of the route; none if only people may call it, or if the
/// route names its own scope.
pub(crate) fn scope_by_tag(method: &str, path: &str, operation: &Value) -> Option<Scope> {
    let ways = operation.get("security")?.as_array()?;
    let access = access(path, ways);
    let also_staff = matches!(access.belongs, Belongs::OwnerAndStaff | Belongs::Members);
    let for_staff = also_staff || !access.roles.contains(&Role::Customer);
    let in_person = IN_PERSON.contains(&(method, path));
    if in_person || access.public || access.scope.is_some() || !for_staff || !access.roles.contains(&Role::Support) {
        return None;
    }
    let tag = operation.pointer("/tags/0")?.as_str()?;
    let (_, see, change) = SCOPES.into_iter().find(|(known, ..)| *known == tag)?;
    Some(if method == "get" { see } else { change })
}

fn is_private(path: &str) -> bool {
    PRIVATE.iter().any(|start| path.starts_with(start))
}

/// Reads the document that the routes make, which has no methods of gRPC.
pub(super) fn read(document: &Value) -> Table {
    let mut table = Table::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let route = (method.to_uppercase(), path.clone());
            let access = match operation.get("security").and_then(Value::as_array) {
                Some(ways) if !ways.is_empty() => access(path, ways),
                // Health, metrics and documents need no credentials.
                Some(_) | None => Access { public: true, ..Access::default() },
            };
            table.insert(route, access);
        }
    }
    // Each of them serves what anybody may see, and shows staff more of it.
    let public = Access { public: true, ..Access::default() };
    table.extend(METHODS.map(|path| (("POST".to_owned(), path.to_owned()), public.clone())));
    table
}

fn access(path: &str, ways: &[Value]) -> Access {
    let mut access = Access::default();
    for way in ways.iter().filter_map(Value::as_object) {
        access.public |= way.is_empty();
        access.guest |= way.contains_key("cart_token");
        if let Some(names) = way.get("bearer").and_then(Value::as_array) {
            access.roles.extend(roles(names));
            if names.is_empty() && path.contains('{') {
                access.belongs = if is_private(path) { Belongs::Owner } else { Belongs::OwnerAndStaff };
            }
            for (name, belongs) in [(MEMBER, Belongs::Members), (SELLER_OWNER, Belongs::SellerOwners)] {
                if names.iter().any(|known| known == name) {
                    access.belongs = belongs;
                }
            }
        }
        let names = way.get("api_key").and_then(Value::as_array).into_iter().flatten();
        access.scope = access.scope.or_else(|| names.filter_map(Value::as_str).find_map(Scope::named));
    }
    if access.public {
        access.belongs = Belongs::Nobody;
    }
    access.roles.sort_unstable();
    access.roles.dedup();
    access
}

fn roles(names: &[Value]) -> Vec<Role> {
    if names.is_empty() {
        return Role::ALL.to_vec();
    }
    let meant = |name: &str| match name {
        "staff" => vec![Role::Support, Role::Admin],
        "seller" => vec![Role::Seller, Role::Admin],
        MEMBER | SELLER_OWNER => Role::ALL.to_vec(),
        _ => name.parse().into_iter().collect(),
    };
    names.iter().filter_map(Value::as_str).flat_map(meant).collect()
}

fn is_shown(path: &str) -> bool {
    path.starts_with("/v1/") || METHODS.contains(&path)
}

/// The table as a page for people.
pub fn page(table: &Table) -> String {
    let mut page = String::from(
        "# Access\n\n\
         Who may call each route under `/v1` and each method of gRPC. The table is generated from the `security` of the \
         routes; the integration test `access` calls each route as each kind of caller.\n\n\
         - Anybody: no token is required.\n\
         - Owner: the account or the guest that the resource belongs to. Other customers get 404; where staff has access, too, the row says so.\n\
         - Members of the seller: the accounts that act for the seller, or for the seller of the product, parcel or return; its owners are some of them. \
         All others get 404, or 403 where the resource is public, such as a published product. Members who are no owners get 403 \
         where only owners are listed; they may leave.\n\
         - Programs need an API key with the scope.\n\
         - All other callers get 401 without a token and 403 with one.\n\n\
         | route | who | scope of a key |\n| --- | --- | --- |\n",
    );
    for ((method, path), access) in table.iter().filter(|((_, path), _)| is_shown(path)) {
        let scope = access.scope.map_or(String::new(), |scope| format!("`{}`", scope.as_str()));
        let _ = writeln!(page, "| {method} {path} | {} | {scope} |", access.words());
    }
    page
}

impl Access {
    fn words(&self) -> &'static str {
        let staff_only = !self.roles.contains(&Role::Customer);
        match (self.public, self.belongs, self.guest) {
            (true, ..) => "anybody",
            (false, Belongs::Members, _) => "members of the seller, staff",
            (false, Belongs::SellerOwners, _) => "owners of the seller",
            (false, Belongs::OwnerAndStaff, true) => "owner (account or guest), staff",
            (false, Belongs::OwnerAndStaff, false) => "owner, staff",
            (false, Belongs::Owner, true) => "owner (account or guest)",
            (false, Belongs::Owner, false) => "owner",
            (false, Belongs::Nobody, _) if self.roles == [Role::Admin] => "admin",
            (false, Belongs::Nobody, _) if staff_only && self.roles.contains(&Role::Seller) => "seller, admin",
            (false, Belongs::Nobody, _) if staff_only => "support, admin",
            (false, Belongs::Nobody, true) => "any account, or a guest",
            (false, Belongs::Nobody, false) => "any account",
        }
    }
}
