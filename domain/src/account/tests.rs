//! Rules of accounts.

use uuid::Uuid;

use super::*;
use crate::Actor;
use crate::ids::{Id as _, OrderId};
use crate::testing::{given, golden, id, noon, text, well_said};

const ADA: Uuid = Uuid::from_u128(7);

fn sealed<T>(plain: &str) -> Personal<T> {
    Personal::new(Subject(ADA), plain)
}

fn registered() -> Event {
    Event::Registered { email: sealed("email"), password: sealed("hash"), locale: Locale::En }
}

fn register() -> Command {
    Command::Register { email: sealed("email"), password: sealed("hash"), locale: Locale::En }
}

fn confirmation(at: DateTime<Utc>) -> Event {
    Event::ConfirmationRequested { code: sealed("code"), code_hash: text("abc"), expires_at: at + CONFIRM_WITHIN }
}

fn reset(at: DateTime<Utc>) -> Event {
    Event::PasswordResetRequested { code: sealed("code"), code_hash: text("def"), expires_at: at + RESET_WITHIN }
}

fn request_confirmation() -> Command {
    Command::RequestConfirmation { code: sealed("code"), code_hash: text("abc") }
}

fn request_reset() -> Command {
    Command::RequestReset { code: sealed("code"), code_hash: text("def") }
}

fn reset_password(code: &str) -> Command {
    Command::ResetPassword { code_hash: text(code), password: sealed("new") }
}

fn confirm(code: &str) -> Command {
    Command::Confirm { code_hash: text(code) }
}

fn log_in(seen: u32) -> Command {
    Command::LogIn { seen, session: id(1), proof: None }
}

fn changed() -> Event {
    Event::PasswordChanged { password: sealed("new") }
}

fn failed(at: DateTime<Utc>) -> Event {
    Event::LoginFailed { client: sealed("client"), at }
}

fn fail() -> Command {
    Command::FailLogin { client: sealed("client") }
}

fn banned() -> Event {
    Event::Banned { reason: Some(text("fraud")) }
}

fn just_before(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::milliseconds(1)
}

#[test]
fn it_is_registered_once() {
    given::<Account>([]).when(&register()).then([registered()]);
    given::<Account>([registered()]).when(&register()).then_refused(Rejection::Exists);
    given::<Account>([registered(), Event::Erased {}]).when(&register()).then_refused(Rejection::Exists);
}

#[test]
fn nothing_is_asked_of_what_is_not_there() {
    for history in [vec![], vec![registered(), Event::Erased {}]] {
        for command in [log_in(1), confirm("abc"), Command::SetRole { role: Role::Admin }, Command::Unban {}, fail()] {
            given::<Account>(history.clone()).when(&command).then_refused(Rejection::Missing);
        }
    }
    let erase = Command::Erase { waiting: vec![], owned: vec![], disputed: vec![] };
    given::<Account>([]).when(&erase).then_refused(Rejection::Missing);
    given::<Account>([registered(), Event::Erased {}]).when(&erase).then_nothing();
    given::<Account>([registered()]).when(&erase).then([Event::Erased {}]);
}

#[test]
fn who_waits_for_goods_stays() {
    let waiting = Command::Erase { waiting: vec![id(7), id(8)], owned: vec![], disputed: vec![id(9)] };
    let refused = Rejection::OrdersUnderWay { orders: vec![id(7), id(8)] };
    let said = refused.to_string();
    assert!([7, 8].map(id::<OrderId>).iter().all(|order| said.contains(&order.to_string())), "{said}");
    given::<Account>([registered()]).when(&waiting).then_refused(refused);
    given::<Account>([registered(), Event::Erased {}]).when(&waiting).then_nothing();
}

#[test]
fn who_disputes_a_payment_stays() {
    let erase = Command::Erase { waiting: vec![], owned: vec![], disputed: vec![id(7)] };
    let refused = Rejection::OrdersDisputed { orders: vec![id(7)] };
    given::<Account>([registered()]).when(&erase).then_refused(refused);
    given::<Account>([registered(), Event::Erased {}]).when(&erase).then_nothing();
}

