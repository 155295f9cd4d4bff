//! `byteshop numbers`: where the series of invoices and credit notes are, and after a restored backup, letting them go on above
//! numbers that were given since.

use byteshop_commands::Commands;
use byteshop_commands::relay::NatsConfig;
use byteshop_commands::use_cases::{sellers, shop};
use byteshop_domain::ids::SellerId;
use byteshop_domain::name::UniqueName;
use byteshop_domain::series::{self, Printed, Series};
use byteshop_domain::text::{Handle, Reason};
use byteshop_projections::Views;
use chrono::Datelike as _;
use serde::Serialize;

use super::failure::Failure;
use super::operating::{intent, with_commands};
use super::output::{self, Format, FormatArg};
use super::running::Shop;
use crate::config::Config;
use crate::followers::Followers;
use crate::health::Standing;

/// The arguments of `byteshop numbers`.
#[derive(Debug, clap::Args)]
pub(super) struct NumbersArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// The year of the series [default: this one]
    #[arg(long, global = true, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=9999))]
    year: Option<i32>,
    /// The handle of the seller whose series are meant [default: those of the house]
    #[arg(long, global = true, value_name = "HANDLE")]
    seller: Option<Handle>,
    #[command(flatten)]
    format: FormatArg,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Skip the numbers up to this one, so that none is issued twice; the gap and its reason are recorded in the log
    Skip {
        /// The documents
        #[arg(value_enum)]
        documents: Documents,
        /// The last number to skip: the highest number known to be issued, such as 42 or INV-2026-000042
        #[arg(long, value_name = "NUMBER")]
        to: Number,
        /// The reason for the gap, which is recorded in the log
        #[arg(long, value_name = "TEXT")]
        reason: Reason,
    },
    /// After a restored backup: confirm that the numbers are right, and resume payments and document numbers
    Confirm,
}

/// A number, alone or as documents show it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Number {
    Alone(i64),
    Printed(Printed),
}

impl std::str::FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.parse(), Printed::read(text)) {
            (Ok(number), _) => Ok(Self::Alone(number)),
            (Err(_), Some(printed)) => Ok(Self::Printed(printed)),
            (Err(_), None) => Err("expected a number such as 42 or INV-2026-000042".to_owned()),
        }
    }
}

/// The documents that are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Documents {
    /// Invoices
    Invoices,
    /// Credit notes
    CreditNotes,
}

/// A series as it is.
#[derive(Debug, Serialize)]
struct Row {
    documents: Documents,
    #[serde(skip_serializing_if = "Option::is_none")]
    seller: Option<Handle>,
    year: i32,
    last: i64,
    stream: String,
}

pub(super) async fn run(config: &Config, args: NumbersArgs) -> Result<(), Failure> {
    let nats = Shop::find(config)?.nats(config);
    with_commands(config, async |commands| {
        let this_year = commands.clock().now().year();
        let mut year = args.year.unwrap_or(this_year);
        let handle = args.handle()?;
        let seller = match &handle {
            Some(handle) => Some(seller_named(&commands, handle).await?),
            None => None,
        };
        if let Some(What::Skip { documents, to, reason }) = &args.what {
            let to = match to {
                Number::Alone(to) => *to,
                Number::Printed(printed) => {
                    year = documents.year_of(printed, args.year, seller)?;
                    printed.number
                }
            };
            check_year(&commands, year, this_year).await?;
            let intent = intent(&commands, "series.skip");
            commands.skip_numbers(&intent, documents.series(seller, year), to, reason).await?;
        }
        if let Some(What::Confirm) = &args.what {
            confirm(&commands, nats.as_ref(), args.format.chosen()).await?;
        }
        let mut rows = Vec::new();
        for documents in [Documents::Invoices, Documents::CreditNotes] {
            let id = documents.series(seller, year);
            let last = commands.get::<Series>(id).await?.map_or(0, |found| found.state.last);
            rows.push(Row { documents, seller: handle.clone(), year, last, stream: id.to_string() });
        }
        output::list(args.format.chosen(), &rows, |rows| {
            let mut table = output::table(["documents", "year", "last number", "its events"]);
            for row in rows {
                let of = match row.documents {
                    Documents::Invoices => "invoices",
                    Documents::CreditNotes => "credit notes",
                };
                let (year, last) = (row.year.to_string(), row.last.to_string());
                table.add_row([of, &year, &last, &format!("byteshop audit log --stream {}", row.stream)]);
            }
            table
        })?;
        Ok(())
    })
    .await
}

