#!/bin/sh
# Stands in for rustdoc in `cargo test --doc`, which hands it the libraries that the tests were built with: instead of looking
# for examples to run it writes the documentation, so that rustdoc's lints see it. `cargo doc` would type-check every
# dependency a second time first.
set -eu
out="${CARGO_TARGET_DIR:-target}/doc"
# The arguments go round once: each is taken from the front and, unless it is of the test run, put back behind.
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
