//! Progress of long work, on stderr: a bar with rate and time left on a terminal, a plain line now and then elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use byteshop_commands::notify::format;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How often the bar is drawn again, in hertz.
const REDRAWS: u8 = 10;
/// How often a plain line is written: a log of it should stay readable.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// A progress display.
#[derive(Debug)]
pub struct Meter {
    name: String,
    things: &'static str,
    bar: Option<ProgressBar>,
    lines: Mutex<Lines>,
}

#[derive(Debug)]
struct Lines {
    started: Instant,
    /// The position at the beginning.
    first: Option<i64>,
    written: Instant,
}

impl Meter {
    /// Work on so many things, such as events.
    pub fn new(name: &str, things: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(name, things));
        let now = Instant::now();
        let lines = Mutex::new(Lines { started: now, first: None, written: now });
        Self { name: name.to_owned(), things, bar, lines }
    }

    /// Reports how much is done, and of how much.
    pub fn at(&self, done: i64, total: i64) {
        if let Some(bar) = &self.bar {
            bar.set_length(unsigned(total));
            bar.set_position(unsigned(done));
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *lines.first.get_or_insert(done);
        if lines.written.elapsed() < LINE_EVERY {
            return;
        }
        lines.written = Instant::now();
        let ms = i64::try_from(lines.started.elapsed().as_millis()).unwrap_or(i64::MAX).max(1);
        let rate = (done - first).saturating_mul(1_000) / ms;
        let left = if rate > 0 { format!(", {} s left", (total - done) / rate) } else { String::new() };
        let line = format!(
            "{}: {} of {} {}, {}/s{left}",
            self.name,
            grouped(done),
            grouped(total),
            self.things,
            grouped(rate)
        );
        // If stderr is closed, the progress is not needed.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// The work is done: the bar goes, and the answer takes its place.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.finish();
    }
}

fn bar(name: &str, things: &str) -> ProgressBar {
    let template =
        format!("{{msg}} {{bar:28}} {{percent:>3}} %  {{human_pos}} of {{human_len}} {things}, {{rate}}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style.with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        #[expect(clippy::cast_possible_truncation, reason = "a rate for people, far below the limits of both types")]
        let rate = state.per_sec() as i64;
        // Writing into the bar's own buffer cannot fail.
        let _ = write!(out, "{}/s", grouped(rate));
    });
    let target = ProgressDrawTarget::stderr_with_hz(REDRAWS);
    ProgressBar::with_draw_target(None, target).with_style(style.progress_chars("━╸─")).with_message(name.to_owned())
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// A number with its digits in groups of three: `1,067,371`.
pub fn grouped(number: i64) -> String {
    let minus = if number < 0 { "−" } else { "" };
    format!("{minus}{}", format::grouped(&number.unsigned_abs().to_string(), ','))
}

/// A number of things: `1 row`, `1,067,371 rows`.
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::{counted, grouped};

    #[test]
    fn one_thing_is_named_in_the_singular() {
        let rows = |number| counted(number, "row", "rows");
        assert_eq!([rows(0), rows(1), rows(2_000)], ["0 rows", "1 row", "2,000 rows"]);
    }

    #[test]
    fn digits_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_067_371, "1,067,371"), (-12_345, "−12,345")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
