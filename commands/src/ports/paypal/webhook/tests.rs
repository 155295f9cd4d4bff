//! A webhook of PayPal verifies, and nothing that differs from it in one letter.

use serde::Deserialize;
use serde_json::json;

use super::*;

/// A webhook with a chain of its own, in the form of PayPal's.
#[derive(Deserialize)]
struct Vector {
    webhook_id: String,
    id: String,
    time: String,
    algorithm: String,
    cert_url: String,
    signature: String,
    text: String,
    body: String,
    chain: String,
    root: String,
    other_name: Signed,
    other_usage: Signed,
    foreign_root: String,
}

#[derive(Deserialize)]
struct Signed {
    chain: String,
    signature: String,
}

fn vector() -> Vector {
    serde_json::from_str(include_str!("vector.json")).unwrap()
}

fn account(url: &str, roots: Option<&str>) -> Account {
    Account {
        url: url.to_owned(),
        client_id: String::new(),
        client_secret: String::new(),
        merchant_id: String::new(),
        partner_id: None,
        webhook_id: String::new(),
        webhook_roots: roots.map(str::to_owned),
    }
}

fn signers(roots: &str) -> Signers {
    Signers::of(&account(SANDBOX, Some(roots))).unwrap()
}

impl Vector {
    fn transmission(&self) -> Transmission<'_> {
        let Self { id, time, cert_url, algorithm, signature, .. } = self;
        Transmission { id, time, cert_url, algorithm, signature }
    }

    fn verified(&self) -> Result<(), NotSigned> {
        let body = self.body.as_bytes();
        signers(&self.root).certificate_url(&self.cert_url)?;
        signers(&self.root).verify(&self.transmission(), &self.webhook_id, body, &self.chain)
    }
}

/// A field of a webhook.
type Field = fn(&mut Vector) -> &mut String;

/// Every text that differs from one in a letter, or lacks one.
fn mutations(text: &str) -> Vec<String> {
    let mut mutations = vec![format!("{text}0"), format!(" {text}")];
    for at in 0..text.len() {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let letter = if text.as_bytes()[at] == b'1' { '2' } else { '1' };
        mutations.push(format!("{before}{letter}{after}"));
        mutations.push(format!("{before}{after}"));
    }
    mutations
}

/// A webhook that PayPal sent, as it is kept elsewhere: its licence does not allow to copy it into this project.
#[derive(Deserialize)]
struct Genuine {
    webhook_id: String,
    transmission_id: String,
    transmission_time: String,
    auth_algo: String,
    transmission_sig: String,
    cert_url: String,
    body: String,
    expected_message: String,
    certificate_pem: String,
    intermediate_pem: String,
}

/// Where the genuine webhook is.
const GENUINE: &str = "BYTESHOP_TEST_PAYPAL_WEBHOOK";

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the file is not part of this project, so its place comes from the environment"
)]
fn a_genuine_webhook_verifies_and_no_mutation_of_it_does() {
    let Ok(path) = std::env::var(GENUINE) else {
        eprintln!("SKIPPED: no genuine webhook of PayPal was verified; {GENUINE} names its file");
        return;
    };
    let genuine: Genuine = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let vector = || Vector {
        webhook_id: genuine.webhook_id.clone(),
        id: genuine.transmission_id.clone(),
        time: genuine.transmission_time.clone(),
        algorithm: genuine.auth_algo.clone(),
        cert_url: genuine.cert_url.clone(),
        signature: genuine.transmission_sig.clone(),
        text: genuine.expected_message.clone(),
        body: genuine.body.clone(),
        chain: format!("{}\n{}", genuine.certificate_pem, genuine.intermediate_pem),
        root: DIGICERT.to_owned(),
        ..vector()
    };
    verifies_and_no_mutation_does(&vector);
}

#[test]
fn a_webhook_verifies_and_no_mutation_of_it_does() {
    verifies_and_no_mutation_does(&vector);
}

