//! The rules of webhook endpoints.

use super::*;
use crate::Actor;
use crate::testing::{given, golden, id, noon, text, well_said};

fn topic(text: &str) -> Topic {
    Topic::new(text).unwrap()
}

fn secret(text: &str) -> Personal<Secret> {
    Personal::new(SHOP, text)
}

fn created() -> Event {
    Event::Created {
        url: text("https://example.org/hook"),
        filter: vec![topic("order.*")],
        description: Some(text("the warehouse")),
        secret: secret("AA"),
        created_by: None,
        created_with: None,
        expires_at: None,
    }
}

fn create_until(created_by: Option<AccountId>, expires_at: Option<DateTime<Utc>>) -> Command {
    Command::Create {
        url: text("https://example.org/hook"),
        filter: vec![topic("order.*")],
        description: Some(text("the warehouse")),
        secret: secret("AA"),
        created_by,
        expires_at,
    }
}

fn created_until(created_with: Option<ApiKeyId>, expires_at: DateTime<Utc>) -> Event {
    Event::Created {
        url: text("https://example.org/hook"),
        filter: vec![topic("order.*")],
        description: Some(text("the warehouse")),
        secret: secret("AA"),
        created_by: Some(id(7)),
        created_with,
        expires_at: Some(expires_at),
    }
}

fn revise(enabled: Option<bool>) -> Command {
    Command::Revise { url: None, filter: None, description: None, enabled, expires_at: None }
}

fn rotated() -> Event {
    Event::SecretRotated { secret: secret("BB"), old_until: noon() + OLD_SECRET_SIGNS }
}

#[test]
fn a_topic_names_what_can_happen_and_is_told() {
    for good in ["*", "order.*", "order.paid", "payment.captured", "payment.capture_requested"] {
        assert!(Topic::new(good).is_ok(), "{good}");
    }
    for bad in
        ["", "order", "order.", ".paid", "order.sold", "account.*", "cart.created", "name.*", "**", "order.paid.x"]
    {
        assert_eq!(Topic::new(bad), Err(NoTopic), "{bad}");
    }
}

#[test]
fn a_topic_names_its_events_and_no_others() {
    assert!(topic("*").names("order", "paid") && !topic("*").names("cart", "created"));
    assert!(topic("order.*").names("order", "paid") && !topic("order.*").names("payment", "captured"));
    assert!(topic("order.paid").names("order", "paid") && !topic("order.paid").names("order", "placed"));
}

#[test]
fn an_endpoint_gets_what_one_of_its_topics_names() {
    let endpoint = crate::fold::<WebhookEndpoint>(&[created()]);
    let known = endpoint.live().unwrap();
    assert!(known.wants("order", "paid") && known.wants("order", "placed"));
    assert!(!known.wants("payment", "captured"));
}

#[test]
fn every_told_category_is_one() {
    for category in TOLD {
        assert!(crate::AGGREGATES.iter().any(|it| it.category == *category), "{category}");
    }
}

#[test]
fn every_told_category_is_read_with_a_scope() {
    let scopes = |text: &str| topic(text).scopes();
    for category in TOLD {
        assert_eq!(scopes(&format!("{category}.*")).len(), 1, "{category}");
    }
    assert_eq!(scopes("order.paid"), [Scope::OrdersRead].into());
    assert_eq!(scopes("payment.*"), [Scope::OrdersRead].into());
    assert_eq!(scopes("product.*"), [Scope::CatalogRead].into());
    assert_eq!(scopes("*"), [Scope::CatalogRead, Scope::StockRead, Scope::OrdersRead].into());
}

#[test]
fn it_says_whose_it_is_and_ends_when_it_was_to_end() {
    let end = noon() + TimeDelta::days(1);
    let create = |expires_at| create_until(Some(id(7)), expires_at);
    let by_key = given::<WebhookEndpoint>([]).by(Actor::Service { key: id(9) });
    by_key.when(&create(Some(end))).then([created_until(Some(id(9)), end)]);
    let by_admin = given::<WebhookEndpoint>([]).by(Actor::Admin { id: id(7) });
    by_admin.when(&create(Some(end))).then([created_until(None, end)]);
    given::<WebhookEndpoint>([]).when(&create(Some(noon()))).then_refused(Rejection::ExpiresInThePast);
    let state = crate::fold::<WebhookEndpoint>(&[created_until(None, noon())]);
    let known = state.live().unwrap();
    assert!(known.has_expired(noon()) && !known.has_expired(noon() - TimeDelta::seconds(1)));
    let expired = || [created_until(None, noon()), Event::Disabled { because: Silence::Expired }];
    given::<WebhookEndpoint>(expired()).when(&revise(Some(true))).then_refused(Rejection::Expired);
    let prolong =
        Command::Revise { url: None, filter: None, description: None, enabled: Some(true), expires_at: Some(end) };
    let revised = Event::Revised { url: None, filter: None, description: None, expires_at: Some(end) };
    given::<WebhookEndpoint>(expired()).when(&prolong).then([revised, Event::Enabled {}]);
}