impl NumbersArgs {
    /// The handle of the seller whose series are meant: it may be part of the printed number.
    fn handle(&self) -> Result<Option<Handle>, Failure> {
        let Some(What::Skip { to: Number::Printed(printed), .. }) = &self.what else { return Ok(self.seller.clone()) };
        match &self.seller {
            Some(named) if printed.handle.as_ref() != Some(named) => {
                Err(Failure::refused("this number is not one of that seller; name its seller or another number"))
            }
            Some(_) | None => Ok(printed.handle.clone()),
        }
    }
}

async fn seller_named(commands: &Commands, handle: &Handle) -> Result<SellerId, Failure> {
    let held = commands.get::<UniqueName>(sellers::handle_name(handle)).await?;
    let seller = held.and_then(|held| held.state.holder());
    seller.ok_or_else(|| Failure::refused(format!("there is no seller {handle}")))
}

/// Opens payments again, once everything that follows the log has read this one.
async fn confirm(commands: &Commands, nats: Option<&NatsConfig>, format: Format) -> Result<(), Failure> {
    let log = commands.log().clone();
    let followers = Followers { views: Views::beside(log.clone()), log: log.clone(), nats: nats.cloned() };
    let astray = followers.look().await?;
    if astray.iter().any(|follower| follower.state == Standing::OtherHistory) {
        return Err(Failure::refused(
            "some views or processes still follow the old log; run `byteshop check --repair` first",
        ));
    }
    let waits = log.closed().await?.is_some();
    if waits {
        // On record before anything is taken.
        let intent = intent(commands, "shop.confirm");
        commands.run(&intent, |unit| async move { shop::confirm(&unit).await }).await?;
    }
    let said = if waits && log.confirm().await? {
        commands.close(None);
        "payments and document numbers resume within a second in every process"
    } else {
        "nothing to confirm: payments and document numbers are not stopped"
    };
    Ok(output::remark(format, said)?)
}

/// Refuses years in which the shop cannot have issued a number, because skipped numbers cannot be taken back.
async fn check_year(commands: &Commands, year: i32, this_year: i32) -> Result<(), Failure> {
    let first = commands.log().event_at(1).await?.map_or(this_year, |event| event.recorded_at.year());
    if (first..=this_year).contains(&year) {
        return Ok(());
    }
    let why = if year > this_year {
        format!("no numbers of {year} have been issued yet: it is {this_year}")
    } else {
        format!("no numbers of {year} were issued: the log of this shop begins in {first}")
    };
    let years = if first < this_year { format!(", or give --year {first} to {this_year}") } else { String::new() };
    Err(Failure::refused(format!("{why}, so leave --year out{years}")))
}

impl Documents {
    fn series(self, seller: Option<SellerId>, year: i32) -> byteshop_domain::ids::SeriesId {
        match self {
            Self::Invoices => series::of_invoices(seller, year),
            Self::CreditNotes => series::of_credit_notes(seller, year),
        }
    }

    /// The year of a printed number, which must be of one of these documents and of the year that was asked for, if any was.
    fn year_of(self, printed: &Printed, asked: Option<i32>, seller: Option<SellerId>) -> Result<i32, Failure> {
        let year = printed.year;
        if printed.series(seller) != self.series(seller, year) {
            return Err(Failure::refused(
                "this number belongs to other documents; name its documents or another number",
            ));
        }
        match asked {
            Some(asked) if asked != year => {
                Err(Failure::refused(format!("this number is one of {year}, and --year is {asked}; leave --year out")))
            }
            Some(_) | None => Ok(year),
        }
    }
}
