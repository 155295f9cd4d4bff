//! A shop, put together: the roles that one process runs, started in order and stopped in order.

mod opening;
mod settings;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result};
use byteshop_commands::ports::connected::Provider;
use byteshop_commands::ports::private_files::PrivateFiles;
use byteshop_commands::ports::webhook::WebhookClient;
use byteshop_commands::processes::{self, CarryOut};
use byteshop_commands::relay::{self, NatsConfig, RelayStatus};
use byteshop_commands::use_cases::paypal_poll;
use byteshop_commands::{Appender, Commands, Committed, receipts, webhooks};
use byteshop_domain::process;
use byteshop_domain::process::follow_disputes::FollowDisputes;
use byteshop_domain::process::forget_person::ForgetPerson;
use byteshop_domain::process::notify::SendNotifications;
use byteshop_domain::process::post_balances::PostBalances;
use byteshop_domain::process::schedule_products::ScheduleProducts;
use byteshop_domain::process::send_payouts::SendPayouts;
use byteshop_domain::process::settle_order::SettleOrder;
use byteshop_eventstore::Log;
use byteshop_eventstore::feed::{Feed, TailConfig};
use byteshop_projections::Views;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Seen};
use crate::edge::compressed::Compressed;
use crate::edge::measures::Measures;
use crate::followers::{self, Followers};
use crate::health::{Health, RoleState};
use crate::http::{openapi, provider};
use crate::operations::{self, Operations};
use crate::pictures::Pictures;
use crate::queries::reductions::Reductions;
use crate::reconcile;
use crate::restored;
use crate::rotation::{self, KeySource};
use crate::router::router;
use crate::security::ended_sessions::Ended;
use crate::security::key_uses::Uses;
use crate::security::password::Passwords;
use crate::serve::serve;
pub use settings::{Messages, Roles, Settings};

/// How long requests and workers may take to finish when the shop stops.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A running shop.
pub struct Shop {
    http: Option<SocketAddr>,
    operations: SocketAddr,
    commands: Commands,
    app: Option<App>,
    tasks: JoinSet<()>,
    appender: JoinSet<()>,
    cancel: CancellationToken,
    writing: CancellationToken,
}

/// The tasks to wake when this process has appended events. A permit wakes one waiter, so each task has its own.
#[derive(Clone, Default)]
struct Hints {
    /// The feed of the views and processes of this process.
    feed: Arc<OnceLock<Feed>>,
    webhooks: Arc<Notify>,
    others: Arc<Notify>,
}

impl Hints {
    fn wake(&self, committed: Committed) {
        if let Some(feed) = self.feed.get() {
            feed.offer(committed.events());
        }
        for hint in [&self.webhooks, &self.others] {
            hint.notify_one();
        }
    }
}

impl Shop {
    /// Starts the roles; the schemas are up to date already. Returns when HTTP, if wanted, is served.
    pub async fn start(settings: Settings) -> Result<Self> {
        let log = Log::open_with(&settings.database_url, settings.database_connections)?;
        let (cancel, writing) = (CancellationToken::new(), CancellationToken::new());
        let (hints, mut appender_task) = (Hints::default(), JoinSet::new());
        let woken = hints.clone();
        let (appender, appending) = Appender::new(log.clone(), move |committed| woken.wake(committed), writing.clone());
        appender_task.spawn(appending);
        let commands = Commands::new(log.clone(), appender, settings.data_keys, settings.connected);
        let listening = listen(settings.roles.serve).await?;
        let for_operators = operations::listen(settings.operations).await?;
        let here = listening.as_ref().map(|(_, own)| reached(*own));
        let sends = settings.roles.work.is_some();
        opening::reach(&commands, settings.messages, &settings.trade, (settings.dev, sends), here)?;
        let views = Views::beside(log.clone()).for_api_at(commands.api_address());
        // A shop in development sells nothing.
        let sells = here.is_some() && !settings.dev;
        let health = opening::open(&commands, settings.erased, settings.files.as_ref(), &settings.trade, sells).await?;
        let webhooks = WebhookClient::new(settings.webhook_private).context("cannot send webhooks")?;
        let mut shop = Self {
            http: None,
            operations: reached(for_operators.local_addr()?),
            commands: commands.clone(),
            app: None,
            tasks: JoinSet::new(),
            appender: appender_task,
            cancel,
            writing,
        };
        let shown = Operations {
            health: health.clone(),
            metrics: settings.metrics,
            views: views.clone(),
            log: log.clone(),
            settings: settings.shown,
        };
        shop.watch(for_operators, shown.clone(), settings.nats.clone());
        shop.follow(&settings.roles, settings.nats.as_ref(), settings.key_source, &shown, &hints, &webhooks).await?;
        shop.tasks.spawn(restored::watch(commands.clone(), health.clone(), shop.cancel.clone()));
        if let Some(listening) = listening {
            let (ended, follower) = Ended::of(&log).await?;
            shop.tasks.spawn(follower.follow(shop.cancel.clone()));
            let files = settings.files.context("who serves has a store for files")?;
            let app = App {
                commands,
                views,
                tokens: settings.tokens.context("who serves has keys for access tokens")?,
                health,
                contract: openapi::contract(),
                limits: settings.limits,
                cors: settings.cors,
                passwords: Passwords::new()?,
                refuse_disposable: settings.refuse_disposable,
                pay_within: settings.pay_within,
                trade: settings.trade,
                staff: settings.staff,
                dev: settings.dev,
                webhooks,
                closing: shop.cancel.clone(),
                ended,
                seen: Seen::default(),
                sold_files: PrivateFiles::beside(&files),
                pictures: Pictures::in_blobs(files),
                uses: Uses::default(),
                compressed: Compressed::default(),
                measures: Measures::default(),
                reductions: Reductions::default(),
            };
            shop.serve(listening, app);
        }
        Ok(shop)
    }

