//! Mistakes in the configuration, with their place and advice.

use std::fmt;

use super::source::Source;

/// A mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    source: Source,
    name: String,
    problem: String,
}

/// Every mistake of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl std::error::Error for Mistakes {}

impl Mistake {
    /// A value that cannot be used; `problem` follows the name.
    pub(super) fn of(source: Source, name: &str, problem: String) -> Self {
        Self { source, name: name.to_owned(), problem }
    }

    /// A name that means nothing here.
    pub(super) fn unknown(source: Source, name: &str, hint: Option<String>) -> Self {
        let problem = match hint {
            Some(hint) => format!("is not a setting: did you mean {hint}?"),
            None => "is not a setting: `byteshop config` lists them".to_owned(),
        };
        Self { source, name: name.to_owned(), problem }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            // The variable and the flag name the setting themselves.
            Source::Environment(name) | Source::Flag(name) => write!(f, "{name} {}", self.problem),
            Source::File(file) if self.name.is_empty() => write!(f, "{}: {}", file.display(), self.problem),
            Source::File(file) => write!(f, "{}: {} {}", file.display(), self.name, self.problem),
            Source::Default | Source::Dev => write!(f, "{} {}", self.name, self.problem),
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "the configuration has a mistake: {one}"),
            many => {
                write!(f, "the configuration has {} mistakes:", many.len())?;
                many.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
            }
        }
    }
}
