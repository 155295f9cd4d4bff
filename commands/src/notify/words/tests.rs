//! Every template in every language, as it reads and as it looks, and what people write cannot do to it.

use byteshop_domain::notification::Template;

use super::*;

const LOCALES: [Locale; 2] = [Locale::En, Locale::Ru];

fn payment(total: &str) -> ShownPayment {
    ShownPayment {
        title: "Bank transfer".into(),
        instructions: vec!["IBAN DE02 1203 0000 0000 2020 51".to_owned(), "Holder: Knob & Co".into()],
        amount: total.into(),
        reference: "7K3Q-X9MW-2FBA".into(),
        pay_by: Some("20 November 2026, 14:30 UTC".into()),
        on_delivery: false,
    }
}

fn order(total: &str, one: &str) -> ShownOrder {
    let line = |title: &str, quantity: i64| ShownLine {
        title: title.into(),
        quantity,
        unit_price: one.into(),
        amount: one.into(),
    };
    ShownOrder {
        number: "7K3Q-X9MW-2FBA".into(),
        lines: vec![line("Bread knife, 200 mm", 2), line("Board <oak> & \"oil\"", 1)],
        more: 3,
        extras: vec![
            ShownExtra { kind: "discount", amount: format!("−{one}") },
            ShownExtra { kind: "shipping", amount: one.into() },
            ShownExtra { kind: "tax_included", amount: one.into() },
        ],
        total: total.into(),
        pay_by: Some("20 November 2026, 14:30 UTC".into()),
        free: false,
        travels: true,
        keys: true,
        gift_cards: false,
        downloads: true,
    }
}

fn shown(locale: Locale) -> Shown {
    let (total, one) = match locale {
        Locale::En => ("€52.97", "€19.99"),
        Locale::Ru => ("52,97\u{a0}€", "19,99\u{a0}€"),
    };
    let return_address = vec!["ByteShop".to_owned(), "Knob & Co <yard>".into(), "10115 Berlin".into()];
    Shown {
        shop: ShopDetails {
            name: "ByteShop".into(),
            url: Some("https://shop.example.org".into()),
            return_address,
            ..ShopDetails::default()
        },
        locale: locale.as_str(),
        url: Some("https://shop.example.org/there?a=1&b=2".into()),
        code: Some("k3Jx-9fQ".into()),
        order: Some(order(total, one)),
        invoices: vec![ShownPaper {
            number: "INV-2026-000042".into(),
            url: Some("https://api.shop.example.org/v1/orders/ord_1/invoice?until=1&seal=2".into()),
        }],
        credit_notes: Some("https://api.shop.example.org/v1/orders/ord_1/credit-notes/print?until=1&seal=2".into()),
        keys: Some("https://api.shop.example.org/v1/orders/ord_1/keys?until=1&seal=2".into()),
        downloads: Some("https://api.shop.example.org/v1/orders/ord_1/downloads/page?until=1&seal=2".into()),
        reason: Some("unpaid"),
        refund_due: true,
        amount: Some(one.into()),
        received: None,
        covers: vec![],
        stored: false,
        payment: Some(payment(total)),
        goods: vec![ShownGoods { title: "Board <oak> & \"oil\"".into(), quantity: 1 }],
        back: "both",
        keys_revoked: true,
        file: Some("editor <2> & more.zip".into()),
        version: Some(2),
        left: Some(3),
        revoked: vec![ShownKeys { batch: 1, from: 6, to: 6 }, ShownKeys { batch: 2, from: 1, to: 3 }],
        because: Some("the knife is <worn>".into()),
        carrier: Some("Royal Mail".into()),
        tracking: Some("RM123456785GB".into()),
        tracking_url: Some("https://track.example.org/?parcel=RM123456785GB&lang=en".into()),
        ship_to: vec!["Ada <b>Lovelace</b>".to_owned(), "Invalidenstraße 43".into(), "10115 Berlin".into()],
        product: Some(ShownProduct { title: "Board <oak> & \"oil\"".into() }),
        was: Some(total.into()),
        now: Some(one.into()),
        seller: Some("Kettles <&> \"Co\"".into()),
        role: Some("staff"),
        means: Some("sepa"),
        payout: Some("pyt_1".into()),
        outcome: Some("failed"),
        failure: Some("refused"),
        from: Some("20 November 2026, 14:30 UTC".into()),
        dispute: Some("dsp_00000000000000000000000001".into()),
        number: Some("7K3Q-X9MW-2FBA".into()),
        unsubscribe: Some(
            "https://api.shop.example.org/v1/products/prod_1/watch/unsubscribe?account=acc_1&until=1&seal=2".into(),
        ),
    }
}

