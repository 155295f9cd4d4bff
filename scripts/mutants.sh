#!/bin/sh
# Plants one bug after another with cargo-mutants, and reports those that the tests do not notice (docs/mutants.md).
# MUTANTS is `domain`, `engine` or both; of each, MUTANTS_SAMPLE mutants are drawn by MUTANTS_SEED. The arguments are passed on.
set -eu

version=27.1.0
mkdir -p "${CARGO_TARGET_DIR:-target}/mutants"
place=$(cd "${CARGO_TARGET_DIR:-target}/mutants" && pwd)
tools="$place/$version"
program="$tools/bin/cargo-mutants"

if [ ! -x "$program" ]; then
  cargo install --quiet --locked --version "$version" --root "$tools" --target-dir "$place/build" \
    --config 'profile.release.opt-level=1' --config 'profile.release.lto="off"' cargo-mutants
fi

# Each build differs by one function from the one before. cargo-mutants changes a copy of the sources, which is built here.
export CARGO_INCREMENTAL=1 CARGO_TARGET_DIR="$place/build"
# A failing property need not be made small, and leaves no file behind.
export PROPTEST_MAX_SHRINK_TIME=1000 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1 INSTA_UPDATE=no

status=0
filters=$#
seed=${MUTANTS_SEED:-$(date +%s)}

# Leaves out all mutants but those that were chosen: cargo-mutants takes them for caught before. So mutants that delete a field are left out,
# too, which version 27.1 does not filter by name; when there are arguments, none of them runs.
choose() { # choose NAME NUMBER [arguments of cargo-mutants]
  name=$1 number=$2
  shift 2
  rm -rf "$place/$name/mutants.out"
  mkdir -p "$place/$name/mutants.out"
  "$program" mutants --list "$@" >"$place/$name/listed"
  if [ "$filters" -eq 0 ]; then cat "$place/$name/listed"; else grep -v ': delete field ' "$place/$name/listed" || true; fi |
    awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' | sort -n | head -n "$number" | cut -f 2- >"$place/$name/chosen"
  [ -s "$place/$name/chosen" ] || { echo "there is no such mutant in the $name" >&2 && return 1; }
  echo "$(wc -l <"$place/$name/chosen") of $(wc -l <"$place/$name/listed") mutants of the $name; MUTANTS_SEED=$seed draws them again"
  grep -Fxv -f "$place/$name/chosen" "$place/$name/listed" >"$place/$name/mutants.out/previously_caught.txt" || true
}

plant() { # plant NAME [arguments of cargo-mutants] -- [arguments of cargo test]
  name=$1
  shift
  # 2 and 3: mutants survived or hung; the rest still runs.
  "$program" mutants --jobs 1 --cargo-arg=--locked --iterate --output "$place/$name" "$@" || status=$?
}

domain() {
  set -- --package byteshop-domain "$@"
  choose domain "${MUTANTS_SAMPLE:-300}" "$@" || return 0
  plant domain "$@" -- --lib
}

engine() {
  set -- --file 'eventstore-schema/src/{append,read,feed,receipt,personal,subject}.rs' \
    --file 'eventstore-schema/src/{feed,subject}/*.rs' --file 'commands/src/{engine,relay}/*.rs' \
    --file 'commands/src/{receipts,relay,follow}.rs' --file 'projections/src/engine/*.rs' "$@"
  choose engine "${MUTANTS_SAMPLE:-100000}" "$@" || return 0
  plant engine "$@" -- --lib
  # Those that the unit tests do not notice, against real servers.
  plant engine --test-package byteshop-tests "$@" -- --test it -- appender:: log:: commands:: delivery:: pricing:: projections:: rotation::
}

for part in ${MUTANTS:-domain engine}; do
  case $part in
    domain) domain "$@" ;;
    engine) engine "$@" ;;
    *) echo "MUTANTS is domain, engine or both" >&2 && exit 1 ;;
  esac
done
exit "$status"
