//! Makes the messages and services of `proto/` into Rust, without a compiler of Protocol Buffers on the machine.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let described = protox::compile(["byteshop/v1/catalog.proto"], ["proto"])?;
    #[expect(clippy::disallowed_methods, reason = "a build script is told by its environment where to write")]
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    // What the shop tells whoever asks which services there are.
    std::fs::write(out.join("byteshop.bin"), described.encode_to_vec())?;
    tonic_prost_build::configure().build_transport(false).compile_fds(described)?;
    Ok(())
}
