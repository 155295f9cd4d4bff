//! How the text of a setting is read.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use byteshop_commands::notify::format::Zone;
use byteshop_commands::ports::connected::{ConnectedCarrier, Provider};
use byteshop_commands::ports::smtp::Tls;
use byteshop_domain::payment::CaptureMode;
use byteshop_domain::text::{Email, Holder, Iban, fresh};

/// Where files are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Files {
    /// In a directory of this machine.
    Directory(PathBuf),
    /// In a bucket of an S3-compatible store.
    Bucket {
        /// The name of the bucket.
        name: String,
        /// The prefix of the names of all files.
        prefix: String,
    },
}

/// How the log of the program is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("must be true or false, not {text:?}")),
    }
}

/// An IBAN, with spaces or without.
pub(super) fn iban(text: &str) -> Result<Iban, String> {
    fresh(|| Iban::new(text)).map_err(|error| error.to_string())
}

/// The holder of a bank account.
pub(super) fn holder(text: &str) -> Result<Holder, String> {
    fresh(|| Holder::new(text)).map_err(|error| error.to_string())
}

pub(super) fn capture(text: &str) -> Result<CaptureMode, String> {
    match text {
        "automatic" => Ok(CaptureMode::Automatic),
        "manual" => Ok(CaptureMode::Manual),
        _ => Err(format!("must be automatic or manual, not {text:?}")),
    }
}

/// A time zone by its name in the IANA database.
pub(super) fn zone(text: &str) -> Result<Zone, String> {
    let zone = text.trim().parse();
    zone.map_err(|_| format!("must be an IANA time zone such as Europe/Berlin, not {text:?}"))
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

/// Payment providers. In production an emulator must be named.
pub(super) fn providers(text: &str) -> Result<Vec<Provider>, String> {
    list(text, Provider::ALL, Provider::as_str)
}

/// Carriers that the shop is connected to. In production an emulator must be named.
pub(super) fn carriers(text: &str) -> Result<Vec<ConnectedCarrier>, String> {
    list(text, ConnectedCarrier::ALL, ConnectedCarrier::as_str)
}

/// A comma-separated list of known names; `none` for an empty list.
fn list<T: Copy + PartialEq, const N: usize>(
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<Vec<T>, String> {
    let mut chosen = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty() && *word != "none") {
        let Some(known) = all.into_iter().find(|known| name(*known) == word) else {
            let names = all.map(name).join(", ");
            return Err(format!("must be {names} or none, not {word:?}"));
        };
        if !chosen.contains(&known) {
            chosen.push(known);
        }
    }
    Ok(chosen)
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
            .ok_or_else(|| format!("must be a number from {least} to {most}, not {text:?}"))
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
            return Err(format!("must be a directory or a bucket such as s3://name/prefix, not {text:?}"));
        }
        return Ok(Files::Directory(PathBuf::from(text)));
    };
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
    if name.is_empty() || !name.chars().all(fits) {
        return Err(format!("must name a bucket, as in s3://name/prefix, not {text:?}"));
    }
    Ok(Files::Bucket { name: name.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
}

pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    text.trim().parse().map_err(|_| format!("is not an IP address such as 127.0.0.1 or 0.0.0.0: {text:?}"))
}

/// An IP address with a port, or a name in the place of the address: which of its networks a container listens on depends on its
/// name there.
pub(super) fn host_and_port(text: &str) -> Result<String, String> {
    let text = text.trim();
    let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
    let is_name = |host: &str| host.chars().all(letter) && host.contains(|letter: char| letter.is_ascii_alphabetic());
    let named = text.split_once(':').is_some_and(|(host, port)| is_name(host) && port.parse::<u16>().is_ok());
    if named || text.parse::<SocketAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!("is not an address with a port such as 127.0.0.1:9464: {text:?}"))
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

/// An e-mail address without a name.
pub(super) fn email(text: &str) -> Result<String, String> {
    fresh(|| Email::new(text)).map(|email| email.as_str().to_owned()).map_err(|error| error.to_string())
}

/// A file of certificates; what is in it.
pub(super) fn certificates(text: &str) -> Result<String, String> {
    let pem = std::fs::read_to_string(text).map_err(|error| format!("{text} cannot be read: {error}"))?;
    byteshop_commands::ports::smtp::certificates(&pem).map_err(|error| format!("{text}: {error}"))?;
    Ok(pem)
}

/// The id of an account at PayPal.
pub(super) fn merchant_id(text: &str) -> Result<String, String> {
    let fits = text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if fits { Ok(text.to_owned()) } else { Err(format!("is not a merchant id of 13 letters and digits: {text:?}")) }
}

/// A file of trusted roots; what is in it.
pub(super) fn paypal_roots(text: &str) -> Result<String, String> {
    let pem = std::fs::read_to_string(text).map_err(|error| format!("{text} cannot be read: {error}"))?;
    byteshop_commands::ports::paypal::webhook::roots(&pem).map_err(|error| format!("{text} {error}"))?;
    Ok(pem)
}

pub(super) fn tls(text: &str) -> Result<Tls, String> {
    match text {
        "none" => Ok(Tls::None),
        "starttls" => Ok(Tls::StartTls),
        "tls" => Ok(Tls::Implicit),
        _ => Err(format!("must be none, starttls or tls, not {text:?}")),
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
    Err("must be a private key in PEM (BEGIN PRIVATE KEY) or the name of a file that holds one".to_owned())
}

pub(super) fn data_key(text: &str) -> Result<String, String> {
    let file = std::path::Path::new(text);
    // A file that is to be made is named from the root, as a mistyped key never is.
    let can_be_made = file.is_absolute() && file.parent().is_some_and(std::path::Path::is_dir);
    if byteshop_eventstore::DataKeys::parse(text).is_ok() || file.is_file() || can_be_made {
        return Ok(text.to_owned());
    }
    Err("must be 32 bytes as base64 (openssl rand -base64 32) or the name of a file that holds them".to_owned())
}

pub(super) fn is_pem(text: &str) -> bool {
    text.trim_start().starts_with("-----BEGIN")
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("must be text or json, not {text:?}")),
    }
}

pub(super) fn log_level(text: &str) -> Result<String, String> {
    // A word alone would be taken for a part of the program, of which there is none of this name.
    let level = |part: &str| part == "off" || part.parse::<tracing::Level>().is_ok();
    let fits = text.split(',').all(|part| part.contains(['=', '[', ':']) || level(part.trim()));
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) if fits => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err(format!("is not error, warn, info, debug or trace: {text:?}")),
    }
}