#[test]
fn a_refusal_names_up_to_ten_orders_and_says_when_there_are_more() {
    let said = |number: u128| {
        let orders: Vec<OrderId> = (1..=number).map(id).collect();
        let refused = Rejection::OrdersUnderWay { orders: orders.clone() }.to_string();
        let named = orders.iter().filter(|order| refused.contains(&order.to_string())).count();
        (named, refused.contains(" and more;"))
    };
    assert_eq!([said(9), said(10), said(11)], [(9, false), (10, false), (10, true)]);
}

#[test]
fn the_code_confirms_until_it_expires_and_twice_is_no_error() {
    given::<Account>([registered(), confirmation(noon())]).when(&confirm("abc")).then([Event::Confirmed {}]);
    given::<Account>([registered(), confirmation(noon()), Event::Confirmed {}]).when(&confirm("abc")).then_nothing();
    let last = noon() - CONFIRM_WITHIN;
    given::<Account>([registered(), confirmation(last)]).when(&confirm("abc")).then([Event::Confirmed {}]);
    let late = [registered(), confirmation(just_before(last))];
    given::<Account>(late).when(&confirm("abc")).then_refused(Rejection::CodeExpired);
    given::<Account>([registered(), confirmation(noon())]).when(&confirm("abd")).then_refused(Rejection::InvalidCode);
    given::<Account>([registered()]).when(&confirm("abc")).then_refused(Rejection::InvalidCode);
    given::<Account>([registered(), reset(noon())]).when(&confirm("def")).then_refused(Rejection::InvalidCode);
}

#[test]
fn a_mailbox_is_not_filled() {
    let (lately, earlier) = (noon() - MAIL_EVERY + TimeDelta::seconds(1), noon() - MAIL_EVERY);
    given::<Account>([registered()]).when(&request_confirmation()).then([confirmation(noon())]);
    given::<Account>([registered(), confirmation(lately)]).when(&request_confirmation()).then_nothing();
    given::<Account>([registered(), confirmation(earlier)]).when(&request_confirmation()).then([confirmation(noon())]);
    given::<Account>([registered(), Event::Confirmed {}]).when(&request_confirmation()).then_nothing();
    given::<Account>([registered(), reset(lately)]).when(&request_reset()).then_nothing();
    given::<Account>([registered(), reset(earlier)]).when(&request_reset()).then([reset(noon())]);
    let repeated = |at| Event::RegistrationRepeated { at };
    given::<Account>([registered()]).when(&Command::NoteRegistration {}).then([repeated(noon())]);
    given::<Account>([registered(), repeated(lately)]).when(&Command::NoteRegistration {}).then_nothing();
    given::<Account>([registered(), repeated(earlier)]).when(&Command::NoteRegistration {}).then([repeated(noon())]);
}

fn email_change(at: DateTime<Utc>) -> Event {
    let expires_at = at + EMAIL_CHANGE_WITHIN;
    Event::EmailChangeRequested { email: sealed("other"), code: sealed("code"), code_hash: text("abc"), expires_at }
}

fn request_email_change(seen: u32) -> Command {
    Command::RequestEmailChange { seen, email: sealed("other"), code: sealed("code"), code_hash: text("abc") }
}

fn change_email(code: &str) -> Command {
    Command::ChangeEmail { code_hash: text(code) }
}

#[test]
fn another_address_is_asked_for_with_the_password_and_taken_with_its_code() {
    let confirmed = || vec![registered(), Event::Confirmed {}];
    let with = |events: Vec<Event>| given::<Account>(confirmed().into_iter().chain(events));
    with(vec![]).when(&request_email_change(1)).then([email_change(noon())]);
    with(vec![]).when(&request_email_change(2)).then_refused(Rejection::PasswordChanged);
    with(vec![banned()]).when(&request_email_change(1)).then_refused(Rejection::Banned);
    given::<Account>([registered()]).when(&request_email_change(1)).then_refused(Rejection::NotConfirmed);
    let lately = email_change(noon() - MAIL_EVERY + TimeDelta::seconds(1));
    with(vec![lately]).when(&request_email_change(1)).then_refused(Rejection::EmailChangeTooSoon);
    with(vec![email_change(noon() - MAIL_EVERY)]).when(&request_email_change(1)).then([email_change(noon())]);

    let taken = || Event::EmailChanged { email: sealed("other") };
    with(vec![email_change(noon())]).when(&change_email("abc")).then([taken()]);
    with(vec![email_change(noon())]).when(&change_email("abd")).then_refused(Rejection::InvalidCode);
    with(vec![]).when(&change_email("abc")).then_refused(Rejection::InvalidCode);
    with(vec![email_change(noon()), taken()]).when(&change_email("abc")).then_refused(Rejection::InvalidCode);
    with(vec![email_change(noon()), banned()]).when(&change_email("abc")).then_refused(Rejection::Banned);
    let late = email_change(just_before(noon() - EMAIL_CHANGE_WITHIN));
    with(vec![late]).when(&change_email("abc")).then_refused(Rejection::CodeExpired);
    // A new password means that the owner did not trust the one that requested it.
    with(vec![email_change(noon()), changed()]).when(&change_email("abc")).then_refused(Rejection::InvalidCode);
    // A code in the mailbox of the former address sets no password.
    let moved = vec![reset(noon()), email_change(noon()), taken()];
    with(moved).when(&reset_password("def")).then_refused(Rejection::InvalidCode);
}

