//! Every setting, one row each: what it means, its name, the type of its value, how its text is read, its defaults, and what is
//! hidden of it.

use std::net::IpAddr;
use std::path::PathBuf;

use byteshop_commands::notify::format::Zone;
use byteshop_commands::ports::connected::{ConnectedCarrier, Provider};
use byteshop_commands::ports::smtp::Tls;
use byteshop_domain::payment::CaptureMode;
use byteshop_domain::text::{Holder, Iban};

use super::kind::{self, Files, LogFormat};
use super::reader::Reader;
use super::setting::{Secret, Setting};
use super::show::InForce;
use crate::edge::cors::Origins;
use crate::edge::proxies::Proxies;

/// Makes the list of settings and the configuration, which has a field for the value of each, out of the table.
///
/// A row reads `"description" name: Type = parser, default "text", development "text", hides Secret;`, of which everything after the
/// parser may be left out. A setting without a `default` may have no value, so its type is an `Option` of what the parser gives.
/// `development` is the default of a shop in development.
macro_rules! settings {
    (@value $name:ident, $default:literal) => { $name? };
    (@value $name:ident) => { $name };
    (@text $text:literal) => { Some($text) };
    (@text) => { None };
    (@secret $secret:ident) => { Secret::$secret };
    (@secret) => { Secret::Open };
    ($(
        $section:literal {
            $(
                $means:literal
                $name:ident: $type:ty = $parse:expr
                $(, default $default:literal)? $(, development $development:literal)? $(, hides $secret:ident)?;
            )+
        }
    )+) => {
        /// All settings, in the order in which they are shown.
        pub(super) const ALL: &[Setting] = &[$($(
            Setting {
                name: stringify!($name),
                section: $section,
                default: settings!(@text $($default)?),
                development: settings!(@text $($development)?),
                secret: settings!(@secret $($secret)?),
                means: $means,
            },
        )+)+];

        /// The configuration in force: the value of each setting.
        #[derive(Clone)]
        #[allow(clippy::struct_excessive_bools, reason = "each is a setting that is on or off")]
        pub struct Config {
            $($(
                #[doc = concat!("The value of `", stringify!($name), "`.")]
                pub $name: $type,
            )+)+
            /// How all of them are shown.
            pub(super) in_force: Vec<InForce>,
        }

        impl Config {
            /// Reads all settings, so that every mistake is found; nothing when one that must have a value has none that can be used.
            pub(super) fn read(reader: &mut Reader) -> Option<Self> {
                $($( let $name = reader.read(stringify!($name), $parse); )+)+
                Some(Self { $($( $name: settings!(@value $name $(, $default)?), )+)+ in_force: Vec::new() })
            }
        }
    };
}

