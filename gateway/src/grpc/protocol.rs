//! The differences between gRPC and the rest of HTTP: methods, media type and status.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tonic::{Code, Status};

use super::status;

/// Every method of the shop's own.
pub(crate) const METHODS: [&str; 3] = [
    "/byteshop.v1.CatalogService/GetProduct",
    "/byteshop.v1.CatalogService/SearchProducts",
    "/byteshop.v1.CatalogService/ValidateLines",
];
/// How well the shop is: gRPC's own health checking protocol. `Watch` says that it is not served.
pub(super) const HEALTH: [&str; 2] = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"];
/// Which services there are: gRPC's own reflection protocol, and the name it had before, which many clients still ask under.
pub(super) const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Whether a route is a method, whatever a request to it claims to be.
pub(crate) fn is_method(route: &str) -> bool {
    METHODS.contains(&route) || HEALTH.contains(&route) || REFLECTION.contains(&route)
}

/// Whether a request is answered as gRPC answers: a call of a method, or of one that there is not. A request to any other route
/// is none, whatever it claims to be.
pub(crate) fn is_call(route: Option<&str>, headers: &HeaderMap) -> bool {
    route.is_none_or(is_method) && speaks(headers)
}

/// The HTTP status that corresponds to a gRPC response: gRPC responds with 200, and has its own status in a header.
pub(crate) fn status_of(response: &Response) -> StatusCode {
    match response.headers().get(Status::GRPC_STATUS) {
        Some(code) => status::of(Code::from_bytes(code.as_bytes())),
        None => response.status(),
    }
}

/// Whether a request claims to be a call of gRPC.
pub(super) fn speaks(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    // `application/grpc-web` is another protocol.
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::response::IntoResponse as _;
    use prost::Message as _;

    use super::*;
    use crate::grpc::DESCRIBED;

    #[test]
    fn every_method_of_the_contracts_is_a_route() {
        let described = prost_types::FileDescriptorSet::decode(DESCRIBED).unwrap();
        let mut methods = BTreeSet::new();
        for file in &described.file {
            for service in &file.service {
                let of = |name: &str| format!("/{}.{}/{name}", file.package(), service.name());
                methods.extend(service.method.iter().map(|method| of(method.name())));
            }
        }
        assert_eq!(methods, METHODS.map(str::to_owned).into());
    }

    #[test]
    fn no_header_makes_a_call_of_another_route() {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"))]);
        for method in METHODS.iter().chain(&HEALTH).chain(&REFLECTION) {
            assert!(is_call(Some(method), &headers) && !is_call(Some(method), &HeaderMap::new()), "{method}");
        }
        assert!(is_call(None, &headers));
        assert!(!is_call(Some("/v1/carts/{id}/coupons"), &headers));
    }

    #[test]
    fn what_a_method_refuses_is_no_success() {
        for (code, status) in [(Code::Ok, 200), (Code::PermissionDenied, 403), (Code::Unauthenticated, 401)] {
            assert_eq!(status_of(&Status::new(code, "").into_http::<axum::body::Body>()).as_u16(), status);
        }
        assert_eq!(status_of(&StatusCode::CREATED.into_response()), StatusCode::CREATED);
    }

    #[test]
    fn only_grpc_itself_is_grpc() {
        let spoken = |kind: &'static str| {
            speaks(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]))
        };
        for kind in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
            assert!(spoken(kind), "{kind}");
        }
        for kind in ["application/grpc-web", "application/json", "application/grp", ""] {
            assert!(!spoken(kind), "{kind}");
        }
    }
}