    /// Where HTTP is served, with the port that was chosen.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where operators reach this process, with the port that was chosen.
    pub fn operations(&self) -> SocketAddr {
        self.operations
    }

    /// The write side.
    pub fn commands(&self) -> &Commands {
        &self.commands
    }

    /// What its handlers share, where HTTP is served.
    pub fn app(&self) -> Option<&App> {
        self.app.as_ref()
    }

    /// Stops: requests under way are answered, what was submitted is written, everything ends.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_WITHIN, ended).await.is_err() {
            tracing::warn!("some tasks did not end in time and are aborted");
            self.tasks.abort_all();
        }
        self.writing.cancel();
        // The appender ends after the batch that it is writing.
        while self.appender.join_next().await.is_some() {}
    }

    /// Watches Postgres and what follows the log, and shows operators what it sees.
    fn watch(&mut self, listener: TcpListener, shown: Operations, nats: Option<NatsConfig>) {
        let (health, cancel) = (shown.health.clone(), &self.cancel);
        let followers = Followers { log: shown.log.clone(), views: shown.views.clone(), nats };
        self.tasks.spawn(followers::watch(followers, followers::Pace::default(), health, cancel.clone()));
        self.tasks.spawn(operations::upkeep(shown.metrics.clone(), cancel.clone()));
        self.tasks.spawn(operations::serve(listener, shown, cancel.clone()));
    }

    fn relay(&mut self, log: Log, nats: NatsConfig, hints: &Hints, health: &Health) {
        let (status, _) = RelayStatus::channel();
        self.tasks.spawn(relay::run(log, nats, hints.feed.get().cloned(), self.cancel.clone(), status));
        // The shop is open without JetStream too, so this role is up whatever the relay is waiting for; readiness and metrics
        // tell how its stream stands to the log.
        health.set("relay", RoleState::Up);
    }

    /// The relay is in another process: tell it that there is something new.
    fn hint_others(&mut self, nats: &NatsConfig, hints: &Hints) {
        let (nats, hint, cancel) = (nats.clone(), Arc::clone(&hints.others), self.cancel.clone());
        self.tasks.spawn(async move {
            let hinting = async {
                let Ok(client) = relay::hint_client(&nats.url).await else { return };
                loop {
                    hint.notified().await;
                    relay::hint(&client, &nats.prefix).await;
                }
            };
            tokio::select! {
                () = hinting => {}
                () = cancel.cancelled() => {}
            }
        });
    }

    /// Starts what follows the log: the relay, or what tells the one elsewhere, and the views and processes.
    async fn follow(
        &mut self,
        roles: &Roles,
        nats: Option<&NatsConfig>,
        key_source: KeySource,
        Operations { log, views, health, .. }: &Operations,
        hints: &Hints,
        webhooks: &WebhookClient,
    ) -> Result<()> {
        if let Some(names) = &roles.work {
            let tail = nats.map(|nats| TailConfig {
                url: nats.url.clone(),
                stream: nats.stream.clone(),
                prefix: nats.prefix.clone(),
            });
            let from = log.head().await?;
            let feed = || Feed::start(log.clone(), tail, from, self.cancel.clone());
            let feed = hints.feed.get_or_init(feed).clone();
            self.processes(&feed, hints, webhooks);
            self.tasks.spawn(rotation::watch(log.clone(), key_source, self.cancel.clone()));
            self.tasks.spawn(reconcile::run(self.commands.clone(), views.clone(), self.cancel.clone()));
            self.views(views, names.clone(), feed, health);
        }
        match nats {
            Some(nats) if roles.relay => self.relay(log.clone(), nats.clone(), hints, health),
            Some(nats) => self.hint_others(nats, hints),
            None if roles.relay => anyhow::bail!("who relays has a JetStream"),
            None => {}
        }
        Ok(())
    }

    fn views(&mut self, views: &Views, names: Vec<String>, feed: Feed, health: &Health) {
        let (views, cancel, of_views) = (views.clone(), self.cancel.clone(), health.clone());
        health.set("views", RoleState::Up);
        self.tasks.spawn(async move {
            if let Err(error) = views.run(feed, &names, cancel).await {
                tracing::error!(%error, "the views stopped");
                of_views.set("views", RoleState::Down { reason: error.to_string() });
            }
        });
    }

    /// Reacts to what happens, and tells people and programs of it.
    fn processes(&mut self, feed: &Feed, hints: &Hints, client: &WebhookClient) {
        self.process::<SettleOrder>(feed);
        self.process::<process::notify::Notify>(feed);
        self.process::<SendNotifications>(feed);
        self.process::<ForgetPerson>(feed);
        self.process::<ScheduleProducts>(feed);
        self.process::<PostBalances>(feed);
        self.process::<SendPayouts>(feed);
        self.process::<FollowDisputes>(feed);
        self.tasks.spawn(paypal_poll::poll(self.commands.clone(), self.cancel.clone()));
        let (commands, cancel) = (self.commands.clone(), self.cancel.clone());
        self.tasks.spawn(webhooks::run(commands, client.clone(), Arc::clone(&hints.webhooks), cancel));
        self.tasks.spawn(receipts::run(self.commands.clone(), self.cancel.clone()));
    }

    fn process<P: CarryOut + 'static>(&mut self, feed: &Feed) {
        self.tasks.spawn(processes::run::<P>(self.commands.clone(), feed.clone(), self.cancel.clone()));
    }

    fn serve(&mut self, (listener, own): (TcpListener, SocketAddr), app: App) {
        (self.http, self.app) = (Some(own), Some(app.clone()));
        // The emulated provider notifies a process that serves.
        if self.commands.connected().has_provider(Provider::Test) {
            let here = format!("http://{}", reached(own));
            self.tasks.spawn(provider::tell(self.commands.clone(), here, self.cancel.clone()));
        }
        app.health.set("http", RoleState::Up);
        let (views, cancel) = (app.views.clone(), self.cancel.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                loaded = views.load_products() => {
                    // The watch over Postgres logs an outage.
                    if let Err(error) = loaded
                        && !error.is_outage()
                    {
                        tracing::warn!(%error, "the products cannot be loaded yet; the first search retries");
                    }
                }
                () = cancel.cancelled() => {}
            }
        });
        self.tasks.spawn(app.limits.clone().sweep(self.cancel.clone()));
        self.tasks.spawn(app.uses.clone().keep(self.commands.log().clone(), self.cancel.clone()));
        self.tasks.spawn(app.tokens.clone().watch(self.cancel.clone()));
        let limits = app.limits.clone();
        self.tasks.spawn(serve(listener, router(app), limits, self.cancel.clone()));
    }
}

/// Listens at an address, if there is one; gives it with the port that was chosen.
async fn listen(address: Option<SocketAddr>) -> Result<Option<(TcpListener, SocketAddr)>> {
    let Some(address) = address else { return Ok(None) };
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: stop what listens there, or choose another port with --port")
    })?;
    let own = listener.local_addr()?;
    Ok(Some((listener, own)))
}

/// Where this machine reaches what listens there.
fn reached(mut own: SocketAddr) -> SocketAddr {
    if own.ip().is_unspecified() {
        own.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    own
}
