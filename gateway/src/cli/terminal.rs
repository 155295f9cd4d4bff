//! The terminal: whether output goes to a person, and its width.

use std::io::{IsTerminal as _, stdout};

/// Whether a person looks at our output.
pub fn is_watched() -> bool {
    stdout().is_terminal()
}

/// The columns of the terminal; none if the output does not go to a terminal, which then gets everything.
pub fn width() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from).filter(|_| is_watched())
}

/// The columns that a text takes; wide letters are rare here and count as one.
pub fn columns(text: &str) -> usize {
    text.chars().count()
}

/// A text cut to so many columns, with an ellipsis where something is missing.
pub fn cut(text: &str, columns: usize) -> String {
    if self::columns(text) <= columns {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(columns.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// How something stands out, when a person looks.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    /// The main thing.
    Bold,
    /// A side note.
    Dim,
    /// Gone or wrong.
    Red,
    /// Come or right.
    Green,
}

/// The text in a style, or unchanged if the output does not go to a terminal.
pub fn styled(text: &str, style: Style) -> String {
    styled_for(is_watched(), text, style)
}

/// The text in a style if a person looks, as is known of stdout or asked of stderr.
pub fn styled_for(watched: bool, text: &str, style: Style) -> String {
    if !watched {
        return text.to_owned();
    }
    let code = match style {
        Style::Bold => 1,
        Style::Dim => 2,
        Style::Red => 31,
        Style::Green => 32,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::{Style, styled_for};

    #[test]
    fn a_refusal_is_red_for_people_alone() {
        assert_eq!(styled_for(true, "error:", Style::Red), "\u{1b}[31merror:\u{1b}[0m");
        assert_eq!(styled_for(false, "error:", Style::Red), "error:");
    }
}
