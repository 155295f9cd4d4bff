//! The program's log on stderr, and its metrics for Prometheus.
//!
//! Neither contains personal data or secrets: only ids, codes, counts and durations.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::access_log;
use crate::config::{Config, LogFormat};
use crate::edge::trail::SECURITY;
use crate::operations::catalog;

/// Upper bounds of what is measured in seconds: few, since each is a series of every route.
const SECONDS: [f64; 6] = [0.005, 0.025, 0.1, 0.5, 2.5, 10.0];
/// Upper bounds of what is counted in a batch.
const SIZES: [f64; 5] = [1.0, 4.0, 16.0, 64.0, 256.0];

/// The default log filter. An outage of Postgres and its end are logged once by its monitor, and those of NATS by the
/// relay and the feed, so the messages of the libraries about each connection are left out.
const ROLE_LEVEL: &str = "info,sqlx=error,async_nats=off";
/// The same for a command that prints its answer anyway.
const COMMAND_LEVEL: &str = "warn";

/// Starts the log of the program; once per process. A role says more than a command that prints its answer.
pub fn start_log(config: &Config, is_a_role: bool) {
    let unasked = if is_a_role { ROLE_LEVEL } else { COMMAND_LEVEL };
    let level = config.log_level.as_deref().unwrap_or(unasked);
    // The configuration was checked, so the second filter stands in for nothing.
    write_lines(EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new(unasked)), config.log_format);
    if config.access_log
        && let Err(error) = access_log::start()
    {
        tracing::error!(%error, "there is no access log");
    }
}

/// Starts the log of a server that reads no settings; once per process.
pub fn start_plain_log() {
    write_lines(EnvFilter::new(ROLE_LEVEL), LogFormat::Text);
}

fn write_lines(filter: EnvFilter, format: LogFormat) {
    // What an investigation asks for is written whatever the level.
    let filter = filter.or(filter_fn(|line| line.target() == SECURITY));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

/// Starts collecting metrics; the handle renders them for `/metrics`. Once per process.
///
/// # Errors
/// When another recorder is there already.
pub fn start_metrics() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_commands".into()), &SIZES)?
        .install_recorder()?;
    catalog::describe();
    Ok(handle)
}