#[test]
fn it_wants_something_to_hear() {
    let create = |filter| Command::Create {
        url: text("https://example.org/hook"),
        filter,
        description: None,
        secret: secret("AA"),
        created_by: None,
        expires_at: None,
    };
    given::<WebhookEndpoint>([]).when(&create(vec![])).then_refused(Rejection::Filters);
    let many = vec![topic("*"); FILTERS_MAX + 1];
    given::<WebhookEndpoint>([]).when(&create(many.clone())).then_refused(Rejection::Filters);
    let revise = Command::Revise { url: None, filter: Some(many), description: None, enabled: None, expires_at: None };
    given::<WebhookEndpoint>([created()]).when(&revise).then_refused(Rejection::Filters);
    given::<WebhookEndpoint>([created()]).when(&create(vec![topic("*")])).then_refused(Rejection::Exists);
}

#[test]
fn only_what_changes_is_written_down() {
    let same = Command::Revise {
        url: Some(text("https://example.org/hook")),
        filter: Some(vec![topic("order.*")]),
        description: Some(text("the warehouse")),
        enabled: Some(true),
        expires_at: None,
    };
    given::<WebhookEndpoint>([created()]).when(&same).then_nothing();
    let url = Some(text("https://example.org/2"));
    let moved = Command::Revise { url: url.clone(), filter: None, description: None, enabled: None, expires_at: None };
    let revised = Event::Revised { url, filter: None, description: None, expires_at: None };
    given::<WebhookEndpoint>([created()]).when(&moved).then([revised]);
}

#[test]
fn it_is_silenced_and_told_again() {
    let failing = Event::Disabled { because: Silence::Failing };
    let silence = Command::Silence { because: Silence::Failing };
    given::<WebhookEndpoint>([created()]).when(&silence).then([failing.clone()]);
    given::<WebhookEndpoint>([created(), failing.clone()]).when(&silence).then_nothing();
    given::<WebhookEndpoint>([created(), failing]).when(&revise(Some(true))).then([Event::Enabled {}]);
    let by_hand = Event::Disabled { because: Silence::ByHand };
    given::<WebhookEndpoint>([created()]).when(&revise(Some(false))).then([by_hand]);
}

#[test]
fn the_old_secret_signs_for_a_while() {
    given::<WebhookEndpoint>([created()]).when(&Command::Rotate { secret: secret("BB") }).then([rotated()]);
    let state: WebhookEndpoint = crate::fold::<WebhookEndpoint>([&created(), &rotated()]);
    let known = state.live().unwrap();
    assert_eq!(known.signing(noon()), [&secret("BB"), &secret("AA")]);
    assert_eq!(known.signing(noon() + OLD_SECRET_SIGNS), [&secret("BB")]);
}

#[test]
fn a_replay_begins_within_the_log() {
    given::<WebhookEndpoint>([created()]).when(&Command::Replay { from: 1 }).then([Event::ReplayRequested { from: 1 }]);
    given::<WebhookEndpoint>([created()]).when(&Command::Replay { from: 0 }).then_refused(Rejection::BeforeTheLog);
}

#[test]
fn what_is_removed_is_gone() {
    given::<WebhookEndpoint>([created()]).when(&Command::Remove {}).then([Event::Removed {}]);
    let gone = || [created(), Event::Removed {}];
    given::<WebhookEndpoint>(gone()).when(&Command::Remove {}).then_nothing();
    given::<WebhookEndpoint>(gone()).when(&revise(Some(true))).then_refused(Rejection::Missing);
    given::<WebhookEndpoint>([]).when(&Command::Remove {}).then_refused(Rejection::Missing);
}

#[test]
fn stored_forms_stay_readable() {
    let revised = Event::Revised {
        url: Some(text("https://example.org/2")),
        filter: Some(vec![topic("*")]),
        description: Some(text("all")),
        expires_at: None,
    };
    let prolonged = Event::Revised { url: None, filter: None, description: None, expires_at: Some(noon()) };
    golden(
        include_str!("golden.json"),
        &[
            created(),
            revised,
            rotated(),
            Event::Enabled {},
            Event::Disabled { because: Silence::Gone },
            Event::ReplayRequested { from: 1 },
            Event::Removed {},
            created_until(Some(id(9)), noon()),
            prolonged,
            Event::Disabled { because: Silence::Expired },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    well_said(&[
        Rejection::Missing,
        Rejection::Exists,
        Rejection::Filters,
        Rejection::BeforeTheLog,
        Rejection::ExpiresInThePast,
        Rejection::Expired,
    ]);
}
