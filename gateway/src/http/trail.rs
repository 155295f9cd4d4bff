//! What requests leave in the program's own log: one line each for the access log, and one more for what an investigation
//! of an attack or of misuse asks for: refusals, and personal data that staff has read (OWASP ASVS 5, 16.2 and 16.3).
//!
//! Neither has secrets or personal data: routes are patterns, and where a request came from is a keyed hash, the same for
//! the same address, which only the shop can make.

use std::time::Duration;

use byteshop_domain::Actor;
use http::{StatusCode, Uri};
use tracing::Level;
use uuid::Uuid;

use crate::access::{self, Belongs};
use crate::problem::Problem;

/// The target of the access log.
pub const ACCESS: &str = "access";
/// The target of refusals and of what staff reads.
pub const SECURITY: &str = "security";
/// Hexadecimal digits of the hash of an address: enough to tell visitors apart.
const ADDRESS_DIGITS: usize = 16;
/// Characters of an id after its prefix (TypeID).
const ID_SUFFIX: usize = 26;

/// A request that was answered.
pub(super) struct Line<'a> {
    pub(super) request_id: Uuid,
    pub(super) client_request_id: Option<Uuid>,
    pub(super) method: &'static str,
    /// The pattern of its path.
    pub(super) route: &'a str,
    /// The thing in its path, if an id names one.
    pub(super) resource: Option<&'a str>,
    pub(super) status: StatusCode,
    pub(super) bytes: Option<u64>,
    pub(super) duration: Duration,
    /// Who asked; none when the credentials were not read, or are none.
    pub(super) actor: Option<&'a Actor>,
    /// What it was refused with.
    pub(super) problem: Option<&'a Problem>,
    /// Whether the answer shows staff what is known of a person.
    pub(super) is_staff_reading: bool,
}

/// Why a request is worth a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It was refused.
    Refused,
    /// Staff has read what is known of a person.
    StaffRead,
}

impl Line<'_> {
    /// Whether [`write`](Self::write) leaves anything in the log.
    pub(super) fn is_written(&self) -> bool {
        tracing::enabled!(target: ACCESS, Level::INFO) || self.kind().is_some()
    }

    /// Writes the line of the access log, and the other one where there is to be one; `address` is the keyed hash of where the
    /// request came from.
    pub(super) fn write(&self, address: &str) {
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
            Some(Kind::StaffRead) => "staff has read personal data",
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
            // A thing of somebody else's and one that there is not look the same from outside; here, too.
            StatusCode::NOT_FOUND => {
                let access = access::of(self.method, self.route);
                access.is_some_and(|access| access.belongs != Belongs::Nobody)
            }
            _ => false,
        };
        if refused {
            return Some(Kind::Refused);
        }
        (self.is_staff_reading && self.status.is_success()).then_some(Kind::StaffRead)
    }
}

/// The hash of an address as lines have it.
pub(super) fn shortened(mut hash: String) -> String {
    hash.truncate(ADDRESS_DIGITS);
    hash
}

/// The last id in a path. Nothing else of a path is written down: it may hold whatever a client puts there.
pub(super) fn resource(uri: &Uri) -> Option<&str> {
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
            is_staff_reading: false,
        }
    }

    #[test]
    fn refusals_are_told_and_what_is_not_found_only_where_it_may_be_anothers() {
        for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS] {
            assert_eq!(line("GET", "/v1/products", status).kind(), Some(Kind::Refused));
        }
        let missing = |method, route| line(method, route, StatusCode::NOT_FOUND).kind();
        for (method, route) in
            [("GET", "/v1/orders/{id}"), ("PUT", "/v1/carts/{id}/coupons"), ("GET", "/v1/payments/{id}")]
        {
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
        let reads = |status| Line { is_staff_reading: true, ..line("GET", "/v1/orders/{id}", status) }.kind();
        assert_eq!(reads(StatusCode::OK), Some(Kind::StaffRead));
        assert_eq!(reads(StatusCode::NOT_MODIFIED), None);
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
