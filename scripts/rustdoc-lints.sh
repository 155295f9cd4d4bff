#!/bin/sh
# Replaces rustdoc in `cargo test --doc`, which passes it the libraries that the tests were built with: instead of running
# examples it generates the documentation, so that rustdoc's lints check it. `cargo doc` would type-check every
# dependency a second time first.
set -eu
out="${CARGO_TARGET_DIR:-target}/doc"
# Rotates the arguments once: each is removed from the front and, unless it is for the test run, appended at the end.
for argument in "$@"; do
  shift
  case "${skip:-}$argument" in
    --test | --test-args | --no-run) ;;
    --test-run-directory | --test-runtool | --test-builder) skip=next ;;
    next*) skip= ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec rustdoc -D warnings --out-dir "$out" "$@"
