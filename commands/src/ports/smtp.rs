//! Mail over SMTP (RFC 5321), with STARTTLS or TLS and a login, over reused connections.
//!
//! The phases of a delivery are distinguished, because only the last one can leave the outcome unknown: until the
//! message itself has been handed over nothing was sent, and the delivery can be retried; a connection that is lost
//! after that leaves the outcome open.

use std::error::Error as _;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use byteshop_domain::text::{Email, ascii_domain};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::message::{Carrier, Message, Taken, Undelivered};

/// How long a server may take until it is ready for the message: connecting, TLS and login included.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// How long it may take to say that it has the message. Together with the time before it, shorter than the grace after
/// which an attempt without an outcome is given up.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// How long an idle connection is used again; servers hang up after some minutes (RFC 5321, section 4.5.3.2).
const IDLE: Duration = Duration::from_secs(30);
/// Connections to the server at most: more are refused by many.
const CONNECTIONS: usize = 8;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: a server on this machine, or a test.
    None,
    /// The connection begins unencrypted and must be upgraded to TLS (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// Where mail goes and whose it is.
#[derive(Clone)]
pub struct SmtpSettings {
    /// The server.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Certificates in PEM of who may vouch for the server, beside those whom this machine trusts.
    pub authorities: Option<String>,
    /// The name and the password of the shop there.
    pub login: Option<(String, String)>,
    /// The sender, such as `ByteShop <shop@example.org>`.
    pub from: String,
    /// Where answers go, if not there.
    pub reply_to: Option<String>,
}

/// The settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpMistake {
    /// The text is not an e-mail address.
    #[error("{0:?} is not an address such as \"ByteShop <shop@example.org>\"")]
    Mailbox(String),
    /// There is no certificate, or none that can be read.
    #[error("the file holds no certificate in PEM")]
    Certificate,
    /// TLS to this host cannot be had.
    #[error("TLS cannot be used with {host}: {reason}")]
    Tls {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
}

/// Mail over SMTP.
pub struct Smtp {
    settings: SmtpSettings,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    tls: Option<TlsParameters>,
    hello: ClientId,
    idle: Mutex<Vec<(Instant, AsyncSmtpConnection)>>,
    connections: Semaphore,
}

/// Reads a mailbox such as `ByteShop <shop@example.org>`; its domain is put into the form of the DNS.
pub fn mailbox(text: &str) -> Result<Mailbox, SmtpMistake> {
    let mistake = || SmtpMistake::Mailbox(text.to_owned());
    let mailbox: Mailbox = text.parse().map_err(|_| mistake())?;
    let domain = ascii_domain(mailbox.email.domain()).ok_or_else(mistake)?;
    let email = Address::new(mailbox.email.user(), domain).map_err(|_| mistake())?;
    Ok(Mailbox::new(mailbox.name, email))
}

/// Reads certificates in PEM.
pub fn certificates(pem: &str) -> Result<Certificate, SmtpMistake> {
    let read = Certificate::from_pem(pem.as_bytes()).ok();
    // A text without any is read without a word.
    read.filter(|_| pem.contains("-----BEGIN CERTIFICATE-----")).ok_or(SmtpMistake::Certificate)
}

