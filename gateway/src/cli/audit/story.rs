//! `byteshop audit story`: the history of an order in sentences, with who did what.

use std::collections::BTreeMap;

use byteshop_domain::Locale;
use byteshop_domain::credit_note::{self, CreditNote};
use byteshop_domain::order::Order;
use byteshop_domain::{AnyEvent, Decider as _};
use byteshop_eventstore::StreamId;
use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Recorded, StoreError};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::desk::{Desk, Name, is_full};
use super::names::Names;
use super::record;
use super::reveal::RevealArg;
use crate::cli::failure::Failure;
use crate::cli::output::{self, FormatArg};
use crate::http::story;
use crate::lookup::Thing;

/// The arguments of `byteshop audit story`.
#[derive(Debug, clap::Args)]
pub(super) struct StoryArgs {
    /// The order: its id, its number, or the number of its invoice or of one of its credit notes
    #[arg(value_name = "ORDER")]
    order: Name,
    /// The language of the sentences: en or ru
    #[arg(long, default_value = "en", value_name = "LOCALE", value_parser = locale)]
    locale: Locale,
    #[command(flatten)]
    reveal: RevealArg,
    #[command(flatten)]
    format: FormatArg,
}

fn locale(text: &str) -> Result<Locale, String> {
    serde_json::from_value(text.into()).map_err(|_| "expected en or ru".to_owned())
}

/// A sentence of the story.
#[derive(Debug, Serialize)]
struct Line {
    position: i64,
    at: DateTime<Utc>,
    #[serde(rename = "type")]
    event_type: String,
    actor: String,
    text: String,
    /// The note of staff or the buyer, if personal data is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

pub(super) async fn run(desk: &Desk, args: StoryArgs) -> Result<(), Failure> {
    let thing = order_of(desk, desk.thing(&args.order).await?).await?;
    let events = events_of(desk, &thing).await?;
    let mut notes = notes_in(desk, args.reveal, &events).await?;
    let mut names = Names::default();
    names.learn(desk, args.reveal, &events).await?;
    let told = story::told(events, args.locale).map_err(|problem| Failure::refused(problem.detail()))?;
    let lines: Vec<Line> = told
        .into_iter()
        .filter_map(|(event, text)| {
            let text = text?;
            let actor = names.who(event.meta().ok().as_ref());
            Some(Line {
                position: event.position,
                at: event.occurred_at(),
                event_type: record::what(&event),
                actor,
                text,
                note: notes.remove(&event.position),
            })
        })
        .collect();
    output::list(args.format.chosen(), &lines, |lines| {
        let mut table = output::table(["#", "when (UTC)", "what", "who"]);
        for line in lines {
            let at = line.at.format("%Y-%m-%d %H:%M:%S").to_string();
            let note = line.note.as_ref().map(|note| format!(" “{note}”")).unwrap_or_default();
            table.add_row([line.position.to_string(), at, format!("{}{note}", line.text), line.actor.clone()]);
        }
        table
    })?;
    Ok(())
}

/// The notes of staff and the buyer about these events, by position; none unless personal data is shown.
async fn notes_in(desk: &Desk, reveal: RevealArg, events: &[Recorded]) -> Result<BTreeMap<i64, String>, Failure> {
    let mut notes = BTreeMap::new();
    if !reveal.is_on() {
        return Ok(notes);
    }
    for event in events {
        let data: Value = serde_json::from_str(&reveal.json(desk, &event.data).await?)?;
        let note = ["note", "comment"].iter().find_map(|name| data[name].as_str().map(str::to_owned));
        notes.extend(note.map(|note| (event.position, note)));
    }
    Ok(notes)
}

/// The order that a credit note is for; any other thing is what it is.
async fn order_of(desk: &Desk, thing: Thing) -> Result<Thing, Failure> {
    if thing.stream.category != CreditNote::CATEGORY {
        return Ok(thing);
    }
    for event in whole(desk, &thing.stream).await? {
        if let AnyEvent::CreditNote(_, credit_note::Event::Issued(content)) = decoded(&event)?
            && let Some(order) = content.order.or_else(|| content.lines.iter().find_map(|line| line.order))
        {
            return Ok(Thing { id: order.to_string(), stream: StreamId::of::<Order>(order) });
        }
    }
    Ok(thing)
}

fn decoded(event: &Recorded) -> Result<AnyEvent, StoreError> {
    AnyEvent::decode(&event.category, event.stream, &event.event_type, event.schema, &event.data)
        .map_err(|source| StoreError::Unreadable { position: event.position, source })
}

/// The events of an order and of what belongs to it, in the order of the log.
async fn events_of(desk: &Desk, thing: &Thing) -> Result<Vec<Recorded>, Failure> {
    if thing.stream.category != Order::CATEGORY {
        return Err(Failure::refused(format!(
            "{} is not an order: give ord_…, or the number of an order, an invoice or a credit note",
            thing.id
        )));
    }
    let mut events = Vec::new();
    for stream in streams_of(desk, &thing.stream).await?.unwrap_or_else(|| vec![thing.stream.clone()]) {
        events.extend(whole(desk, &stream).await?);
    }
    events.sort_unstable_by_key(|event| event.position);
    Ok(events)
}

/// The streams of an order and of what belongs to it; none when the stream is not an order's.
pub(super) async fn streams_of(desk: &Desk, stream: &StreamId) -> Result<Option<Vec<StreamId>>, Failure> {
    let mut order = Order::default();
    let mut id = None;
    for event in whole(desk, stream).await? {
        let AnyEvent::Order(of, happened) = decoded(&event)? else { return Ok(None) };
        (order, id) = (order.evolve(&happened), Some(of));
    }
    Ok(match (id, order.live()) {
        (Some(id), Ok(placed)) => Some(story::streams_of(id, placed)),
        _ => None,
    })
}

/// All events of a stream.
async fn whole(desk: &Desk, stream: &StreamId) -> Result<Vec<Recorded>, Failure> {
    let (mut events, mut version) = (Vec::new(), 0);
    loop {
        let page = desk.log.read_stream(stream, version, PAGE).await?;
        let goes_on = is_full(&page, PAGE);
        version = page.last().map_or(version, |event| event.version);
        events.extend(page);
        if !goes_on {
            return Ok(events);
        }
    }
}
