//! Ids of accounts at PayPal (Orders v2, `account_id`).

/// The length of an id.
pub const MERCHANT_ID_LEN: usize = 13;

/// The alphabet of PayPal's `account_id`: no 0, 1, I and O.
pub(super) fn is_id(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'2'..=b'9');
    let is_letter = |byte: u8| byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'O');
    text.len() == MERCHANT_ID_LEN && text.bytes().all(|byte| is_digit(byte) || is_letter(byte))
}
