//! The settings of what leaves the shop: mail, text and push messages, webhooks.

use std::net::IpAddr;

use byteshop_commands::notify::format::Zone;
use byteshop_commands::ports::smtp::{SmtpSettings, Tls};

use super::mistake::Mistake;
use super::reader::Reader;
use super::kind;
use super::source::Source;

/// Port of submission (RFC 6409), which begins in the clear.
const SUBMISSION: u16 = 587;
/// Port of submission over TLS (RFC 8314).
const SUBMISSIONS: u16 = 465;
/// Port of SMTP itself.
const SMTP: u16 = 25;

/// The settings of outgoing messages and webhooks.
#[derive(Clone)]
pub struct OutsideConfig {
    /// Name of the shop in mails and messages.
    pub name: String,
    /// Where its pages are, if it has any: what it sends leads there.
    pub url: Option<String>,
    /// Where people reach this program, if that is known: what it sends leads to papers there.
    pub api_url: Option<String>,
    /// The time zone of times in what it sends.
    pub zone: Zone,
    /// The mail server; without one mail is kept in development, and waits otherwise.
    pub smtp: Option<SmtpSettings>,
    /// The provider of text messages.
    pub sms: Option<ProviderConfig>,
    /// The provider of push messages.
    pub push: Option<ProviderConfig>,
    /// Whether webhooks may go to this machine and its network, and over HTTP.
    pub webhook_private: bool,
}

/// A provider of a channel over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Where messages are posted to.
    pub url: String,
    /// The secret, sent as a bearer token.
    pub secret: String,
}

impl OutsideConfig {
    /// The settings that mails of a production shop lack.
    pub fn warning(&self) -> Option<String> {
        let unsaid = "mails contain no links to unsubscribe or to open orders and invoices";
        (self.smtp.is_some() && self.api_url.is_none()).then(|| format!("{unsaid}: set BYTESHOP_API_URL"))
    }
}

impl std::fmt::Debug for OutsideConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.smtp.as_ref().map(|smtp| &smtp.host);
        f.debug_struct("OutsideConfig").field("name", &self.name).field("smtp_host", &host).finish_non_exhaustive()
    }
}

impl Reader {
    /// Reads them; nothing when one that must have a value has none that can be used.
    pub(super) fn outside(&mut self, dev: bool) -> Option<OutsideConfig> {
        let name = self.read("shop_name", None, kind::line);
        let url = self.optional("shop_url", kind::http_url);
        let api_url = self.optional("api_url", kind::http_url);
        let zone = self.read("time_zone", None, kind::zone);
        let smtp = self.smtp();
        let sms = self.provider("sms_url", "sms_secret");
        let push = self.provider("push_url", "push_secret");
        let webhook_private = self.read("webhook_private", dev.then_some("true"), kind::flag);
        let (name, zone, webhook_private) = (name?, zone?, webhook_private?);
        Some(OutsideConfig { name, url, api_url, zone, smtp, sms, push, webhook_private })
    }

    fn smtp(&mut self) -> Option<SmtpSettings> {
        let host = self.optional("smtp_host", kind::line);
        let port = self.optional("smtp_port", kind::number(1, u16::MAX));
        let tls = self.read("smtp_tls", None, kind::tls);
        let authorities = self.optional("smtp_ca", kind::certificates);
        let user = self.optional("smtp_user", kind::line);
        let password = self.optional("smtp_password", kind::line);
        let from = self.optional("mail_from", kind::mailbox);
        let reply_to = self.optional("mail_reply_to", kind::mailbox);
        let (host, tls) = (host?, tls?);
        if from.is_none() && !self.is_given("mail_from") {
            self.lacking(
                "mail_from",
                "must be the sender of mails, such as \"ByteShop <shop@example.org>\", as smtp_host is set",
            );
        }
        let login = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            (Some(_), None) => {
                self.lacking("smtp_password", "must be set beside smtp_user");
                None
            }
            (None, Some(_)) => {
                self.lacking("smtp_user", "must be set beside smtp_password");
                None
            }
        };
        let here = host.parse::<IpAddr>().map_or(host == "localhost", |address| address.is_loopback());
        if login.is_some() && tls == Tls::None && !here {
            self.lacking("smtp_tls", "must be starttls or tls, as a password is not sent in the clear");
        }
        let usual = match tls {
            Tls::None => SMTP,
            Tls::StartTls => SUBMISSION,
            Tls::Implicit => SUBMISSIONS,
        };
        Some(SmtpSettings { host, port: port.unwrap_or(usual), tls, authorities, login, from: from?, reply_to })
    }

    fn provider(&mut self, url: &'static str, secret: &'static str) -> Option<ProviderConfig> {
        let (address, known) = (self.optional(url, kind::http_url), self.optional(secret, kind::line));
        match (address, known) {
            (Some(url), Some(secret)) => Some(ProviderConfig { url, secret }),
            (Some(_), None) => {
                self.lacking(secret, &format!("must be set beside {url}"));
                None
            }
            (None, _) => None,
        }
    }

    fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    fn lacking(&mut self, name: &str, problem: &str) {
        self.mistakes.push(Mistake::of(Source::Default, name, problem.to_owned()));
    }
}
