//! Credentials: how they are verified and stored, and when they expire.

pub mod api_key;
pub mod ended_sessions;
pub mod key_file;
pub mod key_uses;
pub(crate) mod known_sessions;
pub mod password;
pub mod refresh_token;
pub mod secret;
pub mod token;
pub mod totp;
