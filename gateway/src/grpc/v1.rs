//! The Rust types of `proto/byteshop/v1`.

#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "made from proto/, where it is documented"
)]

include!(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/generated/byteshop.v1.rs"));
