//! Metrics that are read at each scrape, in the text format of Prometheus (version 0.0.4): only current values, so that
//! nothing that has gone keeps its last value.

use std::fmt::{Display, Write as _};

use byteshop_eventstore::PoolUse;

use super::catalog::{Kind, Metric, READ};
use super::process;
use crate::health::{Health, Readiness, RoleState, Standing};

/// A text that grows metric by metric.
#[derive(Debug, Default)]
struct Exposition(String);

impl Exposition {
    /// Writes a metric with its samples; one without samples is left out.
    fn metric<L, V>(&mut self, name: &str, samples: impl IntoIterator<Item = (L, V)>)
    where
        L: AsRef<[(&'static str, String)]>,
        V: Display,
    {
        let Some(Metric { kind, help, .. }) = READ.iter().find(|metric| metric.name == name) else { return };
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let mut is_first = true;
        for (labels, value) in samples {
            // Writing to a text cannot fail.
            if std::mem::take(&mut is_first) {
                let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
            }
            let labels: Vec<String> =
                labels.as_ref().iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }

    fn single(&mut self, name: &str, value: Option<impl Display>) {
        self.metric(name, value.map(|value| ([], value)));
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The metrics of a process.
pub(super) fn text(health: &Health, pools: &[PoolUse]) -> String {
    let mut out = Exposition::default();
    let version = [("version", env!("CARGO_PKG_VERSION").to_owned())];
    out.metric("byteshop_build_info", [(version, 1)]);
    of_health(&mut out, &health.readiness());
    if let Some(totals) = health.totals() {
        out.single("byteshop_log_events_total", Some(totals.events));
        out.single("byteshop_notifications_dead", Some(totals.notifications_dead));
        out.single("byteshop_webhook_endpoints_failing", Some(totals.webhooks_failing));
        out.single("byteshop_webhook_failing_seconds", Some(totals.webhooks_failing_s));
    }
    let of_pool = |pool: &PoolUse, state: &'static str| [("pool", pool.name.to_owned()), ("state", state.to_owned())];
    let states = pools.iter().flat_map(|pool| {
        [(of_pool(pool, "idle"), pool.idle), (of_pool(pool, "used"), pool.open.saturating_sub(pool.idle))]
    });
    out.metric("byteshop_pool_connections", states);
    let most = pools.iter().map(|pool| ([("pool", pool.name.to_owned())], pool.max));
    out.metric("byteshop_pool_connections_max", most);
    for (name, value) in process::read() {
        out.single(name, Some(value));
    }
    out.0
}

fn of_health(out: &mut Exposition, readiness: &Readiness) {
    out.single("byteshop_ready", Some(u8::from(readiness.ready)));
    let roles =
        readiness.roles.iter().map(|(role, state)| ([("role", (*role).to_owned())], u8::from(*state == RoleState::Up)));
    out.metric("byteshop_role_up", roles);
    let named = || {
        readiness
            .followers
            .iter()
            .map(|follower| ([("part", follower.part.as_str().to_owned()), ("name", follower.name.clone())], follower))
    };
    let up = named().map(|(labels, follower)| (labels, u8::from(follower.state == Standing::Live)));
    out.metric("byteshop_follower_up", up);
    let events = named().filter_map(|(labels, follower)| Some((labels, follower.lag?)));
    out.metric("byteshop_follower_lag_events", events);
    let seconds = named().filter_map(|(labels, follower)| Some((labels, follower.lag_s?)));
    out.metric("byteshop_follower_lag_seconds", seconds);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Totals;
    use crate::health::{Follower, Part};

    #[test]
    fn an_unknown_follower_has_no_lag_and_labels_are_escaped() {
        let health = Health::default();
        let follower = |name: &str, state, lag: Option<i64>| Follower {
            part: Part::Relay,
            name: name.to_owned(),
            state,
            position: lag,
            lag,
            lag_s: lag.map(|lag| lag * 2),
            reason: None,
        };
        health.follow(vec![follower("a", Standing::Unknown, None), follower("b\"\\", Standing::Live, Some(3))]);
        let text = text(&health, &[PoolUse { name: "log", open: 3, idle: 1, max: 9 }]);
        for line in [
            "# HELP byteshop_follower_lag_events Events that a follower has not handled yet; absent while that is unknown",
            "# TYPE byteshop_follower_lag_events gauge",
            r#"byteshop_follower_up{part="relay",name="a"} 0"#,
            r#"byteshop_follower_lag_events{part="relay",name="b\"\\"} 3"#,
            r#"byteshop_follower_lag_seconds{part="relay",name="b\"\\"} 6"#,
            r#"byteshop_pool_connections{pool="log",state="used"} 2"#,
            r#"byteshop_pool_connections_max{pool="log"} 9"#,
            "byteshop_ready 0",
        ] {
            assert!(text.lines().any(|it| it == line), "no {line} in\n{text}");
        }
        assert!(!text.contains(r#"lag_events{part="relay",name="a"}"#), "{text}");
        assert!(!text.contains("byteshop_log_events_total"), "nobody has counted yet:\n{text}");
        health.count(Totals { events: 7, ..Totals::default() });
        assert!(super::text(&health, &[]).lines().any(|it| it == "byteshop_log_events_total 7"));
    }
}