settings! {
    "Mode and stores" {
        "Development mode: anyone gets tokens, mail is stored and not sent"
        dev: bool = kind::flag, default "false";
        "true to let others reach a shop in development mode"
        dev_beyond_loopback: bool = kind::flag, default "false";
        "URL of an existing Postgres: postgres://user:password@host/name"
        database_url: Option<String> = kind::postgres_url, hides Password;
        "URL of the same Postgres for its owner, who runs migrations"
        migration_database_url: Option<String> = kind::postgres_url, hides Password;
        "URL of an existing nats-server: nats://user:password@host:4222"
        nats_url: Option<String> = kind::nats_url, hides Password;
        "The JetStream stream on which the log is delivered"
        nats_stream: String = kind::stream_name, default "BYTESHOP";
        "Data directory of a shop on one machine"
        data: PathBuf = kind::path, default ".byteshop";
        "Database connections of one process for reading the log"
        database_connections: u32 = kind::number(2, 500), default "16";
    }
    "Addresses" {
        "IP address that HTTP listens on; 0.0.0.0 for all"
        address: IpAddr = kind::address, default "127.0.0.1";
        "HTTP port; 0 for any free one"
        port: u16 = kind::number(0, u16::MAX), default "8080";
        "Address or host name, and port, of metrics and detailed health"
        operations_address: String = kind::host_and_port, default "127.0.0.1:9464";
    }
    "Keys" {
        "Key that signs access tokens: PEM, or its file; generated if absent"
        jwt_key: Option<String> = kind::jwt_key, hides Key;
        "Key that encrypts personal data: base64 or a file; generated if absent"
        data_key: Option<String> = kind::data_key, hides Key;
    }
    "Log" {
        "Log format: text or json"
        log_format: LogFormat = kind::log_format, default "text";
        "Whether every HTTP request is logged as a line of JSON"
        access_log: bool = kind::flag, default "true";
        "Log level: error, warn, info, debug or trace"
        log_level: Option<String> = kind::log_level;
    }
    "Trade" {
        "Payment providers, a list: paypal, test (emulated), or none"
        payment_provider: Vec<Provider> = kind::providers, default "none", development "test";
        "Connected carriers, a list: simulated, or none"
        carrier: Vec<ConnectedCarrier> = kind::carriers, default "none", development "simulated";
        "How long an unpaid order reserves its goods, in minutes"
        payment_window_minutes: u32 = kind::number(1, 10_080), default "30";
        "automatic: capture at payment; manual: staff captures"
        capture: CaptureMode = kind::capture, default "automatic";
        "Return window in days after the hand-over"
        return_window_days: i64 = kind::number(0, 3_650), default "30";
        "Return address, lines separated by semicolons; the seller's by default"
        return_address: Option<Vec<String>> = kind::lines;
        "Days without a change after which a cart expires"
        cart_days: u16 = kind::number(1, 3_650), default "30";
        "Days from delivery until a sale is paid out; else the return window"
        payout_hold_days: Option<i64> = kind::number(0, 3_650);
        "Percent of the sales of new sellers that are held longer"
        payout_reserve_percent: u8 = kind::number(0, 100), default "0";
        "Days for which a seller is new, and that share is held longer"
        payout_reserve_days: i64 = kind::number(0, 3_650), default "90";
        "Smallest payout to a seller, in euros, pounds …"
        payout_minimum: u32 = kind::number(0, 1_000_000), default "10";
        "Hours until a new destination of payouts is used"
        payout_destination_hours: i64 = kind::number(0, 720), default "24";
        "IBAN of the house, from which sellers are paid"
        payout_iban: Option<Iban> = kind::iban;
        "Holder of that account [default: seller_name]"
        payout_holder: Option<Holder> = kind::holder;
        "Seller's name on invoices"
        seller_name: String = kind::words, default "ByteShop";
        "Seller's address, lines separated by semicolons"
        seller_address: Option<Vec<String>> = kind::lines;
        "Seller's tax number"
        seller_tax_id: Option<String> = kind::words;
    }
    "PayPal" {
        "Base URL of PayPal's API, of its sandbox, or of a stand-in"
        paypal_url: String = kind::http_url, default "https://api-m.paypal.com";
        "Client id of the shop's app at PayPal"
        paypal_client_id: Option<String> = kind::line;
        "Secret of that app"
        paypal_client_secret: Option<String> = kind::line, hides All;
        "Merchant id of the shop's account at PayPal"
        paypal_merchant_id: Option<String> = kind::merchant_id;
        "Attribution id of the house as a platform of PayPal; pays sellers there"
        paypal_partner_id: Option<String> = kind::line;
        "Id of the webhook /v1/webhooks/paypal at PayPal"
        paypal_webhook_id: Option<String> = kind::line;
        "PEM file of the roots of PayPal's certificates, if not DigiCert's"
        paypal_webhook_roots: Option<String> = kind::paypal_roots;
    }
    "Visitors" {
        "Proxies whose X-Forwarded-For is trusted: addresses and networks"
        trusted_proxies: Option<Proxies> = str::parse::<Proxies>;
        "Allowed CORS origins: https://shop.example, localhost, or * for any"
        cors_origins: Option<Origins> = str::parse::<Origins>, development "localhost";
        "Units of work (1 ms) per address and minute; 0 for unlimited"
        rate_limit_address: u32 = kind::number(0, 1_000_000), default "60000", development "0";
        "Requests per account and minute; 0 for unlimited"
        rate_limit_account: u32 = kind::number(0, 1_000_000), default "60000", development "0";
        "Changes per customer and minute; 0 for unlimited"
        rate_limit_account_writes: u32 = kind::number(0, 1_000_000), default "600", development "0";
        "Logins and similar requests per address and minute; 0 for unlimited"
        rate_limit_auth: u32 = kind::number(0, 1_000_000), default "60", development "0";
        "Wrong passwords in a row per account; 0 for unlimited"
        rate_limit_guesses: u32 = kind::number(0, 1_000), default "10";
        "Coupon codes per address and minute; 0 for unlimited"
        rate_limit_coupons: u32 = kind::number(0, 1_000_000), default "20", development "0";
        "Checks of licences per address and minute; 0 for unlimited"
        rate_limit_licences: u32 = kind::number(0, 1_000_000), default "60", development "0";
        "Codes of gift cards per address and minute; 0 for unlimited"
        rate_limit_gift_cards: u32 = kind::number(0, 1_000_000), default "20", development "0";
        "Guest checkouts per address and minute; 0 for unlimited"
        rate_limit_checkouts: u32 = kind::number(0, 1_000_000), default "10", development "0";
        "Changes by guests per address and minute; 0 for unlimited"
        rate_limit_guest_writes: u32 = kind::number(0, 1_000_000), default "300", development "0";
        "Unpaid orders per account; 0 for unlimited"
        unpaid_orders: u32 = kind::number(0, 10_000), default "10", development "0";
    }
    "People" {
        "Whether disposable e-mail addresses are refused"
        refuse_disposable_email: bool = kind::flag, default "false";
        "Whether support and admins need a second factor"
        staff_second_factor: bool = kind::flag, default "true", development "false";
        "Hours after which support and admins must log in again"
        staff_session_hours: u16 = kind::number(1, 720), default "12";
        "Refunds and receipts of so many euros, pounds … need re-authentication"
        large_refund: u32 = kind::number(0, 1_000_000_000), default "500";
    }
    "Mail, messages and webhooks" {
        "Name of the shop in mails and messages"
        shop_name: String = kind::line, default "ByteShop";
        "Base URL of the shop's pages, for links in mails"
        shop_url: Option<String> = kind::http_url;
        "Public base URL of this API, for links in mails"
        api_url: Option<String> = kind::http_url;
        "Time zone of times in mails, by its IANA name such as Europe/Berlin"
        time_zone: Zone = kind::zone, default "UTC";
        "SMTP server; without one mail waits, or is stored in development"
        smtp_host: Option<String> = kind::line;
        "SMTP port [default: 587; 465 with tls, 25 with none]"
        smtp_port: Option<u16> = kind::number(1, u16::MAX);
        "SMTP encryption: starttls, tls or none"
        smtp_tls: Tls = kind::tls, default "starttls";
        "PEM file of additional certificate authorities for SMTP"
        smtp_ca: Option<String> = kind::certificates;
        "SMTP user name"
        smtp_user: Option<String> = kind::line;
        "SMTP password"
        smtp_password: Option<String> = kind::line, hides All;
        "Sender of mails, such as ByteShop <shop@example.org>"
        mail_from: Option<String> = kind::mailbox;
        "Reply-To address of mails"
        mail_reply_to: Option<String> = kind::mailbox;
        "Address of staff, which hears of disputes"
        staff_email: Option<String> = kind::email;
        "URL that text messages are posted to"
        sms_url: Option<String> = kind::http_url;
        "Bearer token for that URL"
        sms_secret: Option<String> = kind::line, hides All;
        "URL that push messages are posted to"
        push_url: Option<String> = kind::http_url;
        "Bearer token for that URL"
        push_secret: Option<String> = kind::line, hides All;
        "Whether webhooks may call this machine and private networks"
        webhook_private: bool = kind::flag, default "false", development "true";
    }
    "Files" {
        "File storage: a directory, or s3://bucket/prefix"
        files: Option<Files> = kind::files;
        "Largest file that can be sold, in MiB"
        file_max_mib: u32 = kind::number(1, 5_120), default "2048";
        "S3 endpoint, if not Amazon's"
        files_endpoint: Option<String> = kind::http_url;
        "Region of the S3 bucket"
        files_region: String = kind::line, default "us-east-1";
        "S3 access key id"
        files_key_id: Option<String> = kind::line;
        "S3 secret access key"
        files_secret: Option<String> = kind::line, hides All;
    }
    "Private servers" {
        "Directory of the Postgres programs, if not found automatically"
        pg_bin: Option<PathBuf> = kind::path;
        "Path of nats-server, if not found automatically"
        nats_server: Option<PathBuf> = kind::path;
    }
}
