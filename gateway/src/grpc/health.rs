//! Whether the shop can answer, as gRPC's health checking protocol asks it (grpc.health.v1).

use futures_util::stream::Empty;
use tonic::{Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_server};

use super::protocol::METHODS;
use crate::app::Shared;

/// Answers what `/health/ready` answers.
pub(super) struct Health(Shared);

impl Health {
    pub(super) fn new(app: Shared) -> Self {
        Self(app)
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = Empty<Result<HealthCheckResponse, Status>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        let is_ours = |method: &&str| method.strip_prefix('/').and_then(|it| it.split('/').next()) == Some(&*service);
        if !service.is_empty() && !METHODS.iter().any(is_ours) {
            return Err(Status::not_found("unknown service"));
        }
        let status = if self.0.health.readiness().ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        Ok(Response::new(HealthCheckResponse { status: status as i32 }))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        // The protocol leaves it to the server; its clients ask Check then.
        Err(Status::unimplemented("Watch is not implemented; poll Check instead"))
    }
}
