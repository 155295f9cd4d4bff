//! `byteshop grant` and similar commands: changes to accounts that only an operator may make, above all the first
//! admin.

pub(super) mod list;

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use byteshop_commands::Commands;
use byteshop_commands::use_cases::accounts::code::Code;
use byteshop_commands::use_cases::accounts::grants::{self, Revoke, Standing};
use byteshop_commands::use_cases::accounts::{self, Newcomer, second_factor};
use byteshop_domain::account::{self, Account, Role, Secret};
use byteshop_domain::ids::{AccountId, Id as _};
use byteshop_domain::text::Email;
use byteshop_domain::{Locale, Subject};
use byteshop_eventstore::random;

use super::failure::Failure;
use super::operating::{intent, with_commands, with_event};
use super::output;
use super::running::Shop;
use crate::config::Config;
use crate::security::password::Passwords;

/// Bytes of a password that is made up: some 128 bits.
const PASSWORD: usize = 16;

/// The arguments of `byteshop grant`.
#[derive(Debug, clap::Args)]
pub(super) struct GrantArgs {
    /// The e-mail address of the account
    #[arg(value_name = "EMAIL")]
    email: Email,
    /// customer, seller, support or admin
    #[arg(value_name = "ROLE", value_parser = <Role as std::str::FromStr>::from_str)]
    role: Role,
    /// Create a confirmed account if there is none, and print its password: for the first admin, or for any role in development
    /// mode
    #[arg(long)]
    create: bool,
    /// Revoke the API keys and webhook endpoints that the account created, unless the role is admin
    #[arg(long)]
    revoke: bool,
}

pub(super) async fn grant(config: &Config, args: GrantArgs) -> Result<(), Failure> {
    let dev = Shop::find(config)?.is_in_development().await?;
    if args.create && !dev && args.role != Role::Admin {
        return Err(Failure::refused(
            "--create is for development mode and the first admin only; register the account, then grant the role",
        ));
    }
    with_commands(config, async |commands| {
        if args.create && !dev && has_admin(&commands).await? {
            return Err(Failure::refused(
                "the shop has had an admin, so --create is not available; register the account, then grant the role",
            ));
        }
        let name = commands.email_name(&args.email).await?;
        let (id, password) = match commands.account_named(&name).await? {
            Some(id) => (id, None),
            None if args.create => {
                let (id, password) = create(&commands, &args.email).await?;
                (id, Some(password))
            }
            None => return Err(Failure::refused(format!("no account has the address {}", args.email))),
        };
        let (role, revoke) = (args.role, Revoke::when(args.revoke));
        let intent = intent(&commands, "account.set_role");
        let done = commands.run(&intent, |unit| async move {
            let mut account = unit.load::<Account>(id).await?.exists()?;
            grants::change_role(&unit, &mut account, role, revoke).await
        });
        let standing = done.await?.answer;
        let mut out = output::out();
        writeln!(out, "{id} is {}", role.as_str())?;
        for grant in &standing {
            writeln!(out, "{}", line(grant, revoke))?;
        }
        if let Some(password) = password {
            writeln!(out, "password {password}")?;
        }
        Ok(out.flush()?)
    })
    .await
}

/// The arguments of `byteshop reset-second-factor`.
#[derive(Debug, clap::Args)]
pub(super) struct ResetArgs {
    /// The e-mail address of the account
    #[arg(value_name = "EMAIL")]
    email: Email,
}

pub(super) async fn reset_second_factor(config: &Config, args: ResetArgs) -> Result<(), Failure> {
    with_commands(config, async |commands| {
        let name = commands.email_name(&args.email).await?;
        let Some(id) = commands.account_named(&name).await? else {
            return Err(Failure::refused(format!("no account has the address {}", args.email)));
        };
        let intent = intent(&commands, "account.reset_second_factor");
        let done = commands.run(&intent, |unit| async move {
            let mut account = unit.load::<Account>(id).await?.exists()?;
            second_factor::reset(&unit, &mut account).await
        });
        let changed = done.await?.position.is_some();
        let had =
            if changed { "no longer has a second factor, and its sessions have ended" } else { "has no second factor" };
        Ok(output::line(&format!("{id} {had}"))?)
    })
    .await
}

/// Whether anybody was ever made an admin.
async fn has_admin(commands: &Commands) -> Result<bool, Failure> {
    let made = |event: &account::Event| matches!(event, account::Event::RoleSet { role: Role::Admin });
    Ok(!with_event::<Account>(commands, "role_set", made).await?.is_empty())
}

/// A confirmed account with a password that is made up.
async fn create(commands: &Commands, email: &Email) -> Result<(AccountId, String), Failure> {
    let password = URL_SAFE_NO_PAD.encode(random::<PASSWORD>()?);
    let id = make_account(commands, email, &password, Locale::En).await?;
    Ok((id, password))
}

/// Creates a confirmed account, which only an operator can do.
pub(super) async fn make_account(
    commands: &Commands,
    email: &Email,
    password: &str,
    locale: Locale,
) -> Result<AccountId, Failure> {
    let hash = Passwords::new()?.hash(password.to_owned()).await;
    let hash = hash.map_err(|_| Failure::refused("the password cannot be hashed"))?;
    let id = AccountId::from_uuid(commands.clock().new_id());
    let (vault, subject) = (commands.vault(), Subject::from(id));
    let newcomer = &Newcomer {
        id,
        name: commands.email_name(email).await?,
        email: vault.seal(subject, email).await?,
        password: vault.seal(subject, &Secret(hash)).await?,
        locale,
        profile: None,
        code: Code(random()?),
    };
    let intent = intent(commands, "account.register");
    let done = commands.run(&intent, |unit| async move { accounts::register_confirmed(&unit, newcomer).await });
    done.await?;
    Ok(id)
}

/// One line about a grant.
pub(super) fn line(grant: &Standing, revoke: Revoke) -> String {
    let (id, name) = match grant {
        Standing::ApiKey { id, name, .. } => (id.to_string(), name.as_str()),
        Standing::WebhookEndpoint { id, url, .. } => (id.to_string(), url.as_str()),
    };
    match revoke {
        Revoke::Grants => format!("{id} ({name}) is revoked"),
        Revoke::Nothing => {
            format!("{id} ({name}), which the account created, still works; add --revoke to revoke it")
        }
    }
}
