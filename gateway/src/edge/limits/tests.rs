//! What each limit counts.

use super::*;

#[test]
fn a_quota_is_each_addresss_own_and_zero_is_none() {
    let limits = Limits::per_minute(2, 0);
    let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
    let asked = |address| limits.address(address, NonZeroU32::MIN);
    assert_eq!(asked(one).unwrap().unwrap().left, "\"address\";r=1;t=30");
    assert_eq!(asked(one).unwrap().unwrap().left, "\"address\";r=0;t=60");
    let refused = asked(one).unwrap_err();
    assert_eq!((refused.status(), refused.code()), (StatusCode::TOO_MANY_REQUESTS, "request.too_many"));
    assert!(asked(two).is_ok());
    assert!(limits.account(AccountId::from_uuid(Uuid::nil())).unwrap().is_none());
}

#[test]
fn neighbours_in_a_v6_network_are_one_visitor() {
    let limits = Limits::per_minute(1, 0);
    let asked = |address: &str| limits.address(address.parse().unwrap(), NonZeroU32::MIN);
    assert!(asked("2001:db8::1").is_ok());
    assert!(asked("2001:db8::2").is_err());
    assert!(asked("2001:db8:0:1::1").is_ok());
}

#[test]
fn a_request_takes_as_many_units_as_it_costs_and_at_most_all() {
    let limits = Limits::per_minute(10, 0);
    let asked = |address: &str, units| limits.address(address.parse().unwrap(), NonZeroU32::new(units).unwrap());
    assert_eq!(asked("192.0.2.1", 6).unwrap().unwrap().left, "\"address\";r=4;t=36");
    assert!(asked("192.0.2.1", 6).is_err());
    assert!(asked("192.0.2.1", 4).is_ok());
    assert_eq!(asked("192.0.2.2", 500).unwrap().unwrap().left, "\"address\";r=0;t=60");
}

#[test]
fn the_changes_of_guests_have_a_quota_of_their_own() {
    let limits = Limits::per_minute(1, 0).with_guest_writes(2);
    let one = "192.0.2.1".parse().unwrap();
    assert!(limits.guest_writes(one).is_ok() && limits.guest_writes(one).is_ok());
    assert_eq!(limits.guest_writes(one).unwrap_err().status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(limits.address(one, NonZeroU32::MIN).is_ok());
}