fn verifies_and_no_mutation_does(vector: &dyn Fn() -> Vector) {
    assert_eq!(vector().verified(), Ok(()));
    assert_eq!(vector().transmission().signed_text(&vector().webhook_id, vector().body.as_bytes()), vector().text);
    let fields: [(&str, Field); 6] = [
        ("id", |it| &mut it.id),
        ("time", |it| &mut it.time),
        ("webhook id", |it| &mut it.webhook_id),
        ("body", |it| &mut it.body),
        ("algorithm", |it| &mut it.algorithm),
        ("host of the certificate", |it| &mut it.cert_url),
    ];
    for (name, field) in fields {
        let whole = field(&mut vector()).clone();
        // Which certificate of PayPal it is is not signed; that it is one of PayPal's is checked.
        let checked = if name.starts_with("host") { whole.find("/CERT-").unwrap() } else { whole.len() };
        for mutation in mutations(&whole[..checked]) {
            let mut mutated = vector();
            *field(&mut mutated) = format!("{mutation}{}", &whole[checked..]);
            assert!(mutated.verified().is_err(), "{name}: {mutation}");
        }
    }
    // Each byte of the signature, before it is written in base64.
    let signature = STANDARD.decode(vector().signature).unwrap();
    for at in 0..signature.len() {
        let mut mutated = signature.clone();
        mutated[at] ^= 1;
        let mutated = Vector { signature: STANDARD.encode(mutated), ..vector() };
        assert_eq!(mutated.verified(), Err(NotSigned::Signature));
    }
    for signature in ["", "AAAA", "not base64"] {
        assert!(Vector { signature: signature.to_owned(), ..vector() }.verified().is_err());
    }
}

#[test]
fn the_chain_leads_to_a_trusted_root_at_the_time_of_the_event() {
    let foreign = Vector { root: vector().foreign_root, ..vector() };
    assert_eq!(foreign.verified(), Err(NotSigned::Chain));
    let expired = |time: &str| Vector { time: time.to_owned(), ..vector() }.verified();
    assert_eq!(expired("2026-11-01T00:00:00Z"), Err(NotSigned::Chain));
    assert_eq!(expired("2036-01-01T00:00:00Z"), Err(NotSigned::Chain));
    let first = "-----END CERTIFICATE-----\n";
    let leaf = vector().chain.split_inclusive(first).next().unwrap().to_owned();
    let rest = vector().chain.replace(&leaf, "");
    for chain in [String::new(), leaf, rest, vector().root, "garbage".to_owned()] {
        assert_eq!(Vector { chain, ..vector() }.verified(), Err(NotSigned::Chain));
    }
    // The same root vouches for other names and other purposes as well.
    let signed = |by: Signed| Vector { chain: by.chain, signature: by.signature, ..vector() }.verified();
    assert_eq!(signed(vector().other_name), Err(NotSigned::Name));
    assert_eq!(signed(vector().other_usage), Err(NotSigned::Chain));
    // Without other roots those of DigiCert count, which do not know it.
    let usual = Signers::of(&account(SANDBOX, None)).unwrap();
    let it = vector();
    let refused = usual.verify(&it.transmission(), &it.webhook_id, it.body.as_bytes(), &it.chain);
    assert_eq!(refused, Err(NotSigned::Chain));
}

