//! `byteshop up`, `serve`, `work` and `relay`: the roles of a shop, all in one process or one on each of many machines.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use byteshop_commands::relay::NatsConfig;
use byteshop_eventstore::{DataKeys, Log};
use chrono::TimeDelta;

use super::end::End;
use super::failure::Failure;
use super::output;
use super::running::Run;
use super::storage::{data_keys, erased_list, files, source};
use super::token::tokens;
use crate::config::{Config, Shown};
use crate::edge::limits::Limits;
use crate::servers::{Options, Servers};
use crate::shop::{Messages, Roles, Settings, Shop};
use crate::{database, telemetry};

/// The port arguments of `up` and `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct PortArgs {
    /// HTTP port; 0 for any free one [default: 8080]
    #[arg(long)]
    pub(super) port: Option<u16>,
}

/// The arguments of `up`.
#[derive(Debug, clap::Args)]
pub(super) struct UpArgs {
    #[command(flatten)]
    pub(super) port: PortArgs,
    /// Run the private Postgres and NATS alone, for `pg_restore` and the like; run.json says where they are. Refused when others
    /// are configured for both
    #[arg(long)]
    only_servers: bool,
}

/// The arguments of `work`.
#[derive(Debug, clap::Args)]
pub(super) struct WorkArgs {
    /// Only these views, separated by commas, as `byteshop views` names them; all by default
    #[arg(long, value_delimiter = ',', value_name = "VIEW")]
    views: Vec<String>,
}

/// Runs the whole shop on this machine, with its own Postgres and NATS unless others are configured.
pub(super) async fn up(config: &Config, args: &UpArgs) -> Result<(), Failure> {
    if args.only_servers {
        return only_servers(config).await;
    }
    let started = Instant::now();
    // Shop::start would find out as well, but only after the servers have started.
    let address = address(config)?;
    if let Err(error) = std::net::TcpListener::bind(address) {
        return Err(Failure::refused(format!(
            "cannot listen on {address} ({error}): stop what listens there, or choose another port with --port, 0 for any free one"
        )));
    }
    let servers = Servers::start(&config.data, server_options(config)).await?;
    let outcome = up_on(config, &servers, started).await;
    servers.stop().await;
    Run::remove(&config.data);
    outcome
}

/// The private servers, and nothing on them.
async fn only_servers(config: &Config) -> Result<(), Failure> {
    // What is restored at the addresses in run.json is meant for a private server.
    let left_out = match (&config.database_url, &config.nats_url) {
        (Some(_), Some(_)) => {
            return Err(Failure::refused(
                "--only-servers starts the private Postgres and NATS, and BYTESHOP_DATABASE_URL and BYTESHOP_NATS_URL name others: \
                 unset the one whose private server is wanted",
            ));
        }
        (Some(_), None) => Some("starting NATS alone: BYTESHOP_DATABASE_URL names another Postgres"),
        (None, Some(_)) => Some("starting Postgres alone: BYTESHOP_NATS_URL names another NATS"),
        (None, None) => None,
    };
    if let Some(left_out) = left_out {
        output::line(left_out)?;
    }
    let servers = Servers::start(&config.data, server_options(config)).await?;
    let running = async {
        let end = End::listen()?;
        run_on(config, &servers, String::new(), String::new()).write(&config.data)?;
        output::line(&format!("ready {}", Run::file(&config.data).display()))?;
        end.asked_for().await;
        Ok(())
    };
    let outcome: Result<(), Failure> = running.await;
    servers.stop().await;
    Run::remove(&config.data);
    outcome
}

fn run_on(config: &Config, servers: &Servers, http: String, operations: String) -> Run {
    Run {
        http,
        operations,
        database_url: servers.database_url().to_owned(),
        migration_database_url: Some(servers.migration_url().to_owned()),
        nats_url: servers.nats_url().to_owned(),
        pid: std::process::id(),
        dev: config.dev,
    }
}

async fn up_on(config: &Config, servers: &Servers, started: Instant) -> Result<(), Failure> {
    database::migrate(servers.migration_url(), servers.database_url()).await?;
    let log = Log::open(servers.database_url())?;
    let roles = Roles { serve: Some(address(config)?), work: Some(Vec::new()), relay: true };
    let settings = settings(config, &log, servers.database_url(), servers.nats_url(), roles).await?;
    let shop = Shop::start(settings).await.map_err(Failure::Refused)?;
    let http = shop.http().map(|http| format!("http://{http}")).unwrap_or_default();
    // A reader of run.json may stop the shop at once, and then it must stop in order.
    let end = End::listen()?;
    run_on(config, servers, http.clone(), operations_of(&shop)).write(&config.data)?;
    let nats = servers.versions().nats.clone().unwrap_or_else(|| "elsewhere".to_owned());
    let postgres = log.server_version().await?;
    output::line(&format!("Postgres {postgres}, nats-server {nats}, data in {}", config.data.display()))?;
    tracing::debug!(milliseconds = started.elapsed().as_millis(), "started");
    output::line(&format!("operations {}", operations_of(&shop)))?;
    // Before anybody is told that they may stop it.
    output::line(&format!("ready {http}"))?;
    end.asked_for().await;
    output::line("stopping")?;
    shop.stop().await;
    Ok(())
}

