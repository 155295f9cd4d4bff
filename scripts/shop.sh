# To be sourced: starts a development shop of $program in its own directory, $data, and waits until it serves at $url. The
# shop is stopped and its directory is deleted when the script ends.

data="$(mktemp -d)"
# The servers run as another user, who must be able to enter the directory.
chmod 755 "$data"
BYTESHOP_DEV=true "$program" up --data "$data/shop" --port 0 > "$data/log" 2>&1 &
shop=$!
trap 'kill "$shop" 2>/dev/null; wait "$shop" 2>/dev/null || true; rm -rf "$data"' EXIT
trap 'exit 1' INT TERM
until url="$(sed -n 's/^ready //p' "$data/log")" && [ -n "$url" ]; do
  kill -0 "$shop" 2>/dev/null || { cat "$data/log" >&2; exit 1; }
  sleep 0.2
done
