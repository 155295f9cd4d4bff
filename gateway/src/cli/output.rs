//! Printing: to stdout, in the format that was asked for; a closed pipe is an error like any other and never a panic.

use std::io::{self, BufWriter, StdoutLock, Write};

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};
use serde::Serialize;

use super::terminal;

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Jsonl,
}

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

/// A line, at once: whoever waits for it may not wait for a full buffer.
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
        column.set_padding((0, 3));
    }
    table
}

/// Prints a list: `rows` as JSON, or the table that is made of them.
pub fn list<T: Serialize>(format: Format, rows: &[T], table: impl FnOnce(&[T]) -> Table) -> io::Result<()> {
    let mut out = out();
    match format {
        Format::Table => writeln!(out, "{}", table(rows).trim_fmt())?,
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

    /// One more item.
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
