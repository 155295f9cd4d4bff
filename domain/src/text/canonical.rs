//! One form for texts that are written in several ways: they are compared, hashed and claimed as names in this form.

use super::form::{ascii_domain, has_punycode, lower, nfc, nfd};
use super::{Email, Sku};

impl Email {
    fn halves(&self) -> (&str, &str) {
        self.0.split_once('@').unwrap_or((&self.0, ""))
    }

    /// The form in which addresses are compared: the local part in lower case and Normalization Form C, the domain as the DNS
    /// knows it. Strictly capitals of the local part are its host's affair (RFC 5321, section 2.4), but no two mailboxes in use
    /// differ in them alone.
    pub fn canonical(&self) -> String {
        let (local, domain) = self.halves();
        let domain = ascii_domain(domain).unwrap_or_else(|| lower(domain));
        format!("{}@{domain}", lower(local))
    }

    /// The mailbox that mail to the address probably arrives in, for limits alone: without the detail after `+` (RFC 5233), and at
    /// Gmail without dots and under one domain. Two people may share it where a host treats `+` as any other letter, so
    /// accounts are not told apart by it. The canonical form for most addresses.
    pub fn mailbox(&self) -> String {
        let canonical = self.canonical();
        let Some((local, domain)) = canonical.split_once('@') else { return canonical };
        // An address that begins with `+` has no user part before it.
        let user = local.split('+').next().filter(|user| !user.is_empty()).unwrap_or(local);
        match domain {
            "gmail.com" | "googlemail.com" => format!("{}@gmail.com", user.replace('.', "")),
            _ => format!("{user}@{domain}"),
        }
    }

    /// Every form under which an earlier version may have stored the address: as it is written here, canonical, and with its
    /// domain in Unicode. One form for plain ASCII.
    ///
    /// They are in the order in which a name is looked up: of two accounts from before there was one form, each is found by the
    /// spelling that it was registered with.
    pub fn forms(&self) -> Vec<String> {
        let mut forms = vec![self.0.to_lowercase()];
        let (local, domain) = self.halves();
        let mut add = |form: String| {
            if !forms.contains(&form) {
                forms.push(form);
            }
        };
        add(self.canonical());
        if !domain.is_ascii() || has_punycode(domain) {
            let (unicode, _) = idna::domain_to_unicode(domain);
            add(format!("{}@{unicode}", lower(local)));
        }
        forms
    }

    /// The address as mail servers take it: with the domain as the DNS knows it, which needs no extension (RFC 6531, section
    /// 3.2). Only a local part beyond ASCII still needs SMTPUTF8.
    pub fn deliverable(&self) -> String {
        let (local, domain) = self.halves();
        let domain = ascii_domain(domain).unwrap_or_else(|| domain.to_owned());
        format!("{local}@{domain}")
    }
}

impl Sku {
    /// Every form under which an earlier version may have stored it, today's first. One form for plain ASCII.
    pub fn forms(&self) -> Vec<String> {
        let mut forms = vec![nfc(&self.0).into_owned()];
        for earlier in [self.0.to_string(), nfd(&self.0).into_owned()] {
            if !forms.contains(&earlier) {
                forms.push(earlier);
            }
        }
        forms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Title, fresh};

    fn email(text: &str) -> Email {
        fresh(|| Email::new(text)).unwrap()
    }

    #[test]
    fn an_address_has_one_form_however_its_domain_is_written() {
        let canonical = "ada@xn--bcher-kva.example";
        for written in [
            "ada@bücher.example",
            "Ada@BÜCHER.example",
            "ada@bu\u{308}cher.example",
            "ada@XN--BCHER-KVA.example",
            "ada@ｂücher.example",
        ] {
            assert_eq!(email(written).canonical(), canonical, "{written}");
            assert_eq!(email(written).deliverable().to_lowercase(), canonical, "{written}");
        }
        assert_eq!(email("ADA@faß.example").canonical(), "ada@xn--fa-hia.example");
        assert_eq!(email("rene\u{301}@example.org").canonical(), email("RENÉ@example.org").canonical());
        assert_ne!(email("a@fass.example").canonical(), email("a@faß.example").canonical());
    }

