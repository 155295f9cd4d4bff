//! Every setting: its name, its default, and how its text is read.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use byteshop_commands::ports::smtp::Tls;
use byteshop_domain::payment::CaptureMode;

use super::{Files, LogFormat};

/// What is hidden of a value when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    /// Nothing.
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
    /// Its name in the file; the variable is the same in capitals.
    pub(super) name: &'static str,
    /// Its value when nobody says anything.
    pub(super) default: Option<&'static str>,
    /// What is hidden of it.
    pub(super) secret: Secret,
}

const fn open(name: &'static str, default: Option<&'static str>) -> Setting {
    Setting { name, default, secret: Secret::Open }
}

/// All of them, in the order in which they are shown.
pub(super) const SETTINGS: &[Setting] = &[
    open("dev", Some("false")),
    Setting { name: "database_url", default: None, secret: Secret::Password },
    Setting { name: "nats_url", default: None, secret: Secret::Password },
    open("nats_stream", Some("BYTESHOP")),
    open("data", Some(".byteshop")),
    open("address", Some("127.0.0.1")),
    open("port", Some("8080")),
    Setting { name: "jwt_key", default: None, secret: Secret::Key },
    Setting { name: "data_key", default: None, secret: Secret::Key },
    open("log_format", Some("text")),
    open("log_level", None),
    open("payment_window_minutes", Some("30")),
    open("capture", Some("automatic")),
    open("return_window_days", Some("30")),
    open("cart_days", Some("30")),
    open("seller_name", Some("ByteShop")),
    open("seller_address", None),
    open("seller_tax_id", None),
    open("trusted_proxies", None),
    open("rate_limit_address", Some("60000")),
    open("rate_limit_account", Some("60000")),
    open("rate_limit_auth", Some("60")),
    open("rate_limit_guesses", Some("10")),
    open("rate_limit_coupons", Some("20")),
    open("rate_limit_checkouts", Some("10")),
    open("unpaid_orders", Some("10")),
    open("refuse_disposable_email", Some("false")),
    open("database_connections", Some("16")),
    open("shop_name", Some("ByteShop")),
    open("shop_url", None),
    open("api_url", None),
    open("smtp_host", None),
    open("smtp_port", None),
    open("smtp_tls", Some("starttls")),
    open("smtp_ca", None),
    open("smtp_user", None),
    Setting { name: "smtp_password", default: None, secret: Secret::All },
    open("mail_from", None),
    open("mail_reply_to", None),
    open("sms_url", None),
    Setting { name: "sms_secret", default: None, secret: Secret::All },
    open("push_url", None),
    Setting { name: "push_secret", default: None, secret: Secret::All },
    open("webhook_private", Some("false")),
    open("files", None),
    open("files_endpoint", None),
    open("files_region", Some("us-east-1")),
    open("files_key_id", None),
    Setting { name: "files_secret", default: None, secret: Secret::All },
    open("pg_bin", None),
    open("nats_server", None),
];

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("is neither 1 nor 0: {text:?}")),
    }
}

