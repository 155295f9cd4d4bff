//! `make bench`: every figure beside the limit that this machine showed in the same run.
#![allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people; nothing here is money"
)]

mod append;
mod report;

use anyhow::Result;

#[tokio::main]
async fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    let mut report = report::Report::default();
    #[expect(clippy::disallowed_methods, reason = "a program of its own, without the shop's configuration")]
    let url = std::env::var("BYTESHOP_BENCH_DATABASE_URL")?;
    if wants("append") {
        append::run(&url, &mut report).await?;
    }
    report.write()
}
