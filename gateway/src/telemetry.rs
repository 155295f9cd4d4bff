//! What the program says of itself: its log on stderr, and its metrics for Prometheus.
//!
//! Neither carries personal data or secrets: ids, codes, counts and durations only.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Upper bounds of what is measured in seconds: from a cached read to a request that timed out.
const SECONDS: [f64; 15] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Upper bounds of what is counted in a batch.
const SIZES: [f64; 12] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0];

/// What is written when nobody says what. What Postgres remarks on migrations is of no use to anybody, and whether
/// JetStream is there is told by the relay.
const ROLE_LEVEL: &str = "info,sqlx=warn,async_nats=warn";
/// The same for a command that prints its answer anyway.
const COMMAND_LEVEL: &str = "warn";

/// Starts the log of the program; once per process. A role says more than a command that prints its answer.
pub fn start_log(config: &Config, is_a_role: bool) {
    let unasked = if is_a_role { ROLE_LEVEL } else { COMMAND_LEVEL };
    let level = config.log_level.as_deref().unwrap_or(unasked);
    // The configuration was checked, so the second filter stands in for nothing.
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new(unasked));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

/// Starts collecting metrics; the handle renders them for `/metrics`. Once per process.
///
/// # Errors
/// When another recorder is there already.
pub fn start_metrics() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_size".into()), &SIZES)?
        .install_recorder()
}
