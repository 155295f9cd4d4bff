//! The tree, drawn for people.

use std::io::Write;

use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};

use super::tree::{Node, Step};
use crate::cli::audit::names::Names;
use crate::cli::audit::record;
use crate::cli::summary::{self, Detail};
use crate::cli::terminal::{Style, columns, cut, styled};

/// The parameters of the drawing.
pub(super) struct View<'a> {
    /// Which events stand out.
    pub(super) marked: &'a dyn Fn(&Recorded) -> bool,
    /// The names of those who acted.
    pub(super) names: &'a Names,
    /// How much of the data is told.
    pub(super) detail: Detail,
    /// The columns of the terminal, if a person looks.
    pub(super) width: Option<usize>,
}

struct Drawing<'a, W> {
    out: &'a mut W,
    view: &'a View<'a>,
    /// Digits of the largest position.
    digits: usize,
}

/// Draws the trees of one chain.
pub(super) fn draw<W: Write>(out: &mut W, steps: &[Step], view: &View<'_>, is_cut: bool) -> std::io::Result<()> {
    let largest = steps.iter().map(largest).max().unwrap_or(0);
    let mut drawing = Drawing { out, view, digits: largest.to_string().len() };
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

impl<W: Write> Drawing<'_, W> {
    /// Draws a command, its events, and what is below them; `lead` is what stands left of it.
    fn step(&mut self, step: &Step, lead: &str, time: &str) -> std::io::Result<()> {
        let who = self.view.names.actor(&step.actor);
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
        let mut rest = summary::of(&event.data, self.view.detail);
        if let Some(width) = self.view.width
            && self.view.detail == Detail::Brief
        {
            // Ids stay whole, so that other commands take what is copied.
            let used = columns(&start) + columns(&position) + columns(&what) + columns(&subject) + 6;
            rest = cut(&rest, width.saturating_sub(used));
        }
        let what = if (self.view.marked)(event) { styled(&what, Style::Green) } else { what };
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

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;
    use crate::cli::audit::record::tests::event;

    #[test]
    fn ids_are_whole_in_a_tree_however_narrow_the_terminal_is() {
        for width in [None, Some(120), Some(60), Some(20)] {
            let (mut out, names) = (Vec::new(), Names::default());
            let view = View { marked: &|_| false, names: &names, detail: Detail::Brief, width };
            draw(&mut out, &tree::grow(vec![event(7)]), &view, false).unwrap();
            let drawn = String::from_utf8(out).unwrap();
            for whole in ["ord_00000000000000000000000007", "acc_00000000000000000000000001"] {
                assert!(drawn.contains(whole), "{whole} is cut at {width:?}: {drawn}");
            }
            assert_eq!(drawn.contains("note"), width.is_none(), "what is cut is the data: {drawn}");
        }
    }
}
