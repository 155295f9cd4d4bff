//! Which quote of a CSV file is open: the parser does not say it, and takes everything behind an open one for its value.

/// Which quote of a table is open.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    at: Place,
    /// The line breaks so far.
    breaks: u64,
    /// The line of the quote that was opened last.
    opened: u64,
}

/// Where in a field the next byte is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// At its beginning.
    #[default]
    Start,
    /// In a field without quotes, or behind them.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote that closes the field, or is the first of two.
    Behind,
}

impl Quotes {
    /// Takes the next bytes, without carriage returns.
    pub(super) fn note(&mut self, piece: &[u8]) {
        for byte in piece {
            self.at = match (byte, self.at) {
                (b'"', Place::Start) => {
                    self.opened = self.breaks + 1;
                    Place::Quoted
                }
                (b'"', Place::Behind) => Place::Quoted,
                (b'"', Place::Quoted) => Place::Behind,
                (_, Place::Quoted) => Place::Quoted,
                (b',' | b'\n', Place::Start | Place::Plain | Place::Behind) => Place::Start,
                (_, Place::Start | Place::Plain | Place::Behind) => Place::Plain,
            };
            self.breaks += u64::from(*byte == b'\n');
        }
    }

    /// The line of the quote that is open, if one is.
    pub(super) fn open(&self) -> Option<u64> {
        (self.at == Place::Quoted).then_some(self.opened)
    }
}
