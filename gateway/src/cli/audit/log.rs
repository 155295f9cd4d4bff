//! `byteshop audit log`: what happened, one line each, newest last; with `--follow`, as it happens.

use std::io::Write;
use std::time::Duration;

use byteshop_eventstore::read::{Filter, PAGE};
use byteshop_eventstore::{Log, Recorded};
use chrono::{DateTime, Utc};

use super::record::{self, Record};
use super::{Thing, is_full};
use crate::cli::failure::Failure;
use crate::cli::output::{self, Format, FormatArg, Items, Out};
use crate::cli::terminal::{self, Style, columns, cut, styled};
use crate::cli::{moment, summary};

/// How often the end of the log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// From this width on there is room for whole ids, the command and the year.
const WIDE: usize = 170;

/// Which events.
#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    /// Only what happened to this thing
    #[arg(long, value_name = "ID")]
    stream: Option<Thing>,
    /// Only events of this type, such as order.placed, placed or order.*
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only what they did: admin, acc_…, settle_order, import
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Only from this time or day on (UTC), or of the last 30m, 1h or 2d
    #[arg(long, value_name = "TIME", value_parser = moment::since)]
    since: Option<DateTime<Utc>>,
    /// Only before this time, or to the end of this day (UTC), or so long ago as 30m, 1h or 2d
    #[arg(long, value_name = "TIME", value_parser = moment::until)]
    until: Option<DateTime<Utc>>,
    /// From the one after this position on, rather than the newest
    #[arg(long, value_name = "POSITION")]
    after: Option<i64>,
    /// So many at most; 0 for all
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    limit: i64,
    /// Go on as it happens
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    format: FormatArg,
}

pub(super) async fn run(log: &Log, args: LogArgs) -> Result<(), Failure> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since > until
    {
        let text = format!("--until {until} is before --since {since}, so there is nothing between them");
        return Err(Failure::Usage(text));
    }
    if let Some(thing) = &args.stream {
        thing.must_exist(log).await?;
    }
    let filter = Filter {
        stream: args.stream.map(|thing| thing.stream),
        event_type: args.event_type,
        actor: args.actor,
        since: args.since,
        until: args.until,
        ..Filter::default()
    };
    let head = log.head().await?;
    let mut printer = Printer::start(args.format.chosen(), head)?;
    let mut last = head;
    let limit = if args.limit == 0 { i64::MAX } else { args.limit };
    let newest_only = args.after.is_none() && args.limit > 0 && args.limit <= PAGE;
    if newest_only {
        let events = log.read_last(head, limit.saturating_add(1), &filter).await?;
        let more = events.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if more {
            printer.note(&format!("the newest {limit} of them; --limit 0 for all, --after 0 to begin with the first"));
        }
        if events.is_empty() {
            printer.note("there is no such event");
        }
        printer.print(&events[usize::from(more)..])?;
    } else {
        last = last.max(print_all(log, &filter, args.after.unwrap_or(0), limit, &mut printer).await?);
    }
    if args.follow {
        follow(log, &filter, last, &mut printer).await?;
    }
    Ok(printer.end()?)
}

/// Prints from a position on, a page at a time; gives the last position.
async fn print_all(
    log: &Log,
    filter: &Filter,
    mut after: i64,
    mut left: i64,
    printer: &mut Printer,
) -> Result<i64, Failure> {
    loop {
        let page = left.min(PAGE);
        let events = log.read_filtered(after, page, filter).await?;
        printer.print(&events)?;
        let read = i64::try_from(events.len()).unwrap_or(i64::MAX);
        left -= read;
        after = events.last().map_or(after, |last| last.position);
        if read < page || left == 0 {
            return Ok(after);
        }
    }
}

