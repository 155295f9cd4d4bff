//! `byteshop keys`: the keys that sign access tokens, changed without logging anybody out.

use byteshop_commands::Commands;
use byteshop_commands::use_cases::shop;
use byteshop_domain::text::Reference;
use byteshop_eventstore::Clock;
use comfy_table::Table;

use super::failure::Failure;
use super::operating::{intent, with_commands};
use super::output::{self, FormatArg};
use super::token::key_files;
use crate::config::Config;
use crate::security::token::files::{KeyFiles, Listed, SETTLED};

/// The arguments of `byteshop keys`.
#[derive(Debug, clap::Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Every key, the oldest first
    List(FormatArg),
    /// Create a key; a running shop uses it automatically, and tokens of older keys stay valid
    Rotate,
    /// Remove the keys whose last tokens have expired
    Prune,
}

pub(super) async fn run(config: &Config, args: &KeysArgs) -> Result<(), Failure> {
    let files = key_files(config);
    if !files.exist() {
        return Err(Failure::refused(format!(
            "there is no key in {}: start the shop first, or name its directory with --data",
            config.data.display()
        )));
    }
    match args.what {
        What::List(format) => {
            let keys = files.list(Clock.now())?;
            Ok(output::list(format.chosen(), &keys, table)?)
        }
        What::Rotate => with_commands(config, async |commands| rotate(&commands, &files).await).await,
        What::Prune => with_commands(config, async |commands| prune(&commands, &files).await).await,
    }
}

async fn rotate(commands: &Commands, files: &KeyFiles) -> Result<(), Failure> {
    let file = files.rotate()?;
    let made = files.list(Clock.now())?.into_iter().find(|key| key.file.as_ref() == Some(&file));
    let kid = made.map(|key| key.kid).unwrap_or_default();
    let key = Reference::new(&kid).map_err(|error| Failure::refused(error.to_string()))?;
    let (intent, key) = (intent(commands, "token_key.rotate"), &key);
    commands.run(&intent, |unit| async move { shop::rotate_token_key(&unit, key.clone()).await }).await?;
    let soon = SETTLED.num_seconds();
    Ok(output::line(&format!("{} verifies tokens at once and signs them in {soon} seconds", file.display()))?)
}

async fn prune(commands: &Commands, files: &KeyFiles) -> Result<(), Failure> {
    let removed = files.prune(Clock.now())?;
    if removed.is_empty() {
        return Ok(output::line("nothing to remove: every key signs tokens or has tokens that are still valid")?);
    }
    let count = u32::try_from(removed.len()).unwrap_or(u32::MAX);
    let intent = intent(commands, "token_key.prune");
    commands.run(&intent, |unit| async move { shop::prune_token_keys(&unit, count).await }).await?;
    for file in &removed {
        output::line(&format!("removed {}", file.display()))?;
    }
    Ok(())
}

fn table(keys: &[Listed]) -> Table {
    let mut table = output::table(["kid", "made", "use", "file"]);
    for key in keys {
        let made = key.made_at.map_or_else(String::new, |made| made.format("%Y-%m-%d %H:%M:%S").to_string());
        let file = key.file.as_ref().map_or_else(|| "(configuration)".into(), |file| file.display().to_string());
        table.add_row([key.kid.as_str(), &made, if key.signs { "signs" } else { "checks" }, &file]);
    }
    table
}
