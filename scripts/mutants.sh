#!/bin/sh
# Plants one bug after another with cargo-mutants, and reports those that the tests do not notice (docs/mutants.md).
# MUTANTS is `domain`, `engine` or both; of the domain, MUTANTS_SAMPLE mutants are drawn by MUTANTS_SEED. The arguments are passed on.
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
plant() { # plant NAME [arguments of cargo-mutants] -- [arguments of cargo test]
  name=$1
  shift
  mkdir -p "$place/$name"
  # 2 and 3: mutants survived or hung; the rest still runs.
  "$program" mutants --jobs 1 --cargo-arg=--locked --output "$place/$name" "$@" || status=$?
}

domain() {
  seed=${MUTANTS_SEED:-$(date +%s)}
  sample=${MUTANTS_SAMPLE:-300}
  echo "a sample of $sample mutants of the domain; MUTANTS_SEED=$seed draws it again"
  # The filter does not reach deleted fields, which all run.
  "$program" mutants --list --package byteshop-domain "$@" | grep -v ': delete field ' |
    awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' | sort -n | head -n "$sample" | cut -f 2- |
    sed 's/[][\\.*^$+?(){}|]/\\&/g; s/.*/--re=^&$/' >"$place/sample"
  [ -s "$place/sample" ] || { echo "there is no such mutant" >&2 && return; }
  while IFS= read -r filter; do set -- "$@" "$filter"; done <"$place/sample"
  plant domain --package byteshop-domain "$@" -- --lib
}

engine() {
  set -- --file 'eventstore-schema/src/{append,read,feed,receipt,personal,subject}.rs' \
    --file 'eventstore-schema/src/{feed,subject}/*.rs' --file 'commands/src/{engine,relay}/*.rs' \
    --file 'commands/src/{receipts,relay,follow}.rs' --file 'projections/src/engine/*.rs' "$@"
  plant engine "$@" -- --lib
  # Those that the unit tests do not notice, against real servers.
  plant engine --iterate --test-package byteshop-tests "$@" -- --test it log:: commands:: delivery:: projections:: rotation::
}

for part in ${MUTANTS:-domain engine}; do
  case $part in
    domain) domain "$@" ;;
    engine) engine "$@" ;;
    *) echo "MUTANTS is domain, engine or both" >&2 && exit 1 ;;
  esac
done
exit "$status"
