//! Problems as gRPC tells them: a status code, and the same stable code and fields in the details
//! (google.rpc.ErrorInfo, BadRequest and RetryInfo, as AIP-193 wants them).

use std::collections::HashMap;
use std::time::Duration;

use http::StatusCode;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::edge::problem::{Place, Problem};

/// The domain of the reasons.
const DOMAIN: &str = "byteshop";

impl From<&Problem> for Status {
    fn from(problem: &Problem) -> Self {
        let mut details = ErrorDetails::with_error_info(problem.code(), DOMAIN, HashMap::new());
        for error in problem.errors() {
            let (Place::Pointer(field) | Place::Parameter(field)) = &error.place;
            details.add_bad_request_violation(field.trim_start_matches('/').replace('/', "."), &*error.detail);
        }
        if let Some(seconds) = problem.retry_after_s() {
            details.set_retry_info(Some(Duration::from_secs(seconds.into())));
        }
        Self::with_error_details(code(problem), problem.detail(), details)
    }
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        Self::from(&problem)
    }
}

/// The code that says most nearly what the status of HTTP says.
fn code(problem: &Problem) -> Code {
    match (problem.status(), problem.code()) {
        // There is no such method, where with HTTP there is no such path.
        (StatusCode::NOT_FOUND, "request.not_found") | (StatusCode::METHOD_NOT_ALLOWED, _) => Code::Unimplemented,
        (StatusCode::NOT_FOUND, _) => Code::NotFound,
        (StatusCode::UNAUTHORIZED, _) => Code::Unauthenticated,
        (StatusCode::FORBIDDEN, _) => Code::PermissionDenied,
        (StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED, _) => Code::FailedPrecondition,
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE, _) => Code::ResourceExhausted,
        (StatusCode::REQUEST_TIMEOUT, _) => Code::DeadlineExceeded,
        (StatusCode::SERVICE_UNAVAILABLE, _) => Code::Unavailable,
        (status, _) if status.is_client_error() => Code::InvalidArgument,
        _ => Code::Internal,
    }
}

/// The status of HTTP that says the same (google.rpc.Code).
pub(super) fn of(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange | Code::Cancelled => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        // An unknown method or encoding is an error of the client, not of the shop.
        Code::NotFound | Code::Unimplemented => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_keeps_its_code_its_fields_and_when_to_come_back() {
        let problem = Problem::invalid("/lines/0/quantity", "a quantity is at least 1").retry_after(3);
        let status = Status::from(&problem);
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "a quantity is at least 1"));
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("request.invalid", DOMAIN));
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "lines.0.quantity");
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(3)));
    }

    #[test]
    fn each_status_has_its_code() {
        let of = |status, problem_code: &'static str| code(&Problem::new(status, problem_code, ""));
        assert_eq!(of(StatusCode::NOT_FOUND, "product.missing"), Code::NotFound);
        assert_eq!(of(StatusCode::NOT_FOUND, "request.not_found"), Code::Unimplemented);
        assert_eq!(of(StatusCode::BAD_REQUEST, "x"), Code::InvalidArgument);
        assert_eq!(of(StatusCode::SERVICE_UNAVAILABLE, "x"), Code::Unavailable);
        assert_eq!(of(StatusCode::INTERNAL_SERVER_ERROR, "x"), Code::Internal);
    }

    #[test]
    fn what_a_caller_does_wrong_counts_as_no_failure_of_the_shop() {
        for code in [Code::InvalidArgument, Code::Unimplemented, Code::ResourceExhausted, Code::OutOfRange] {
            assert!(super::of(code).is_client_error(), "{code:?}");
        }
    }
}
