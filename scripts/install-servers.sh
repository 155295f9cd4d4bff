#!/bin/sh
# Installs the programs of Postgres and nats-server if they are missing, and curl and jq, which the tour needs;
# with `tests` also the programs for the tests: Chromium with its driver, Node.js with npm, and xmllint; with `pip` that program alone,
# which brings the tools that are on PyPI. Nothing is started or configured: the shop runs both servers privately, with data and ports of its own.
set -eu

has_postgres() {
  [ -n "${BYTESHOP_DATABASE_URL:-}" ] || [ -n "${BYTESHOP_PG_BIN:-}" ] && return
  # initdb beside postgres: a client package has neither.
  command -v postgres >/dev/null 2>&1 && command -v initdb >/dev/null 2>&1 && return
  for initdb in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb \
    /opt/homebrew/opt/postgresql@*/bin/initdb /usr/local/opt/postgresql@*/bin/initdb; do
    [ -x "$initdb" ] && return
  done
  return 1
}

has_nats() {
  [ -n "${BYTESHOP_NATS_URL:-}" ] || [ -n "${BYTESHOP_NATS_SERVER:-}" ] && return
  command -v nats-server >/dev/null 2>&1 && return
  for place in /usr/sbin /usr/local/sbin /usr/local/bin /opt/homebrew/bin; do
    [ -x "$place/nats-server" ] && return
  done
  return 1
}

missing=
if [ "${1:-}" = pip ]; then
  python3 -m pip --version >/dev/null 2>&1 || missing=" python3-pip"
else
  has_postgres || missing="$missing postgresql"
  has_nats || missing="$missing nats-server"
  for tool in curl jq; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
  done
fi
if [ "${1:-}" = tests ]; then
  command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
  command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium-driver"
  command -v node >/dev/null 2>&1 || missing="$missing nodejs"
  command -v npm >/dev/null 2>&1 || missing="$missing npm"
  command -v xmllint >/dev/null 2>&1 || missing="$missing libxml2-utils"
fi
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1; then
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "install as root:$missing" >&2; exit 1; }
    as_root=sudo
  fi
  echo "installing$missing with apt-get"
  # Debian's packages start a server and create a cluster at once. We need only the programs, so both are disabled for
  # the time of the installation with the settings that Debian has for it; servers that run already are not changed.
  $as_root sh -eu -c '
    policy=/usr/sbin/policy-rc.d
    cluster=/etc/postgresql-common/createcluster.d/byteshop.conf
    made=
    # A policy of the administrator is kept.
    if [ ! -e "$policy" ]; then
      printf "#!/bin/sh\nexit 101\n" > "$policy"
      chmod 755 "$policy"
      made="$policy"
    fi
    mkdir -p "${cluster%/*}"
    echo "create_main_cluster = false" > "$cluster"
    trap "rm -f $made $cluster" EXIT
    trap "exit 1" INT TERM
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -q -y --no-install-recommends "$@"
  ' sh $missing
elif command -v brew >/dev/null 2>&1; then
  for program in $missing; do
    case "$program" in
      postgresql) program=postgresql@17 ;;
      chromium-driver) program=chromedriver ;;
      nodejs | npm) program=node ;;
      python3-pip) program=python ;;
      libxml2-utils) program=libxml2 ;;
    esac
    echo "installing $program with brew"
    brew install "$program"
  done
else
  echo "missing:$missing; neither apt-get nor brew is here to install it: see README.md, or set BYTESHOP_PG_BIN and BYTESHOP_NATS_SERVER" >&2
  exit 1
fi

[ "${1:-}" = pip ] || { has_postgres && has_nats; } || { echo "the installation of$missing did not bring the programs" >&2; exit 1; }
