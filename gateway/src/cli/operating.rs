//! Commands of an operator: a write side for one command, and the operator as its actor.

use byteshop_commands::{Appender, Commands, Connected, Intent};
use byteshop_domain::Decider;
use byteshop_eventstore::StoreError;
use byteshop_eventstore::read::{Filter, PAGE};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::migrate;
use super::running::Shop;
use super::storage::{data_keys, erased_list};
use crate::config::Config;
use crate::operator;

/// Does some work on the write side of the shop, with an appender of its own that ends with it.
pub(super) async fn with_commands<T>(
    config: &Config,
    work: impl AsyncFnOnce(Commands) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let shop = Shop::find(config)?;
    let log = shop.log(config)?;
    migrate::when_allowed(&shop, &log).await?;
    let (keys, erased) = (data_keys(config, &log).await?, erased_list(config)?);
    let closed = log.recognize().await?.map(|closed| closed.reason);
    let cancel = CancellationToken::new();
    // A running shop sees what is new by itself.
    let (appender, appending) = Appender::new(log.clone(), |_| {}, cancel.clone());
    let working = async {
        let commands = Commands::new(log, appender, keys, Connected::default());
        commands.vault().list_erased(erased);
        commands.close(closed);
        let outcome = work(commands).await;
        cancel.cancel();
        outcome
    };
    tokio::join!(working, appending).0
}

/// The intent of an operator's command.
pub(super) fn intent(commands: &Commands, command: &'static str) -> Intent {
    Intent::new(operator::actor(), command, commands.clock().new_id())
}

/// Everything that such an event happened to, each once, the oldest first.
pub(super) async fn with_event<A: Decider>(
    commands: &Commands,
    event_type: &str,
    is_wanted: impl Fn(&A::Event) -> bool,
) -> Result<Vec<A::Id>, Failure> {
    let filter = Filter { types: vec![format!("{}.{event_type}", A::CATEGORY)], ..Filter::default() };
    let (mut found, mut position) = (vec![], 0);
    loop {
        let page = commands.log().read_filtered(position, PAGE, &filter).await?;
        let Some(last) = page.last() else { return Ok(found) };
        position = last.position;
        for event in &page {
            let decoded = event.event::<A>().transpose();
            let decoded = decoded.map_err(|source| StoreError::Unreadable { position: event.position, source })?;
            let id = event.id_of::<A>();
            if decoded.is_some_and(|decoded| is_wanted(&decoded)) && !found.contains(&id) {
                found.push(id);
            }
        }
    }
}
