//! `byteshop audit state`: a thing as it is, or as it was at any moment of its history.

use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Log, StoreError};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{Thing, is_full};
use crate::cli::failure::Failure;
use crate::cli::moment::{self, At, Moment};
use crate::cli::output;

/// Of what, and when.
#[derive(Debug, clap::Args)]
pub(super) struct StateArgs {
    /// Its id; the prefix tells what it is (var_… is the stock of a variant)
    #[arg(value_name = "ID")]
    thing: Thing,
    /// When: a version (v3), a position of the log (12), a time, a day, which is meant to its end (UTC), or how long ago (2d)
    #[arg(long, value_name = "vN|POSITION|TIME", value_parser = moment::at)]
    at: Option<At>,
}

/// A thing at a moment of its history.
#[derive(Debug, Serialize)]
pub(super) struct Past {
    /// Its id.
    pub(super) id: String,
    /// What it is.
    pub(super) kind: String,
    /// Its version then; 0 when there was no such thing yet.
    pub(super) version: i64,
    /// The position of the last event that is counted.
    pub(super) position: Option<i64>,
    /// When that was recorded.
    pub(super) recorded_at: Option<DateTime<Utc>>,
    /// What it looked like.
    pub(super) state: Value,
}

pub(super) async fn run(log: &Log, args: StateArgs) -> Result<(), Failure> {
    args.thing.must_exist(log).await?;
    let past = past(log, &args.thing, args.at).await?;
    match (past.version, args.at) {
        (0, _) => Err(Failure::refused(format!("there was no {} yet at that moment", args.thing.id))),
        (found, Some(At::Version(asked))) if found < asked => {
            Err(Failure::refused(format!("{} has {found} versions, not {asked}", args.thing.id)))
        }
        _ => Ok(output::json(&past)?),
    }
}

/// Folds the history of a thing up to a moment, a page at a time.
pub(super) async fn past(log: &Log, thing: &Thing, at: Option<At>) -> Result<Past, Failure> {
    let Some(mut state) = byteshop_domain::begin(&thing.stream.category) else { return Err(thing.unknown()) };
    let mut past = Past {
        id: thing.id.clone(),
        kind: thing.stream.category.clone().into_owned(),
        version: 0,
        position: None,
        recorded_at: None,
        state: Value::Null,
    };
    loop {
        let events = log.read_stream(&thing.stream, past.version, PAGE).await?;
        let mut goes_on = is_full(&events, PAGE);
        for event in &events {
            let passed = match at {
                None => false,
                Some(At::Version(version)) => event.version > version,
                Some(At::Moment(Moment::Position(position))) => event.position > position,
                Some(At::Moment(Moment::Time(time))) => event.recorded_at > time,
            };
            if passed {
                goes_on = false;
                break;
            }
            state
                .take(&event.event_type, event.schema, &event.data)
                .map_err(|source| StoreError::Unreadable { position: event.position, source })?;
            (past.version, past.position, past.recorded_at) =
                (event.version, Some(event.position), Some(event.recorded_at));
        }
        if !goes_on {
            past.state = state.json().map_err(Failure::refused)?;
            return Ok(past);
        }
    }
}
