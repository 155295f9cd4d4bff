//! The operations address: metrics by the conventions of Prometheus, and a dashboard and alert rules that name no others.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use byteshop_gateway::operations::catalog::{Kind, Metric, READ, RECORDED};
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::TestShop;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What a metric may be asked for by: its name, and the series of a histogram.
fn known() -> BTreeSet<String> {
    let of = |Metric { name, kind, .. }: &Metric| match kind {
        Kind::Counter | Kind::Gauge => vec![(*name).to_owned()],
        Kind::Histogram => ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")).to_vec(),
    };
    RECORDED.iter().chain(READ).flat_map(of).collect()
}

/// Every name of a metric of ours in an expression.
fn named(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("byteshop_") || word.starts_with("process_")).map(str::to_owned).collect()
}

fn expressions<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str));
            fields.values().for_each(|field| expressions(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_dashboard_and_the_alert_rules_name_metrics_that_there_are() {
    let read = |name: &str| std::fs::read_to_string(root().join("docs/ops").join(name)).unwrap();
    let rules: Value = serde_norway::from_str(&read("alerts.yml")).unwrap();
    let dashboard: Value = serde_json::from_str(&read("grafana.json")).unwrap();
    let rule = |rule: &Value| {
        let text = |pointer: &str| rule.pointer(pointer).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        text("/alert") && text("/expr") && text("/labels/severity") && text("/annotations/summary")
    };
    let all = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(all.len() >= 10 && all.iter().all(rule), "{rules:#}");
    let known = known();
    for (file, at_least) in [(&rules, 10), (&dashboard, 20)] {
        let mut found = Vec::new();
        expressions(file, &mut found);
        assert!(found.len() >= at_least, "{found:?}");
        for expression in found {
            let named = named(expression);
            assert!(!named.is_empty() || expression.starts_with("up{"), "{expression}");
            for name in named {
                assert!(known.contains(&name), "there is no {name}: {expression}");
            }
        }
    }
}

#[test]
fn every_metric_that_is_recorded_is_described() {
    let mut recorded = BTreeSet::new();
    for part in ["commands", "eventstore-schema", "gateway", "projections"] {
        sources(&root().join(part).join("src"), &mut |text| {
            for way in ["metrics::counter!(", "metrics::gauge!(", "metrics::histogram!("] {
                for (at, _) in text.match_indices(way) {
                    let name =
                        text[at + way.len()..].trim_start().strip_prefix('"').and_then(|it| it.split('"').next());
                    recorded.extend(name.map(str::to_owned));
                }
            }
        });
    }
    let described: BTreeSet<String> = RECORDED.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(recorded, described);
}

fn sources(directory: &Path, see: &mut impl FnMut(&str)) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, see);
        } else if path.extension().is_some_and(|it| it == "rs") {
            see(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_off_has_help_and_type_and_every_sample_is_a_number() {
    let shop = TestShop::start().await;
    let text = eventually("the stores were counted", || async {
        let text = shop.ask_operations("/metrics").send().await.expect(200).body.as_str()?.to_owned();
        text.contains("byteshop_log_events_total").then_some(text)
    })
    .await;
    let mut helped = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped.insert(rest.split(' ').next().unwrap().to_owned());
        } else if !line.starts_with('#') && !line.is_empty() {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            assert!(helped.contains(name), "{line} has no help before it");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    let known: BTreeSet<String> = READ.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(helped, known, "{text}");
}
