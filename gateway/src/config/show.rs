//! How values are shown: with every secret hidden.

use super::Source;
use super::setting::is_pem;
use super::settings::{Secret, Setting};

/// What stands where a secret is.
const HIDDEN: &str = "***";

/// A setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one line.
    pub means: &'static str,
    /// Its value when nobody says anything.
    pub default: Option<&'static str>,
    /// Its value, without secrets; none when it has none.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: Source,
}

impl InForce {
    pub(super) fn of(
        setting: &'static Setting,
        dev_default: Option<&'static str>,
        text: Option<&str>,
        source: Source,
    ) -> Self {
        let Setting { name, means, default, secret: _ } = setting;
        Self { name, means, default: dev_default.or(*default), value: text.map(|text| shown(setting, text)), source }
    }
}

fn shown(setting: &Setting, text: &str) -> String {
    match setting.secret {
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
    // A password may hold a slash that nobody escaped: the last @ decides.
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
