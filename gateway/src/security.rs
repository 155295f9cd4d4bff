//! What proves who somebody is, how it is kept, and when it opens nothing any more.

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
