//! A setting: all that is known of it before it has a value.

use crate::near;

/// How much of a value is hidden when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    /// Nothing is hidden.
    Open,
    /// The password in a URL.
    Password,
    /// All of it, unless it is the name of a file.
    Key,
    /// All of it.
    All,
}

/// A setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// The name in the file; the variable is the same in capitals.
    pub(super) name: &'static str,
    /// The section in which it is shown.
    pub(super) section: &'static str,
    /// The default.
    pub(super) default: Option<&'static str>,
    /// The default in development, where that is another one.
    pub(super) development: Option<&'static str>,
    /// How much of it is hidden.
    pub(super) secret: Secret,
    /// The description in one line.
    pub(super) means: &'static str,
}

impl Setting {
    /// Whether it is true or false.
    pub(super) fn is_flag(&self) -> bool {
        matches!(self.default, Some("true" | "false"))
    }
}

/// The setting with this name.
pub(super) fn named(settings: &'static [Setting], name: &str) -> Option<&'static Setting> {
    settings.iter().find(|setting| setting.name == name)
}

/// The name that is nearest to this one: at most two typos away, or three in a long name.
pub(super) fn nearest(settings: &'static [Setting], name: &str) -> Option<&'static str> {
    near::nearest(name, settings.iter().map(|setting| setting.name))
}
