//! The cost of a request in the quota of an address: some requests cost five hundred times as much as others.
//!
//! One unit stands for about a millisecond of CPU, Postgres included, at the largest size that the route allows
//! (measured on two cores: a cart of 100 lines 5.7, docs/PERFORMANCE.md). 60,000 units a minute are one core, so one
//! address leaves room for others on the smallest machine that a shop runs on.

use std::num::NonZeroU32;

use http::Method;

use crate::grpc::protocol;

/// One resource, read from the cache or with one query; a document; a file.
const READ: u32 = 1;
/// A page of a list, a search with its facets.
const LIST: u32 = 6;
/// A cart with its prices, taxes and shipping, or a quote of them.
const PRICED: u32 = 6;
/// A command with its append.
const WRITE: u32 = 4;
/// A command on a cart, whose answer is priced.
const CART_WRITE: u32 = 8;
/// An export of all data about a person.
const EXPORT: u32 = 50;
/// A variant for each of 100 combinations.
const MATRIX: u32 = 200;
/// An image: decoded, scaled down twice and encoded again.
const PICTURE: u32 = 300;
/// A thousand products.
const BULK: u32 = 1_000;
/// A hundred thousand keys: encrypted, hashed, and written with two indexes.
const KEYS: u32 = 4_000;

/// Routes that cost more than others of their method.
const ROUTES: [(&str, &str, u32); 9] = [
    ("POST", "/v1/products/bulk", BULK),
    ("POST", "/v1/products/{id}/images", PICTURE),
    ("POST", "/v1/variants/{id}/keys", KEYS),
    ("POST", "/v1/products/{id}/variants/matrix", MATRIX),
    ("GET", "/v1/me/export", EXPORT),
    ("GET", "/v1/me/cart", PRICED),
    ("GET", "/v1/carts/{id}", PRICED),
    ("GET", "/v1/carts/{id}/shipping-options", PRICED),
    ("POST", "/v1/delivery/quotes", PRICED),
];

/// The units of a request to a route, as the router writes it; a path that no route has costs as little as there is.
pub fn of(method: &Method, route: Option<&str>) -> NonZeroU32 {
    let units = match route {
        Some(route) => units(method, route),
        None => READ,
    };
    NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN)
}

fn units(method: &Method, route: &str) -> u32 {
    // HEAD is answered by the handler of GET, and does the same work.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    if let Some((_, _, units)) = ROUTES.iter().find(|(known, path, _)| *known == method.as_str() && *path == route) {
        return *units;
    }
    if protocol::METHODS.contains(&route) {
        return LIST;
    }
    match (method.is_safe(), route) {
        (false, _) if route.starts_with("/v1/carts") => CART_WRITE,
        (false, _) => WRITE,
        // What ends with an id is one thing, everything else under /v1 a list or a view.
        (true, _) if route.starts_with("/v1/") && !route.ends_with('}') => LIST,
        (true, _) => READ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_more_counts_more() {
        let units = |method, route| of(&method, Some(route)).get();
        assert_eq!(units(Method::GET, "/v1/products/{id}"), READ);
        assert_eq!(units(Method::GET, "/health/live"), READ);
        assert_eq!(units(Method::GET, "/v1/products"), LIST);
        assert_eq!(units(Method::GET, "/v1/carts/{id}"), PRICED);
        assert_eq!(units(Method::PUT, "/v1/carts/{id}/lines/{variant}"), CART_WRITE);
        assert_eq!(units(Method::POST, "/v1/orders/{id}/cancel"), WRITE);
        assert_eq!(units(Method::POST, "/v1/products/bulk"), BULK);
        assert_eq!(units(Method::HEAD, "/v1/me/export"), EXPORT);
        assert_eq!(of(&Method::GET, None).get(), READ);
    }

    #[test]
    fn every_route_that_is_named_exists() {
        let table = crate::http::openapi::contract().routes();
        for (method, path, _) in ROUTES {
            assert!(table.contains_key(&(method.to_owned(), path.to_owned())), "{method} {path}");
        }
    }
}
