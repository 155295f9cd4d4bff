//! Layers, mistakes all at once, near misses, and secrets that stay hidden.

use std::path::PathBuf;

use byteshop_commands::Connected;

use super::*;
use crate::edge::cors::Origins;

fn environment(pairs: &[(&str, &str)]) -> Inputs {
    let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Inputs { environment, ..Inputs::default() }
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("byteshop.toml");
    std::fs::write(&file, text).unwrap();
    (directory, file)
}

#[test]
fn without_a_word_the_defaults_are_in_force() {
    let config = Config::load(&Inputs::default()).unwrap();
    assert_eq!((config.port, config.dev, config.nats_stream.as_str()), (8080, false, "BYTESHOP"));
    assert_eq!(config.in_force().len(), settings::ALL.len());
    assert!(config.in_force().iter().all(|setting| setting.source == Source::Default));
}

#[test]
fn a_flag_comes_before_a_variable_and_a_variable_before_the_file() {
    let (_directory, file) = file("port = 1\npayment_window_minutes = 5\ndev = true\n");
    let inputs = Inputs {
        file: Some(file.clone()),
        flags: vec![("port", "3".into())],
        ..environment(&[("BYTESHOP_PORT", "2"), ("BYTESHOP_PAYMENT_WINDOW_MINUTES", "6"), ("HOME", "/")])
    };
    let config = Config::load(&inputs).unwrap();
    assert_eq!((config.port, config.payment_window_minutes, config.dev), (3, 6, true));
    let source = |name| config.in_force().iter().find(|setting| setting.name == name).unwrap().source.clone();
    assert_eq!(source("port"), Source::Flag("--port".into()));
    assert_eq!(source("payment_window_minutes"), Source::Environment("BYTESHOP_PAYMENT_WINDOW_MINUTES".into()));
    assert_eq!(source("dev"), Source::File(file));
    assert_eq!(source("rate_limit_address"), Source::Dev);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let (_directory, file) = file("prot = 1\nwindow = []\n[http]\nport = 1\n");
    let inputs = Inputs {
        file: Some(file.clone()),
        ..environment(&[
            ("BYTESHOP_PORT", "http"),
            ("BYTESHOP_DATABSE_URL", "x"),
            ("BYTESHOP_NATS_URL", "http://:secret@"),
            ("BYTESHOP_DEV", "maybe"),
            ("BYTESHOP_LOG_LEVEL", "a=b=c"),
        ])
    };
    let text = Config::load(&inputs).unwrap_err().to_string();
    for part in [
        "8 mistakes",
        "prot is not a setting: did you mean port?",
        "window is not a setting",
        "http is not a setting",
        "BYTESHOP_PORT must be a number from 0 to 65535, not \"http\"",
        "BYTESHOP_DATABSE_URL is not a setting: did you mean BYTESHOP_DATABASE_URL?",
        "BYTESHOP_NATS_URL is not a URL",
        "BYTESHOP_DEV must be true or false, not \"maybe\"",
        "BYTESHOP_LOG_LEVEL is not error",
        &file.display().to_string(),
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_file_that_is_no_toml_or_not_there_is_a_mistake() {
    let (_directory, broken) = file("port = = 1");
    assert!(Config::load(&Inputs { file: Some(broken), ..Inputs::default() }).is_err());
    assert!(Config::load(&Inputs { file: Some("/no/such/file.toml".into()), ..Inputs::default() }).is_err());
}

#[test]
fn an_empty_variable_is_none() {
    assert_eq!(Config::load(&environment(&[("BYTESHOP_PORT", "")])).unwrap().port, 8080);
}

#[test]
fn secrets_are_hidden() {
    for (url, shown) in [
        ("postgres://shop:pa/ss@host:1/db", "postgres://shop:***@host:1/db"),
        ("postgres://shop@host/db?password=pass&a=b", "postgres://shop@host/db?password=***&a=b"),
        ("postgres://host/db", "postgres://host/db"),
        ("nats://token@host:4222", "nats://***@host:4222"),
        ("nats://u:p@ss@host:4222", "nats://u:***@host:4222"),
    ] {
        assert_eq!(hide_password(url), shown);
    }
    let config = Config::load(&environment(&[("BYTESHOP_JWT_KEY", "-----BEGIN PRIVATE KEY-----\nabc")])).unwrap();
    let key = config.in_force().iter().find(|setting| setting.name == "jwt_key").unwrap();
    assert_eq!(key.value.as_deref(), Some("***"));
}

#[test]
fn every_setting_is_explained_in_one_line() {
    let config = Config::load(&environment(&[("BYTESHOP_PORT", "81")])).unwrap();
    for setting in config.in_force() {
        // Beside the longest name there is room for so much in a hundred columns.
        assert!((10..=72).contains(&setting.means.chars().count()), "{}: {}", setting.name, setting.means);
    }
    let in_force: Vec<_> = config.in_force().iter().map(|setting| setting.name).collect();
    let known: Vec<_> = settings::ALL.iter().map(|setting| setting.name).collect();
    assert_eq!(in_force, known, "settings are shown in the order of the table");
    let port = config.in_force().iter().find(|setting| setting.name == "port").unwrap();
    assert_eq!((port.value.as_deref(), port.default), (Some("81"), Some("8080")));
}

#[test]
fn a_level_that_is_none_is_refused() {
    let with = |level: &str| Config::load(&environment(&[("BYTESHOP_LOG_LEVEL", level)]));
    for fine in ["info", "WARN", "off", "warn,byteshop_gateway=debug", "byteshop_gateway::http=trace"] {
        assert_eq!(with(fine).unwrap().log_level.as_deref(), Some(fine));
    }
    for wrong in ["loud", "info,loud", "byteshop_gateway=loud", "=", "7"] {
        assert!(with(wrong).unwrap_err().to_string().contains("BYTESHOP_LOG_LEVEL is not error, warn"), "{wrong}");
    }
}

#[test]
fn whose_pages_may_ask_is_told_by_origins() {
    let with = |origins: &str| Config::load(&environment(&[("BYTESHOP_CORS_ORIGINS", origins)]));
    assert_eq!(Config::load(&environment(&[])).unwrap().cors_origins, None);
    let config = with("https://shop.example, http://localhost:5173").unwrap();
    assert!(matches!(&config.cors_origins, Some(Origins::These(origins)) if origins.len() == 2));
    let shown = config.in_force().iter().find(|setting| setting.name == "cors_origins").unwrap();
    assert_eq!(shown.value.as_deref(), Some("https://shop.example, http://localhost:5173"));
    let told = with("https://shop.example/").unwrap_err().to_string();
    assert!(told.contains("BYTESHOP_CORS_ORIGINS has an invalid origin"), "{told}");
}

#[test]
fn an_emulator_is_a_default_of_development_alone() {
    let with = |pairs: &[(&str, &str)]| Config::load(&environment(pairs));
    let nothing = with(&[]).unwrap();
    assert_eq!(nothing.connected().unwrap(), Connected::default());
    assert!(nothing.warnings().concat().contains("set BYTESHOP_PAYMENT_PROVIDER"), "{:?}", nothing.warnings());
    let dev = with(&[("BYTESHOP_DEV", "1")]).unwrap();
    assert_eq!(dev.connected().unwrap(), Connected::emulators());
    assert!(!dev.warnings().concat().contains("emulated"), "{:?}", dev.warnings());
    let named = with(&[("BYTESHOP_PAYMENT_PROVIDER", "test"), ("BYTESHOP_CARRIER", "simulated, none")]).unwrap();
    assert_eq!(named.connected().unwrap(), Connected::emulators());
    let warnings = named.warnings().concat();
    assert!(warnings.contains("no money moves") && warnings.contains("nothing is shipped"), "{warnings}");
    let off = with(&[("BYTESHOP_DEV", "1"), ("BYTESHOP_PAYMENT_PROVIDER", "none"), ("BYTESHOP_CARRIER", "none")]);
    assert_eq!(off.unwrap().connected().unwrap(), Connected::default());
    let told = with(&[("BYTESHOP_PAYMENT_PROVIDER", "stripe")]).unwrap_err().to_string();
    assert!(told.contains("BYTESHOP_PAYMENT_PROVIDER must be test, paypal or none"), "{told}");
}

#[test]
fn paypal_needs_the_settings_of_its_account() {
    let with = |dev: &str, more: &[(&str, &str)]| {
        let all = [&[("BYTESHOP_DEV", dev), ("BYTESHOP_PAYMENT_PROVIDER", "test, paypal")], more].concat();
        Config::load(&environment(&all))
    };
    let account = [
        ("BYTESHOP_PAYPAL_CLIENT_ID", "client"),
        ("BYTESHOP_PAYPAL_CLIENT_SECRET", "hidden"),
        ("BYTESHOP_PAYPAL_MERCHANT_ID", "MERCHANTA2345"),
        ("BYTESHOP_PAYPAL_WEBHOOK_ID", "1JE4291016473214C"),
    ];
    let stand_in = ("BYTESHOP_PAYPAL_URL", "http://127.0.0.1:8095");
    let told = with("1", &[]).unwrap_err().to_string();
    for (name, _) in account {
        assert!(told.contains(&name.to_lowercase().replace("byteshop_", "")) || told.contains(name), "{name}: {told}");
    }
    let dev = with("1", &[&account[..], &[stand_in]].concat()).unwrap();
    let connected = dev.connected().unwrap();
    let url = connected.paypal.as_ref().map(|paypal| paypal.account().url.clone());
    assert_eq!(url.as_deref(), Some("http://127.0.0.1:8095"));
    assert!(connected.warnings().concat().contains("move no money (BYTESHOP_PAYPAL_URL=http://127.0.0.1:8095)"));
    let shown = format!("{:?}", dev.in_force().iter().map(|setting| &setting.value).collect::<Vec<_>>());
    assert!(!shown.contains("hidden") && !format!("{connected:?}").contains("hidden"), "{shown}");
    // In production buyers have to come back, and the secret is not sent in the clear.
    let told = with("0", &[&account[..], &[stand_in]].concat()).unwrap_err().to_string();
    assert!(told.contains("sends buyers back") && told.contains("must begin with https://"), "{told}");
    let api = ("BYTESHOP_API_URL", "https://api.shop.example");
    assert!(with("0", &[&account[..], &[api]].concat()).unwrap().connected().unwrap().paypal.is_some());
    let wrong = ("BYTESHOP_PAYPAL_MERCHANT_ID", "shop@example.org");
    assert!(with("1", &[wrong]).unwrap_err().to_string().contains("is not a merchant id"));
    let none = ("BYTESHOP_PAYPAL_WEBHOOK_ROOTS", "/nowhere.pem");
    assert!(with("1", &[none]).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn a_mail_server_needs_a_sender_and_both_halves_of_a_login() {
    let with = |more: &[(&str, &str)]| {
        let all = [&[("BYTESHOP_SMTP_HOST", "mail.example.org")], more].concat();
        Config::load(&environment(&all))
    };
    let complete = [
        ("BYTESHOP_MAIL_FROM", "ByteShop <shop@example.org>"),
        ("BYTESHOP_SMTP_USER", "shop"),
        ("BYTESHOP_SMTP_PASSWORD", "s3cret"),
    ];
    let config = with(&complete).unwrap();
    let smtp = config.outside().smtp.unwrap();
    assert_eq!((smtp.port, smtp.host.as_str()), (587, "mail.example.org"));
    let shown: Vec<_> = config.in_force().iter().map(|setting| format!("{setting:?}")).collect();
    assert!(!shown.join("\n").contains("s3cret"), "{shown:?}");
    let tls = with(&[&complete[..], &[("BYTESHOP_SMTP_TLS", "tls")]].concat()).unwrap();
    assert_eq!(tls.outside().smtp.unwrap().port, 465);
    let clear = with(&[&complete[..], &[("BYTESHOP_SMTP_TLS", "none")]].concat()).unwrap_err().to_string();
    assert!(clear.contains("a password is not sent in the clear"), "{clear}");
    let here = [&complete[..], &[("BYTESHOP_SMTP_TLS", "none"), ("BYTESHOP_SMTP_HOST", "127.0.0.1")]].concat();
    assert_eq!(with(&here).unwrap().outside().smtp.unwrap().port, 25);
    for (file, problem) in [("no/such.pem", "cannot be read"), ("Cargo.toml", "no certificate in PEM")] {
        let text = with(&[&complete[..], &[("BYTESHOP_SMTP_CA", file)]].concat()).unwrap_err().to_string();
        assert!(text.contains(problem), "{text}");
    }
    let text = with(&[
        ("BYTESHOP_SMTP_USER", "shop"),
        ("BYTESHOP_SMTP_TLS", "ssl"),
        ("BYTESHOP_SMS_URL", "https://sms.example.org"),
    ])
    .unwrap_err()
    .to_string();
    for part in ["BYTESHOP_SMTP_TLS must be none, starttls or tls", "sms_secret must be set"] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let text = with(&[("BYTESHOP_SMTP_USER", "shop")]).unwrap_err().to_string();
    for part in ["mail_from must be the sender of mails", "smtp_password must be set"] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let text = with(&[("BYTESHOP_MAIL_FROM", "nobody")]).unwrap_err().to_string();
    assert!(text.contains("BYTESHOP_MAIL_FROM"), "{text}");
    assert!(Config::load(&environment(&[])).unwrap().outside().smtp.is_none());
}

#[test]
fn a_time_zone_is_named_as_the_iana_database_names_it() {
    let text = Config::load(&environment(&[("BYTESHOP_TIME_ZONE", "Berlin")])).unwrap_err().to_string();
    assert!(
        text.contains("BYTESHOP_TIME_ZONE must be an IANA time zone such as Europe/Berlin, not \"Berlin\""),
        "{text}"
    );
    let zone = Config::load(&environment(&[("BYTESHOP_TIME_ZONE", "Europe/Berlin")])).unwrap().outside().zone;
    assert_eq!(zone, "Europe/Berlin".parse().unwrap());
}

#[test]
fn operators_reach_a_process_at_an_address_or_under_a_name() {
    let set = |text: &str| Config::load(&environment(&[("BYTESHOP_OPERATIONS_ADDRESS", text)]));
    for text in ["0.0.0.0:9464", "[::1]:0", "serve-operations:9464", "metrics.shop.example:1"] {
        let operations = set(text).unwrap().operations();
        assert_eq!((operations.address.as_str(), operations.is_chosen), (text, true));
    }
    for text in
        ["127.0.0.1", "127.0.0:9464", "serve-operations", "serve:99999", "ser ve:1", ":9464", "http://serve:9464"]
    {
        let text = set(text).unwrap_err().to_string();
        assert!(text.contains("an address with a port such as 127.0.0.1:9464"), "{text}");
    }
    assert!(!Config::load(&environment(&[])).unwrap().operations().is_chosen);
}

#[test]
fn a_shop_without_a_mail_server_is_told_that_it_sends_no_mail() {
    let warned = |more: &[(&str, &str)]| {
        Config::load(&environment(more))
            .unwrap()
            .warnings()
            .iter()
            .any(|warning| warning.starts_with("no mail is sent"))
    };
    assert!(warned(&[]) && !warned(&[("BYTESHOP_DEV", "1")]));
    assert!(!warned(&[("BYTESHOP_SMTP_HOST", "mail.example.org"), ("BYTESHOP_MAIL_FROM", "shop@example.org")]));
}

#[test]
fn a_shop_that_sends_mail_is_told_to_say_where_it_answers() {
    let mail = [("BYTESHOP_SMTP_HOST", "mail.example.org"), ("BYTESHOP_MAIL_FROM", "shop@example.org")];
    let warned = |more: &[(&str, &str)]| {
        let config = Config::load(&environment(more)).unwrap();
        config.warnings().concat().contains("set BYTESHOP_API_URL")
    };
    assert!(warned(&mail));
    assert!(!warned(&[]));
    assert!(!warned(&[&mail[..], &[("BYTESHOP_API_URL", "https://api.shop.example")]].concat()));
    assert!(!warned(&[&mail[..], &[("BYTESHOP_DEV", "1")]].concat()));
}