pub(super) fn capture(text: &str) -> Result<CaptureMode, String> {
    match text {
        "automatic" => Ok(CaptureMode::Automatic),
        "manual" => Ok(CaptureMode::Manual),
        _ => Err(format!("is neither automatic nor manual: {text:?}")),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of many readers, and the others can refuse")]
pub(super) fn words(text: &str) -> Result<String, String> {
    Ok(text.trim().to_owned())
}

/// Lines of an address, with semicolons between them where there is but one line to write them in.
#[expect(clippy::unnecessary_wraps, reason = "it is one of many readers, and the others can refuse")]
pub(super) fn lines(text: &str) -> Result<Vec<String>, String> {
    let lines = text.split([';', '\n']).map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

/// A number between two bounds, both allowed.
pub(super) fn number<N>(least: N, most: N) -> impl FnOnce(&str) -> Result<N, String>
where
    N: FromStr + PartialOrd + std::fmt::Display,
{
    move |text| {
        let number: Option<N> = text.trim().parse().ok();
        number
            .filter(|number| *number >= least && *number <= most)
            .ok_or_else(|| format!("is not a number from {least} to {most}: {text:?}"))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of many readers, and the others can refuse")]
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text))
}

/// A directory, or a bucket as `s3://name/prefix`.
pub(super) fn files(text: &str) -> Result<Files, String> {
    let Some(rest) = text.strip_prefix("s3://") else {
        if text.contains("://") {
            return Err(format!("is neither a directory nor a bucket such as s3://name/prefix: {text:?}"));
        }
        return Ok(Files::Directory(PathBuf::from(text)));
    };
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
    if name.is_empty() || !name.chars().all(fits) {
        return Err(format!("names no bucket such as s3://name/prefix: {text:?}"));
    }
    Ok(Files::Bucket { name: name.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
}

pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    text.trim().parse().map_err(|_| format!("is not an IP address such as 127.0.0.1 or 0.0.0.0: {text:?}"))
}

pub(super) fn postgres_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    match rest {
        Some(rest) if !rest.is_empty() && !text.contains(char::is_whitespace) => Ok(text.to_owned()),
        // The text may hold a password, so it is not repeated.
        Some(_) | None => Err("is not a URL such as postgres://user:password@host:5432/database".to_owned()),
    }
}

pub(super) fn nats_url(text: &str) -> Result<String, String> {
    let has_scheme = ["nats://", "tls://"].iter().any(|scheme| text.starts_with(scheme));
    match text.parse::<async_nats::ServerAddr>() {
        Ok(_) if has_scheme => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err("is not a URL such as nats://user:password@host:4222".to_owned()),
    }
}

pub(super) fn http_url(text: &str) -> Result<String, String> {
    let fits = |url: &reqwest::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    match reqwest::Url::parse(text) {
        Ok(url) if fits(&url) => Ok(text.trim_end_matches('/').to_owned()),
        Ok(_) | Err(_) => Err("is not a URL such as https://host/path".to_owned()),
    }
}

pub(super) fn mailbox(text: &str) -> Result<String, String> {
    byteshop_commands::ports::smtp::mailbox(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// A file of certificates; what is in it.
pub(super) fn certificates(text: &str) -> Result<String, String> {
    let pem = std::fs::read_to_string(text).map_err(|error| format!("{text} cannot be read: {error}"))?;
    byteshop_commands::ports::smtp::certificates(&pem).map_err(|error| format!("{text}: {error}"))?;
    Ok(pem)
}

pub(super) fn tls(text: &str) -> Result<Tls, String> {
    match text {
        "none" => Ok(Tls::None),
        "starttls" => Ok(Tls::StartTls),
        "tls" => Ok(Tls::Implicit),
        _ => Err(format!("is neither none, starttls nor tls: {text:?}")),
    }
}

/// Any text of one line.
pub(super) fn line(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) { Err("holds more than one line".to_owned()) } else { Ok(text.to_owned()) }
}

pub(super) fn stream_name(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if text.len() > 32 || !text.chars().all(fits) {
        return Err(format!("is not a name of at most 32 letters, digits, _ and -: {text:?}"));
    }
    Ok(text.to_owned())
}

pub(super) fn jwt_key(text: &str) -> Result<String, String> {
    if is_pem(text) || std::path::Path::new(text).is_file() {
        return Ok(text.to_owned());
    }
    Err("is neither a private key in PEM (BEGIN PRIVATE KEY) nor the name of a file that holds one".to_owned())
}

pub(super) fn data_key(text: &str) -> Result<String, String> {
    if byteshop_eventstore::DataKeys::parse(text).is_ok() || std::path::Path::new(text).is_file() {
        return Ok(text.to_owned());
    }
    Err("is neither 32 bytes as base64 (openssl rand -base64 32) nor the name of a file that holds them".to_owned())
}

pub(super) fn is_pem(text: &str) -> bool {
    text.trim_start().starts_with("-----BEGIN")
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("is neither text nor json: {text:?}")),
    }
}

pub(super) fn log_level(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("is not error, warn, info, debug or trace: {text:?}")),
    }
}

/// The setting that somebody may have meant: at most two slips away, or three in a long name.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let slips = if name.len() > 8 { 3 } else { 2 };
    SETTINGS
        .iter()
        .map(|setting| (distance(name, setting.name), setting.name))
        .filter(|(distance, _)| *distance <= slips)
        .min()
        .map(|(_, name)| name)
}

/// Letters to insert, delete or replace to turn one text into the other (Levenshtein distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, other) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
