//! The arguments of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::roles::UpArgs;
use super::{
    accounts, audit, check, config, data_key, erase, import_keys, keys, ledger, numbers, payouts, paypal_sandbox,
    replay, roles, seed, token, views,
};

/// An event-sourced shop: one log, many views and a complete audit trail.
#[derive(Debug, Parser)]
#[command(name = "byteshop", version, max_term_width = 120, propagate_version = true)]
#[command(
    after_help = "Exit status: 0 done, 1 refused, or a check failed, 2 wrong usage.\nSettings: `byteshop config` lists them."
)]
pub struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The arguments of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The data directory of the shop [default: .byteshop]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The file with settings [default: byteshop.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Log level: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(super) log_level: Option<String>,
    /// Log format: text or json
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(super) log_format: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the whole shop on this machine, with its own Postgres and NATS
    Up(roles::UpArgs),
    /// Serve HTTP
    Serve(roles::PortArgs),
    /// Keep the views and run the processes
    Work(roles::WorkArgs),
    /// Relay the log to JetStream
    Relay,
    /// Migrate the database
    Migrate,
    /// Query the log: who did what, when, by which command and why
    Audit(audit::AuditArgs),
    /// Show position, lag, rate and state of every view
    Views(views::ViewsArgs),
    /// Rebuild views from the log, or check them against it
    Replay(replay::ReplayArgs),
    /// Check that relay, processes and views have read this log; repair them after a restored backup
    Check(check::CheckArgs),
    /// Show the balances of the general ledger, now or at any moment, or export its entries
    Ledger(ledger::LedgerArgs),
    /// Write the payouts to sellers that are due into a file for the bank
    Payouts(payouts::PayoutsArgs),
    /// Show the latest invoice and credit note numbers; after a restored backup, skip numbers that were already issued
    Numbers(numbers::NumbersArgs),
    /// Fill the shop with a demo catalog, with taxes and shipping where it has none, or with a retailer's real orders
    Seed(seed::SeedArgs),
    /// Import licence keys of a file into the pool of a variant
    ImportKeys(import_keys::ImportKeysArgs),
    /// List accounts with their ids and roles; with `--staff`, support and admins alone
    Accounts(accounts::list::ListArgs),
    /// Grant a role to an account, such as the first admin's
    Grant(accounts::GrantArgs),
    /// Reset the second factor of an account whose owner lost the device: they log in with the password alone and set up a new one
    ResetSecondFactor(accounts::ResetArgs),
    /// Erase a person's data: close an account permanently, or erase a guest
    Erase(erase::EraseArgs),
    /// Rotate the data key, which encrypts the subject keys
    DataKey(data_key::DataKeyArgs),
    /// List, create and remove the keys that sign access tokens
    Keys(keys::KeysArgs),
    /// Print an access token for curl (in development only)
    Token(token::TokenArgs),
    /// Print the settings in force and their sources; `port` is set by BYTESHOP_PORT or as `port` in byteshop.toml
    Config(config::ConfigArgs),
    /// Run a stand-in for PayPal, for development and tests, with its own books
    PaypalSandbox(paypal_sandbox::PaypalSandboxArgs),
    /// Print shell completions
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Whether it runs a part of the shop, whose log is its only voice.
    pub(super) fn is_a_role(&self) -> bool {
        match self {
            Self::Up(_) | Self::Serve(_) | Self::Work(_) | Self::Relay | Self::PaypalSandbox(_) => true,
            Self::Migrate
            | Self::Audit(_)
            | Self::Views(_)
            | Self::Replay(_)
            | Self::Check(_)
            | Self::Ledger(_)
            | Self::Payouts(_)
            | Self::Numbers(_)
            | Self::Seed(_)
            | Self::ImportKeys(_)
            | Self::Accounts(_)
            | Self::Grant(_)
            | Self::ResetSecondFactor(_)
            | Self::Erase(_)
            | Self::DataKey(_)
            | Self::Keys(_)
            | Self::Token(_)
            | Self::Config(_)
            | Self::Completions { .. } => false,
        }
    }
}

impl Cli {
    /// The settings that were given as flags, by their names.
    pub(super) fn flags(&self) -> Vec<(&'static str, String)> {
        let data = self.global.data.as_ref().map(|data| data.to_string_lossy().into_owned());
        let port = if let Command::Up(UpArgs { port: args, .. }) | Command::Serve(args) = &self.command {
            args.port
        } else {
            None
        };
        let port = port.map(|port| port.to_string());
        let flags = [
            ("data", data),
            ("port", port),
            ("log_level", self.global.log_level.clone()),
            ("log_format", self.global.log_format.clone()),
        ];
        flags.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
