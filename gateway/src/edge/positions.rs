//! Log positions as callers see them: numbers for staff, encrypted tokens for everybody else.
//!
//! One log records the activity of all, so positions count it: two of them would reveal how many events lie between,
//! and so whether a request about another person's address caused any. A token is `pos_` and the base64url of nonce,
//! ciphertext and tag (AES-256-GCM, NIST SP 800-38D) under a key of the shop. Each token has its own nonce, so equal
//! positions have different tokens, and only the shop can compare them. The [edge](crate::edge) decrypts tokens in
//! `Min-Log-Position` and `?at=` and encrypts positions in `Log-Position`, so handlers see numbers only; of `?at=` they
//! see only a number that the edge has decrypted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use byteshop_commands::Error;
use byteshop_eventstore::{SealError, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// The prefix of every token.
pub const PREFIX: &str = "pos_";
/// The purpose of the derived key.
pub const PURPOSE: &str = "log position";

/// The key that positions are sealed with; every process of a shop has the same.
pub struct Positions(RandomizedNonceKey);

impl std::fmt::Debug for Positions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Positions").finish_non_exhaustive()
    }
}

/// The position in `?at=` that the caller may ask for; the edge puts it beside the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened(pub(crate) i64);

/// A position as one caller sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Position {
    /// For staff.
    Number(i64),
    /// For everybody else.
    Token(String),
}

/// Shows the positions of one response: the same one twice gets the same token, so that causes can be followed within it.
pub struct Shown<'a> {
    /// None for staff.
    sealed: Option<(&'a Positions, Mutex<HashMap<i64, String>>)>,
}

impl Positions {
    /// Seals with this key.
    pub fn new(key: &[u8; 32]) -> Result<Self, SealError> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| SealError::NoRandomness)
    }

    /// A new token of a position.
    pub fn seal(&self, position: i64) -> Result<String, SealError> {
        let mut text = position.to_be_bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::empty(), &mut text).map_err(|_| SealError::NoRandomness)?;
        let sealed = [nonce.as_ref().as_slice(), &text].concat();
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// The position of a token; none when it was not made with this key.
    pub fn open(&self, token: &str) -> Option<i64> {
        let mut sealed = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let position = self.0.open_in_place(nonce, Aad::empty(), text).ok()?;
        Some(i64::from_be_bytes((&*position).try_into().ok()?))
    }
}

impl<'a> Shown<'a> {
    /// Shows them as numbers.
    pub(super) fn numbers() -> Self {
        Self { sealed: None }
    }

    /// Shows them as tokens.
    pub(super) fn tokens(positions: &'a Positions) -> Self {
        Self { sealed: Some((positions, Mutex::default())) }
    }

    /// A position.
    pub fn position(&self, position: i64) -> Result<Position, Error> {
        let Some((positions, told)) = &self.sealed else { return Ok(Position::Number(position)) };
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = told.get(&position) {
            return Ok(Position::Token(token.clone()));
        }
        let token = positions.seal(position).map_err(StoreError::from)?;
        told.insert(position, token.clone());
        Ok(Position::Token(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_with_its_key_only_and_equal_positions_do_not_look_equal() {
        let (ours, other) = (Positions::new(&[1; 32]).unwrap(), Positions::new(&[2; 32]).unwrap());
        for position in [0, 1, 42, i64::MAX] {
            let (one, two) = (ours.seal(position).unwrap(), ours.seal(position).unwrap());
            assert_ne!(one, two);
            assert_eq!((ours.open(&one), ours.open(&two), other.open(&one)), (Some(position), Some(position), None));
            assert_eq!(one.len(), ours.seal(7).unwrap().len(), "its length says nothing either");
            let mut changed = one.into_bytes();
            let last = changed.len() - 1;
            changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
            assert_eq!(ours.open(std::str::from_utf8(&changed).unwrap()), None);
        }
        for text in ["", "7", "pos_", "pos_7", "pos_AAAA", "pos_ä"] {
            assert_eq!(ours.open(text), None, "{text}");
        }
    }

    #[test]
    fn one_response_shows_a_position_the_same_way_each_time() {
        let positions = Positions::new(&[1; 32]).unwrap();
        let shown = Shown { sealed: Some((&positions, Mutex::default())) };
        assert_eq!(shown.position(7).unwrap(), shown.position(7).unwrap());
        assert_ne!(shown.position(7).unwrap(), shown.position(8).unwrap());
        assert_eq!(Shown { sealed: None }.position(7).unwrap(), Position::Number(7));
    }
}
