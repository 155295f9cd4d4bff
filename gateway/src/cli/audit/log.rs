//! `byteshop audit log`: what happened, newest last; with `--follow`, as it happens.

use std::io::Write;
use std::time::Duration;

use byteshop_eventstore::read::{Filter, PAGE};
use byteshop_eventstore::{Clock, Recorded};

use super::desk::{Desk, is_full, whole_number, within};
use super::filter::FilterArgs;
use super::names::Names;
use super::record::{self, Record};
use super::reveal::RevealArg;
use crate::cli::failure::Failure;
use crate::cli::output::{self, Format, FormatArg, Items, Out};
use crate::cli::progress;
use crate::cli::summary::{self, Detail};
use crate::cli::terminal::{self, Style, columns, cut, styled};

/// How often the end of the log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// From this width on an event fits on one line with whole ids and the beginning of its data.
const ONE_LINE: usize = 180;
/// From this width on it fits on two lines, and on three in a narrower terminal.
const TWO_LINES: usize = 100;

/// Which events.
#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Start after this position instead of showing the newest events
    #[arg(long, value_name = "POSITION", value_parser = whole_number)]
    after: Option<i64>,
    /// At most this many events; 0 for all
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = whole_number)]
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
    if let Some(after) = args.after {
        within(head, after)?;
    }
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
                "showing the newest {}; --limit 0 for all, --after 0 to start from the first",
                progress::counted(limit, "event", "events")
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