async fn follow(log: &Log, filter: &Filter, mut after: i64, printer: &mut Printer) -> Result<(), Failure> {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // Everything up to the head can be read by now, so what the filter holds back is not looked at again.
        let head = log.head().await?;
        while head > after {
            let events = log.read_filtered(after, PAGE, filter).await?;
            let full = is_full(&events, PAGE);
            let last = events.last().map_or(after, |event| event.position);
            after = if full { last } else { head.max(last) };
            printer.print(&events)?;
        }
    }
}

struct Printer {
    out: Out,
    format: Format,
    items: Option<Items>,
    layout: Layout,
}

impl Printer {
    fn start(format: Format, head: i64) -> Result<Self, Failure> {
        let mut out = output::out();
        let items = match format {
            Format::Table => None,
            Format::Json | Format::Jsonl => Some(Items::begin(format, &mut out)?),
        };
        let layout = Layout::of(terminal::width(), head);
        if format == Format::Table {
            layout.header(&mut out)?;
        }
        Ok(Self { out, format, items, layout })
    }

    /// A side note, for people only.
    fn note(&self, text: &str) {
        if self.format == Format::Table && terminal::is_watched() {
            // When stderr is closed, nobody misses it.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    fn print(&mut self, events: &[Recorded]) -> Result<(), Failure> {
        for event in events {
            match &mut self.items {
                Some(items) => items.push(&mut self.out, &Record::of(event)?)?,
                None => self.layout.line(&mut self.out, event)?,
            }
        }
        Ok(self.out.flush()?)
    }

    fn end(mut self) -> std::io::Result<()> {
        match self.items.take() {
            Some(items) => items.end(&mut self.out),
            None => self.out.flush(),
        }
    }
}

/// The columns of a line.
struct Layout {
    width: Option<usize>,
    position: usize,
    wide: bool,
}

impl Layout {
    fn of(width: Option<usize>, head: i64) -> Self {
        Self { width, position: head.to_string().len().max(4), wide: width.is_none_or(|width| width >= WIDE) }
    }

    fn header(&self, out: &mut Out) -> std::io::Result<()> {
        let time = if self.wide { 19 } else { 14 };
        let mut line = format!("{:>position$}  {:<time$}  ", "#", "recorded", position = self.position);
        line.push_str(&self.columns("who", "what", "to", "command"));
        line.push_str("data");
        let line = self.width.map_or_else(|| line.clone(), |width| cut(&line, width));
        writeln!(out, "{}", styled(&line, Style::Dim))
    }

    fn columns(&self, who: &str, what: &str, to: &str, command: &str) -> String {
        if self.wide {
            return format!("{who:<36}  {what:<22}  {to:<31}  {command:<22}  ");
        }
        format!("{:<22}  {:<22}  {to:<12}  ", cut(who, 22), cut(what, 22))
    }

    fn line(&self, out: &mut Out, event: &Recorded) -> std::io::Result<()> {
        let meta = event.meta().ok();
        let form = if self.wide { "%Y-%m-%d %H:%M:%S" } else { "%m-%d %H:%M:%S" };
        let time = event.recorded_at.format(form).to_string();
        let start = format!("{:>width$}  ", event.position, width = self.position);
        let (mut who, mut to) = (record::who(meta.as_ref()), record::subject(event));
        let command = meta.as_ref().map_or("?", |meta| meta.command.as_str());
        let mut data = summary::of(&event.data);
        if let Some(moment) = meta.as_ref().and_then(|meta| meta.occurred_at) {
            data = format!("[of {}] {data}", moment.format("%Y-%m-%d"));
        }
        if !self.wide {
            (who, to) = (record::with_short_ids(&who), record::with_short_ids(&to));
        }
        let middle = self.columns(&who, &record::what(event), &to, command);
        if let Some(width) = self.width {
            let used = columns(&start) + columns(&time) + 2 + columns(&middle);
            data = cut(&record::with_short_ids(&data), width.saturating_sub(used));
        }
        writeln!(out, "{start}{}  {middle}{}", styled(&time, Style::Dim), styled(&data, Style::Dim))
    }
}
