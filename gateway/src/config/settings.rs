//! Every setting: its name, its default, what it is, and what is hidden of it.

use crate::near;

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
    /// What it is, in one line.
    pub(super) means: &'static str,
}

const fn open(name: &'static str, default: Option<&'static str>, means: &'static str) -> Setting {
    Setting { name, default, secret: Secret::Open, means }
}

const fn hidden(name: &'static str, secret: Secret, means: &'static str) -> Setting {
    Setting { name, default: None, secret, means }
}

/// All of them, in the order in which they are shown.
pub(super) const SETTINGS: &[Setting] = &[
    open("dev", Some("false"), "1 for development: tokens for anybody, and mail that is only kept"),
    hidden("database_url", Secret::Password, "A Postgres that runs already: postgres://user:password@host/name"),
    hidden("nats_url", Secret::Password, "A nats-server that runs already: nats://user:password@host:4222"),
    open("nats_stream", Some("BYTESHOP"), "The JetStream stream on which the log is delivered"),
    open("data", Some(".byteshop"), "The directory in which a shop on one machine keeps everything"),
    open("address", Some("127.0.0.1"), "The IP address that HTTP listens on; 0.0.0.0 for all of them"),
    open("port", Some("8080"), "The port of HTTP; 0 for any free one"),
    hidden("jwt_key", Secret::Key, "What signs access tokens: a key as PEM, or its file; else one is made"),
    hidden("data_key", Secret::Key, "What seals personal data: 32 bytes as base64, or their file; else made"),
    open("log_format", Some("text"), "How the program writes its own log: text or json"),
    open("log_level", None, "What it writes there: error, warn, info, debug or trace"),
    open("payment_window_minutes", Some("30"), "How long an order waits for its payment and holds its goods"),
    open("capture", Some("automatic"), "automatic takes money with the payment; with manual staff takes it"),
    open("return_window_days", Some("30"), "Days after the hand-over in which a buyer may ask to return goods"),
    open("return_address", None, "Where goods are sent back to, in lines; else to the seller"),
    open("cart_days", Some("30"), "Days without a change after which a cart is given up"),
    open("seller_name", Some("ByteShop"), "Who sells, as invoices say it"),
    open("seller_address", None, "Where the seller is: lines with semicolons between them"),
    open("seller_tax_id", None, "The seller's tax number"),
    open("trusted_proxies", None, "Addresses and networks whose X-Forwarded-For is believed"),
    open("cors_origins", None, "Other origins whose pages may ask: https://shop.example, or * for any"),
    open(
        "rate_limit_address",
        Some("60000"),
        "Units of work of one address a minute, about a millisecond each; 0 for no limit",
    ),
    open("rate_limit_account", Some("60000"), "Requests of one account a minute; 0 for no limit"),
    open("rate_limit_auth", Some("60"), "Log-ins and the like of one address a minute; 0 for no limit"),
    open("rate_limit_guesses", Some("10"), "Wrong passwords of one account in a row; 0 for no limit"),
    open("rate_limit_coupons", Some("20"), "Coupon codes that one address may try a minute; 0 for no limit"),
    open("rate_limit_checkouts", Some("10"), "Guests' carts that one address may check out a minute; 0 for any"),
    open("rate_limit_guest_writes", Some("300"), "Changes by guests of one address a minute; 0 for no limit"),
    open("unpaid_orders", Some("10"), "Orders of one account that may wait for their payment; 0 for any"),
    open("refuse_disposable_email", Some("false"), "1 to refuse throw-away mailboxes"),
    open("database_connections", Some("16"), "Connections of one process for reading the log, at most"),
    open("shop_name", Some("ByteShop"), "What the shop is called in what it sends"),
    open("shop_url", None, "Where the shop's pages are: mails lead there"),
    open("api_url", None, "Where people reach this program: mails lead to papers there"),
    open("smtp_host", None, "The mail server; without one mail waits, or is kept in development"),
    open("smtp_port", None, "Its port [default: 587; with tls 465, with none 25]"),
    open("smtp_tls", Some("starttls"), "How mail is encrypted on its way: starttls, tls or none"),
    open("smtp_ca", None, "A PEM file of authorities that vouch for the mail server"),
    open("smtp_user", None, "The user who logs in to the mail server"),
    hidden("smtp_password", Secret::All, "The password of that user"),
    open("mail_from", None, "Who writes, such as ByteShop <shop@example.org>"),
    open("mail_reply_to", None, "Where answers to mails go"),
    open("sms_url", None, "Where text messages are posted"),
    hidden("sms_secret", Secret::All, "The bearer token that goes with them"),
    open("push_url", None, "Where push messages are posted"),
    hidden("push_secret", Secret::All, "The bearer token that goes with them"),
    open("webhook_private", Some("false"), "1 to let webhooks go to this machine and its network"),
    open("files", None, "Where files are kept: a directory, or s3://bucket/prefix"),
    open("files_endpoint", None, "Where the store of the bucket is, if it is not Amazon's"),
    open("files_region", Some("us-east-1"), "The region of the bucket"),
    open("files_key_id", None, "The id of the bucket's key"),
    hidden("files_secret", Secret::All, "The bucket's key"),
    open("pg_bin", None, "The directory of the programs of Postgres, if they are not found"),
    open("nats_server", None, "The program nats-server, if it is not found"),
];

/// The setting that somebody may have meant: at most two slips away, or three in a long name.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    near::nearest(name, SETTINGS.iter().map(|setting| setting.name))
}
