//! `byteshop audit trace`: the tree of causes and effects; a command, its events, the commands that these led to.

mod draw;
mod tree;

use std::collections::BTreeMap;
use std::io::Write as _;

use byteshop_domain::Decider as _;
use byteshop_domain::order::Order;
use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Log, Recorded, StreamId};
use uuid::Uuid;

use super::desk::{Desk, Name, is_full, no_event};
use super::names::Names;
use super::reveal::RevealArg;
use super::story::streams_of;
use crate::cli::failure::Failure;
use crate::cli::output::{self, Format, FormatArg};
use crate::cli::terminal;
use crate::lookup::Thing;

/// The maximum number of events in a trace: more would be unreadable, and an import is one chain of a million.
const EVENTS_MAX: i64 = 1_000;

/// Causes above a position that are read when its chain is longer than that.
const CAUSES_MAX: usize = 100;

/// Around what.
#[derive(Debug, clap::Args)]
pub(super) struct TraceArgs {
    /// A position of the log, or an object: an id, an e-mail address, a SKU, or an order, invoice or credit note number. An order
    /// includes its payment, shipments and returns
    #[arg(value_name = "THING|POSITION")]
    around: Around,
    /// At most this many chains of causes, the newest
    #[arg(long, default_value_t = 20, value_name = "N")]
    chains: usize,
    #[command(flatten)]
    reveal: RevealArg,
    #[command(flatten)]
    format: FormatArg,
}

#[derive(Debug, Clone)]
enum Around {
    Position(i64),
    Thing(Name),
}

impl std::str::FromStr for Around {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<i64>() {
            Ok(position) if position > 0 => Ok(Self::Position(position)),
            Ok(_) => Err("positions start at 1".to_owned()),
            Err(_) => text.parse().map(Self::Thing),
        }
    }
}

pub(super) async fn run(desk: &Desk, args: TraceArgs) -> Result<(), Failure> {
    let log = &desk.log;
    let (mut chains, marked) = match &args.around {
        Around::Position(position) => {
            let position = *position;
            let Some(event) = log.event_at(position).await? else { return Err(no_event(log, position).await) };
            let chain = event.meta()?.correlation_id;
            (BTreeMap::from([(position, chain)]), Marked::Position(position))
        }
        Around::Thing(name) => {
            let thing = desk.thing(name).await?;
            (chains_of(desk, &thing).await?, Marked::Thing(thing))
        }
    };
    let format = args.format.chosen();
    while chains.len() > args.chains.max(1) {
        chains.pop_first();
        if format == Format::Table && chains.len() == args.chains {
            let _ = writeln!(std::io::stderr(), "showing the newest {} chains; --chains N for more", args.chains);
        }
    }
    let mut out = output::out();
    let (mut trees, mut names) = (Vec::new(), Names::default());
    for (position, chain) in chains {
        let events = around(log, chain, position).await?;
        let first = events.first().map_or(position, |event| event.position);
        let cut = i64::try_from(events.len()).is_ok_and(|count| count >= EVENTS_MAX);
        names.learn(desk, args.reveal, &events).await?;
        trees.push((first, cut, tree::grow(args.reveal.events(desk, events).await?)));
    }
    // In the order in which they began: one that began earlier may have touched the thing later.
    trees.sort_unstable_by_key(|(first, ..)| *first);
    let mut roots = Vec::new();
    for (_, cut, steps) in trees {
        let (detail, width) = (args.reveal.detail(), terminal::width());
        let view = draw::View { marked: &|event| marked.is(event), names: &names, detail, width };
        match format {
            Format::Table => draw::draw(&mut out, &steps, &view, cut)?,
            Format::Json | Format::Jsonl => roots.extend(steps),
        }
    }
    match format {
        Format::Table => out.flush()?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &roots)?;
            writeln!(out)?;
            out.flush()?;
        }
        Format::Jsonl => {
            for root in &roots {
                serde_json::to_writer(&mut out, root)?;
                writeln!(out)?;
            }
            out.flush()?;
        }
    }
    Ok(())
}

/// The events of a chain; of one that is too long, what led to a position and what came after it.
async fn around(log: &Log, chain: Uuid, position: i64) -> Result<Vec<Recorded>, Failure> {
    let events = log.read_correlation(chain, 0, EVENTS_MAX).await?;
    if events.last().is_none_or(|last| last.position >= position) {
        return Ok(events);
    }
    let mut events = log.read_correlation(chain, position - 1, EVENTS_MAX).await?;
    for _ in 0..CAUSES_MAX {
        let cause = events.first().and_then(|event| event.meta().ok()?.causation);
        let Some(cause) = cause else { break };
        let Some(event) = log.event_at(cause).await? else { break };
        events.insert(0, event);
    }
    Ok(events)
}

/// The objects or events to highlight in the drawing.
enum Marked {
    Position(i64),
    Thing(Thing),
}

impl Marked {
    fn is(&self, event: &Recorded) -> bool {
        match self {
            Self::Position(position) => event.position == *position,
            Self::Thing(thing) => event.stream == thing.stream.id && event.category == thing.stream.category,
        }
    }
}

/// The chains that touched a thing, or what belongs to an order, by the position where each touched it last.
async fn chains_of(desk: &Desk, thing: &Thing) -> Result<BTreeMap<i64, Uuid>, Failure> {
    let mut last_touch: BTreeMap<Uuid, i64> = BTreeMap::new();
    let belongings =
        if thing.stream.category == Order::CATEGORY { streams_of(desk, &thing.stream).await? } else { None };
    for stream in belongings.unwrap_or_else(|| vec![thing.stream.clone()]) {
        touch(&desk.log, &stream, &mut last_touch).await?;
    }
    Ok(last_touch.into_iter().map(|(chain, position)| (position, chain)).collect())
}

/// Notes where each chain touched a stream last.
async fn touch(log: &Log, stream: &StreamId, last_touch: &mut BTreeMap<Uuid, i64>) -> Result<(), Failure> {
    let mut version = 0;
    loop {
        let events = log.read_stream(stream, version, PAGE).await?;
        for event in &events {
            let last = last_touch.entry(event.meta()?.correlation_id).or_default();
            *last = event.position.max(*last);
        }
        let full = is_full(&events, PAGE);
        version = events.last().map_or(version, |event| event.version);
        if !full {
            return Ok(());
        }
    }
}