#[test]
fn an_address_that_two_registered_with_is_opened_by_a_new_password_alone() {
    let contest = Command::Contest { code: sealed("code"), code_hash: text("def") };
    let begun = vec![registered(), confirmation(noon())];
    given::<Account>(begun.clone()).when(&contest).then([Event::RegistrationContested {}, reset(noon())]);
    let contested = [begun, vec![Event::RegistrationContested {}, reset(noon())]].concat();
    given::<Account>(contested.clone()).when(&contest).then_nothing();
    given::<Account>(contested.clone()).when(&confirm("abc")).then_refused(Rejection::InvalidCode);
    given::<Account>(contested.clone()).when(&log_in(1)).then_refused(Rejection::NotConfirmed);
    let later = [contested[..3].to_vec(), vec![reset(noon() - MAIL_EVERY)]].concat();
    given::<Account>(later.clone()).when(&contest).then([reset(noon())]);
    let again = Command::RequestConfirmation { code: sealed("code"), code_hash: text("def") };
    given::<Account>(later).when(&again).then([reset(noon())]);
    given::<Account>(contested.clone()).when(&reset_password("def")).then([changed(), Event::Confirmed {}]);
    let owned = [contested, vec![changed(), Event::Confirmed {}]].concat();
    given::<Account>(owned.clone()).when(&log_in(2)).then([Event::LoggedIn { session: id(1) }]);
    given::<Account>(owned).when(&contest).then([Event::RegistrationRepeated { at: noon() }]);
}

#[test]
fn a_reset_needs_its_code_once_and_in_time_and_proves_the_address() {
    let history = [registered(), Event::Confirmed {}, reset(noon())];
    given::<Account>(history.clone()).when(&reset_password("def")).then([changed()]);
    given::<Account>(history.clone()).when(&reset_password("abc")).then_refused(Rejection::InvalidCode);
    let used = history.into_iter().chain([changed()]);
    given::<Account>(used).when(&reset_password("def")).then_refused(Rejection::InvalidCode);
    let late = [registered(), reset(just_before(noon() - RESET_WITHIN))];
    given::<Account>(late).when(&reset_password("def")).then_refused(Rejection::CodeExpired);
    let in_time = [registered(), Event::Confirmed {}, reset(noon() - RESET_WITHIN)];
    given::<Account>(in_time).when(&reset_password("def")).then([changed()]);
    given::<Account>([registered(), reset(noon())]).when(&reset_password("def")).then([changed(), Event::Confirmed {}]);
}

