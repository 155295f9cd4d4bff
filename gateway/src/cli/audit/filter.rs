//! Which events are meant: the same filters for every command that lists events.

use byteshop_eventstore::Clock;
use byteshop_eventstore::read::Filter;
use chrono::{DateTime, Utc};

use super::desk::{Desk, Name, failure};
use crate::cli::failure::Failure;
use crate::cli::moment;
use crate::lookup;

/// Which events.
#[derive(Debug, clap::Args)]
pub(super) struct FilterArgs {
    /// Only events of this object: an id, an e-mail address, a SKU, an order, invoice or credit note number, a coupon code or the
    /// slug of a category
    #[arg(long, value_name = "THING")]
    stream: Option<Name>,
    /// Only events of this type, such as order.placed, placed, order.* or product.variant*; can be repeated
    #[arg(long = "type", value_name = "TYPE", value_parser = lookup::event_types)]
    types: Vec<Vec<String>>,
    /// Only events caused by this actor: a kind such as guest, admin or operator, an id such as acc_…, an e-mail address, or a name
    /// such as settle_order or that of an operator
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// Only events recorded from this time, day, month or year on (UTC): 2026-11-20T08:00:00Z, 2026-11-20, 2026-11, yesterday,
    /// or an age such as 30m, 1h or 2d
    #[arg(long, value_name = "TIME", value_parser = moment::from)]
    from: Option<DateTime<Utc>>,
    /// Only events recorded before this time, or up to the end of this day, month or year (UTC), or an age such as 30m, 1h or 2d
    #[arg(long, value_name = "TIME", value_parser = moment::until)]
    until: Option<DateTime<Utc>>,
}

impl FilterArgs {
    /// The filter, with every name looked up.
    pub(super) async fn resolve(&self, desk: &Desk) -> Result<Filter, Failure> {
        if let Some(from) = self.from {
            if let Some(until) = self.until.filter(|until| from >= *until) {
                let text = format!("--until {until} is not after --from {from}, so no event can match");
                return Err(Failure::Usage(text));
            }
            if from > Clock.now() {
                return Err(Failure::Usage(format!("--from {from} is in the future, so no event can match")));
            }
        }
        let finder = desk.finder();
        let things = match &self.stream {
            Some(name) => finder.things(&name.0).await.map_err(failure)?,
            None => Vec::new(),
        };
        let actor = match &self.actor {
            Some(name) => Some(finder.actor(name).await.map_err(failure)?),
            None => None,
        };
        Ok(Filter {
            categories: Vec::new(),
            types: self.types.iter().flatten().cloned().collect(),
            streams: things.into_iter().map(|thing| thing.stream).collect(),
            actor,
            since: self.from,
            until: self.until,
        })
    }
}
