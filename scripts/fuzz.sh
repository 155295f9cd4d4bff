#!/bin/sh
# Sends valid and invalid requests by the OpenAPI document with schemathesis, without a token and as an admin: no 5xx, and
# no response that the document does not describe. Each of the two callers gets FUZZ_SECONDS.
set -eu

version=4.32.5
seconds="${FUZZ_SECONDS:-120}"
target="${CARGO_TARGET_DIR:-target}"
tools="$target/fuzz/schemathesis-$version"
program="$target/debug/byteshop"

if [ ! -x "$tools/bin/st" ]; then
  python3 -m pip install --quiet --target "$tools" "schemathesis==$version"
fi

. scripts/shop.sh
"$program" --data "$data/shop" seed > /dev/null

fuzz() {
  who="$1"
  shift
  echo "as $who"
  PYTHONPATH="$tools" "$tools/bin/st" --config-file scripts/schemathesis.toml run "$url/openapi.json" --url "$url" \
    --max-time "$seconds" --workers 1 --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --continue-on-failure --warnings off "$@"
}

status=0
fuzz nobody || status=1
fuzz "an admin" --header "Authorization: Bearer $("$program" --data "$data/shop" token admin)" || status=1
# Afterwards the views equal their rebuild, and nothing panicked.
"$program" --data "$data/shop" replay --all --check || status=1
if grep -E "panicked|ERROR" "$data/log"; then status=1; fi
exit "$status"