#[test]
fn only_the_present_password_lets_in_and_only_to_a_usable_account() {
    given::<Account>([registered()]).when(&log_in(1)).then_refused(Rejection::NotConfirmed);
    let confirmed = vec![registered(), Event::Confirmed {}];
    given::<Account>(confirmed.clone()).when(&log_in(1)).then([Event::LoggedIn { session: id(1) }]);
    let with = |event| [confirmed.clone(), vec![event]].concat();
    given::<Account>(with(changed())).when(&log_in(1)).then_refused(Rejection::PasswordChanged);
    given::<Account>(with(changed())).when(&log_in(2)).then([Event::LoggedIn { session: id(1) }]);
    given::<Account>(with(banned())).when(&log_in(1)).then_refused(Rejection::Banned);
    let change = |seen| Command::ChangePassword { seen, password: sealed("new") };
    given::<Account>(with(changed())).when(&change(1)).then_refused(Rejection::PasswordChanged);
    given::<Account>(confirmed.clone()).when(&change(1)).then([changed()]);
    let rehash = Command::Rehash { seen: 1, password: sealed("better") };
    given::<Account>(confirmed.clone()).when(&rehash).then([Event::PasswordRehashed { password: sealed("better") }]);
    given::<Account>(with(changed())).when(&rehash).then_nothing();
    let rehashed = Event::PasswordRehashed { password: sealed("better") };
    given::<Account>(with(rehashed)).when(&log_in(1)).then([Event::LoggedIn { session: id(1) }]);
}

#[test]
fn sessions_are_remembered_until_they_end_and_are_not_too_many() {
    let mut account = [registered(), Event::Confirmed {}].iter().fold(Account::default(), Account::evolve);
    for number in 1..=20 {
        assert_eq!(account.live().unwrap().surplus(), []);
        account = account.evolve(&Event::LoggedIn { session: id(number) });
    }
    assert_eq!(account.live().unwrap().surplus(), [id(1)]);
    account = account.evolve(&Event::LoggedOut { session: id(1) });
    assert_eq!(account.live().unwrap().sessions.first(), Some(&id(2)));
    let open = [registered(), Event::LoggedIn { session: id(1) }];
    let out = Command::LogOut { session: id(1) };
    given::<Account>(open).when(&out).then([Event::LoggedOut { session: id(1) }]);
    given::<Account>([registered()]).when(&out).then_nothing();
}

#[test]
fn failures_are_noted_up_to_a_number_in_a_window() {
    let max = usize::try_from(FAILURES_MAX).unwrap();
    let many = |at, number| [vec![registered()], vec![failed(at); number]].concat();
    given::<Account>(many(noon(), max - 1)).when(&fail()).then([failed(noon())]);
    given::<Account>(many(noon(), max)).when(&fail()).then_nothing();
    given::<Account>(many(noon() - FAILURE_WINDOW, max)).when(&fail()).then([failed(noon())]);
    let after = |event| [many(noon(), max), vec![event]].concat();
    given::<Account>(after(Event::LoggedIn { session: id(1) })).when(&fail()).then([failed(noon())]);
}

#[test]
fn an_admin_cannot_set_their_own_role_or_ban_themselves() {
    let commands = [Command::SetRole { role: Role::Support }, Command::Ban { reason: None }];
    let account = Account::default().evolve(&registered());
    for command in commands {
        let by = Actor::Admin { id: AccountId::from_uuid(ADA) };
        let own = Asked { at: noon(), by };
        assert_eq!(account.decide(&command, &own), Err(Rejection::OwnAccount));
    }
    let to = |role| Command::SetRole { role };
    given::<Account>([registered()]).when(&to(Role::Admin)).then([Event::RoleSet { role: Role::Admin }]);
    given::<Account>([registered()]).when(&to(Role::Customer)).then_nothing();
}

#[test]
fn a_ban_holds_until_it_is_lifted() {
    given::<Account>([registered()]).when(&Command::Ban { reason: Some(text("fraud")) }).then([banned()]);
    given::<Account>([registered(), banned()]).when(&Command::Ban { reason: None }).then_nothing();
    given::<Account>([registered(), banned()]).when(&Command::Unban {}).then([Event::Unbanned {}]);
    given::<Account>([registered()]).when(&Command::Unban {}).then_nothing();
}

