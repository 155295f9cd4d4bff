//! gRPC for other programs, on the port of HTTP and behind the same edge.
//!
//! A method is a route like any other: limits, request ids and metrics come from [`edge`](crate::edge), the caller is
//! read by [`Caller`], and an error is a [`Problem`], which `status` converts to gRPC. The contracts are in `proto/`.

use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post_service};
use http::{HeaderMap, StatusCode};
use tokio::time::timeout;
use tonic::{Code, Status};
use tonic_health::pb::health_server::HealthServer;

use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::body;
use crate::edge::problem::Problem;
use catalog::Catalog;
use health::Health;
use protocol::{HEALTH, METHODS, REFLECTION, speaks};
use v1::catalog_service_server::CatalogServiceServer;

mod catalog;
mod health;
pub(crate) mod protocol;
mod status;
pub mod v1;

/// The descriptors of all services, for reflection.
const DESCRIBED: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/generated/byteshop.bin"));

/// Largest message that is read: a hundred lines, or a search with every filter, ten times over.
const MESSAGE_MAX: usize = 128 << 10;
/// How long a call may take until its answer begins: its message is small, and nothing that it asks for takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

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
            tracing::error!(%error, "cannot build the reflection service");
            router
        }
    }
}

/// The layer of every method: requires gRPC, reads the caller, and limits the time of the call.
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

/// The problem of a message that could not be decoded, so that no method has seen it. The library reports it as an
/// internal error; errors of methods have details.
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
