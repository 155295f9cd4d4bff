//! Every metric of the program: its name, what it counts, in which unit. The dashboard and the alert rules in `docs/ops` name
//! no others, which a test checks.
//!
//! Names follow the conventions of Prometheus: base units, the unit last, `_total` for what only grows.

use metrics::Unit;

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that only grows.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// A distribution of values.
    Histogram,
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// The kind.
    pub kind: Kind,
    /// The help text.
    pub help: &'static str,
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, help }
}

const fn histogram(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, help }
}

/// Metrics that are recorded where things happen.
pub const RECORDED: &[Metric] = &[
    counter("byteshop_http_requests_total", "HTTP requests by route, method and status"),
    histogram("byteshop_http_request_duration_seconds", "Seconds from a request to the head of its response"),
    counter("byteshop_commands_total", "Commands by name and outcome"),
    counter("byteshop_command_retries_total", "Commands that were decided again after a version conflict"),
    histogram("byteshop_append_duration_seconds", "Duration of a group commit in seconds"),
    histogram("byteshop_append_batch_commands", "Commands per group commit"),
    counter("byteshop_relay_published_events_total", "Events that the relay published to JetStream"),
    gauge("byteshop_feed_on_jetstream", "1 while the views are fed from JetStream, 0 while they read Postgres"),
    counter("byteshop_notifications_total", "Attempts to send a message, by channel and outcome"),
    counter("byteshop_webhook_deliveries_total", "Attempts to deliver an event to a webhook endpoint, by outcome"),
    counter("byteshop_password_hashes_total", "Passwords hashed or verified"),
    counter("byteshop_receipts_expired_total", "Receipts of commands that were deleted after they expired"),
    counter("byteshop_server_restarts_total", "Restarts of the private Postgres or NATS after an unexpected end"),
];

/// Metrics that are read at each scrape.
pub const READ: &[Metric] = &[
    gauge("byteshop_build_info", "1; the version is a label"),
    gauge("byteshop_ready", "1 while this process is ready for requests"),
    gauge("byteshop_role_up", "1 while a role of this process, or Postgres, is up"),
    gauge("byteshop_follower_up", "1 while a view, a process or the relay follows the log, in any process of the shop"),
    gauge("byteshop_follower_lag_events", "Events that a follower has not handled yet; absent while that is unknown"),
    gauge(
        "byteshop_follower_lag_seconds",
        "Age of the oldest event that a follower has not handled; absent while that is unknown",
    ),
    counter("byteshop_log_events_total", "Events in the log"),
    gauge("byteshop_pool_connections", "Connections to Postgres by pool and state"),
    gauge("byteshop_pool_connections_max", "Connections to Postgres that a pool may have"),
    gauge("byteshop_notifications_dead", "Dead notifications, which wait for an operator"),
    gauge("byteshop_webhook_endpoints_failing", "Webhook endpoints whose latest delivery failed"),
    gauge("byteshop_webhook_failing_seconds", "Seconds for which the longest-failing webhook endpoint has failed"),
    counter("process_cpu_seconds_total", "CPU seconds, user and system"),
    gauge("process_start_time_seconds", "Start of the process, in seconds since 1970"),
    gauge("process_resident_memory_bytes", "Resident memory"),
    gauge("process_virtual_memory_bytes", "Virtual memory"),
    gauge("process_threads", "Threads"),
    gauge("process_open_fds", "Open file descriptors"),
    gauge("process_max_fds", "Limit of open file descriptors"),
];

/// Registers the help texts of the recorded metrics.
pub fn describe() {
    for Metric { name, kind, help } in RECORDED {
        let unit = if name.ends_with("_seconds") { Unit::Seconds } else { Unit::Count };
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, unit, *help),
            Kind::Gauge => metrics::describe_gauge!(*name, unit, *help),
            Kind::Histogram => metrics::describe_histogram!(*name, unit, *help),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        let mut names = BTreeSet::new();
        for Metric { name, kind, help } in RECORDED.iter().chain(READ) {
            assert!(names.insert(name), "{name} stands twice");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(!help.is_empty() && !help.ends_with('.'), "{name}");
            if *kind == Kind::Histogram {
                assert!(["_seconds", "_bytes", "_commands"].iter().any(|unit| name.ends_with(unit)), "{name}");
            }
        }
    }
}
