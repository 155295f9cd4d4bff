//! The table of figures: printed, in target/bench/results.json, and in results.md beside it.

use std::fmt::Write as _;

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
        println!("{name:<78} {value:>14.2} {unit:<12}{beside}");
        self.figures.push(Figure { name, value, unit, limit, ratio });
    }

    /// Writes both files; `machine` says what the figures were measured on.
    pub fn write(&self, machine: &str) -> Result<()> {
        std::fs::create_dir_all("target/bench")?;
        std::fs::write("target/bench/results.json", serde_json::to_string_pretty(&self.figures)?)?;
        std::fs::write("target/bench/results.md", self.markdown(machine)?)?;
        println!("written: target/bench/results.json and results.md");
        Ok(())
    }

    fn markdown(&self, machine: &str) -> Result<String> {
        let mut text =
            format!("{machine}\n\n| figure | value | unit | limit | ratio |\n| --- | ---: | --- | ---: | ---: |\n");
        for Figure { name, value, unit, limit, ratio } in &self.figures {
            let shown =
                |number: &Option<f64>, digits: usize| number.map_or(String::new(), |it| format!("{it:.digits$}"));
            writeln!(text, "| {name} | {value:.2} | {unit} | {} | {} |", shown(limit, 2), shown(ratio, 3))?;
        }
        Ok(text)
    }
}

/// The value below which a share of the samples lies; the samples are sorted.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(((last as f64) * share).round() as usize).copied().unwrap_or(0.0)
}
