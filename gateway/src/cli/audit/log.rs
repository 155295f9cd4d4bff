//! `byteshop audit log`: what happened, newest last; with `--follow`, as it happens.

use std::io::Write;
use std::time::Duration;

use byteshop_eventstore::Recorded;
use byteshop_eventstore::read::{Filter, PAGE};

use super::desk::{Desk, is_full};
use super::filter::FilterArgs;
use super::names::Names;
use super::record::{self, Record};
use super::reveal::RevealArg;
use crate::cli::failure::Failure;
use crate::cli::output::{self, Format, FormatArg, Items, Out};
use crate::cli::summary;
use crate::cli::terminal::{self, Style, columns, cut, styled};

/// How often the end of the log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// From this width on the command has a column, too.
const WIDE: usize = 170;
/// From this width on an event fits on one line with whole ids and the beginning of its data.
const ONE_LINE: usize = 140;

/// Which events.
#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Start after this position instead of showing the newest events
    #[arg(long, value_name = "POSITION")]
    after: Option<i64>,
    /// At most this many events; 0 for all
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    limit: i64,
    /// Keep printing new events
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    reveal: RevealArg,
    #[command(flatten)]
    format: FormatArg,
}

pub(super) async fn run(desk: &Desk, args: LogArgs) -> Result<(), Failure> {
    let filter = args.filter.resolve(desk).await?;
    let head = desk.log.head().await?;
    let mut printer = Printer::start(args.format.chosen(), head, args.reveal)?;
    let mut last = head;
    let limit = if args.limit == 0 { i64::MAX } else { args.limit };
    let newest_only = args.after.is_none() && args.limit > 0 && args.limit <= PAGE;
    if newest_only {
        let mut events = desk.log.read_last(head, limit.saturating_add(1), &filter).await?;
        let more = events.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if more {
            events.remove(0);
            printer.note(&format!(
                "showing the newest {limit} events; --limit 0 for all, --after 0 to start from the first"
            ));
        }
        if events.is_empty() {
            printer.note("no event matches");
        }
        printer.print(desk, events).await?;
    } else {
        last = last.max(print_all(desk, &filter, args.after.unwrap_or(0), limit, &mut printer).await?);
    }
    if args.follow {
        follow(desk, &filter, last, &mut printer).await?;
    }
    Ok(printer.end()?)
}

/// Prints from a position on, a page at a time; gives the last position.
async fn print_all(
    desk: &Desk,
    filter: &Filter,
    mut after: i64,
    mut left: i64,
    printer: &mut Printer,
) -> Result<i64, Failure> {
    loop {
        let page = left.min(PAGE);
        let events = desk.log.read_filtered(after, page, filter).await?;
        let read = i64::try_from(events.len()).unwrap_or(i64::MAX);
        left -= read;
        after = events.last().map_or(after, |last| last.position);
        printer.print(desk, events).await?;
        if read < page || left == 0 {
            return Ok(after);
        }
    }
}

async fn follow(desk: &Desk, filter: &Filter, mut after: i64, printer: &mut Printer) -> Result<(), Failure> {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // Everything up to the head can be read by now, so what the filter holds back is not looked at again.
        let head = desk.log.head().await?;
        while head > after {
            let events = desk.log.read_filtered(after, PAGE, filter).await?;
            let full = is_full(&events, PAGE);
            let last = events.last().map_or(after, |event| event.position);
            after = if full { last } else { head.max(last) };
            printer.print(desk, events).await?;
        }
    }
}

struct Printer {
    out: Out,
    format: Format,
    items: Option<Items>,
    layout: Layout,
    reveal: RevealArg,
    names: Names,
}

impl Printer {
    fn start(format: Format, head: i64, reveal: RevealArg) -> Result<Self, Failure> {
        let mut out = output::out();
        let items = match format {
            Format::Table => None,
            Format::Json | Format::Jsonl => Some(Items::begin(format, &mut out)?),
        };
        let layout = Layout::of(terminal::width(), head);
        if format == Format::Table {
            layout.header(&mut out)?;
        }
        Ok(Self { out, format, items, layout, reveal, names: Names::default() })
    }

