//! Rules of accounts that sell.

use chrono::TimeDelta;

use crate::account::{
    APPLICATION_WINDOW, APPLICATIONS_MAX, Account, Command, Event, Membership, Rejection, SELLERS_MAX,
};
use crate::ids::{AccountId, SellerId};
use crate::testing::{given, id, noon};
use crate::{Locale, Personal, Subject};

fn sealed<T>(text: &str) -> Personal<T> {
    Personal::new(Subject::from(id::<AccountId>(1)), text)
}

fn open() -> Vec<Event> {
    vec![Event::Registered { email: sealed("e"), password: sealed("p"), locale: Locale::En }, Event::Confirmed {}]
}

fn with(more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    open().into_iter().chain(more).collect()
}

fn seller(number: u128) -> SellerId {
    id(number)
}

#[test]
fn an_account_applies_so_many_times_in_a_window() {
    let apply = Command::Membership(Membership::Apply { seller: seller(99) });
    let applied = |at| Event::SellerApplied { seller: seller(99), at };
    given::<Account>(open()).when(&apply).then([applied(noon())]);
    let some = |at: TimeDelta| {
        let number = u128::try_from(APPLICATIONS_MAX).unwrap();
        with((1..=number).map(|number| Event::SellerApplied { seller: seller(number), at: noon() - at }))
    };
    given::<Account>(some(TimeDelta::days(1))).when(&apply).then_refused(Rejection::TooManyApplications);
    given::<Account>(some(APPLICATION_WINDOW)).when(&apply).then([applied(noon())]);
}

#[test]
fn only_an_account_that_can_be_used_sells() {
    for change in [Membership::Apply { seller: seller(1) }, Membership::Join { seller: seller(1) }] {
        let command = &Command::Membership(change);
        given::<Account>(open()[..1].to_vec()).when(command).then_refused(Rejection::NotConfirmed);
        given::<Account>(with([Event::Banned { reason: None }])).when(command).then_refused(Rejection::Banned);
        given::<Account>(with([Event::Erased {}])).when(command).then_refused(Rejection::Missing);
    }
}

#[test]
fn an_account_joins_and_leaves() {
    let join = Command::Membership(Membership::Join { seller: seller(1) });
    let leave = Command::Membership(Membership::Leave { seller: seller(1) });
    let joined = || Event::SellerJoined { seller: seller(1) };
    given::<Account>(open()).when(&join).then([joined()]);
    given::<Account>(with([joined()])).when(&join).then_nothing();
    given::<Account>(with([joined()])).when(&leave).then([Event::SellerLeft { seller: seller(1) }]);
    given::<Account>(open()).when(&leave).then_nothing();
    let number = u128::try_from(SELLERS_MAX).unwrap();
    let full = with((2..2 + number).map(|number| Event::SellerJoined { seller: seller(number) }));
    given::<Account>(full).when(&join).then_refused(Rejection::TooManySellers);
}

#[test]
fn the_only_owner_of_a_seller_does_not_go_by_accident() {
    let erase = |owned| Command::Erase { waiting: vec![], owned, disputed: vec![] };
    let refused = Rejection::SellersOwned { sellers: vec![seller(1)] };
    given::<Account>(open()).when(&erase(vec![seller(1)])).then_refused(refused);
    given::<Account>(open()).when(&erase(vec![])).then([Event::Erased {}]);
}
