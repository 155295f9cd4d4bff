//! Rules of the payment book.

use super::*;
use crate::fold;
use crate::testing::{cents, given, golden, text, well_said};

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
        max_total: None,
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
        max_total: None,
    }
}

/// Up to 200.00.
fn cash() -> ManualMethod {
    ManualMethod {
        method: text("cash"),
        kind: ManualKind::CashOnDelivery,
        title: text("Cash on delivery"),
        instructions: text("Pay the carrier."),
        currencies: [Currency::EUR].into(),
        max_total: Some(cents(20_000)),
        ..counter()
    }
}

/// An order of 100.00 of a guest, with goods of the house that are shipped.
fn sale(country: &Country, currency: Currency) -> Sale<'_> {
    let total = Money { amount: 10_000, currency };
    Sale { country, currency, has_account: false, total, can_be_paid_on_delivery: true }
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
    refused(vec![ManualMethod { days: Some(7), ..cash() }], Rejection::NoDays { at: 0 });
    for currencies in [vec![], vec![Currency::GBP], vec![Currency::EUR, Currency::GBP]] {
        let wrong = ManualMethod { currencies: currencies.into_iter().collect(), ..cash() };
        refused(vec![counter(), wrong], Rejection::WrongMaximum { at: 1 });
    }
    refused(vec![ManualMethod { max_total: Some(cents(0)), ..cash() }], Rejection::WrongMaximum { at: 0 });
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
        let offered = book.offered(Sale { has_account, ..sale(&country, currency) });
        offered.map(|method| method.method.to_string()).collect()
    };
    assert_eq!(offered("DE", Currency::EUR, true), ["counter", "invoice", "sepa"]);
    assert_eq!(offered("DE", Currency::EUR, false), ["counter", "sepa"]);
    assert_eq!(offered("DE", Currency::GBP, false), ["counter"]);
    assert_eq!(offered("GB", Currency::EUR, false), ["counter"]);
    let (sepa, france, britain): (Slug, _, _) = (text("sepa"), text("FR"), text("GB"));
    let sale = |country| sale(country, Currency::EUR);
    assert_eq!(book.method(&sepa, sale(&france)), Ok(&transfer()));
    let refused = Err(Rejection::NotOffered { method: sepa.clone() });
    assert_eq!(book.method(&sepa, sale(&britain)), refused);
    assert_eq!(PaymentBook::default().method(&sepa, sale(&france)), refused);
    assert_eq!((book.longest_days(), PaymentBook::default().longest_days()), (7, 0));
}

#[test]
fn cash_on_delivery_is_offered_for_shipped_goods_of_the_house_up_to_its_maximum() {
    given::<PaymentBook>([]).when(&set([cash()])).then([Event::MethodSet(cash())]);
    let (book, germany) = (fold::<PaymentBook>(&[Event::MethodSet(cash())]), text("DE"));
    let is_offered = |sale| book.offered(sale).count() == 1;
    let euro = sale(&germany, Currency::EUR);
    assert!(is_offered(euro) && is_offered(Sale { total: cents(20_000), ..euro }));
    assert!(!is_offered(Sale { total: cents(20_001), ..euro }));
    assert!(!is_offered(Sale { can_be_paid_on_delivery: false, ..euro }));
    assert!(!is_offered(sale(&germany, Currency::GBP)));
    // Such orders wait for their money without an end.
    assert_eq!(book.longest_days(), DAYS_MAX);
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
        let sale = sale(&country, currency);
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
            Event::MethodSet(cash()),
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
        R::WrongMaximum { at: 0 },
        R::TooMany,
        R::NotOffered { method: text("sepa") },
        R::ProviderTwice { at: 0 },
        R::ProviderNoCode { at: 1, country: text("Atlantis") },
        R::ProviderNotOffered { provider: "paypal" },
    ]);
}
