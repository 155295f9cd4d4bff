//! How NATS is spoken to: with the user and the password, or the token, that stand in its URL.
//!
//! The client library takes host and port from a URL and leaves the rest of it alone.

use async_nats::{ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;

/// Options for a connection to the server of this URL, such as `nats://user:password@host:4222` or `nats://token@host:4222`;
/// what is no letter or digit may be written as `%40`. What is no URL is left to the connection itself to refuse.
pub fn options(url: &str) -> ConnectOptions {
    let options = ConnectOptions::new();
    let Ok(server) = url.parse::<ServerAddr>() else { return options };
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    match (server.username(), server.password()) {
        (Some(user), Some(password)) => options.user_and_password(plain(user), plain(password)),
        (Some(token), None) => options.token(plain(token)),
        (None, _) => options,
    }
}
