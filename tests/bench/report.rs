//! The table of figures, and target/bench/results.json.

use anyhow::Result;
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    limit: Option<f64>,
    ratio: Option<f64>,
}

/// The figures of one run.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// Adds a figure that stands alone.
    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.push(name.into(), value, unit, None);
    }

    /// Adds a figure beside the limit that was measured in the same run.
    pub fn beside(&mut self, name: impl Into<String>, value: f64, unit: &'static str, limit: f64) {
        self.push(name.into(), value, unit, Some(limit));
    }

    fn push(&mut self, name: String, value: f64, unit: &'static str, limit: Option<f64>) {
        let ratio = limit.map(|limit| value / limit);
        let beside = limit
            .zip(ratio)
            .map_or(String::new(), |(limit, ratio)| format!("  limit {limit:>12.2}  ratio {ratio:>6.3}"));
        println!("{name:<52} {value:>14.2} {unit:<12}{beside}");
        self.figures.push(Figure { name, value, unit, limit, ratio });
    }

    /// Writes target/bench/results.json.
    pub fn write(&self) -> Result<()> {
        std::fs::create_dir_all("target/bench")?;
        std::fs::write("target/bench/results.json", serde_json::to_string_pretty(&self.figures)?)?;
        println!("written: target/bench/results.json");
        Ok(())
    }
}

/// The value below which a share of the samples lies; the samples are sorted.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(((last as f64) * share).round() as usize).copied().unwrap_or(0.0)
}
