//! Time-based one-time passwords (RFC 6238, over the HOTP of RFC 4226), and recovery codes for a lost device.
//!
//! HMAC-SHA-1, steps of 30 seconds and six digits, which every authenticator app supports. SHA-1 is broken for
//! collisions, which does not affect HMAC.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use byteshop_domain::account::Secret;
use byteshop_domain::ids::{AccountId, Id as _};
use byteshop_domain::text::Hash;
use byteshop_eventstore::SealError;
use byteshop_eventstore::envelope::to_hex;
use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

/// Bytes of a secret: as many as the hash has (RFC 4226, section 4, requirement 6).
const SECRET: usize = 20;
/// Seconds of a step (RFC 6238, section 4.1).
const STEP_S: i64 = 30;
/// Digits of a code, and the number of codes that there are.
const DIGITS: usize = 6;
const CODES: u32 = 1_000_000;
/// Steps before and after the present one whose codes are accepted: people type, and clocks differ (RFC 6238, section 5.2).
const DRIFT: u64 = 1;
/// Recovery codes of one account.
const RECOVERY_CODES: usize = 10;
/// Bytes of each: 80 bits, so that a plain hash of it gives nothing away.
const RECOVERY: usize = 10;
/// Letters between two dashes of a recovery code.
const GROUP: usize = 4;

/// A new secret, in base32 as authenticator apps take it.
///
/// # Errors
/// When there is no randomness.
pub fn new_secret() -> Result<Secret, SealError> {
    Ok(Secret(BASE32_NOPAD.encode(&byteshop_eventstore::random::<SECRET>()?)))
}

/// The step of time of a moment.
pub fn step(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp() / STEP_S).unwrap_or(0)
}

/// The code of a step; none if the secret is malformed.
pub fn code(secret: &str, step: u64) -> Option<String> {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).ok()?;
    Some(hotp(&key, step))
}

/// The step whose code was shown: of those around a moment the first one after the last that was accepted. One that is not after
/// it is given as well, as the code is right, and was used.
pub fn find(secret: &str, shown: &str, at: DateTime<Utc>, last_step: u64) -> Option<u64> {
    let shown: String = shown.chars().filter(|letter| !letter.is_whitespace()).collect();
    let key = BASE32_NOPAD.decode(secret.as_bytes()).ok()?;
    let now = step(at);
    let is_code = |step: &u64| verify_slices_are_equal(hotp(&key, *step).as_bytes(), shown.as_bytes()).is_ok();
    let right: Vec<u64> = (now.saturating_sub(DRIFT)..=now.saturating_add(DRIFT)).filter(is_code).collect();
    right.iter().find(|step| **step > last_step).or(right.last()).copied()
}

/// RFC 4226, section 5.3: six digits of the HMAC of a counter.
fn hotp(key: &[u8], counter: u64) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), &counter.to_be_bytes());
    let hash = tag.as_ref();
    let offset = usize::from(hash[hash.len() - 1] & 0xf);
    let bytes = [hash[offset] & 0x7f, hash[offset + 1], hash[offset + 2], hash[offset + 3]];
    format!("{:0DIGITS$}", u32::from_be_bytes(bytes) % CODES)
}

/// The address that authenticator apps read from a QR code ("Key Uri Format" of Google Authenticator).
pub fn uri(issuer: &str, account: &str, secret: &str) -> String {
    let issuer = utf8_percent_encode(issuer, NON_ALPHANUMERIC);
    let account = utf8_percent_encode(account, NON_ALPHANUMERIC);
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
    )
}

/// New recovery codes, such as `abcd-efgh-ijkl-mnop`.
///
/// # Errors
/// When there is no randomness.
pub fn recovery_codes() -> Result<Vec<String>, SealError> {
    let code = |_| {
        let letters = BASE32_NOPAD.encode(&byteshop_eventstore::random::<RECOVERY>()?).to_ascii_lowercase();
        let groups: Vec<&str> =
            letters.as_bytes().chunks(GROUP).filter_map(|it| std::str::from_utf8(it).ok()).collect();
        Ok(groups.join("-"))
    };
    (0..RECOVERY_CODES).map(code).collect()
}

/// The stored hash of a recovery code, independent of how the code is typed.
pub fn recovery_hash(account: AccountId, code: &str) -> Hash {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut hash = Sha256::new();
    hash.update(account.uuid().as_bytes());
    hash.update(letters.to_ascii_lowercase());
    // A hexadecimal hash always is one.
    Hash::new(&to_hex(&hash.finalize())).expect("64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// The key of RFC 4226, appendix D, and RFC 6238, appendix B.
    const KEY: &[u8] = b"12345678901234567890";

    #[test]
    fn the_vectors_of_hotp_hold() {
        // RFC 4226, appendix D.
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(hotp(KEY, counter), code);
        }
    }

    #[test]
    fn the_vectors_of_totp_hold() {
        // RFC 6238, appendix B: the last six of eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            assert_eq!(hotp(KEY, step(at)), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_found_one_step_to_either_side() {
        let secret = BASE32_NOPAD.encode(KEY);
        let at = DateTime::from_timestamp(1_767_268_800, 0).unwrap();
        let now = step(at);
        let shown = |step| code(&secret, step).unwrap();
        for step in [now - 1, now, now + 1] {
            assert_eq!(find(&secret, &shown(step), at, 0), Some(step));
        }
        for step in [now - 2, now + 2] {
            assert_eq!(find(&secret, &shown(step), at, 0), None);
        }
        let spaced = format!("{} {}", &shown(now)[..3], &shown(now)[3..]);
        assert_eq!(find(&secret, &spaced, at, 0), Some(now));
        // One that was used is right all the same, and the account refuses it.
        assert_eq!(find(&secret, &shown(now), at, now), Some(now));
        for wrong in ["", "12345", "1234567", "abcdef", "é12345"] {
            assert_eq!(find(&secret, wrong, at, 0), None, "{wrong}");
        }
        assert_eq!(find("not base32!", &shown(now), at, 0), None);
    }

    #[test]
    fn secrets_and_recovery_codes_cannot_be_guessed() {
        let Secret(secret) = new_secret().unwrap();
        assert_eq!(secret.len(), 32);
        let codes = recovery_codes().unwrap();
        assert_eq!((codes.len(), codes[0].len()), (RECOVERY_CODES, 19));
        let ada = AccountId::from_uuid(Uuid::from_u128(7));
        let typed = codes[0].to_uppercase().replace('-', " ");
        assert_eq!(recovery_hash(ada, &codes[0]), recovery_hash(ada, &typed));
        assert_ne!(recovery_hash(ada, &codes[0]), recovery_hash(ada, &codes[1]));
        let eve = AccountId::from_uuid(Uuid::from_u128(8));
        assert_ne!(recovery_hash(ada, &codes[0]), recovery_hash(eve, &codes[0]));
    }

    #[test]
    fn an_address_for_apps_is_one() {
        assert_eq!(
            uri("Ada & Co", "ada@example.org", "GEZDGNBV"),
            "otpauth://totp/Ada%20%26%20Co:ada%40example%2Eorg?secret=GEZDGNBV&issuer=Ada%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
    }
}
