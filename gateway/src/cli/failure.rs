//! How a command ends: the exit status, and what stderr says.

use std::io::ErrorKind;

use super::terminal::{self, Style};

/// The command succeeded.
pub const DONE: u8 = 0;
/// Refused, or found wanting.
pub const REFUSED: u8 = 1;
/// The command line or the configuration is wrong.
pub const USAGE: u8 = 2;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// The command was refused or failed.
    Refused(anyhow::Error),
    /// The command succeeded, and its check failed; the output has the details.
    FoundWanting,
}

impl Failure {
    /// A refusal in words, which say what to do next.
    pub fn refused(text: impl std::fmt::Display) -> Self {
        Self::Refused(anyhow::anyhow!("{text}"))
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = anyhow::Error::new(error);
        match error.downcast::<crate::config::Mistakes>() {
            Ok(mistakes) => Self::Usage(mistakes.to_string()),
            Err(error) => Self::Refused(error),
        }
    }
}

/// The exit status; says on stderr what is wrong.
pub fn status(outcome: Result<(), Failure>) -> u8 {
    match outcome {
        Ok(()) => DONE,
        Err(Failure::FoundWanting) => REFUSED,
        Err(Failure::Usage(text)) => {
            say(&text);
            USAGE
        }
        // The reader has closed the pipe, as `| head` does.
        Err(Failure::Refused(error)) if is_closed_pipe(&error) => DONE,
        Err(Failure::Refused(error)) => {
            let advice = byteshop_eventstore::advice(error.as_ref()).map(|advice| format!("\n  {advice}"));
            say(&format!("{}{}", words(&error), advice.unwrap_or_default()));
            REFUSED
        }
    }
}

/// An error with its causes, without saying anything twice.
pub fn words(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn say(text: &str) {
    use std::io::{IsTerminal as _, Write as _};
    let word = terminal::styled_for(std::io::stderr().is_terminal(), "error:", Style::Red);
    // If stderr is closed, the error cannot be shown.
    let _ = writeln!(std::io::stderr(), "{word} {text}");
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        // Of what failed while JSON was written, the kind alone is told.
        kind.or_else(|| cause.downcast_ref::<serde_json::Error>()?.io_error_kind()) == Some(ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader who has left.
    struct Left;

    impl std::io::Write for Left {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Err(ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_reader_who_leaves_while_json_is_written_is_no_failure() {
        let failure = Failure::from(serde_json::to_writer(Left, &1).unwrap_err());
        assert_eq!(status(Err(failure)), DONE);
        assert_eq!(status(Err(serde_json::from_str::<i64>("x").unwrap_err().into())), REFUSED);
    }
}
