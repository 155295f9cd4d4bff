#!/bin/sh
# Tests docs/openapi.json: redocly finds no error in it, and a purchase in TypeScript, with types generated from it,
# compiles and runs against a shop of this program.
set -eu

target="${CARGO_TARGET_DIR:-target}"
work="$target/contract"
program="$target/debug/byteshop"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

mkdir -p "$work"
if ! cmp -s tests/contract/package-lock.json "$work/node_modules/.installed"; then
  cp tests/contract/package.json tests/contract/package-lock.json "$work"
  (cd "$work" && npm ci --no-audit --no-fund --loglevel=error)
  cp tests/contract/package-lock.json "$work/node_modules/.installed"
fi
cp tests/contract/*.ts tests/contract/tsconfig.json tests/contract/redocly.yaml tests/contract/package.json docs/openapi.json "$work"

tool() { (cd "$work" && node_modules/.bin/"$@"); }
tool redocly lint openapi.json --config redocly.yaml
tool openapi-typescript openapi.json --output schema.ts
tool tsc --project tsconfig.json

. scripts/shop.sh
"$program" --data "$data/shop" seed --without-images > /dev/null 2>&1
(cd "$work" && node built/purchase.js "$url")
