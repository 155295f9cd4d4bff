//! The metrics of requests. The series of a route are looked up once and kept: looking one up writes out all of its labels.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::StatusCode;
use metrics::{Counter, Histogram};

/// The method of a request and the status of its response.
type Outcome = (&'static str, StatusCode);

/// The series of one kind of requests.
struct Series {
    duration: Histogram,
    count: Counter,
}

/// The series by route: as many as Prometheus gets, since clients can make up neither routes nor methods. Clones share everything.
#[derive(Clone, Default)]
pub struct Measures(Arc<RwLock<HashMap<String, HashMap<Outcome, Series>>>>);

impl Series {
    fn of(route: &str, (method, status): Outcome) -> Self {
        // Times of each status would be six times as many series; a slow refusal is seen in the access log.
        let duration = metrics::histogram!("byteshop_http_request_duration_seconds",
            "method" => method, "route" => route.to_owned());
        let count = metrics::counter!("byteshop_http_requests_total",
            "method" => method, "route" => route.to_owned(), "status" => status.as_u16().to_string());
        Self { duration, count }
    }

    fn record(&self, duration: Duration) {
        self.duration.record(duration);
        self.count.increment(1);
    }
}

impl Measures {
    /// Counts and measures a request.
    pub(crate) fn record(&self, route: &str, outcome: Outcome, duration: Duration) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = all.get(route).and_then(|of_route| of_route.get(&outcome)) {
            series.record(duration);
            return;
        }
        drop(all);
        let series = Series::of(route, outcome);
        series.record(duration);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(route.to_owned()).or_default().insert(outcome, series);
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn a_request_counts_in_the_series_of_its_route_method_and_status() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let measures = Measures::default();
        metrics::with_local_recorder(&recorder, || {
            for (route, method, status) in
                [("/a", "GET", 200), ("/a", "GET", 200), ("/a", "GET", 404), ("/b", "PUT", 200)]
            {
                let outcome = (method, StatusCode::from_u16(status).unwrap());
                measures.record(route, outcome, Duration::from_millis(7));
            }
        });
        let shown = recorder.handle().render();
        for (labels, count) in [
            (r#"method="GET",route="/a",status="200""#, 2),
            (r#"method="GET",route="/a",status="404""#, 1),
            (r#"method="PUT",route="/b",status="200""#, 1),
        ] {
            assert!(shown.contains(&format!("byteshop_http_requests_total{{{labels}}} {count}\n")), "{shown}");
        }
        assert!(
            shown.contains(r#"byteshop_http_request_duration_seconds_count{method="GET",route="/a"} 3"#),
            "{shown}"
        );
    }
}
