//! `make bench`: every figure beside the limit that this machine showed in the same run.
//!
//! `make bench ARGS="append journey"` measures some parts alone; their names are the ones in [`PARTS`].
#![allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people; nothing here is money"
)]

mod account;
mod append;
mod hot;
mod http;
mod import;
mod journey;
mod keys;
mod lag;
mod ledger;
mod logins;
mod machine;
mod market;
mod orders;
mod processes;
mod reads;
mod replay;
mod report;
mod search;
mod shop;
mod startup;
mod statements;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use report::Report;
use tokio::time::timeout;

/// The shop's own, so that a limit that is measured here is the same work as there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What can be measured. The first four have a Postgres of their own, the others a shop.
const PARTS: [&str; 14] = [
    "append", "replay", "ledger", "import", "journey", "market", "reads", "hot", "keys", "lag", "logins", "account",
    "startup", "search",
];
/// The longest that a part may take: one that hangs must not keep the others from being measured.
const AT_MOST: Duration = Duration::from_mins(6);

#[tokio::main]
async fn main() -> Result<ExitCode> {
    // `cargo bench` adds `--bench` to what it was asked to pass on.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(unknown) = asked.iter().find(|name| !PARTS.contains(&name.as_str())) {
        eprintln!("there is no part {unknown}; there are {}", PARTS.join(", "));
        return Ok(ExitCode::from(2));
    }
    let wanted: Vec<&str> =
        PARTS.into_iter().filter(|part| asked.is_empty() || asked.iter().any(|name| name == part)).collect();
    let mut parts = Parts { wanted, report: Report::default(), failed: false };
    let mut machine = machine::describe();
    println!("{machine}");
    let on_postgres = parts.on_postgres(&mut machine).await;
    parts.note("a Postgres for these parts", on_postgres);
    let on_a_shop = parts.on_a_shop().await;
    parts.note("a shop for these parts", on_a_shop);
    let among_many = parts.among_many().await;
    parts.note("a shop with many products", among_many);
    parts.report.write(&machine)?;
    Ok(if parts.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Parts {
    wanted: Vec<&'static str>,
    report: Report,
    failed: bool,
}

impl Parts {
    fn wants(&self, parts: &[&str]) -> bool {
        self.wanted.iter().any(|wanted| parts.contains(wanted))
    }

    async fn on_postgres(&mut self, machine: &mut String) -> Result<()> {
        if !self.wants(&["append", "replay", "ledger", "import"]) {
            return Ok(());
        }
        let private = machine::Private::start().await?;
        println!("{}", private.versions());
        *machine = format!("{machine}; {}", private.versions());
        for part in self.wanted.clone() {
            let report = &mut self.report;
            let outcome = match part {
                "append" => timeout(AT_MOST, append::run(&private, report)).await,
                "replay" => timeout(AT_MOST, replay::run(&private, report)).await,
                "ledger" => timeout(AT_MOST, ledger::run(&private, report)).await,
                "import" => timeout(AT_MOST, import::run(&private, report)).await,
                _ => continue,
            };
            self.note(part, outcome.context("it takes too long").flatten());
        }
        private.stop().await;
        Ok(())
    }

    async fn on_a_shop(&mut self) -> Result<()> {
        if !self.wants(&["journey", "market", "reads", "hot", "keys", "lag", "logins", "account", "startup"]) {
            return Ok(());
        }
        let data = machine::directory()?;
        let shop = shop::Shop::start(data.path()).await?;
        let goods = Arc::new(journey::stock_up(&shop).await?);
        for part in self.wanted.clone() {
            let report = &mut self.report;
            let outcome = match part {
                "journey" => timeout(AT_MOST, journey::run(&shop, &goods, report)).await,
                "market" => timeout(AT_MOST, market::run(&shop, &goods, report)).await,
                "reads" => timeout(AT_MOST, reads::run(&shop, &goods, report)).await,
                "hot" => timeout(AT_MOST, hot::run(&shop, report)).await,
                "keys" => timeout(AT_MOST, keys::run(&shop, report)).await,
                "logins" => timeout(AT_MOST, logins::run(&shop, report)).await,
                "account" => timeout(AT_MOST, account::run(&shop, &goods, report)).await,
                "lag" => timeout(AT_MOST, lag::run(&shop, &goods, report)).await,
                _ => continue,
            };
            self.note(part, outcome.context("it takes too long").flatten());
        }
        shop.stop().await?;
        if self.wants(&["startup"]) {
            let outcome = timeout(AT_MOST, startup::run(data.path(), &mut self.report)).await;
            self.note("startup", outcome.context("it takes too long").flatten());
        }
        Ok(())
    }

    /// A shop of its own: so many products would slow the others down.
    async fn among_many(&mut self) -> Result<()> {
        if !self.wants(&["search"]) {
            return Ok(());
        }
        let data = machine::directory()?;
        let shop = shop::Shop::start(data.path()).await?;
        let outcome = timeout(AT_MOST, search::run(&shop, &mut self.report)).await;
        self.note("search", outcome.context("it takes too long").flatten());
        shop.stop().await
    }

    /// A part that fails is told, and the others go on.
    fn note(&mut self, part: &str, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.failed = true;
            eprintln!("{part} failed: {error:#}");
        }
    }
}