/// Prints what comes, until it cannot match any more.
async fn follow(desk: &Desk, filter: &Filter, mut after: i64, printer: &mut Printer) -> Result<(), Failure> {
    loop {
        let is_last = filter.until.is_some_and(|until| until <= Clock.now());
        // Everything up to the head can be read by now, so what the filter holds back is not looked at again.
        let head = desk.log.head().await?;
        while head > after {
            let events = desk.log.read_filtered(after, PAGE, filter).await?;
            let full = is_full(&events, PAGE);
            let last = events.last().map_or(after, |event| event.position);
            after = if full { last } else { head.max(last) };
            printer.print(desk, events).await?;
        }
        if is_last {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
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
            // If stderr is closed, the line is not needed.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    async fn print(&mut self, desk: &Desk, events: Vec<Recorded>) -> Result<(), Failure> {
        self.names.learn(desk, self.reveal, &events).await?;
        for event in &self.reveal.events(desk, events).await? {
            match &mut self.items {
                Some(items) => items.push(&mut self.out, &Record::of(event)?.by(&self.names))?,
                None => self.layout.line(&mut self.out, event, &self.names, self.reveal.detail())?,
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
/// data at the end, and in a narrow terminal an event takes two lines or three.
struct Layout {
    width: Option<usize>,
    position: usize,
}

/// The columns of an event, or their headings.
struct Told<'a> {
    time: &'a str,
    what: &'a str,
    stream: &'a str,
    actor: &'a str,
    command: &'a str,
    data: &'a str,
}

impl Layout {
    fn of(width: Option<usize>, head: i64) -> Self {
        Self { width, position: head.to_string().len().max(4) }
    }

    fn header(&self, out: &mut Out) -> std::io::Result<()> {
        let (time, what) = ("recorded (UTC)", "type");
        let told = Told { time, what, stream: "stream", actor: "actor", command: "command", data: "data" };
        self.lines("#", &told).iter().try_for_each(|(line, data)| {
            let line = self.fitting(&format!("{line}{data}"), 0);
            writeln!(out, "{}", styled(&line, Style::Dim))
        })
    }

    /// The lines of an event, and what stands at the end of each in another style.
    fn lines<'a>(&self, position: &str, told: &Told<'a>) -> Vec<(String, &'a str)> {
        let Told { time, what, stream, actor, command, data } = *told;
        let start = format!("{position:>width$}  ", width = self.position);
        let indent = " ".repeat(columns(&start));
        match self.width {
            Some(..TWO_LINES) => vec![
                (format!("{start}{time:<19}  {what}"), ""),
                (format!("{indent}{stream:<31}  {command}"), ""),
                (format!("{indent}{actor}  "), data),
            ],
            Some(TWO_LINES..ONE_LINE) => vec![
                (format!("{start}{time:<19}  {stream:<31}  {what}"), ""),
                (format!("{indent}{actor:<38}  {command:<22}  "), data),
            ],
            Some(_) | None => {
                vec![(format!("{start}{time:<19}  {what:<30}  {stream:<31}  {actor:<38}  {command:<22}  "), data)]
            }
        }
    }

    /// A text cut to what is left of the line.
    fn fitting(&self, text: &str, used: usize) -> String {
        self.width.map_or_else(|| text.to_owned(), |width| cut(text, width.saturating_sub(used)))
    }

    fn line(&self, out: &mut impl Write, event: &Recorded, names: &Names, detail: Detail) -> std::io::Result<()> {
        let meta = event.meta().ok();
        let (what, stream, actor) = (record::what(event), record::subject(event), names.who(meta.as_ref()));
        let mut data = summary::of(&event.data, detail);
        if let Some(moment) = meta.as_ref().and_then(|meta| meta.occurred_at) {
            data = format!("[of {}] {data}", moment.format("%Y-%m-%d"));
        }
        let told = Told {
            time: &event.recorded_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            what: &what,
            stream: &stream,
            actor: &actor,
            command: meta.as_ref().map_or("?", |meta| meta.command.as_str()),
            data: &data,
        };
        for (line, data) in self.lines(&event.position.to_string(), &told) {
            // What was asked to be revealed is not cut off.
            let data = match detail {
                Detail::Brief => self.fitting(data, columns(&line)),
                Detail::Whole => data.to_owned(),
            };
            if data.is_empty() {
                writeln!(out, "{}", line.trim_end())?;
            } else {
                writeln!(out, "{line}{}", styled(&data, Style::Dim))?;
            }
        }
        Ok(())
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
            layout.line(&mut out, &event, &Names::default(), Detail::Brief).unwrap();
            let line = String::from_utf8(out).unwrap();
            let ids = ["12345", "ord_00000000000000000000000007", "acc_00000000000000000000000001"];
            for whole in ids.into_iter().chain(["2026-01-31 12:00:00", "order.cancelled"]) {
                assert!(line.contains(whole), "{whole} is cut at {width:?}: {line}");
            }
            let longest = line.lines().map(columns).max().unwrap();
            assert!(width.is_none_or(|width| width < 60 || longest <= width), "{longest} columns at {width:?}: {line}");
        }
    }

    #[test]
    fn headings_stand_above_what_they_name() {
        let event = event(12_345);
        for width in [200, 100, 80] {
            let layout = Layout::of(Some(width), 12_345);
            let mut out = Vec::new();
            layout.line(&mut out, &event, &Names::default(), Detail::Brief).unwrap();
            let below = String::from_utf8(out).unwrap();
            let told =
                Told { time: "time", what: "type", stream: "stream", actor: "actor", command: "command", data: "" };
            let above = layout.lines("#", &told).into_iter().map(|(line, _)| line).collect::<Vec<_>>().join("\n");
            let place = |text: &str, part: &str| {
                text.lines().enumerate().find_map(|(row, line)| Some((row, line.rfind(part)?))).unwrap()
            };
            for (heading, value) in [("type", "order.cancelled"), ("stream", "ord_"), ("actor", "admin acc_")] {
                assert_eq!(place(&above, heading), place(&below, value), "{heading} at {width}:\n{below}");
            }
            // The type begins like the command.
            let commands: Vec<_> = below.lines().filter_map(|line| line.rfind("order.cancel ")).collect();
            let ends = below.lines().filter_map(|line| line.strip_suffix("order.cancel").map(str::len));
            let command = commands.into_iter().chain(ends).next();
            assert_eq!(command, Some(place(&above, "command").1), "command at {width}:\n{below}");
        }
    }
}