    /// A side note, for people only.
    fn note(&self, text: &str) {
        if self.format == Format::Table && terminal::is_watched() {
            // When stderr is closed, nobody misses it.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    async fn print(&mut self, desk: &Desk, events: Vec<Recorded>) -> Result<(), Failure> {
        self.names.learn(desk, self.reveal, &events).await?;
        for event in &self.reveal.events(desk, events).await? {
            match &mut self.items {
                Some(items) => items.push(&mut self.out, &Record::of(event)?.by(&self.names))?,
                None => self.layout.line(&mut self.out, event, &self.names)?,
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

/// The columns of a line. Ids are whole in each of them, so that other commands take what is copied; what does not fit is the
/// data at the end, and in a narrow terminal an event takes two lines.
struct Layout {
    width: Option<usize>,
    position: usize,
}

impl Layout {
    fn of(width: Option<usize>, head: i64) -> Self {
        Self { width, position: head.to_string().len().max(4) }
    }

    fn is_wide(&self) -> bool {
        self.width.is_none_or(|width| width >= WIDE)
    }

    fn has_one_line(&self) -> bool {
        self.width.is_none_or(|width| width >= ONE_LINE)
    }

    fn header(&self, out: &mut Out) -> std::io::Result<()> {
        let start = format!("{:>width$}  {:<19}  ", "#", "recorded (UTC)", width = self.position);
        let columns = self.columns("type", "stream", "actor", "command");
        let line = if self.has_one_line() { format!("{start}{columns}data") } else { format!("{start}{columns}") };
        writeln!(out, "{}", styled(&self.fitting(&line, 0), Style::Dim))
    }

    /// What stands between the time and the data, or the end of the first line.
    fn columns(&self, what: &str, stream: &str, actor: &str, command: &str) -> String {
        if self.is_wide() {
            return format!("{what:<22}  {stream:<31}  {actor:<36}  {command:<22}  ");
        }
        if self.has_one_line() {
            format!("{what:<22}  {stream:<31}  {actor:<36}  ")
        } else {
            format!("{what:<22}  {stream}")
        }
    }

    /// A text cut to what is left of the line.
    fn fitting(&self, text: &str, used: usize) -> String {
        self.width.map_or_else(|| text.to_owned(), |width| cut(text, width.saturating_sub(used)))
    }

    fn line(&self, out: &mut impl Write, event: &Recorded, names: &Names) -> std::io::Result<()> {
        let meta = event.meta().ok();
        let time = event.recorded_at.format("%Y-%m-%d %H:%M:%S").to_string();
        let start = format!("{:>width$}  ", event.position, width = self.position);
        let (actor, stream) = (names.who(meta.as_ref()), record::subject(event));
        let command = meta.as_ref().map_or("?", |meta| meta.command.as_str());
        let mut data = summary::of(&event.data);
        if let Some(moment) = meta.as_ref().and_then(|meta| meta.occurred_at) {
            data = format!("[of {}] {data}", moment.format("%Y-%m-%d"));
        }
        let middle = self.columns(&record::what(event), &stream, &actor, command);
        if self.has_one_line() {
            let used = columns(&start) + columns(&time) + 2 + columns(&middle);
            let data = self.fitting(&data, used);
            return writeln!(out, "{start}{}  {middle}{}", styled(&time, Style::Dim), styled(&data, Style::Dim));
        }
        writeln!(out, "{start}{}  {middle}", styled(&time, Style::Dim))?;
        let indent = " ".repeat(columns(&start));
        let data = self.fitting(&data, columns(&indent) + columns(&actor) + 2);
        writeln!(out, "{indent}{actor}  {}", styled(&data, Style::Dim))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::audit::record::tests::event;

    #[test]
    fn ids_are_whole_however_narrow_the_terminal_is() {
        let event = event(12_345);
        for width in [None, Some(200), Some(150), Some(100), Some(80), Some(60), Some(20)] {
            let layout = Layout::of(width, 12_345);
            let mut out = Vec::new();
            layout.line(&mut out, &event, &Names::default()).unwrap();
            let line = String::from_utf8(out).unwrap();
            for whole in
                ["12345", "ord_00000000000000000000000007", "acc_00000000000000000000000001", "2026-01-31 12:00:00"]
            {
                assert!(line.contains(whole), "{whole} is cut at {width:?}: {line}");
            }
            let longest = line.lines().map(columns).max().unwrap();
            assert!(
                width.is_none_or(|width| width < 100 || longest <= width),
                "{longest} columns at {width:?}: {line}"
            );
        }
    }
}
