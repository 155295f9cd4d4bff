//! Every setting: its name, its default, what it is, and what is hidden of it.

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
    /// The default.
    pub(super) default: Option<&'static str>,
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

const fn open(name: &'static str, default: Option<&'static str>, means: &'static str) -> Setting {
    Setting { name, default, secret: Secret::Open, means }
}

const fn hidden(name: &'static str, secret: Secret, means: &'static str) -> Setting {
    Setting { name, default: None, secret, means }
}

/// All of them, by what they belong to, in the order in which they are shown.
pub(super) const GROUPS: &[(&str, &[Setting])] = &[
    (
        "Mode and stores",
        &[
            open("dev", Some("false"), "Development mode: anyone gets tokens, mail is stored and not sent"),
            open("dev_beyond_loopback", Some("false"), "true to let others reach a shop in development mode"),
            hidden("database_url", Secret::Password, "URL of an existing Postgres: postgres://user:password@host/name"),
            hidden(
                "migration_database_url",
                Secret::Password,
                "URL of the same Postgres for its owner, who runs migrations",
            ),
            hidden("nats_url", Secret::Password, "URL of an existing nats-server: nats://user:password@host:4222"),
            open("nats_stream", Some("BYTESHOP"), "The JetStream stream on which the log is delivered"),
            open("data", Some(".byteshop"), "Data directory of a shop on one machine"),
            open("database_connections", Some("16"), "Database connections of one process for reading the log"),
        ],
    ),
    (
        "Addresses",
        &[
            open("address", Some("127.0.0.1"), "IP address that HTTP listens on; 0.0.0.0 for all"),
            open("port", Some("8080"), "HTTP port; 0 for any free one"),
            open("operations_address", Some("127.0.0.1:9464"), "Address and port of metrics and detailed health"),
        ],
    ),
    (
        "Keys",
        &[
            hidden("jwt_key", Secret::Key, "Key that signs access tokens: PEM, or its file; generated if absent"),
            hidden("data_key", Secret::Key, "Key that encrypts personal data: base64 or a file; generated if absent"),
        ],
    ),
    (
        "Log",
        &[
            open("log_format", Some("text"), "Log format: text or json"),
            open("access_log", Some("true"), "Whether every HTTP request is logged as a line of JSON"),
            open("log_level", None, "Log level: error, warn, info, debug or trace"),
        ],
    ),
    (
        "Trade",
        &[
            open("payment_provider", Some("none"), "Payment providers, a list: test (emulated), or none"),
            open("carrier", Some("none"), "Connected carriers, a list: simulated, or none"),
            open("payment_window_minutes", Some("30"), "How long an unpaid order reserves its goods, in minutes"),
            open("capture", Some("automatic"), "automatic: capture at payment; manual: staff captures"),
            open("return_window_days", Some("30"), "Return window in days after the hand-over"),
            open("return_address", None, "Return address, lines separated by semicolons; the seller's by default"),
            open("cart_days", Some("30"), "Days without a change after which a cart expires"),
            open("seller_name", Some("ByteShop"), "Seller's name on invoices"),
            open("seller_address", None, "Seller's address, lines separated by semicolons"),
            open("seller_tax_id", None, "Seller's tax number"),
        ],
    ),
    (
        "Visitors",
        &[
            open("trusted_proxies", None, "Proxies whose X-Forwarded-For is trusted: addresses and networks"),
            open("cors_origins", None, "Allowed CORS origins: https://shop.example, localhost, or * for any"),
            open("rate_limit_address", Some("60000"), "Units of work (1 ms) per address and minute; 0 for unlimited"),
            open("rate_limit_account", Some("60000"), "Requests per account and minute; 0 for unlimited"),
            open("rate_limit_account_writes", Some("600"), "Changes per customer and minute; 0 for unlimited"),
            open("rate_limit_auth", Some("60"), "Logins and similar requests per address and minute; 0 for unlimited"),
            open("rate_limit_guesses", Some("10"), "Wrong passwords in a row per account; 0 for unlimited"),
            open("rate_limit_coupons", Some("20"), "Coupon codes per address and minute; 0 for unlimited"),
            open("rate_limit_checkouts", Some("10"), "Guest checkouts per address and minute; 0 for unlimited"),
            open("rate_limit_guest_writes", Some("300"), "Changes by guests per address and minute; 0 for unlimited"),
            open("unpaid_orders", Some("10"), "Unpaid orders per account; 0 for unlimited"),
        ],
    ),
    (
        "People",
        &[
            open("refuse_disposable_email", Some("false"), "Whether disposable e-mail addresses are refused"),
            open("staff_second_factor", Some("true"), "Whether support and admins need a second factor"),
            open("staff_session_hours", Some("12"), "Hours after which support and admins must log in again"),
            open("large_refund", Some("500"), "Refunds from this amount on need re-authentication, in euros, pounds …"),
        ],
    ),
    (
        "Mail, messages and webhooks",
        &[
            open("shop_name", Some("ByteShop"), "Name of the shop in mails and messages"),
            open("shop_url", None, "Base URL of the shop's pages, for links in mails"),
            open("api_url", None, "Public base URL of this API, for links in mails"),
            open("time_zone", Some("UTC"), "Time zone of times in mails, by its IANA name such as Europe/Berlin"),
            open("smtp_host", None, "SMTP server; without one mail waits, or is stored in development"),
            open("smtp_port", None, "SMTP port [default: 587; 465 with tls, 25 with none]"),
            open("smtp_tls", Some("starttls"), "SMTP encryption: starttls, tls or none"),
            open("smtp_ca", None, "PEM file of additional certificate authorities for SMTP"),
            open("smtp_user", None, "SMTP user name"),
            hidden("smtp_password", Secret::All, "SMTP password"),
            open("mail_from", None, "Sender of mails, such as ByteShop <shop@example.org>"),
            open("mail_reply_to", None, "Reply-To address of mails"),
            open("sms_url", None, "URL that text messages are posted to"),
            hidden("sms_secret", Secret::All, "Bearer token for that URL"),
            open("push_url", None, "URL that push messages are posted to"),
            hidden("push_secret", Secret::All, "Bearer token for that URL"),
            open("webhook_private", Some("false"), "Whether webhooks may call this machine and private networks"),
        ],
    ),
    (
        "Files",
        &[
            open("files", None, "File storage: a directory, or s3://bucket/prefix"),
            open("files_endpoint", None, "S3 endpoint, if not Amazon's"),
            open("files_region", Some("us-east-1"), "Region of the S3 bucket"),
            open("files_key_id", None, "S3 access key id"),
            hidden("files_secret", Secret::All, "S3 secret access key"),
        ],
    ),
    (
        "Private servers",
        &[
            open("pg_bin", None, "Directory of the Postgres programs, if not found automatically"),
            open("nats_server", None, "Path of nats-server, if not found automatically"),
        ],
    ),
];

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.iter().flat_map(|(_, settings)| settings.iter())
}

/// The group of a setting.
pub(super) fn group(name: &str) -> &'static str {
    let has = |settings: &[Setting]| settings.iter().any(|setting| setting.name == name);
    GROUPS.iter().find(|(_, settings)| has(settings)).map_or("", |(title, _)| title)
}

/// The setting with the nearest name: at most two typos away, or three in a long name.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    near::nearest(name, all().map(|setting| setting.name))
}
