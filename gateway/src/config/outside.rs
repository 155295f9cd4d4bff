//! The settings of messages that leave the shop: mail, text and push messages.

use std::net::IpAddr;

use byteshop_commands::notify::format::Zone;
use byteshop_commands::ports::smtp::{SmtpSettings, Tls};

use super::reader::Reader;
use super::settings::Config;

/// Port of submission (RFC 6409), which begins in the clear.
const SUBMISSION: u16 = 587;
/// Port of submission over TLS (RFC 8314).
const SUBMISSIONS: u16 = 465;
/// Port of SMTP itself.
const SMTP: u16 = 25;

/// The settings of outgoing messages.
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
    /// The address of staff.
    pub staff: Option<String>,
    /// The mail server; without one mail is kept in development, and waits otherwise.
    pub smtp: Option<SmtpSettings>,
    /// The provider of text messages.
    pub sms: Option<ProviderConfig>,
    /// The provider of push messages.
    pub push: Option<ProviderConfig>,
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
    pub fn warning(&self) -> Option<&'static str> {
        match (&self.smtp, &self.api_url) {
            (None, _) => Some("no mail is sent: set BYTESHOP_SMTP_HOST"),
            (Some(_), None) => {
                Some("mails contain no links to unsubscribe or to open orders and invoices: set BYTESHOP_API_URL")
            }
            (Some(_), Some(_)) => None,
        }
    }
}

impl std::fmt::Debug for OutsideConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.smtp.as_ref().map(|smtp| &smtp.host);
        f.debug_struct("OutsideConfig").field("name", &self.name).field("smtp_host", &host).finish_non_exhaustive()
    }
}

impl Config {
    /// The settings of outgoing messages.
    pub fn outside(&self) -> OutsideConfig {
        OutsideConfig {
            name: self.shop_name.clone(),
            url: self.shop_url.clone(),
            api_url: self.api_url.clone(),
            zone: self.time_zone,
            staff: self.staff_email.clone(),
            smtp: self.smtp(),
            sms: provider(self.sms_url.as_ref(), self.sms_secret.as_ref()),
            push: provider(self.push_url.as_ref(), self.push_secret.as_ref()),
        }
    }

    /// The mail server, if there is one. A server without a sender, or half of a login, has been refused.
    fn smtp(&self) -> Option<SmtpSettings> {
        let usual = match self.smtp_tls {
            Tls::None => SMTP,
            Tls::StartTls => SUBMISSION,
            Tls::Implicit => SUBMISSIONS,
        };
        Some(SmtpSettings {
            host: self.smtp_host.clone()?,
            port: self.smtp_port.unwrap_or(usual),
            tls: self.smtp_tls,
            authorities: self.smtp_ca.clone(),
            login: self.smtp_user.clone().zip(self.smtp_password.clone()),
            from: self.mail_from.clone()?,
            reply_to: self.mail_reply_to.clone(),
        })
    }
}

fn provider(url: Option<&String>, secret: Option<&String>) -> Option<ProviderConfig> {
    Some(ProviderConfig { url: url?.clone(), secret: secret?.clone() })
}

impl Reader {
    /// Records what settings of messages lack beside each other.
    pub(super) fn check_outside(&mut self) {
        self.check_smtp();
        self.check_provider("sms_url", "sms_secret");
        self.check_provider("push_url", "push_secret");
    }

    fn check_smtp(&mut self) {
        let (Some(host), Some(tls)) = (self.shown("smtp_host"), self.shown("smtp_tls")) else { return };
        let here = host.parse::<IpAddr>().map_or(host == "localhost", |address| address.is_loopback());
        let in_the_clear = tls == "none" && !here;
        if !self.is_given("mail_from") {
            self.lacking(
                "mail_from",
                "must be the sender of mails, such as \"ByteShop <shop@example.org>\", as smtp_host is set",
            );
        }
        match (self.is_given("smtp_user"), self.is_given("smtp_password")) {
            (true, false) => self.lacking("smtp_password", "must be set beside smtp_user"),
            (false, true) => self.lacking("smtp_user", "must be set beside smtp_password"),
            (true, true) if in_the_clear => {
                self.lacking("smtp_tls", "must be starttls or tls, as a password is not sent in the clear");
            }
            (true, true) | (false, false) => {}
        }
    }

    fn check_provider(&mut self, url: &str, secret: &str) {
        if self.is_given(url) && !self.is_given(secret) {
            self.lacking(secret, &format!("must be set beside {url}"));
        }
    }
}