#[test]
fn certificates_come_from_paypal_alone() {
    let live = Signers::of(&account(LIVE, None)).unwrap();
    let stand_in = Signers::of(&account("http://127.0.0.1:8095", None)).unwrap();
    let path = "/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270";
    for host in ["api.paypal.com", "api-m.paypal.com"] {
        assert!(live.certificate_url(&format!("https://{host}{path}")).is_ok());
    }
    assert!(stand_in.certificate_url(&format!("http://127.0.0.1:8095{path}")).is_ok());
    for foreign in [
        "",
        "api.paypal.com",
        &format!("http://api.paypal.com{path}"),
        &format!("https://api.sandbox.paypal.com{path}"),
        &format!("https://api.paypal.com.evil.example{path}"),
        &format!("https://evil.example/api.paypal.com{path}"),
        &format!("https://api.paypal.com@evil.example{path}"),
        &format!("https://user@api.paypal.com{path}"),
        &format!("https://api.paypal.com:8443{path}"),
        &format!("https://API.PAYPAL.COM{path}"),
        &format!("https://api.paypal.com/v1/notifications/certs/../../../{path}"),
        &format!("https://api.paypal.com{path}?a"),
        &format!("https://api.paypal.com{path}#a"),
        "https://api.paypal.com/other",
        &format!("https://127.0.0.1:8095{path}"),
        &format!("https://api.paypal.com{path}{}", "a".repeat(500)),
    ] {
        assert_eq!(live.certificate_url(foreign), Err(NotSigned::Host), "{foreign}");
    }
    assert_eq!(stand_in.certificate_url(&format!("http://127.0.0.1:8096{path}")), Err(NotSigned::Host));
}

#[test]
fn a_webhook_is_followed_for_as_long_as_paypal_repeats_it() {
    let it = vector();
    let at = it.transmission().at().unwrap();
    for (later, expected) in [
        (TimeDelta::zero(), Ok(())),
        (TimeDelta::days(3), Ok(())),
        (TimeDelta::minutes(-4), Ok(())),
        (TimeDelta::days(5), Err(NotSigned::Time)),
        (TimeDelta::minutes(-6), Err(NotSigned::Time)),
    ] {
        assert_eq!(it.transmission().check_age(at + later), expected, "{later}");
    }
    let dateless = Transmission { time: "yesterday", ..it.transmission() };
    assert_eq!(dateless.at(), Err(NotSigned::Header("paypal-transmission-time")));
}

#[test]
fn a_hint_names_a_payment_and_its_attempt() {
    let body = vector().body;
    let hinted = hint(body.as_bytes()).unwrap();
    assert_eq!(hinted.event, "WH-2WR32451HC0233532-67976317FL4543714");
    assert_eq!(hinted.payment, Some("pay_00000000000000000000000002".parse().unwrap()));
    assert_eq!(hinted.reference.unwrap().as_str(), "paypal-0190a1b2c3d47e5f8a9b0c1d2e3f4a5b");
    let order = br#"{"id":"WH-1","resource":{"purchase_units":[{"custom_id":"pay_00000000000000000000000002","invoice_id":"paypal-1"}]}}"#;
    let hinted = hint(order).unwrap();
    assert!(hinted.payment.is_some() && hinted.reference.is_some());
    // A refund names itself, and other events name nothing of this shop.
    let refund = br#"{"id":"WH-1","resource":{"custom_id":"pay_00000000000000000000000002","invoice_id":"rfd_00000000000000000000000002"}}"#;
    assert_eq!(hint(refund).unwrap().reference, None);
    let other = hint(br#"{"id":"WH-1","resource":{"custom_id":"order 7"}}"#).unwrap();
    assert_eq!((other.payment, other.reference), (None, None));
    // A reversal has no ids of the shop: it names its capture.
    let up = |href: &str| {
        let link = json!({"rel": "up", "href": href, "method": "GET"});
        let body =
            json!({"id": "WH-1", "resource": {"id": "R1", "links": [{"rel": "self", "href": "https://x/C0"}, link]}});
        hint(body.to_string().as_bytes()).unwrap().capture.map(|it| it.to_string())
    };
    assert_eq!(up("https://api.paypal.com/v2/payments/captures/C1"), Some("C1".to_owned()));
    for other in [
        "https://api.paypal.com/v2/checkout/orders/O1",
        "https://api.paypal.com/v2/payments/captures/",
        "https://api.paypal.com/v2/payments/captures/C1/refund",
        "https://api.paypal.com/v2/payments/captures/C1?a=b",
    ] {
        assert_eq!(up(other), None, "{other}");
    }
    for body in [&b""[..], b"{}", b"[]", br#"{"id":""}"#, br#"{"id":"a b"}"#] {
        assert_eq!(hint(body), Err(NotSigned::Body));
    }
}
