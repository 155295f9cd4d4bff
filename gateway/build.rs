//! Tells the linker how to make the program smaller: one copy of identical functions, of which generic code has many, is a twentieth of it.

#[expect(clippy::disallowed_methods, reason = "cargo names the target in the environment of a build script")]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // There Rust links with lld, which knows the option.
    if std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
        // The program of `make up` needs no table of what to move to a random address: it is no target of attacks.
        if std::env::var("OPT_LEVEL").is_ok_and(|level| level == "1") {
            println!("cargo:rustc-link-arg-bins=-no-pie");
        }
    }
}