impl Smtp {
    /// Mail over this server; it is reached when there is a mail.
    ///
    /// # Errors
    /// A mailbox that is none, or a host that TLS cannot be used with.
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpMistake> {
        let from = mailbox(&settings.from)?;
        let reply_to = settings.reply_to.as_deref().map(mailbox).transpose()?;
        let tls = match settings.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Implicit => {
                let host = &settings.host;
                let refused = |error: SmtpError| SmtpMistake::Tls { host: host.clone(), reason: error.to_string() };
                let mut builder = TlsParameters::builder(host.clone());
                if let Some(pem) = &settings.authorities {
                    builder = builder.add_root_certificate(certificates(pem)?);
                }
                Some(builder.build().map_err(refused)?)
            }
        };
        // A server that looks at the greeting wants a name that exists, and the sender's domain does.
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let connections = Semaphore::new(CONNECTIONS);
        Ok(Self { settings, from, reply_to, tls, hello, idle: Mutex::default(), connections })
    }

    fn write(&self, message: &Message) -> Result<lettre::Message, Undelivered> {
        let refused = |what: &str| Undelivered::Refused(what.to_owned());
        let to = Email::new(&message.to).map_err(|_| refused("the address is invalid"))?;
        let to: Address = to.deliverable().parse().map_err(|_| refused("the address is invalid"))?;
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&message.subject))
            .date(SystemTime::from(message.at))
            .message_id(Some(format!("<{}@{}>", message.id.simple(), self.from.email.domain())))
            // Away messages stay away (RFC 3834, section 5).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        if let Some(url) = &message.unsubscribe {
            let header = |name, value| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
            // RFC 2369, section 3.2, and RFC 8058, section 3.1.
            builder = builder
                .raw_header(header("List-Unsubscribe", format!("<{url}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        let text = message.text.clone();
        let written = match &message.html {
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html.clone())),
            None => builder.body(text),
        };
        written.map_err(|_| refused("the mail cannot be written"))
    }

    fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, connection)| since.elapsed() < IDLE && !connection.has_broken());
        idle.pop().map(|(_, connection)| connection)
    }

    fn put_back(&self, connection: AsyncSmtpConnection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), connection));
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Undelivered> {
        let server = (self.settings.host.as_str(), self.settings.port);
        let implicit = self.tls.clone().filter(|_| self.settings.tls == Tls::Implicit);
        // What is wrong between the shop and its server is not the mail's fault, whatever the server calls it.
        let not_now = |error: SmtpError| Undelivered::NotNow(told("connecting", &error));
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(READY_WITHIN), &self.hello, implicit, None)
                .await
                .map_err(not_now)?;
        if self.settings.tls == Tls::StartTls
            && let Some(tls) = &self.tls
        {
            connection.starttls(tls.clone(), &self.hello).await.map_err(not_now)?;
        }
        if let Some((name, password)) = &self.settings.login {
            let credentials = Credentials::new(name.clone(), password.clone());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| {
                // No mail is sent until an operator fixes it; until then each waits for its next attempt.
                if error.is_permanent() {
                    tracing::error!("the mail server rejected BYTESHOP_SMTP_USER and its password; mails stay queued");
                }
                Undelivered::NotNow(told("the login", &error))
            })?;
        }
        Ok(connection)
    }

    /// Sends the envelope and the DATA command; the server then waits for the message.
    async fn announce(&self, connection: &mut AsyncSmtpConnection, mail: &lettre::Message) -> Result<(), Announcing> {
        let envelope = mail.envelope();
        let mut parameters = Vec::new();
        if envelope.to().iter().any(|to| !AsRef::<str>::as_ref(to).is_ascii()) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Announcing::Undelivered(Undelivered::Refused(
                    "the server lacks SMTPUTF8, which an address with non-ASCII letters before the @ requires".into(),
                )));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        connection.command(Mail::new(envelope.from().cloned(), parameters)).await?;
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), vec![])).await?;
        }
        connection.command(Data).await?;
        Ok(())
    }

    /// A connection whose server waits for the message.
    async fn ready(&self, mail: &lettre::Message) -> Result<AsyncSmtpConnection, Undelivered> {
        if let Some(mut connection) = self.take_idle() {
            match self.announce(&mut connection, mail).await {
                Ok(()) => return Ok(connection),
                // The server hung up while nothing was to be done; a fresh connection says how things are.
                Err(Announcing::Lost(_)) => {}
                Err(Announcing::Undelivered(undelivered)) => return Err(undelivered),
            }
        }
        let mut connection = self.connect().await?;
        match self.announce(&mut connection, mail).await {
            Ok(()) => Ok(connection),
            Err(Announcing::Lost(reason)) => Err(Undelivered::NotNow(reason)),
            Err(Announcing::Undelivered(undelivered)) => Err(undelivered),
        }
    }

    async fn deliver(&self, message: &Message) -> Result<Taken, Undelivered> {
        let mail = self.write(message)?;
        let bytes = mail.formatted();
        let mut connection = timeout(READY_WITHIN, self.ready(&mail))
            .await
            .map_err(|_| Undelivered::NotNow("the server was not ready in time".into()))??;
        let taken = timeout(TAKEN_WITHIN, connection.message(&bytes))
            .await
            .map_err(|_| Undelivered::Unknown("the server did not confirm in time that it accepted the mail".into()))?;
        match taken {
            Ok(response) => {
                self.put_back(connection);
                Ok(response.code().to_string())
            }
            Err(error) if error.is_permanent() => Err(Undelivered::Refused(told("the mail", &error))),
            Err(error) if error.is_transient() => Err(Undelivered::NotNow(told("the mail", &error))),
            Err(error) => Err(Undelivered::Unknown(told("the mail", &error))),
        }
    }
}

/// Why the server does not wait for the message.
enum Announcing {
    /// The connection is gone; nothing was sent.
    Lost(String),
    /// The server said no.
    Undelivered(Undelivered),
}

impl From<SmtpError> for Announcing {
    fn from(error: SmtpError) -> Self {
        let said = told("the envelope", &error);
        if error.is_permanent() {
            Self::Undelivered(Undelivered::Refused(said))
        } else if error.is_transient() {
            Self::Undelivered(Undelivered::NotNow(said))
        } else {
            Self::Lost(said)
        }
    }
}

/// A description of the failure without the server's text, because many servers repeat the address in it.
fn told(when: &str, error: &SmtpError) -> String {
    match error.status() {
        Some(code) => format!("{when}: SMTP {code}"),
        None if error.is_tls() || is_handshake(error) => format!("{when}: TLS failed"),
        None if error.is_timeout() => format!("{when}: timed out"),
        None if error.is_client() => format!("{when}: the server lacks a required extension"),
        None => format!("{when}: no connection"),
    }
}

/// Whether the TLS handshake failed, for example because the server's certificate is not trusted; lettre reports this
/// as a lost connection.
fn is_handshake(error: &SmtpError) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|it| it.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// A header is one line whatever it was made of.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

impl Carrier for Smtp {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Taken, Undelivered>> {
        self.deliver(message).boxed()
    }

    fn turns(&self) -> Option<&Semaphore> {
        Some(&self.connections)
    }
}
