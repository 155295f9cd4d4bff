//! `byteshop import-keys`: keys of a file into the pool of a variant.

use std::path::PathBuf;

use byteshop_commands::key_upload::{Fault, Form, Report, Stored};
use byteshop_commands::use_cases::keys;
use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_commands::{Commands, Error};
use byteshop_domain::ids::VariantId;
use tokio::io::AsyncReadExt as _;

use super::failure::Failure;
use super::operating::{intent, with_commands};
use super::output;
use super::progress::{Meter, counted, grouped};
use crate::config::Config;

/// Bytes of the file that are read at a time.
const PIECE: usize = 64 << 10;

/// The arguments of `byteshop import-keys`.
#[derive(Debug, clap::Args)]
pub(super) struct ImportKeysArgs {
    /// The variant, such as var_01h455vb4pex5vsknk084sn02q
    variant: VariantId,
    /// The file: one key per line; a CSV file (`.csv`) needs `--column`
    file: PathBuf,
    /// The column of a CSV file that has the keys, by its name in the header
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
}

pub(super) async fn run(config: &Config, args: ImportKeysArgs) -> Result<(), Failure> {
    if args.column.is_none() && args.file.extension().is_some_and(|it| it.eq_ignore_ascii_case("csv")) {
        let missing = "which column of the CSV file has the keys? Name it with `--column`, such as `--column key`";
        return Err(Failure::refused(missing));
    }
    with_commands(config, async |commands| import(&commands, args).await).await
}

async fn import(commands: &Commands, args: ImportKeysArgs) -> Result<(), Failure> {
    let ImportKeysArgs { variant, file, column } = args;
    let unread = |error: std::io::Error| Failure::refused(format!("{} cannot be read: {error}", file.display()));
    let mut open = tokio::fs::File::open(&file).await.map_err(unread)?;
    let length = i64::try_from(open.metadata().await.map_err(unread)?.len()).unwrap_or(i64::MAX);
    let form = column.map_or(Form::Lines, Form::Csv);
    let start = intent(commands, "key_pool.start_import");
    let mut upload = commands.upload_keys(&start, variant, ActsFor::House, form).await?;
    let meter = Meter::new("keys", "bytes");
    let (mut piece, mut done) = (vec![0; PIECE], 0);
    loop {
        let read = open.read(&mut piece).await.map_err(unread)?;
        if read == 0 {
            break;
        }
        upload.take(&piece[..read]).await?;
        done += i64::try_from(read).unwrap_or_default();
        meter.at(done, length);
    }
    let stored = upload.end().await?;
    meter.finish();
    record(commands, variant, &stored).await?;
    tell(&stored.report)
}

async fn record(commands: &Commands, variant: VariantId, stored: &Stored) -> Result<(), Error> {
    let (batch, count) = (stored.batch, stored.report.imported);
    let intent = intent(commands, "key_pool.import");
    let imported = commands
        .run(&intent, |unit| async move { keys::import(&unit, variant, ActsFor::House, batch, count).await.map(drop) });
    imported.await.map(drop)
}

fn tell(report: &Report) -> Result<(), Failure> {
    let Report { imported, duplicates, rejected, faults } = report;
    output::line(&format!(
        "imported: {}; in the pool already: {}; skipped: {}",
        counted(*imported, "key", "keys"),
        grouped(*duplicates),
        counted(*rejected, "line", "lines")
    ))?;
    for faulty in faults.iter().filter(|faulty| faulty.fault != Fault::Duplicate) {
        let said = match faulty.fault {
            Fault::Blank => "is empty",
            Fault::TooLong => "is too long",
            Fault::Characters => "has control characters, or is not UTF-8",
            Fault::Invisible => "has invisible characters",
            Fault::Duplicate => "is in the pool already",
        };
        output::line(&format!("line {} {said}", faulty.line))?;
    }
    Ok(())
}
