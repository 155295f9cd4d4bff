//! Printing: to stdout, in the format that was asked for; a closed pipe is an error like any other and never a panic.

use std::io::{self, BufWriter, StdoutLock, Write};

use comfy_table::{Attribute, Cell, ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;

use super::terminal;

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// A JSON array.
    Json,
    /// One JSON object per line.
    Jsonl,
}

/// Columns of space between two columns of a table.
const PADDING: u16 = 3;

/// The choice of a format.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct FormatArg {
    /// Output format; by default a table on a terminal, JSON lines when piped
    #[arg(long, value_enum)]
    format: Option<Format>,
}

impl FormatArg {
    /// The format that was asked for, or the one that fits who reads.
    pub fn chosen(self) -> Format {
        self.format.unwrap_or_else(|| if terminal::is_watched() { Format::Table } else { Format::Jsonl })
    }
}

/// Stdout, with a buffer.
pub type Out = BufWriter<StdoutLock<'static>>;

/// Prints a line and flushes it, because another program may be waiting for it.
pub fn line(text: &str) -> io::Result<()> {
    let mut out = out();
    writeln!(out, "{text}")?;
    out.flush()
}

/// A remark beside a list: where a program reads the list, it goes to stderr.
pub fn remark(format: Format, text: &str) -> io::Result<()> {
    match format {
        Format::Table => line(text),
        Format::Json | Format::Jsonl => writeln!(io::stderr(), "{text}"),
    }
}

/// Stdout, with a buffer that is emptied when it is dropped or flushed.
pub fn out() -> Out {
    BufWriter::new(io::stdout().lock())
}

/// A table for people, as wide as the terminal at most.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    table_of(&header)
}

/// A table whose columns are known only when it is printed.
pub fn table_of(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|name| Cell::new(name).add_attribute(Attribute::Dim)));
    for column in table.column_iter_mut() {
        column.set_padding((0, PADDING));
    }
    table
}

/// A table as text, in which lines are broken between words and never within one: an id that is copied is whole. Where the words
/// do not fit, the terminal itself breaks the line.
pub fn laid_out(mut table: Table) -> String {
    let longest = |column: usize| {
        let cells = table.column_cells_with_header_iter(column).flatten();
        cells
            .filter_map(|cell| cell.content().split_whitespace().map(terminal::columns).max())
            .max()
            .unwrap_or_default()
    };
    let longest: Vec<usize> = table.column_iter().map(|column| longest(column.index)).collect();
    for (column, longest) in table.column_iter_mut().zip(longest) {
        let width = u16::try_from(longest).unwrap_or(u16::MAX).saturating_add(PADDING);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    table.trim_fmt()
}

/// Prints a list: `rows` as JSON, or the table that is made of them.
pub fn list<T: Serialize>(format: Format, rows: &[T], table: impl FnOnce(&[T]) -> Table) -> io::Result<()> {
    let mut out = out();
    match format {
        Format::Table => writeln!(out, "{}", laid_out(table(rows)))?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, rows)?;
            writeln!(out)?;
        }
        Format::Jsonl => {
            for row in rows {
                serde_json::to_writer(&mut out, row)?;
                writeln!(out)?;
            }
        }
    }
    out.flush()
}

/// Prints one thing as JSON: indented when a person looks, on one line when piped.
pub fn json(value: &impl Serialize) -> io::Result<()> {
    if terminal::is_watched() { pretty(value) } else { json_line(value) }
}

/// Prints one thing as indented JSON.
pub fn pretty(value: &impl Serialize) -> io::Result<()> {
    let mut out = out();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    out.flush()
}

/// Prints one thing as JSON on one line.
pub fn json_line(value: &impl Serialize) -> io::Result<()> {
    let mut out = out();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    out.flush()
}

/// A JSON array that is written as its items come, so that none of them has to stay in memory.
#[derive(Debug)]
pub struct Items {
    format: Format,
    any: bool,
}

impl Items {
    /// Begins; a table is not for this.
    pub fn begin(format: Format, out: &mut impl Write) -> io::Result<Self> {
        if format == Format::Json {
            write!(out, "[")?;
        }
        Ok(Self { format, any: false })
    }

    /// Adds an item.
    pub fn push(&mut self, out: &mut impl Write, item: &impl Serialize) -> io::Result<()> {
        if self.format == Format::Json {
            write!(out, "{}", if self.any { ",\n " } else { "\n " })?;
            serde_json::to_writer(&mut *out, item)?;
        } else {
            serde_json::to_writer(&mut *out, item)?;
            writeln!(out)?;
        }
        self.any = true;
        Ok(())
    }

    /// Ends.
    pub fn end(self, out: &mut impl Write) -> io::Result<()> {
        if self.format == Format::Json {
            writeln!(out, "{}]", if self.any { "\n" } else { "" })?;
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_whole_in_a_table_however_narrow_the_terminal_is() {
        let id = "acc_01m8kxt5mdex4absv6r6vvq7xh";
        for width in [20, 60, 80, 120, 200] {
            let mut wide = table(["#", "what", "who"]);
            wide.set_width(width);
            wide.add_row([
                "7",
                "Staff cancelled the order on the shop's behalf, since nothing was left of it.",
                &format!("support {id}"),
            ]);
            let shown = laid_out(wide);
            assert!(shown.contains(id) && shown.contains("cancelled"), "{width}:\n{shown}");
            let longest = shown.lines().map(terminal::columns).max().unwrap();
            assert!(width < 60 || longest <= usize::from(width), "{longest} columns at {width}:\n{shown}");
        }
    }
}
