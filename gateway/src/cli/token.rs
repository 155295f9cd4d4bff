//! `byteshop token`: an access token for curl, in development only.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use byteshop_commands::use_cases::access_tokens;
use byteshop_domain::ids::{AccessTokenId, AccountId, Id as _};
use uuid::Uuid;

use super::failure::Failure;
use super::operating::{intent, with_commands};
use super::output;
use super::running::{Mode, Shop};
use crate::config::Config;
use crate::security::token::files::KeyFiles;
use crate::security::token::{Holder, KeyError, Role, Tokens};

/// Namespace of the accounts that stand for a role; any fixed number does.
const NAMESPACE: Uuid = Uuid::from_u128(0x3b0c_8f1e_6a54_4d2b_9b1f_50d7_0c9a_11e2);

/// The file of a key that was not configured, in the data directory.
const KEY_FILE: &str = "token.pem";
/// The directory of the keys that came after it.
const KEYS: &str = "keys";

/// The arguments of `byteshop token`.
#[derive(Debug, clap::Args)]
pub(super) struct TokenArgs {
    /// The role: customer, seller, support or admin
    #[arg(value_parser = <Role as std::str::FromStr>::from_str)]
    role: Role,
    /// The account; by default a fixed account per role
    #[arg(long, value_name = "acc_…")]
    account: Option<AccountId>,
    /// Validity, such as 90s, 30m, 8h or 7d
    #[arg(long, default_value = "8h", value_parser = lifetime)]
    ttl: Duration,
}

pub(super) async fn run(config: &Config, args: &TokenArgs) -> Result<(), Failure> {
    let shop = Shop::find(config)?;
    // The variables of this command may differ from the shop's; what counts is the shop that will accept the token.
    match shop.mode().await? {
        Mode::Development => {}
        Mode::Production => {
            return Err(Failure::refused(format!(
                "the shop at {} is not in development mode and accepts no tokens from the command line: log in there, \
                and grant roles with `byteshop grant`",
                shop.http()
            )));
        }
        Mode::Silent => {
            return Err(Failure::refused(format!("no shop answers at {}: start the shop first", shop.http())));
        }
    }
    let account =
        args.account.unwrap_or_else(|| AccountId::from_uuid(Uuid::new_v5(&NAMESPACE, args.role.as_str().as_bytes())));
    if !key_files(config).exist() {
        return Err(Failure::refused(format!(
            "there is no key in {}: start the shop first, or name its directory with --data",
            config.data.display()
        )));
    }
    let tokens = tokens(config)?;
    with_commands(config, async |commands| {
        let id = AccessTokenId::from_uuid(commands.clock().new_id());
        let intent = intent(&commands, "access_token.mint");
        // On record before anybody has it.
        let done = commands
            .run(&intent, |unit| async move { access_tokens::mint(&unit, id, account, args.role, args.ttl.as_secs()) });
        done.await?;
        let token = tokens.issue_as(id.uuid(), Holder::by_hand(account, args.role), args.ttl)?;
        let mut out = output::out();
        writeln!(out, "{token}")?;
        Ok(out.flush()?)
    })
    .await
}

/// The tokens of this shop: under the configured key, or under one in its data directory, which is made when there is none.
///
/// # Errors
/// When the key cannot be read or made.
pub fn tokens(config: &Config) -> Result<Tokens, KeyError> {
    Tokens::from_files(key_files(config))
}

/// Where the keys of tokens are: the configured one or the first of a shop on one machine, and those that came later.
pub(super) fn key_files(config: &Config) -> KeyFiles {
    let later = config.data.join(KEYS);
    match &config.jwt_key {
        Some(text) if text.trim_start().starts_with("-----BEGIN") => KeyFiles::of_pem(text, later),
        Some(file) => KeyFiles::given(PathBuf::from(file), later),
        None => KeyFiles::of_file(config.data.join(KEY_FILE), later),
    }
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(text).map_err(|_| "not a time such as 90s, 30m, 8h or 7d")?;
    let longest = Duration::from_hours(365 * 24);
    let fits = (Duration::from_secs(1)..=longest).contains(&lifetime);
    if fits { Ok(lifetime) } else { Err("not a time between 1s and 365d".to_owned()) }
}
