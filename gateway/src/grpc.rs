//! gRPC: what other programs of the same house ask of the shop, on the port of HTTP and behind the same edge.
//!
//! A method is a route like any other: limits, request ids and metrics come from [`edge`](crate::http), who asks is read by
//! [`Caller`], and a refusal is a [`Problem`], which `status` writes as gRPC does. The contracts are in `proto/`.

use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post_service};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::timeout;
use tonic::{Code, Status};
use tonic_health::pb::health_server::HealthServer;

use crate::edge::actor::Caller;
use crate::edge::body;
use crate::edge::problem::Problem;
use crate::http::Shared;
use catalog::Catalog;
use health::Health;
use v1::catalog_service_server::CatalogServiceServer;

mod catalog;
mod health;
mod status;

/// What `proto/byteshop/v1` says, as Rust.
pub mod v1 {
    #![allow(
        missing_docs,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "made from proto/, where it is documented"
    )]
    tonic::include_proto!("byteshop.v1");
}

/// The description of every service, for whoever asks which there are.
const DESCRIBED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/byteshop.bin"));

/// Every method of the shop's own.
pub(crate) const METHODS: [&str; 3] = [
    "/byteshop.v1.CatalogService/GetProduct",
    "/byteshop.v1.CatalogService/SearchProducts",
    "/byteshop.v1.CatalogService/ValidateLines",
];
/// How well the shop is: gRPC's own health checking protocol. `Watch` says that it is not served.
const HEALTH: [&str; 2] = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"];
/// Which services there are: gRPC's own reflection protocol, and the name it had before, which many clients still ask under.
const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Largest message that is read: a hundred lines, or a search with every filter, ten times over.
const MESSAGE_MAX: usize = 128 << 10;
/// How long a call may take until its answer begins: its message is small, and nothing that it asks for takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether a route is a method, whatever a request to it claims to be.
pub(crate) fn is_method(route: &str) -> bool {
    METHODS.contains(&route) || HEALTH.contains(&route) || REFLECTION.contains(&route)
}

/// Whether a request is answered as gRPC answers: a call of a method, or of one that there is not. A request to any other route
/// is none, whatever it claims to be.
pub(crate) fn is_call(route: Option<&str>, headers: &HeaderMap) -> bool {
    route.is_none_or(is_method) && speaks(headers)
}

/// What a response without a problem came to, in terms of HTTP: gRPC answers 200, and says what a method refused in a header of its
/// own.
pub(crate) fn status_of(response: &Response) -> StatusCode {
    match response.headers().get(Status::GRPC_STATUS) {
        Some(code) => status::of(Code::from_bytes(code.as_bytes())),
        None => response.status(),
    }
}

/// Whether a request claims to be a call of gRPC.
fn speaks(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    // `application/grpc-web` is another protocol.
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The methods, each a route.
pub(crate) fn routes(app: &Shared) -> Router<Shared> {
    let catalog = CatalogServiceServer::new(Catalog::new(app.clone())).max_decoding_message_size(MESSAGE_MAX);
    let health = HealthServer::new(Health::new(app.clone())).max_decoding_message_size(MESSAGE_MAX);
    let entered = |service: MethodRouter<Shared>| service.route_layer(from_fn_with_state(app.clone(), enter));
    let mut router = Router::new();
    for method in METHODS {
        router = router.route(method, entered(post_service(catalog.clone())));
    }
    for method in HEALTH {
        router = router.route(method, entered(post_service(health.clone())));
    }
    let described = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIBED)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let [now, before] = REFLECTION;
    match described().build_v1().and_then(|reflection| Ok((reflection, described().build_v1alpha()?))) {
        Ok((reflection, alpha)) => {
            router.route(now, entered(post_service(reflection))).route(before, entered(post_service(alpha)))
        }
        Err(error) => {
            // It is part of the program, and a test asks for it.
            tracing::error!(%error, "the services cannot be described");
            router
        }
    }
}

/// What is the same for every method: it is gRPC that is spoken, it is known who asks, and the call does not take for ever.
async fn enter(State(app): State<Shared>, request: Request, next: Next) -> Response {
    if !speaks(request.headers()) {
        let detail = "this is a gRPC method; send Content-Type: application/grpc";
        return Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request.unsupported_media_type", detail)
            .into_response();
    }
    let (mut parts, body) = request.into_parts();
    match Caller::from_request_parts(&mut parts, &app).await {
        Ok(caller) => parts.extensions.insert(caller),
        Err(problem) => return problem.into_response(),
    };
    let Ok(response) = timeout(PATIENCE, next.run(Request::from_parts(parts, body))).await else {
        let detail = format!("the call was not answered within {} seconds", PATIENCE.as_secs());
        return Problem::new(StatusCode::REQUEST_TIMEOUT, "request.timeout", detail).into_response();
    };
    match unread(response.headers()) {
        Some(problem) => problem.into_response(),
        None => response,
    }
}

/// What is wrong with a message that no method has seen, since it could not be read. The library calls that its own mistake;
/// what a method refuses has details.
fn unread(headers: &HeaderMap) -> Option<Problem> {
    if headers.contains_key(Status::GRPC_STATUS_DETAILS) {
        return None;
    }
    let code = Code::from_bytes(headers.get(Status::GRPC_STATUS)?.as_bytes());
    if code == Code::Internal {
        return Some(Problem::malformed(
            "request.malformed_message",
            "the message could not be decoded; check it against the .proto file of the service",
        ));
    }
    (code == Code::OutOfRange).then(|| body::too_large(MESSAGE_MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;

    use super::*;

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
