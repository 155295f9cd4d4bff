//! `byteshop ledger`: the trial balance of the general ledger, now or at any moment, and its entries.

use std::io::Write as _;
use std::time::Duration;

use byteshop_domain::ids::OrderId;
use byteshop_domain::money::Money;
use byteshop_domain::text::Reference;
use byteshop_eventstore::Log;
use byteshop_projections::ledger::{Balance, Ledger, Query};
use byteshop_projections::page::{Ask, LIMIT_MAX};
use byteshop_projections::{View as _, Views};
use chrono::{DateTime, Utc};
use comfy_table::{Cell, CellAlignment, Table};

use super::failure::Failure;
use super::moment::{self, Moment};
use super::output::{self, FormatArg};
use super::running::Shop;
use super::spreadsheet::{harmless, row, time};
use crate::config::Config;

/// How long the view may take to read what is in the log already.
const PATIENCE: Duration = Duration::from_secs(10);

/// The arguments of `byteshop ledger`.
#[derive(Debug, clap::Args)]
pub(super) struct LedgerArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show the balance of every account, now or at a moment; exit status 1 if they do not add up to zero
    Balance {
        /// The moment: a position of the log or a time [default: now]
        #[arg(long, value_name = "POSITION|TIME", value_parser = moment::moment)]
        at: Option<Moment>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Print the entries as comma-separated values with a header, for spreadsheets and accounting programs; newest first
    Export {
        /// Only entries with a line of this account, such as `customers` or `sales_tax/DE`
        #[arg(long)]
        account: Option<String>,
        /// Only entries of this order
        #[arg(long)]
        order: Option<OrderId>,
        /// Only events at or after this time; a day begins at midnight UTC
        #[arg(long, value_name = "TIME", value_parser = moment::from)]
        from: Option<DateTime<Utc>>,
        /// Only events before this time; a day includes its end
        #[arg(long, value_name = "TIME", value_parser = moment::until)]
        until: Option<DateTime<Utc>>,
    },
}

pub(super) async fn run(config: &Config, args: LedgerArgs) -> Result<(), Failure> {
    let log = Shop::find(config)?.log(config)?;
    let views = Views::beside(log.clone());
    match args.what {
        What::Balance { at, format } => balance(&log, &views, at, format).await,
        What::Export { account, order, from, until } => {
            export(&views, Query { account, kind: None, order, from, until, ask: Ask::default() }).await
        }
    }
}

async fn balance(log: &Log, views: &Views, at: Option<Moment>, format: FormatArg) -> Result<(), Failure> {
    let position = match at {
        Some(Moment::Position(position)) => position,
        Some(Moment::Time(time)) => log.position_at(time).await?,
        None => log.head().await?,
    };
    if !views.wait(Ledger::NAME, position, PATIENCE).await? {
        let behind = format!("the view `{}` has not reached position {position}", Ledger::NAME);
        return Err(Failure::refused(format!("{behind}: try again when it has caught up (`byteshop views`)")));
    }
    let balances = views.ledger_balances(Some(position)).await?;
    output::list(format.chosen(), &balances, table)?;
    let mut sums = std::collections::BTreeMap::<&str, i128>::new();
    for balance in &balances {
        *sums.entry(balance.balance.currency.code()).or_default() += i128::from(balance.balance.amount);
    }
    match sums.iter().find(|(_, sum)| **sum != 0) {
        Some((currency, sum)) => Err(Failure::refused(format!(
            "the balances in {currency} add up to {sum}, not to zero: report this as a bug"
        ))),
        None => Ok(()),
    }
}

fn table(balances: &[Balance]) -> Table {
    let mut table = output::table(["account", "currency", "lines", "debit", "credit", "balance"]);
    let amount = |money: Money| Cell::new(money.decimal()).set_alignment(CellAlignment::Right);
    for it in balances {
        table.add_row([
            Cell::new(&it.account),
            Cell::new(it.balance.currency.code()),
            Cell::new(it.lines).set_alignment(CellAlignment::Right),
            amount(it.debit),
            amount(it.credit),
            amount(it.balance),
        ]);
    }
    table
}

/// The columns of an export: one row for each line of an entry, amounts in major units.
const COLUMNS: [&str; 9] =
    ["position", "occurred_at_utc", "kind", "order", "document", "account", "debit", "credit", "currency"];

async fn export(views: &Views, mut query: Query) -> Result<(), Failure> {
    let mut out = output::out();
    row(&mut out, &COLUMNS)?;
    query.ask.limit = Some(LIMIT_MAX);
    loop {
        let page = views.ledger_entries(&query).await?;
        for entry in page.rows()? {
            let order = entry.order.map(|order| order.to_string()).unwrap_or_default();
            let document = entry.document.as_ref().map(Reference::as_str).unwrap_or_default();
            for line in &entry.lines {
                let fields = [
                    &entry.position.to_string(),
                    &time(entry.at),
                    entry.kind.as_str(),
                    &order,
                    &harmless(document),
                    &line.account,
                    &line.debit.decimal(),
                    &line.credit.decimal(),
                    entry.currency.code(),
                ];
                row(&mut out, &fields)?;
            }
        }
        query.ask.cursor = page.next;
        if query.ask.cursor.is_none() {
            return Ok(out.flush()?);
        }
    }
}
