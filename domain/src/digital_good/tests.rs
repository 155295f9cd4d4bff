//! The rules of digital goods: the link, the limits, and files with their versions.

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::Subject;
use crate::testing::{given, golden, id as number, noon, text, well_said};

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

fn uploaded(name: &str, bytes: u64) -> Uploaded {
    let address = Personal::new(Subject(Uuid::from_u128(3)), "AA");
    Uploaded { name: text(name), media_type: text("application/zip"), bytes, address }
}

fn released(number: u32, name: &str) -> FileVersion {
    let Uploaded { name, media_type, bytes, address } = uploaded(name, 9);
    FileVersion { version: number, name, media_type, bytes, address, at: noon() }
}

fn added(file: u128, name: &str) -> Event {
    Event::FileAdded { file: number(file), version: released(1, name) }
}

fn replaced(file: u128, version: u32, name: &str) -> Event {
    Event::VersionAdded { file: number(file), version: released(version, name) }
}

fn removed(file: u128) -> Event {
    Event::FileRemoved { file: number(file), at: noon() }
}

fn add(file: u128, name: &str) -> Command {
    Command::AddFile { file: number(file), uploaded: uploaded(name, 9) }
}

fn replace(file: u128, name: &str, is_same: bool) -> Command {
    Command::AddVersion { file: number(file), uploaded: uploaded(name, 9), is_same }
}

#[test]
fn files_have_versions_and_names_of_their_own() {
    given::<DigitalGood>([]).when(&add(1, "app.zip")).then_refused(Rejection::Missing);
    given::<DigitalGood>([opened()]).when(&add(1, "app.zip")).then([added(1, "app.zip")]);
    let one = vec![opened(), added(1, "app.zip")];
    given::<DigitalGood>(one.clone()).when(&add(2, "app.zip")).then_refused(Rejection::SameName);
    given::<DigitalGood>(one.clone()).when(&replace(1, "app.zip", true)).then_refused(Rejection::SameContent);
    given::<DigitalGood>(one.clone()).when(&replace(2, "x", false)).then_refused(Rejection::NoSuchFile);
    let empty = Command::AddFile { file: number(2), uploaded: uploaded("x", 0) };
    given::<DigitalGood>(one.clone()).when(&empty).then_refused(Rejection::EmptyFile);
    given::<DigitalGood>(one.clone()).when(&replace(1, "app.zip", false)).then([replaced(1, 2, "app.zip")]);
    let two = [one, vec![added(2, "readme.pdf"), replaced(1, 2, "app-2.zip")]].concat();
    given::<DigitalGood>(two.clone()).when(&replace(2, "app-2.zip", false)).then_refused(Rejection::SameName);
    given::<DigitalGood>(two.clone()).when(&add(3, "app.zip")).then([added(3, "app.zip")]);
    let state: DigitalGood = crate::fold(&two);
    let file = state.file(number(1)).unwrap();
    assert_eq!((file.current().unwrap().version, file.version(1).unwrap().name.as_str()), (2, "app.zip"));
    assert_eq!(file.version(3), None);
}

#[test]
fn a_removed_file_stays_with_those_who_had_bought_it() {
    let history = vec![opened(), added(1, "app.zip"), removed(1)];
    let remove = Command::RemoveFile { file: number(1) };
    given::<DigitalGood>(history[..2].to_vec()).when(&remove).then([removed(1)]);
    given::<DigitalGood>(history.clone()).when(&remove).then_refused(Rejection::NoSuchFile);
    given::<DigitalGood>(history.clone()).when(&replace(1, "app.zip", false)).then_refused(Rejection::NoSuchFile);
    given::<DigitalGood>(history.clone()).when(&add(2, "app.zip")).then([added(2, "app.zip")]);
    let state: DigitalGood = crate::fold(&history);
    let file = &state.files[&number(1)];
    assert_eq!((state.present().count(), file.is_for(Some(noon()))), (0, false));
    assert!(file.is_for(Some(noon() - TimeDelta::seconds(1))) && !file.is_for(None));
}

#[test]
fn a_variant_has_not_endless_files_and_a_file_not_endless_versions() {
    let files = |count: usize| (1..).take(count).map(|file| added(file, &file.to_string()));
    let full: Vec<Event> = [opened()].into_iter().chain(files(FILES_MAX)).collect();
    given::<DigitalGood>(full.clone()).when(&add(999, "more")).then_refused(Rejection::TooManyFiles);
    given::<DigitalGood>([full, vec![removed(1)]].concat()).when(&add(999, "more")).then([added(999, "more")]);
    let gone = (1..).take(FILES_EVER_MAX).map(removed);
    let ever: Vec<Event> = [opened()].into_iter().chain(files(FILES_EVER_MAX)).chain(gone).collect();
    given::<DigitalGood>(ever).when(&add(999, "more")).then_refused(Rejection::TooManyFiles);
    let large = |bytes| Command::AddFile { file: number(2), uploaded: uploaded("b", bytes) };
    let history = [opened(), added(1, "a"), removed(1)];
    given::<DigitalGood>(history).when(&large(BYTES_MAX - 8)).then_refused(Rejection::TooManyBytes);
    let versions = (2..).take(VERSIONS_MAX - 1).map(|version| replaced(1, version, "a"));
    let long: Vec<Event> = [opened(), added(1, "a")].into_iter().chain(versions).collect();
    given::<DigitalGood>(long).when(&replace(1, "a", false)).then_refused(Rejection::TooManyVersions);
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
            added(1, "app.zip"),
            replaced(1, 2, "app.zip"),
            removed(1),
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    let goods = [R::Missing, R::Physical, R::GiftCards, R::NotHttps, R::WrongDays, R::WrongDownloads];
    let files = [
        R::NoSuchFile,
        R::TooManyFiles,
        R::TooManyVersions,
        R::SameName,
        R::SameContent,
        R::EmptyFile,
        R::TooManyBytes,
    ];
    well_said(&[&goods[..], &files[..]].concat());
}

#[test]
fn a_link_or_a_file_can_be_delivered() {
    let is_deliverable = |history: &[Event]| crate::fold::<DigitalGood>(history).is_deliverable();
    assert!(!is_deliverable(&[opened()]));
    assert!(is_deliverable(&[opened(), added(1, "app.zip")]));
    assert!(!is_deliverable(&[opened(), added(1, "app.zip"), removed(1)]));
    assert!(is_deliverable(&[opened(), added(1, "app.zip"), added(2, "x"), removed(1)]));
}
