//! The command line: every command of `byteshop`, one file each.

mod accounts;
pub mod args;
mod audit;
mod check;
mod completions;
mod config;
mod data_key;
mod end;
mod erase;
pub mod failure;
mod import_keys;
mod keys;
mod ledger;
mod migrate;
mod moment;
mod numbers;
mod operating;
pub mod output;
mod payouts;
mod paypal_sandbox;
pub mod progress;
mod replay;
mod roles;
pub mod running;
mod seed;
mod seed_orders;
mod spreadsheet;
mod storage;
mod summary;
mod terminal;
pub mod token;
mod views;

use clap::Parser as _;

pub use args::Cli;
use args::Command;
use failure::Failure;

use crate::config::{Config, Inputs};

/// Reads the command line, does what it says, and gives the exit status: 0 done, 1 refused or found wanting, 2 wrong usage.
pub fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too; a reader who has left is no failure.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(failure::USAGE);
        }
    };
    let outcome = start(cli);
    crate::access_log::flush();
    failure::status(outcome)
}

fn start(cli: Cli) -> Result<(), Failure> {
    // These two know nothing of a shop, whose settings may be wrong.
    if let Command::Completions { shell } = cli.command {
        return completions::run(shell);
    }
    if let Command::PaypalSandbox(args) = cli.command {
        crate::telemetry::start_plain_log();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(paypal_sandbox::run(args));
    }
    let config = Config::load(&Inputs::of_process(cli.global.config.clone(), cli.flags()))?;
    crate::telemetry::start_log(&config, cli.command.is_a_role());
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Command::Up(_) = cli.command {
        // Postgres and NATS run beside it. Half the cores for each side, and fewer threads that wake each other up.
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        runtime.worker_threads((cores / 2).max(1));
    }
    let runtime = runtime.enable_all().build()?;
    let is_a_role = cli.command.is_a_role();
    let outcome = runtime.block_on(carry_out(cli.command, config.clone()));
    outcome.map_err(|failure| if is_a_role { failure } else { running::in_hindsight(&config, failure) })
}

async fn carry_out(command: Command, config: Config) -> Result<(), Failure> {
    match command {
        Command::Completions { shell } => completions::run(shell),
        Command::Config(args) => config::run(&config, &args).await,
        Command::Up(args) => roles::up(&config, &args).await,
        Command::Serve(_) => roles::serve(&config).await,
        Command::Work(args) => roles::work(&config, args).await,
        Command::Relay => roles::relay(&config).await,
        Command::Migrate => migrate::run(&config).await,
        Command::Token(args) => token::run(&config, &args).await,
        Command::DataKey(args) => data_key::run(&config, &args).await,
        Command::Keys(args) => keys::run(&config, &args).await,
        Command::ImportKeys(args) => import_keys::run(&config, args).await,
        Command::Accounts(args) => accounts::list::list(&config, args).await,
        Command::Grant(args) => accounts::grant(&config, args).await,
        Command::ResetSecondFactor(args) => accounts::reset_second_factor(&config, args).await,
        Command::Erase(args) => erase::erase(&config, args).await,
        Command::Views(args) => views::run(&config, args).await,
        Command::Replay(args) => replay::run(&config, args).await,
        Command::Check(args) => check::run(&config, args).await,
        Command::Ledger(args) => ledger::run(&config, args).await,
        Command::Payouts(args) => payouts::run(&config, args).await,
        Command::Numbers(args) => numbers::run(&config, args).await,
        Command::Seed(args) => seed::run(&config, args).await,
        Command::Audit(args) => audit::run(&config, args).await,
        Command::PaypalSandbox(args) => paypal_sandbox::run(args).await,
    }
}
