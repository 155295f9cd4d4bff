//! The byteshop binary.

use std::process::ExitCode;

// Half the time of a request goes to small allocations that live as long as it does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One provider of cryptography for everything; it fails only when one was installed before, and none was.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ExitCode::from(byteshop_gateway::cli::run())
}