#[test]
fn the_address_book_holds_what_is_put_into_it() {
    let added = |number| Event::AddressAdded { id: id(number), address: sealed("address") };
    let add = Command::AddAddress { id: id(1), address: sealed("address") };
    given::<Account>([registered()]).when(&add).then([added(1)]);
    let full = [registered()].into_iter().chain((2..).take(ADDRESSES_MAX).map(added));
    given::<Account>(full).when(&add).then_refused(Rejection::TooManyAddresses);
    let change = Command::ChangeAddress { id: id(1), address: sealed("other") };
    let changed = Event::AddressChanged { id: id(1), address: sealed("other") };
    given::<Account>([registered(), added(1)]).when(&change).then([changed]);
    given::<Account>([registered(), added(2)]).when(&change).then_refused(Rejection::NoSuchAddress);
    let remove = Command::RemoveAddress { id: id(1) };
    given::<Account>([registered(), added(1)]).when(&remove).then([Event::AddressRemoved { id: id(1) }]);
    given::<Account>([registered()]).when(&remove).then_refused(Rejection::NoSuchAddress);
    let left = crate::fold::<Account>(&[registered(), added(1), added(2), Event::AddressRemoved { id: id(1) }]);
    let ids: Vec<_> = left.live().unwrap().addresses.iter().map(|kept| kept.id).collect();
    assert_eq!(ids, [id(2)]);
}

#[test]
fn settings_and_profile_are_as_they_were_last_said() {
    let same = Command::ChangeSettings { settings: Settings::new(Locale::En) };
    given::<Account>([registered()]).when(&same).then_nothing();
    let settings = Settings::new(Locale::Ru);
    let change = Command::ChangeSettings { settings: settings.clone() };
    given::<Account>([registered()]).when(&change).then([Event::SettingsChanged { settings }]);
    let profile = Command::ChangeProfile { profile: sealed("profile") };
    given::<Account>([registered()]).when(&profile).then([Event::ProfileChanged { profile: sealed("profile") }]);
}

#[test]
fn every_stored_form_is_golden() {
    let settings = Settings {
        locale: Locale::Ru,
        currency: Some(crate::Currency::EUR),
        channels: [Channel::Email, Channel::Sms, Channel::Push].into(),
    };
    golden(
        include_str!("golden.json"),
        &[
            registered(),
            Event::RegistrationRepeated { at: noon() },
            confirmation(noon()),
            Event::Confirmed {},
            reset(noon()),
            changed(),
            Event::PasswordRehashed { password: sealed("better") },
            Event::RoleSet { role: Role::Customer },
            Event::RoleSet { role: Role::Seller },
            Event::RoleSet { role: Role::Support },
            Event::RoleSet { role: Role::Admin },
            Event::LoggedIn { session: id(1) },
            Event::LoggedOut { session: id(1) },
            failed(noon()),
            Event::ProfileChanged { profile: sealed("profile") },
            Event::SettingsChanged { settings: Settings::new(Locale::En) },
            Event::SettingsChanged { settings },
            Event::AddressAdded { id: id(1), address: sealed("address") },
            Event::AddressChanged { id: id(1), address: sealed("address") },
            Event::AddressRemoved { id: id(1) },
            banned(),
            Event::Banned { reason: None },
            Event::Unbanned {},
            Event::Erased {},
            email_change(noon()),
            Event::EmailChanged { email: sealed("other") },
            Event::RegistrationContested {},
            Event::TotpEnrolled { secret: sealed("totp"), at: noon() },
            Event::TotpConfirmed { step: 58_908_960, code_hashes: vec![text("aa"), text("bb")], at: noon() },
            Event::TotpUsed { step: 58_908_961 },
            Event::RecoveryCodeUsed { code_hash: text("aa") },
            Event::TotpRemoved {},
            Event::AccessGranted { grant: Grant::ApiKey { id: id(9) } },
            Event::AccessGranted { grant: Grant::WebhookEndpoint { id: id(10) } },
            Event::SellerApplied { seller: id(11), at: noon() },
            Event::SellerJoined { seller: id(11) },
            Event::SellerLeft { seller: id(11) },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::Exists,
        R::InvalidCode,
        R::CodeExpired,
        R::NotConfirmed,
        R::Banned,
        R::PasswordChanged,
        R::EmailChangeTooSoon,
        R::EmailTaken,
        R::TooManyAddresses,
        R::NoSuchAddress,
        R::OwnAccount,
        R::SecondFactorRequired,
        R::SecondFactorChanged,
        R::CodeUsed,
        R::NoEnrolment,
        R::SecondFactorExists,
        R::OrdersUnderWay { orders: vec![id(7)] },
        R::OrdersDisputed { orders: vec![id(7)] },
        R::TooManyApplications,
        R::TooManySellers,
        R::SellersOwned { sellers: vec![id(11)] },
    ]);
}