#[test]
fn every_template_reads_and_looks_as_it_did() {
    for locale in LOCALES {
        for template in Template::ALL {
            let words = write(*template, locale, &shown(locale)).unwrap();
            let whole = format!("{}\n\n{}\n\n{}", words.subject, words.text, words.html);
            insta::assert_snapshot!(format!("{}_{}", locale.as_str(), template.as_str()), whole);
        }
    }
}

#[test]
fn a_message_does_without_pages_and_without_what_may_be_missing() {
    for locale in LOCALES {
        for template in Template::ALL {
            let mut bare = shown(locale);
            (bare.url, bare.shop.url, bare.carrier, bare.tracking, bare.reason) = (None, None, None, None, None);
            bare.invoices.clear();
            (bare.credit_notes, bare.unsubscribe, bare.keys) = (None, None, None);
            (bare.tracking_url, bare.downloads) = (None, None);
            bare.shop.return_address.clear();
            (bare.refund_due, bare.goods, bare.because) = (false, Vec::new(), None);
            bare.ship_to.clear();
            (bare.back, bare.keys_revoked, bare.left) = ("keys", false, Some(0));
            let less = |order| ShownOrder {
                pay_by: None,
                more: 0,
                extras: vec![],
                free: true,
                travels: false,
                gift_cards: true,
                ..order
            };
            bare.order = bare.order.map(less);
            bare.payment = bare.payment.map(|payment| ShownPayment { pay_by: None, on_delivery: true, ..payment });
            let words = write(*template, locale, &bare).unwrap();
            assert!(!words.html.contains("<a "), "{}", words.html);
            for text in [&words.subject, &words.short, &words.text, &words.html] {
                assert!(!text.contains("none") || text.contains("text-decoration:none"), "{text}");
            }
        }
    }
}

#[test]
fn an_sms_says_what_matters_in_one_paragraph() {
    for locale in LOCALES {
        for template in Template::ALL {
            let words = write(*template, locale, &shown(locale)).unwrap();
            assert!((20..=300).contains(&words.short.chars().count()), "{}", words.short);
            assert!(!words.short.contains('\n') && !words.subject.contains('\n'), "{}", words.short);
        }
    }
}

#[test]
fn what_people_write_stays_text() {
    for (title, harmful) in [
        ("<script>alert(1)</script>", "<script>"),
        ("\"><img src=x onerror=alert(1)>", "<img"),
        ("{{ code }} {% include 'layout.html' %}", "k3Jx"),
        ("</td></table><h1>Pay here", "<h1>"),
    ] {
        let mut shown = shown(Locale::En);
        shown.seller = Some(title.into());
        shown.product = Some(ShownProduct { title: title.into() });
        if let Some(order) = &mut shown.order {
            order.lines[0].title = title.into();
        }
        for template in [Template::OrderPlaced, Template::BackInStock, Template::PriceDropped] {
            let words = write(template, Locale::En, &shown).unwrap();
            assert!(!words.html.contains(harmful), "{}", words.html);
            assert!(words.text.contains(title), "a text shows it as it is: {}", words.text);
        }
        // An invitation shows its own code.
        shown.code = Some("another".into());
        let words = write(Template::SellerInvitation, Locale::En, &shown).unwrap();
        assert!(!words.html.contains(harmful) && words.text.contains(title), "{}", words.html);
    }
}

