//! `byteshop payouts export`: a file of the payouts that are due, for the bank of the house.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use byteshop_commands::Commands;
use byteshop_commands::use_cases::payouts::{self, ForFile};
use byteshop_domain::ids::PayoutFileId;
use byteshop_domain::payout_file::PAYOUTS_MAX;
use byteshop_projections::payout_list::PayoutList;
use byteshop_projections::seller_list::SellerList;
use byteshop_projections::{View as _, Views};
use chrono::NaiveDate;

use super::failure::Failure;
use super::operating::{intent, with_commands};
use super::output;
use crate::config::Config;

/// How long the view may take to read what is in the log already.
const PATIENCE: Duration = Duration::from_secs(10);

/// The arguments of `byteshop payouts`.
#[derive(Debug, clap::Args)]
pub(super) struct PayoutsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Write the payouts to bank accounts that are due into a file for the bank (pain.001.001.09); each payout is in one file
    Export {
        /// The file to write; it must not exist
        to: PathBuf,
        /// The day on which the bank is to carry the transfers out [default: today]
        #[arg(long, value_name = "DAY")]
        execute_on: Option<NaiveDate>,
        /// Write this file again, which was created before
        #[arg(long, value_name = "ID", conflicts_with = "execute_on")]
        again: Option<PayoutFileId>,
    },
}

pub(super) async fn run(config: &Config, args: PayoutsArgs) -> Result<(), Failure> {
    let What::Export { to, execute_on, again } = args.what;
    if to.exists() {
        return Err(Failure::refused(format!("{} exists already: choose another name", to.display())));
    }
    with_commands(config, async |commands| {
        commands.pay_sellers_by(config.trade().payouts);
        let id = match again {
            Some(id) => id,
            None => create(&commands, execute_on).await?,
        };
        write(&commands, id, &to).await
    })
    .await
}

/// Creates a file of what is due.
async fn create(commands: &Commands, execute_on: Option<NaiveDate>) -> Result<PayoutFileId, Failure> {
    let views = Views::beside(commands.log().clone());
    let position = commands.log().head().await?;
    for view in [PayoutList::NAME, SellerList::NAME] {
        if !views.wait(view, position, PATIENCE).await? {
            let behind = format!("the view `{view}` has not reached position {position}");
            return Err(Failure::refused(format!("{behind}: try again when it has caught up (`byteshop views`)")));
        }
    }
    let due = &views.payouts_due(i64::try_from(PAYOUTS_MAX).unwrap_or(i64::MAX)).await?;
    let intent = intent(commands, "payout_file.create");
    let created = commands.run(&intent, |unit| async move {
        let execute_on = execute_on.unwrap_or_else(|| unit.now().date_naive());
        Ok(payouts::create_file(&unit, ForFile::Due(due), execute_on).await?.id)
    });
    Ok(created.await?.answer)
}

async fn write(commands: &Commands, id: PayoutFileId, to: &Path) -> Result<(), Failure> {
    let found = commands.transfers_of(id).await?;
    let file = found.ok_or_else(|| Failure::refused(format!("there is no file of payouts {id}")))?;
    // Only its owner may read it: it has the bank accounts of sellers.
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(to)?.write_all(&file.xml()?)?;
    output::line(&format!("{id} is in {}; transfers: {}", to.display(), file.transfers.len()))?;
    Ok(())
}
