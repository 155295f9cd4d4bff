//! The log lines of requests: one for the access log, and one more for investigations of attacks and misuse: refusals,
//! and reads of personal data by staff (OWASP ASVS 5, 16.2 and 16.3).
//!
//! Neither contains secrets or personal data: routes are patterns, and the address is a keyed hash that only the shop
//! can compute.

use std::sync::LazyLock;
use std::time::Duration;

use byteshop_domain::Actor;
use byteshop_eventstore::Clock;
use chrono::{DateTime, SecondsFormat, Utc};
use http::{StatusCode, Uri};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::access_log;
use crate::edge::access::Belongs;
use crate::edge::contract::Contract;
use crate::edge::problem::Problem;

/// The target of the access log.
const ACCESS: &str = "access";
/// The target of refusals and of what staff reads.
pub const SECURITY: &str = "security";
/// Hexadecimal digits of the hash of an address: enough to tell visitors apart.
const ADDRESS_DIGITS: usize = 16;
/// Bytes of a line of the access log, about.
const LINE: usize = 512;
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

/// A line of the access log: JSON whatever the rest of the log looks like, as programs read it, with the names of the rest.
#[derive(Serialize)]
struct Access<'a> {
    timestamp: String,
    level: &'static str,
    request_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_request_id: Option<Uuid>,
    method: &'static str,
    route: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<Named<'a>>,
    address: &'a str,
    target: &'static str,
}

/// An actor as the log names them.
struct Named<'a>(&'a Actor);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
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
        access_log::is_on() || self.kind().is_some()
    }

    /// Writes the line of the access log, and the other one where there is to be one; `address` is the keyed hash of where the
    /// request came from.
    pub(crate) fn write(&self, address: &str) {
        if access_log::is_on() {
            access_log::add(&self.access(Clock.now(), address));
        }
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

    /// The line of the access log, with its end.
    fn access(&self, now: DateTime<Utc>, address: &str) -> Vec<u8> {
        let access = Access {
            timestamp: now.to_rfc3339_opts(SecondsFormat::Micros, true),
            level: "INFO",
            request_id: self.request_id,
            client_request_id: self.client_request_id,
            method: self.method,
            route: self.route,
            resource: self.resource,
            status: self.status.as_u16(),
            code: self.problem.map(Problem::code),
            duration_ms: u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
            bytes: self.bytes,
            actor: self.actor.map(Named),
            address,
            target: ACCESS,
        };
        let mut line = Vec::with_capacity(LINE);
        // Texts and numbers, which JSON can always write.
        let _ = serde_json::to_writer(&mut line, &access);
        line.push(b'\n');
        line
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
    fn a_line_of_the_access_log_has_what_is_known() {
        let line = line("GET", "/v1/products/{id}", StatusCode::OK);
        let now = DateTime::UNIX_EPOCH;
        let written = |line: &Line| String::from_utf8(line.access(now, "0123456789abcdef")).unwrap();
        assert_eq!(
            written(&line),
            concat!(
                r#"{"timestamp":"1970-01-01T00:00:00.000000Z","level":"INFO","#,
                r#""request_id":"00000000-0000-0000-0000-000000000000","method":"GET","route":"/v1/products/{id}","#,
                r#""status":200,"duration_ms":0,"address":"0123456789abcdef","target":"access"}"#,
                "\n"
            )
        );
        let (actor, problem) = (Actor::Guest { cart: None }, Problem::missing("product"));
        let line = Line { bytes: Some(7), actor: Some(&actor), problem: Some(&problem), ..line };
        let written = written(&line);
        assert!(written.contains(r#""code":"product.missing""#) && written.contains(r#""bytes":7,"actor":"guest""#));
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