#[test]
fn an_order_that_was_paid_in_part_says_what_goes_back() {
    for (locale, charged) in [(Locale::En, "Nothing was charged"), (Locale::Ru, "Деньги не списывались")]
    {
        let unpaid = Shown { refund_due: false, ..shown(locale) };
        assert!(write(Template::OrderCancelled, locale, &unpaid).unwrap().text.contains(charged));
        let in_part = Shown { received: Some("€10.00".into()), ..unpaid };
        let words = write(Template::OrderCancelled, locale, &in_part).unwrap();
        for text in [&words.text, &words.html] {
            assert!(text.contains("€10.00") && !text.contains(charged), "{text}");
        }
    }
}

#[test]
fn a_payout_that_did_not_stay_says_why() {
    for (locale, failed, returned, refused) in [
        (Locale::En, "failed", "came back", "The bank refused it."),
        (Locale::Ru, "не удалась", "вернулась", "Банк отклонил её."),
    ] {
        let words = write(Template::PayoutFailed, locale, &shown(locale)).unwrap();
        assert!(words.subject.ends_with(failed) && !words.text.contains(returned), "{}", words.text);
        for said in [refused, "the knife is", "pyt_1"] {
            assert!(words.text.contains(said) && words.html.contains(said), "{}", words.text);
        }
        let back = Shown { outcome: Some("returned"), failure: Some("sent_back"), because: None, ..shown(locale) };
        let words = write(Template::PayoutFailed, locale, &back).unwrap();
        assert!(words.subject.ends_with(returned) && !words.text.contains(failed), "{}", words.text);
        assert!(!words.text.contains("\n\n\n"), "{}", words.text);
        for failure in ["refused", "blocked", "unclaimed"] {
            let of_paypal = Shown { means: Some("paypal"), failure: Some(failure), ..shown(locale) };
            let words = write(Template::PayoutFailed, locale, &of_paypal).unwrap();
            assert!(words.text.contains("PayPal") && !words.text.contains(refused), "{}", words.text);
        }
    }
}

#[test]
fn of_paypal_no_bank_is_told_and_a_destination_in_use_is_not_cancelled() {
    for (locale, bank, cancel) in [(Locale::En, "bank", "cancel"), (Locale::Ru, "банк", "отмените")] {
        let of_paypal = Shown { means: Some("paypal"), ..shown(locale) };
        for template in [Template::PayoutSent, Template::PayoutDestinationChosen] {
            assert!(write(template, locale, &shown(locale)).unwrap().text.contains(bank));
            let words = write(template, locale, &of_paypal).unwrap();
            assert!(words.text.contains("PayPal") && !words.text.contains(bank), "{}", words.text);
        }
        assert!(write(Template::PayoutDestinationChosen, locale, &of_paypal).unwrap().text.contains(cancel));
        let at_once = Shown { from: None, ..shown(locale) };
        let words = write(Template::PayoutDestinationChosen, locale, &at_once).unwrap();
        assert!(!words.text.contains(cancel) && !words.html.contains(cancel), "{}", words.text);
    }
}

#[test]
fn an_order_that_stored_values_paid_says_so() {
    for (locale, means, at_once) in [
        (Locale::En, ["gift card: €10.00", "store credit: €5.00"], "at once"),
        (Locale::Ru, ["подарочной картой: €10.00", "с баланса аккаунта: €5.00"], "сразу"),
    ] {
        let cover = |kind, amount: &str| ShownExtra { kind, amount: amount.into() };
        let covers = vec![cover("gift_card", "€10.00"), cover("store_credit", "€5.00")];
        let shown = Shown { covers, stored: true, ..shown(locale) };
        let words = write(Template::OrderPaid, locale, &shown).unwrap();
        for text in [&words.text, &words.html] {
            assert!(means.iter().all(|means| text.contains(means)), "{text}");
        }
        assert!(words.text.contains("€10.00\n") && !words.text.contains("\n\n\n"), "{}", words.text);
        let words = write(Template::OrderRefunded, locale, &shown).unwrap();
        assert!(words.text.contains(at_once) && words.html.contains(at_once), "{}", words.text);
    }
}

#[test]
fn a_template_that_asks_for_what_is_not_there_fails() {
    let mut shown = shown(Locale::En);
    shown.order = None;
    assert!(write(Template::OrderPlaced, Locale::En, &shown).is_err());
}
