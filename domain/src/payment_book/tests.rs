//! Rules of the payment book.

use super::*;
use crate::fold;
use crate::testing::{given, golden, text, well_said};

fn transfer() -> ManualMethod {
    ManualMethod {
        method: text("sepa"),
        kind: ManualKind::BankTransfer,
        title: text("Bank transfer"),
        instructions: text("IBAN DE02 1203 0000 0000 2020 51\nHolder: ByteShop"),
        countries: [text("DE"), text("FR")].into(),
        currencies: [Currency::EUR].into(),
        days: Some(7),
        accounts_only: false,
    }
}

fn counter() -> ManualMethod {
    ManualMethod {
        method: text("counter"),
        kind: ManualKind::Elsewhere,
        title: text("At the counter"),
        instructions: text("Pay in our shop."),
        countries: [].into(),
        currencies: [].into(),
        days: None,
        accounts_only: false,
    }
}

fn set(methods: impl Into<Vec<ManualMethod>>) -> Command {
    Command::Set { methods: methods.into(), providers: vec![] }
}

#[test]
fn the_book_holds_what_it_is_told_and_nothing_else() {
    let history = [Event::MethodSet(transfer())];
    given::<PaymentBook>([]).when(&set([transfer()])).then(history.clone());
    given::<PaymentBook>(history.clone()).when(&set([transfer()])).then_nothing();
    let gone = Event::MethodRemoved { method: text("sepa") };
    given::<PaymentBook>(history.clone()).when(&set([counter()])).then([gone.clone(), Event::MethodSet(counter())]);
    given::<PaymentBook>(history).when(&set([])).then([gone]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |methods: Vec<ManualMethod>, rejection| {
        given::<PaymentBook>([]).when(&set(methods)).then_refused(rejection);
    };
    refused(vec![counter(), counter()], Rejection::MethodTwice { at: 1 });
    let nowhere = ManualMethod { countries: [text("Atlantis")].into(), ..transfer() };
    refused(vec![counter(), nowhere], Rejection::NoCode { at: 1, country: text("Atlantis") });
    for days in [None, Some(0), Some(DAYS_MAX + 1)] {
        refused(vec![ManualMethod { days, ..transfer() }], Rejection::NoDays { at: 0 });
    }
    refused(vec![ManualMethod { days: Some(0), ..counter() }], Rejection::NoDays { at: 0 });
    let named = |number: usize| ManualMethod { method: text(&format!("m{number}")), ..counter() };
    refused((0..=METHODS_MAX).map(named).collect(), Rejection::TooMany);
    let countries = (0..=COUNTRIES_MAX).map(|_| text("DE")).collect();
    refused(vec![ManualMethod { countries, ..counter() }], Rejection::TooMany);
    let currencies = (0..=CURRENCIES_MAX).map(|_| Currency::EUR).collect();
    refused(vec![ManualMethod { currencies, ..counter() }], Rejection::TooMany);
}

#[test]
fn the_limits_themselves_are_allowed() {
    let named = |number: usize| ManualMethod { method: text(&format!("m{number}")), ..counter() };
    let all: Vec<_> = (0..METHODS_MAX).map(named).collect();
    let events: Vec<_> = all.iter().cloned().map(Event::MethodSet).collect();
    given::<PaymentBook>([]).when(&set(all)).then(events);
    for days in [1, DAYS_MAX] {
        let method = ManualMethod { days: Some(days), ..counter() };
        given::<PaymentBook>([]).when(&set([method.clone()])).then([Event::MethodSet(method)]);
    }
}

#[test]
fn a_method_is_offered_in_its_countries_and_currencies_and_perhaps_to_accounts_alone() {
    let invoice = ManualMethod { method: text("invoice"), accounts_only: true, ..counter() };
    let book = fold::<PaymentBook>(&[transfer(), counter(), invoice].map(Event::MethodSet));
    let offered = |country: &str, currency, has_account| -> Vec<String> {
        let country = text(country);
        let offered = book.offered(Sale { country: &country, currency, has_account });
        offered.map(|method| method.method.to_string()).collect()
    };
    assert_eq!(offered("DE", Currency::EUR, true), ["counter", "invoice", "sepa"]);
    assert_eq!(offered("DE", Currency::EUR, false), ["counter", "sepa"]);
    assert_eq!(offered("DE", Currency::GBP, false), ["counter"]);
    assert_eq!(offered("GB", Currency::EUR, false), ["counter"]);
    let (sepa, france, britain): (Slug, _, _) = (text("sepa"), text("FR"), text("GB"));
    let sale = |country| Sale { country, currency: Currency::EUR, has_account: false };
    assert_eq!(book.method(&sepa, sale(&france)), Ok(&transfer()));
    let refused = Err(Rejection::NotOffered { method: sepa.clone() });
    assert_eq!(book.method(&sepa, sale(&britain)), refused);
    assert_eq!(PaymentBook::default().method(&sepa, sale(&france)), refused);
    assert_eq!((book.longest_days(), PaymentBook::default().longest_days()), (7, 0));
}

fn limit() -> ProviderLimit {
    let (countries, currencies) = ([text("DE"), text("FR")].into(), [Currency::EUR].into());
    ProviderLimit { provider: Provider::Paypal, countries, currencies }
}

fn limited(providers: impl Into<Vec<ProviderLimit>>) -> Command {
    Command::Set { methods: vec![], providers: providers.into() }
}

#[test]
fn a_provider_is_offered_everywhere_unless_the_book_limits_it() {
    let history = [Event::ProviderLimited(limit())];
    given::<PaymentBook>([]).when(&limited([limit()])).then(history.clone());
    given::<PaymentBook>(history.clone()).when(&limited([limit()])).then_nothing();
    let unlimited = Event::ProviderUnlimited { provider: Provider::Paypal };
    given::<PaymentBook>(history.clone()).when(&limited([])).then([unlimited]);
    given::<PaymentBook>([]).when(&limited([limit(), limit()])).then_refused(Rejection::ProviderTwice { at: 1 });
    let nowhere = ProviderLimit { countries: [text("Atlantis")].into(), ..limit() };
    let refused = Rejection::ProviderNoCode { at: 0, country: text("Atlantis") };
    given::<PaymentBook>([]).when(&limited([nowhere])).then_refused(refused);
    let book = fold::<PaymentBook>(&history);
    for (country, currency, provider, is_offered) in [
        ("DE", Currency::EUR, Provider::Paypal, true),
        ("DE", Currency::GBP, Provider::Paypal, false),
        ("GB", Currency::EUR, Provider::Paypal, false),
        ("GB", Currency::GBP, Provider::Test, true),
    ] {
        let country = text(country);
        let sale = Sale { country: &country, currency, has_account: false };
        let expected = if is_offered { Ok(()) } else { Err(Rejection::ProviderNotOffered { provider: "paypal" }) };
        assert_eq!(book.ensure_offered(provider, sale), expected);
        assert_eq!(PaymentBook::default().ensure_offered(provider, sale), Ok(()));
    }
}

#[test]
fn stored_forms_stay_readable() {
    golden(
        include_str!("golden.json"),
        &[
            Event::MethodSet(transfer()),
            Event::MethodSet(counter()),
            Event::MethodRemoved { method: text("sepa") },
            Event::ProviderLimited(limit()),
            Event::ProviderUnlimited { provider: Provider::Paypal },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::MethodTwice { at: 0 },
        R::NoCode { at: 1, country: text("Atlantis") },
        R::NoDays { at: 0 },
        R::TooMany,
        R::NotOffered { method: text("sepa") },
        R::ProviderTwice { at: 0 },
        R::ProviderNoCode { at: 1, country: text("Atlantis") },
        R::ProviderNotOffered { provider: "paypal" },
    ]);
}
