//! The rules of digital goods: the link and the limits.

use uuid::Uuid;

use super::*;
use crate::Subject;
use crate::testing::{given, golden, id as number, text, well_said};

fn opened() -> Event {
    Event::Opened { product: number(4), sku: text("APP-1") }
}

fn link() -> Personal<Link> {
    Personal::new(Subject(Uuid::from_u128(3)), "AA")
}

fn limits(days: Option<u32>, downloads: Option<u32>) -> Limits {
    Limits { days, downloads }
}

#[test]
fn a_good_is_opened_once() {
    let open = Command::Open { product: number(4), sku: text("APP-1") };
    given::<DigitalGood>([]).when(&open).then([opened()]);
    given::<DigitalGood>([opened()]).when(&open).then_nothing();
    assert_eq!(variant(id(number(3))), number(3));
}

#[test]
fn a_link_is_set_and_removed() {
    let set = |link| Command::SetLink { link };
    given::<DigitalGood>([]).when(&set(Some(link()))).then_refused(Rejection::Missing);
    given::<DigitalGood>([opened()]).when(&set(None)).then_nothing();
    given::<DigitalGood>([opened()]).when(&set(Some(link()))).then([Event::LinkSet { link: Some(link()) }]);
    let history = [opened(), Event::LinkSet { link: Some(link()) }];
    given::<DigitalGood>(history).when(&set(None)).then([Event::LinkSet { link: None }]);
}

#[test]
fn a_link_is_encrypted_and_shows_no_password() {
    for good in ["https://files.example.org/app.zip?key=a@b", "https://[2001:db8::1]:8443/x", "https://localhost"] {
        assert_eq!(check_link(&text(good)), Ok(()), "{good}");
    }
    for bad in [
        "http://files.example.org/app.zip",
        "HTTPS://files.example.org/",
        "https://",
        "https:///app.zip",
        "https://?x",
        "https://ada:secret@files.example.org/",
        "https://example.org\\@evil.example/",
        "javascript:alert(1)",
        "files.example.org",
    ] {
        assert_eq!(check_link(&text(bad)), Err(Rejection::NotHttps), "{bad}");
    }
}

#[test]
fn limits_are_set_and_lifted() {
    let set = |days, downloads| Command::SetLimits(limits(days, downloads));
    let done = Event::LimitsSet(limits(Some(30), Some(5)));
    given::<DigitalGood>([opened()]).when(&set(Some(30), Some(5))).then([done.clone()]);
    given::<DigitalGood>([opened(), done.clone()]).when(&set(Some(30), Some(5))).then_nothing();
    given::<DigitalGood>([opened(), done]).when(&set(None, None)).then([Event::LimitsSet(limits(None, None))]);
    for days in [0, DAYS_MAX + 1] {
        given::<DigitalGood>([opened()]).when(&set(Some(days), None)).then_refused(Rejection::WrongDays);
    }
    for downloads in [0, DOWNLOADS_MAX + 1] {
        given::<DigitalGood>([opened()]).when(&set(None, Some(downloads))).then_refused(Rejection::WrongDownloads);
    }
    let most = limits(Some(DAYS_MAX), Some(DOWNLOADS_MAX));
    given::<DigitalGood>([opened()]).when(&Command::SetLimits(most)).then([Event::LimitsSet(most)]);
}

#[test]
fn events_are_golden() {
    golden(
        include_str!("golden.json"),
        &[
            opened(),
            Event::LinkSet { link: Some(link()) },
            Event::LinkSet { link: None },
            Event::LimitsSet(limits(Some(30), Some(5))),
            Event::LimitsSet(limits(None, None)),
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[R::Missing, R::Physical, R::GiftCards, R::NotHttps, R::WrongDays, R::WrongDownloads]);
}
