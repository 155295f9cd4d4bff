//! What is accepted as a token, and what is not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use byteshop_domain::ids::Id as _;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;
use uuid::Uuid;

use super::*;

fn account() -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(7))
}

/// Signs any claims with our own key.
fn signed(tokens: &Tokens, claims: &serde_json::Value) -> String {
    tokens.keys().sign(claims).unwrap()
}

fn claims() -> serde_json::Value {
    let now = Clock.now().timestamp();
    json!({"iss": "byteshop", "aud": "byteshop", "sub": account(), "role": "admin",
           "exp": now + 600, "iat": now, "jti": Uuid::nil()})
}

#[test]
fn what_is_issued_is_accepted_until_it_ends() {
    let tokens = Tokens::ephemeral().unwrap();
    let token = tokens.issue(Role::Support, account(), LIFETIME).unwrap();
    for _ in 0..2 {
        let bearer = tokens.check(&token).unwrap();
        assert_eq!((bearer.account, bearer.role), (account(), Role::Support));
    }
    let mut old = claims();
    old["exp"] = json!(Clock.now().timestamp() - 60);
    assert_eq!(tokens.check(&signed(&tokens, &old)), Err(TokenError::Expired));
}

#[test]
fn a_remembered_token_ends_too() {
    let tokens = Tokens::ephemeral().unwrap();
    let token = tokens.issue(Role::Admin, account(), LIFETIME).unwrap();
    let mut bearer = tokens.check(&token).unwrap();
    bearer.expires_at = Clock.now().timestamp() - 60;
    tokens.checked().put(Sha256::digest(&token).into(), bearer);
    assert_eq!(tokens.check(&token), Err(TokenError::Expired));
}

#[test]
fn claims_that_are_not_ours_are_refused() {
    let tokens = Tokens::ephemeral().unwrap();
    assert!(tokens.check(&signed(&tokens, &claims())).is_ok());
    for (claim, value) in [
        ("aud", json!("elsewhere")),
        ("iss", json!("elsewhere")),
        ("role", json!("root")),
        ("sub", json!("ord_00000000000000000000000007")),
        ("exp", json!("never")),
    ] {
        let mut other = claims();
        other[claim] = value;
        assert_eq!(tokens.check(&signed(&tokens, &other)), Err(TokenError::Invalid), "{claim}");
        other.as_object_mut().unwrap().remove(claim);
        assert_eq!(tokens.check(&signed(&tokens, &other)), Err(TokenError::Invalid), "no {claim}");
    }
}

#[test]
fn a_token_of_the_future_and_one_with_unknown_extensions_are_refused() {
    let tokens = Tokens::ephemeral().unwrap();
    let now = Clock.now().timestamp();
    for (claim, seconds, taken) in [("iat", 2, true), ("iat", 60, false), ("nbf", 2, true), ("nbf", 60, false)] {
        let mut claims = claims();
        claims[claim] = json!(now + seconds);
        assert_eq!(tokens.check(&signed(&tokens, &claims)).is_ok(), taken, "{claim} in {seconds} s");
    }
    // A critical extension has to be understood (RFC 7515, section 4.1.11).
    let keys = tokens.keys();
    let signing = &keys.keys()[0];
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..signing.header.clone() };
    let critical = jsonwebtoken::encode(&header, &claims(), &signing.signing).unwrap();
    assert_eq!(tokens.check(&critical), Err(TokenError::Invalid));
}

#[test]
fn a_token_says_whether_a_second_factor_was_shown() {
    let tokens = Tokens::ephemeral().unwrap();
    let session = Some(SessionId::from_uuid(Uuid::from_u128(8)));
    for second_factor in [false, true] {
        let holder = Holder { account: account(), role: Role::Admin, session, second_factor };
        let bearer = tokens.check(&tokens.issue_to(holder, LIFETIME).unwrap()).unwrap();
        assert_eq!((bearer.session, bearer.second_factor), (session, second_factor));
    }
}

#[test]
fn another_signature_and_another_algorithm_are_refused() {
    let tokens = Tokens::ephemeral().unwrap();
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let hs256 = jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &claims(),
        // The public key as the secret: the classic confusion of algorithms.
        &EncodingKey::from_secret(tokens.jwks().as_bytes()),
    );
    let foreign = signed(&Tokens::ephemeral().unwrap(), &claims());
    let ours = signed(&tokens, &claims());
    let (unsigned, _) = ours.rsplit_once('.').unwrap();
    for token in [
        format!("{none}.{body}."),
        format!("{none}.{body}"),
        hs256.unwrap(),
        foreign,
        format!("{unsigned}."),
        unsigned.to_owned(),
        String::new(),
        "a.b.c".into(),
        "x".repeat(5_000),
    ] {
        assert_eq!(tokens.check(&token), Err(TokenError::Invalid), "{token}");
    }
}

#[test]
fn a_key_of_openssl_is_read() {
    // openssl genpkey -algorithm ed25519: PKCS#8 version 1, the key of RFC 8032, section 7.1, test 1.
    let tokens = Tokens::from_pem(
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    assert!(tokens.jwks().contains(r#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#), "{}", tokens.jwks());
    // RFC 8037, appendix A.3 has the thumbprint of this very key.
    assert!(tokens.jwks().contains(r#""kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k""#), "{}", tokens.jwks());
    assert!(Tokens::from_pem("nonsense").is_err());
}

#[test]
fn a_key_is_made_once_and_kept_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = std::env::temp_dir().join(format!("byteshop-token-{}", Clock.new_id()));
    std::fs::create_dir(&directory).unwrap();
    let path = directory.join("token.pem");
    let first = Tokens::from_file_or_new(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = Tokens::from_file_or_new(&path).unwrap();
    let token = first.issue(Role::Customer, account(), LIFETIME).unwrap();
    assert!(again.check(&token).is_ok());
    std::fs::remove_dir_all(&directory).unwrap();
}
