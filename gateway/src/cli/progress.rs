//! Progress of long work: a bar with rate and time left on a terminal, and nothing where nobody looks.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar is drawn again, in hertz.
const REDRAWS: u8 = 10;

/// A bar on stderr over so many things.
pub fn bar(shown: bool, things: &str, count: i64) -> ProgressBar {
    let count = u64::try_from(count).unwrap_or(0);
    if !shown {
        return ProgressBar::hidden();
    }
    let template = format!(
        "{{msg}} {{bar:32}} {{percent:>3}} %  {{human_pos}} of {{human_len}} {things}, {{per_sec}}, {{eta}} left"
    );
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let target = ProgressDrawTarget::stderr_with_hz(REDRAWS);
    ProgressBar::with_draw_target(Some(count), target).with_style(style.progress_chars("━╸─"))
}
