//! Tells the linker to keep one copy of identical functions, of which generic code has many: a twentieth of the program.

#[expect(clippy::disallowed_methods, reason = "cargo names the target in the environment of a build script")]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // There Rust links with lld, which knows the option.
    if std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