    /// Names of accounts are keyed hashes of this text: for plain ASCII it must stay what it always was.
    #[test]
    fn the_form_of_a_plain_address_never_changes() {
        for written in ["Ada.Lovelace+x@Example.ORG", "a@ab--cd.example", "o'hara_1@a-b.c.de"] {
            assert_eq!(email(written).canonical(), written.to_lowercase());
            assert_eq!(email(written).forms(), [written.to_lowercase()]);
        }
    }

    #[test]
    fn a_mailbox_is_one_with_details_and_with_dots_at_gmail() {
        for written in ["Ada.L+shop@gmail.com", "adal@googlemail.com", "a.d.a.l@GMAIL.com"] {
            assert_eq!(email(written).mailbox(), "adal@gmail.com", "{written}");
        }
        assert_eq!(email("ada.l+a+b@example.org").mailbox(), "ada.l@example.org");
        assert_eq!(email("+ada@example.org").mailbox(), "+ada@example.org");
        assert_eq!(email("ada@bücher.example").mailbox(), "ada@xn--bcher-kva.example");
    }

    #[test]
    fn the_forms_of_earlier_days_are_known() {
        let (unicode, ascii) = ("a@bücher.example", "a@xn--bcher-kva.example");
        assert_eq!(email(unicode).forms(), [unicode, ascii]);
        assert_eq!(email(ascii).forms(), [ascii, unicode]);
        assert_eq!(email("A@Bücher.example").forms(), [unicode, ascii]);
    }

    #[test]
    fn what_only_looks_like_a_domain_is_no_new_address_and_an_old_one_stays_readable() {
        for domain in ["xn--a.example", "xn--.example", "a\u{2024}b.example", "-ü.example", "ü\u{308}\u{308}.-x"] {
            let written = format!("a@{domain}");
            assert!(fresh(|| Email::new(&written)).is_err(), "{written}");
        }
        assert_eq!(Email::new("a@xn--a.example").unwrap().canonical(), "a@xn--a.example");
    }

    #[test]
    fn an_address_has_one_local_part_and_a_domain_with_a_dot() {
        let (label, local) = ("a".repeat(63), "a".repeat(64));
        for good in ["a@b.cd".to_owned(), format!("{local}@b.cd"), format!("a@{label}.cd"), "a.b+c@d-e.fg".to_owned()] {
            assert!(Email::new(&good).is_ok(), "{good}");
        }
        for bad in [
            "@b.cd".to_owned(),
            "a@cd".to_owned(),
            "a@.cd".to_owned(),
            "a@b..cd".to_owned(),
            "a@-b.cd".to_owned(),
            "a@b-.cd".to_owned(),
            "a..b@c.de".to_owned(),
            ".a@c.de".to_owned(),
            "a b@c.de".to_owned(),
            "a@b@c.de".to_owned(),
            "a@b_c.de".to_owned(),
            "\"a\"@c.de".to_owned(),
            format!("{local}a@b.cd"),
            format!("a@{label}a.cd"),
        ] {
            assert!(Email::new(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_description_is_kept_as_it_is_written() {
        let written = "It shines.\nAt night, too.";
        assert_eq!(fresh(|| crate::text::Description::new(written)).unwrap().as_str(), written);
    }

    #[test]
    fn a_new_text_is_composed_and_an_old_one_is_read_as_it_is() {
        assert_eq!(fresh(|| Sku::new("cafe\u{301}-1")), Sku::new("caf\u{e9}-1"));
        assert_eq!(fresh(|| Title::new("Cafe\u{301}")).unwrap().as_str(), "Caf\u{e9}");
        assert_eq!(Title::new("Cafe\u{301}").unwrap().as_str(), "Cafe\u{301}");
        assert_eq!(fresh(|| Sku::new("ＡＢＣ")).unwrap().as_str(), "ＡＢＣ");
        let forms = ["caf\u{e9}", "cafe\u{301}"];
        assert_eq!(
            (Sku::new(forms[0]).unwrap().forms(), Sku::new("85123A").unwrap().forms().len()),
            (forms.map(str::to_owned).to_vec(), 1)
        );
    }
}
