//! Which passwords are taken, and how they are compared.

use super::*;

#[test]
fn what_would_be_guessed_is_refused() {
    let ada = Email::new("Ada.Lovelace@bücher.example").unwrap();
    let refused = |password: &str| check(password, Some(&ada), "/password").map_err(|it| it.code().to_owned());
    for weak in [
        "short",
        "1234567",
        "password1",
        "PASSWORD1",
        "ada.lovelace@bücher.example",
        "ada.lovelace@bu\u{308}cher.example",
        "Ada.Lovelace@xn--bcher-kva.example",
        "Ada.Lovelace",
        "a\u{308}a\u{308}a\u{308}a\u{308}",
        "with\u{0}out an end",
        &"x".repeat(129),
    ] {
        assert_eq!(refused(weak), Err("account.weak_password".into()), "{weak}");
    }
    let held =
        ["\0".repeat(8), " ".repeat(12), "\u{a0}\u{2003}\t".repeat(4), "\u{7f}\u{1b}".repeat(5), "\u{200b}".repeat(10)];
    for held in &held {
        assert_eq!(refused(held), Err("account.weak_password".into()), "{held:?}");
    }
    for good in ["a       b", "correct horse battery", "пароль-длинный-и-свой", &"x".repeat(128)] {
        assert_eq!(refused(good), Ok(()), "{good}");
    }
}

#[tokio::test]
async fn a_password_is_compared_with_its_hash() {
    let passwords = Passwords::with(1).unwrap();
    let hash = passwords.hash("correct horse".into()).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let verify = |password: &str, hash: Option<&String>| passwords.verify(password.into(), hash.cloned());
    assert_eq!(verify("correct horse", Some(&hash)).await.unwrap(), Verdict::Right);
    assert_eq!(verify("Correct horse", Some(&hash)).await.unwrap(), Verdict::Wrong);
    assert_eq!(verify("no password at all", None).await.unwrap(), Verdict::Wrong);
    assert_eq!(passwords.runs(), 4);
}

#[tokio::test]
async fn a_password_is_the_same_however_a_system_composes_it() {
    let passwords = Passwords::with(1).unwrap();
    let (composed, decomposed) = ("p\u{e4}ssw\u{f6}rd-long", "pa\u{308}sswo\u{308}rd-long");
    let verify = |password: &str, hash: &String| passwords.verify(password.into(), Some(hash.clone()));
    for registered in [composed, decomposed] {
        let hash = passwords.hash(registered.into()).await.unwrap();
        for typed in [composed, decomposed] {
            assert_eq!(verify(typed, &hash).await.unwrap(), Verdict::Right, "{registered} {typed}");
        }
        assert_eq!(verify("passwo\u{308}rd-long", &hash).await.unwrap(), Verdict::Wrong);
    }
    // A hash from before there was a form still fits what it was made of, and has to be made again.
    let earlier = hash(&passwords.inner.argon2, decomposed).unwrap();
    assert_eq!(verify(decomposed, &earlier).await.unwrap(), Verdict::Outdated);
}

#[tokio::test]
async fn an_older_hash_is_known_as_such() {
    let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8_192, 1, 1, None).unwrap());
    let old = hash(&weaker, "correct horse").unwrap();
    let passwords = Passwords::with(1).unwrap();
    assert_eq!(passwords.verify("correct horse".into(), Some(old)).await.unwrap(), Verdict::Outdated);
}

#[tokio::test]
async fn whoever_comes_when_too_many_wait_is_sent_away() {
    let passwords = Passwords::with(1).unwrap();
    passwords.inner.inside.fetch_add(passwords.inner.inside_max, Ordering::Relaxed);
    let refused = passwords.hash("correct horse".into()).await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), (StatusCode::SERVICE_UNAVAILABLE, "auth.busy"));
    passwords.inner.inside.fetch_sub(passwords.inner.inside_max, Ordering::Relaxed);
    assert!(passwords.hash("correct horse".into()).await.is_ok());
}
