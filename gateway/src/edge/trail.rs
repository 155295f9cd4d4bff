//! The log lines of requests: one for the access log, and one more for investigations of attacks and misuse: refusals,
//! and reads of personal data by staff (OWASP ASVS 5, 16.2 and 16.3).
//!
//! Neither contains secrets or personal data: routes are patterns, and the address is a keyed hash that only the shop
//! can compute.

use std::sync::LazyLock;
use std::time::Duration;

use byteshop_domain::Actor;
use http::{StatusCode, Uri};
use tracing::Level;
use uuid::Uuid;

use crate::edge::access::Belongs;
use crate::edge::contract::Contract;
use crate::edge::problem::Problem;

/// The target of the access log.
pub const ACCESS: &str = "access";
/// The target of refusals and of what staff reads.
pub const SECURITY: &str = "security";
/// Hexadecimal digits of the hash of an address: enough to tell visitors apart.
const ADDRESS_DIGITS: usize = 16;
/// Characters of an id after its prefix (TypeID).
const ID_SUFFIX: usize = 26;

/// A request that was answered.
pub(crate) struct Line<'a> {
    pub(crate) request_id: Uuid,
    pub(crate) client_request_id: Option<Uuid>,
    pub(crate) method: &'static str,
    /// The pattern of its path.
    pub(crate) route: &'a str,
    /// The thing in its path, if an id names one.
    pub(crate) resource: Option<&'a str>,
    pub(crate) status: StatusCode,
    pub(crate) bytes: Option<u64>,
    pub(crate) duration: Duration,
    /// The actor; none if there were no valid credentials.
    pub(crate) actor: Option<&'a Actor>,
    /// The problem with which the request was refused.
    pub(crate) problem: Option<&'a Problem>,
    /// The contract of the routes.
    pub(crate) contract: &'a LazyLock<Contract>,
    /// How it shows staff what is known of another person, if it does.
    pub(crate) reading: Option<Reading>,
}

/// How staff gets to read what is known of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Access by role, or by the scope of a key.
    ByRole,
    /// Access by a signed link for staff, which does not identify the reader.
    ByLink,
}

/// Why a request is worth a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The request was refused.
    Refused,
    /// Staff has read what is known of a person.
    StaffRead(Reading),
}

impl Line<'_> {
    /// Whether [`write`](Self::write) leaves anything in the log.
    pub(crate) fn is_written(&self) -> bool {
        tracing::enabled!(target: ACCESS, Level::INFO) || self.kind().is_some()
    }

    /// Writes the line of the access log, and the other one where there is to be one; `address` is the keyed hash of where the
    /// request came from.
    pub(crate) fn write(&self, address: &str) {
        tracing::info!(
            target: ACCESS,
            request_id = %self.request_id,
            client_request_id = self.client_request_id.map(display),
            method = self.method,
            route = self.route,
            resource = self.resource,
            status = self.status.as_u16(),
            code = self.problem.map(Problem::code),
            duration_ms = u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
            bytes = self.bytes,
            actor = self.actor.map(display),
            address,
        );
        let said = match self.kind() {
            None => return,
            Some(Kind::Refused) => "a request was refused",
            Some(Kind::StaffRead(Reading::ByRole)) => "staff has read personal data",
            Some(Kind::StaffRead(Reading::ByLink)) => {
                "staff has read personal data by a signed link; the reader is unknown"
            }
        };
        tracing::info!(
            target: SECURITY,
            request_id = %self.request_id,
            method = self.method,
            route = self.route,
            resource = self.resource,
            status = self.status.as_u16(),
            code = self.problem.map(Problem::code),
            about = self.problem.and_then(Problem::about),
            actor = self.actor.map(display),
            address,
            "{said}"
        );
    }

    fn kind(&self) -> Option<Kind> {
        let refused = match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => true,
            // A resource of another owner and one that does not exist look the same from outside; here, too.
            StatusCode::NOT_FOUND => {
                let access = self.contract.access(self.method, self.route);
                access.is_some_and(|access| access.belongs != Belongs::Nobody)
            }
            _ => false,
        };
        if refused {
            return Some(Kind::Refused);
        }
        self.reading.filter(|_| self.status.is_success()).map(Kind::StaffRead)
    }
}

/// The hash of an address as lines have it.
pub(crate) fn shortened(mut hash: String) -> String {
    hash.truncate(ADDRESS_DIGITS);
    hash
}

/// The last id in a path. Nothing else of a path is written down: it may hold whatever a client puts there.
pub(crate) fn resource(uri: &Uri) -> Option<&str> {
    let is_id = |part: &&str| {
        part.split_once('_').is_some_and(|(prefix, suffix)| {
            prefix.bytes().all(|byte| byte.is_ascii_lowercase())
                && suffix.len() == ID_SUFFIX
                && suffix.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        })
    };
    uri.path().split('/').rfind(is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(method: &'static str, route: &'static str, status: StatusCode) -> Line<'static> {
        Line {
            request_id: Uuid::nil(),
            client_request_id: None,
            method,
            route,
            resource: None,
            status,
            bytes: None,
            duration: Duration::ZERO,
            actor: None,
            problem: None,
            contract: crate::http::openapi::contract(),
            reading: None,
        }
    }

    #[test]
    fn refusals_are_told_and_what_is_not_found_only_where_it_may_be_anothers() {
        for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS] {
            assert_eq!(line("GET", "/v1/products", status).kind(), Some(Kind::Refused));
        }
        let missing = |method, route| line(method, route, StatusCode::NOT_FOUND).kind();
        for (method, route) in [
            ("GET", "/v1/orders/{id}"),
            ("HEAD", "/v1/orders/{id}"),
            ("PUT", "/v1/carts/{id}/coupons"),
            ("GET", "/v1/payments/{id}"),
        ] {
            assert_eq!(missing(method, route), Some(Kind::Refused), "{route}");
        }
        for (method, route) in [("GET", "/v1/products/{id}"), ("GET", "none"), ("GET", "/health/live")] {
            assert_eq!(missing(method, route), None, "{route}");
        }
        for status in [StatusCode::OK, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY] {
            assert_eq!(line("POST", "/v1/orders/{id}/cancel", status).kind(), None);
        }
    }

    #[test]
    fn staff_who_reads_of_a_person_leaves_a_line() {
        for reading in [Reading::ByRole, Reading::ByLink] {
            let reads = |status| Line { reading: Some(reading), ..line("GET", "/v1/orders/{id}", status) }.kind();
            assert_eq!(reads(StatusCode::OK), Some(Kind::StaffRead(reading)));
            assert_eq!(reads(StatusCode::NOT_MODIFIED), None);
        }
    }

    #[test]
    fn only_ids_of_a_path_are_written_down() {
        let of = |path: &'static str| resource(&Uri::from_static(path)).map(str::to_owned);
        let order = "ord_01h455vb4pex5vsknk084sn02q";
        assert_eq!(of("/v1/orders/ord_01h455vb4pex5vsknk084sn02q/cancel?seal=secret").as_deref(), Some(order));
        for path in [
            "/v1/orders/ada@example.org",
            "/v1/orders/secret_token",
            "/v1/products",
            "/v1/x/ORD_01h455vb4pex5vsknk084sn02q",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