/// Runs one role with existing servers.
pub(super) async fn one(config: &Config, name: &str, roles: Roles) -> Result<(), Failure> {
    let (Some(database_url), Some(nats_url)) = (&config.database_url, &config.nats_url) else {
        return Err(Failure::refused(format!(
            "`byteshop {name}` is one role of a shop: set BYTESHOP_DATABASE_URL and BYTESHOP_NATS_URL, or use \
            `byteshop up` for a whole shop on one machine"
        )));
    };
    let log = Log::open(database_url)?;
    let settings = settings(config, &log, database_url, nats_url, roles).await?;
    let shop = Shop::start(settings).await.map_err(Failure::Refused)?;
    output::line(&format!("operations {}", operations_of(&shop)))?;
    let end = End::listen()?;
    match shop.http() {
        Some(http) => output::line(&format!("ready http://{http}"))?,
        None => output::line(&format!("ready {name}"))?,
    }
    end.asked_for().await;
    shop.stop().await;
    Ok(())
}

fn operations_of(shop: &Shop) -> String {
    format!("http://{}", shop.operations())
}

/// `byteshop serve`.
pub(super) async fn serve(config: &Config) -> Result<(), Failure> {
    one(config, "serve", Roles { serve: Some(address(config)?), ..Roles::default() }).await
}

/// `byteshop work`.
pub(super) async fn work(config: &Config, args: WorkArgs) -> Result<(), Failure> {
    one(config, "work", Roles { work: Some(args.views), ..Roles::default() }).await
}

/// `byteshop relay`.
pub(super) async fn relay(config: &Config) -> Result<(), Failure> {
    one(config, "relay", Roles { relay: true, ..Roles::default() }).await
}

fn server_options(config: &Config) -> Options {
    Options {
        database_url: config.database_url.clone(),
        migration_database_url: config.migration_database_url.clone(),
        nats_url: config.nats_url.clone(),
        pg_bin: config.pg_bin.clone(),
        nats_server: config.nats_server.clone(),
        throw_away: false,
    }
}

async fn settings(
    config: &Config,
    log: &Log,
    database_url: &str,
    nats_url: &str,
    roles: Roles,
) -> Result<Settings, Failure> {
    // What a role does without, its process neither has nor makes: `relay` needs no key at all.
    let serves = roles.serve.is_some();
    let opens = serves || roles.work.is_some();
    // First of all, as nothing may be written where it is missing.
    let data_keys = if opens { data_keys(config, log).await? } else { DataKeys::none() };
    Ok(Settings {
        database_url: database_url.to_owned(),
        database_connections: config.database_connections,
        nats: Some(NatsConfig { stream: config.nats_stream.clone(), ..NatsConfig::new(nats_url) }),
        roles,
        operations: config.operations(),
        shown: Arc::new(Shown::of(config)),
        tokens: if serves { Some(tokens(config)?) } else { None },
        data_keys,
        key_source: source(config),
        erased: if opens { Some(erased_list(config)?) } else { None },
        metrics: telemetry::start_metrics()?,
        limits: limits(config),
        cors: config.cors_origins.clone().unwrap_or_default(),
        refuse_disposable: config.refuse_disposable_email,
        pay_within: TimeDelta::minutes(i64::from(config.payment_window_minutes)),
        trade: config.trade(),
        staff: config.staff(),
        connected: config.connected().map_err(|error| Failure::refused(error.to_string()))?,
        dev: config.dev,
        messages: Messages::Configured(Box::new(config.outside())),
        webhook_private: config.webhook_private,
        files: if opens { Some(files(config)?) } else { None },
    })
}

/// How much one visitor may ask.
fn limits(config: &Config) -> Limits {
    Limits::per_minute(config.rate_limit_address, config.rate_limit_account)
        .behind(config.trusted_proxies.clone().unwrap_or_default())
        .with_auth(config.rate_limit_auth, config.rate_limit_guesses)
        .with_coupons(config.rate_limit_coupons)
        .with_licences(config.rate_limit_licences)
        .with_gift_cards(config.rate_limit_gift_cards)
        .with_checkouts(config.rate_limit_checkouts)
        .with_guest_writes(config.rate_limit_guest_writes)
        .with_account_writes(config.rate_limit_account_writes)
}

/// Where to listen. In development that is this machine alone, unless the people who run it say so a second time.
fn address(config: &Config) -> Result<SocketAddr, Failure> {
    if config.dev && !config.address.is_loopback() && !config.dev_beyond_loopback {
        return Err(Failure::refused(format!(
            "a shop in development mode issues tokens to anyone and shows all mail, so it does not listen on {}: set \
             BYTESHOP_DEV=false, leave BYTESHOP_ADDRESS at 127.0.0.1, or allow it with BYTESHOP_DEV_BEYOND_LOOPBACK=true",
            config.address
        )));
    }
    Ok(SocketAddr::new(config.address, config.port))
}
