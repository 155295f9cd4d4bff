//! The faults of a request, as many as are told at once.

use super::words;
use crate::edge::problem::Problem;

/// Most faults that are told: more, nobody mends at once.
pub const FAULTS_MAX: usize = 20;
/// Longest pointer that is repeated, in bytes: a body can hold longer names than any of ours.
const POINTER_MAX: usize = 300;

/// A fault: where it is, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// A JSON pointer into the body, or a slash and the name of a parameter.
    pub(crate) pointer: String,
    /// What is wrong.
    pub(crate) detail: String,
    /// Its own code, if it is not the usual one.
    pub(crate) code: Option<&'static str>,
}

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    found: Vec<Fault>,
    more: bool,
    wrong_list: bool,
}

impl Faults {
    /// Notes one.
    pub(super) fn add(&mut self, pointer: &str, detail: String) {
        self.note(Fault { pointer: pointer.to_owned(), detail, code: None });
    }

    /// Notes one with a code of its own.
    pub(super) fn note(&mut self, fault: Fault) {
        if self.found.len() < FAULTS_MAX {
            self.found.push(fault);
        } else {
            self.more = true;
        }
    }

    /// Notes that a list stands where the schema allows none.
    pub(super) fn note_wrong_list(&mut self) {
        self.wrong_list = true;
    }

    /// Whether a list stands where the schema allows none.
    pub(super) fn has_wrong_list(&self) -> bool {
        self.wrong_list
    }

    /// Whether there are more than are told.
    pub(super) fn is_full(&self) -> bool {
        self.more
    }

    /// Whether a fault is known at a place, or within the value there.
    pub(super) fn is_known(&self, pointer: &str) -> bool {
        let within =
            |fault: &Fault| fault.pointer.strip_prefix(pointer).is_some_and(|it| it.is_empty() || it.starts_with('/'));
        self.found.iter().any(within)
    }

    /// Where they are.
    pub(super) fn pointers(&self) -> impl Iterator<Item = &str> {
        self.found.iter().map(|fault| fault.pointer.as_str())
    }

    /// The problem of a body; none without a fault. Its code and its detail are those of the first, unless another one has a
    /// code of its own.
    pub(super) fn of_body(self) -> Option<Problem> {
        let first = self.found.iter().find(|fault| fault.code.is_some()).or(self.found.first())?;
        let detail = if self.more { words::among_others(&first.detail, FAULTS_MAX) } else { first.detail.clone() };
        let problem = Problem::of_body(first.code, detail);
        Some(
            self.found
                .into_iter()
                .fold(problem, |problem, fault| problem.and_at(shortened(fault.pointer), fault.detail)),
        )
    }

    /// The problem of a query; none without a fault.
    pub(crate) fn of_query(self) -> Option<Problem> {
        let parameters = self.found.into_iter().map(|Fault { pointer, detail, .. }| {
            let name = pointer.trim_start_matches('/').replace("~1", "/").replace("~0", "~");
            (name, detail)
        });
        Problem::queries(parameters)
    }
}

/// A pointer whose last names are left out where it is too long.
fn shortened(mut pointer: String) -> String {
    while pointer.len() > POINTER_MAX {
        pointer.truncate(pointer.rfind('/').unwrap_or_default());
    }
    pointer
}
