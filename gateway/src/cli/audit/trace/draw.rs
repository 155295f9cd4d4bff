//! The tree, drawn for people.

use std::io::Write;

use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};

use super::tree::{Node, Step};
use crate::cli::audit::record;
use crate::cli::output::Out;
use crate::cli::summary;
use crate::cli::terminal::{self, Style, columns, cut, styled};

struct Drawing<'a> {
    out: &'a mut Out,
    marked: &'a dyn Fn(&Recorded) -> bool,
    width: Option<usize>,
    /// Digits of the largest position.
    digits: usize,
}

/// Draws the trees of one chain.
pub(super) fn draw(
    out: &mut Out,
    steps: &[Step],
    marked: &dyn Fn(&Recorded) -> bool,
    is_cut: bool,
) -> std::io::Result<()> {
    let largest = steps.iter().map(largest).max().unwrap_or(0);
    let mut drawing = Drawing { out, marked, width: terminal::width(), digits: largest.to_string().len() };
    for step in steps {
        let time = step.recorded_at.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
        drawing.step(step, "", &time)?;
    }
    if is_cut {
        writeln!(drawing.out, "{}", styled("… and more; `byteshop audit log` lists all events", Style::Dim))?;
    }
    writeln!(drawing.out)
}

fn largest(step: &Step) -> i64 {
    let below = |node: &Node| node.led_to.iter().map(largest).max().unwrap_or(0).max(node.event.position);
    step.events.iter().map(below).max().unwrap_or(0)
}

impl Drawing<'_> {
    /// Draws a command, its events, and what is below them; `lead` is what stands left of it.
    fn step(&mut self, step: &Step, lead: &str, time: &str) -> std::io::Result<()> {
        let who = &step.actor;
        let mut line = format!("{} {} by {who}", styled(time, Style::Dim), styled(&step.command, Style::Bold));
        if let Some(moment) = step.occurred_at {
            line.push_str(&styled(&format!(", for {}", moment.format("%Y-%m-%d %H:%M")), Style::Dim));
        }
        if lead.is_empty()
            && let Some(position) = step.causation
        {
            line.push_str(&styled(&format!(", because of event {position}"), Style::Dim));
        }
        writeln!(self.out, "{line}")?;
        for (index, node) in step.events.iter().enumerate() {
            let is_last = index + 1 == step.events.len();
            self.node(node, lead, is_last)?;
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, lead: &str, is_last: bool) -> std::io::Result<()> {
        let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let event = &node.event;
        let start = format!("{lead}{branch}");
        let position = format!("{:>digits$}", event.position, digits = self.digits);
        let what = record::what(event);
        let subject = record::subject(event);
        let mut rest = summary::of(&event.data);
        if let Some(width) = self.width {
            // Ids stay whole, so that other commands take what is copied.
            let used = columns(&start) + columns(&position) + columns(&what) + columns(&subject) + 6;
            rest = cut(&rest, width.saturating_sub(used));
        }
        let what = if (self.marked)(event) { styled(&what, Style::Green) } else { what };
        let rest = styled(&rest, Style::Dim);
        writeln!(self.out, "{start}{}  {what}  {subject}  {rest}", styled(&position, Style::Dim))?;
        let lead = format!("{lead}{below}");
        for (index, step) in node.led_to.iter().enumerate() {
            let is_last = index + 1 == node.led_to.len();
            let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            write!(self.out, "{lead}{branch}")?;
            self.step(step, &format!("{lead}{below}"), &since(event.recorded_at, step.recorded_at))?;
        }
        Ok(())
    }
}

/// How much later, such as `+12 ms` or `+30 min`.
fn since(cause: DateTime<Utc>, effect: DateTime<Utc>) -> String {
    let later = effect - cause;
    let (ms, s) = (later.num_milliseconds(), later.num_seconds());
    match s {
        ..1 => format!("+{ms} ms"),
        1..120 => format!("+{s} s"),
        120..7_200 => format!("+{} min", s / 60),
        _ => format!("+{} h", s / 3_600),
    }
}
