//! How values are shown: with every secret hidden.

use serde::{Deserialize, Serialize};

use super::kind::{flag, is_pem};
use super::setting::{Secret, Setting};
use super::source::{PREFIX, Source};

/// The placeholder for a secret.
const HIDDEN: &str = "***";

/// A setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The name.
    pub name: &'static str,
    /// The group.
    pub group: &'static str,
    /// The description in one line.
    pub means: &'static str,
    /// The default.
    pub default: Option<&'static str>,
    /// The value without secrets; none if it is not set.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: Source,
}

impl InForce {
    /// A setting with its text, if it has any; `development` is the default of development, if that is in force.
    pub(super) fn of(
        setting: &'static Setting,
        development: Option<&'static str>,
        text: Option<&str>,
        source: Source,
    ) -> Self {
        Self {
            name: setting.name,
            group: setting.section,
            means: setting.means,
            default: development.or(setting.default),
            value: text.map(|text| shown(setting, text)),
            source,
        }
    }
}

/// The settings of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The process.
    pub pid: u32,
    /// The settings, in display order.
    pub settings: Vec<Row>,
    /// Warnings that operators must see before the shop sells.
    pub warnings: Vec<String>,
}

/// A setting with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The name in `byteshop.toml`.
    pub name: String,
    /// The environment variable.
    pub variable: String,
    /// The group.
    pub group: String,
    /// The value without secrets.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: String,
    /// The default.
    pub default: Option<String>,
    /// The description.
    pub means: String,
}

impl Row {
    /// A setting as it is shown.
    pub(super) fn of(setting: &InForce) -> Self {
        let InForce { name, means, group, default, value, source } = setting;
        let source = match (source, default) {
            (Source::Default, None) => "not set".to_owned(),
            (source, _) => source.to_string(),
        };
        Self {
            name: (*name).to_owned(),
            variable: setting.variable(),
            group: (*group).to_owned(),
            value: value.clone(),
            source,
            default: default.map(str::to_owned),
            means: (*means).to_owned(),
        }
    }

    /// Where the value comes from, and what it would be otherwise.
    pub fn origin(&self) -> String {
        match &self.default {
            Some(default) if !self.source.starts_with("default") => format!("({}; default {default})", self.source),
            Some(_) | None => format!("({})", self.source),
        }
    }
}

impl InForce {
    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("{}{}", PREFIX, self.name.to_uppercase())
    }
}

fn shown(setting: &Setting, text: &str) -> String {
    match setting.secret {
        // However it was written: 1 and yes are true, too.
        Secret::Open if setting.is_flag() => flag(text).map_or_else(|_| text.to_owned(), |flag| flag.to_string()),
        Secret::Open => text.to_owned(),
        Secret::Password => hide_password(text),
        Secret::All => HIDDEN.to_owned(),
        Secret::Key if is_pem(text) => HIDDEN.to_owned(),
        Secret::Key => text.to_owned(),
    }
}

/// A URL without what is secret in it: the password, a token that stands for a user, a password among the parameters.
pub fn hide_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // A password may contain an unescaped slash: the last @ decides.
    let at = rest.rfind('@');
    let (user, rest) = match at {
        Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
        None => (None, rest),
    };
    let user = user.map(|user| match user.split_once(':') {
        Some((name, _)) => format!("{name}:{HIDDEN}@"),
        None if scheme.starts_with("postgres") && at.is_some_and(|at| at <= end) => format!("{user}@"),
        None => format!("{HIDDEN}@"),
    });
    let (path, parameters) = match rest.split_once('?') {
        Some((path, parameters)) => (path, Some(parameters)),
        None => (rest, None),
    };
    let parameters = parameters.map(|parameters| {
        let hide = |parameter: &str| match parameter.split_once('=') {
            Some((name, _)) if name.contains("pass") => format!("{name}={HIDDEN}"),
            Some(_) | None => parameter.to_owned(),
        };
        format!("?{}", parameters.split('&').map(hide).collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{}{path}{}", user.unwrap_or_default(), parameters.unwrap_or_default())
}
