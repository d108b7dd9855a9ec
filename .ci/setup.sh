# Sourced by run and long: installs what the tests use beside Go, starts a
# PostgreSQL of its own and exports what turns every test on. Wants root on
# Debian or Ubuntu; what is already there is left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CI=true DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 TZ=UTC
# A clone may belong to somebody else, and then git refuses to tell its version.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"

SECONDS=0
say() { printf '\n=== %02d:%02d %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

work=$(mktemp -d "${TMPDIR:-/tmp}/paperwire-ci.XXXXXX")
chmod 755 "$work" # postgres walks through it
postgres_bin=

cleanup() {
	local code=$?
	trap - EXIT INT TERM
	[ -z "$postgres_bin" ] || [ ! -s "$work/pg/postmaster.pid" ] ||
		runuser -u postgres -- "$postgres_bin/pg_ctl" -D "$work/pg" -m immediate -s stop || true
	local jobs
	jobs=$(jobs -p)
	# shellcheck disable=SC2086
	[ -z "$jobs" ] || kill $jobs 2>/dev/null || true
	rm -rf "$work"
	say "$([ "$code" = 0 ] && echo passed || echo "FAILED ($code)")"
	exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# install names the packages that are missing and fetches them, trying twice:
# mirrors are now and then between two states.
install() {
	local missing=() try
	for p in "$@"; do installed "$p" || missing+=("$p"); done
	[ ${#missing[@]} -gt 0 ] || return 0
	echo "apt-get install ${missing[*]}"
	for try in 1 2; do
		if apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; then return 0; fi
		[ "$try" = 2 ] || sleep 10
	done
	return 1
}

packages() {
	install postgresql postgresql-client newsboat sqlite3 jing libxml2-utils python3 python3-feedparser ca-certificates
	command -v node >/dev/null && command -v npm >/dev/null || install nodejs npm
	command -v cc >/dev/null || install gcc libc6-dev # for the race detector
	# Pages are drawn with one of these; another distribution may call them otherwise.
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || install chromium
	installed fonts-noto-cjk || installed fonts-droid-fallback || install fonts-noto-cjk || install fonts-droid-fallback
}

node_modules() {
	mkdir -p "$work/tools"
	cp testdata/tools/package.json testdata/tools/package-lock.json "$work/tools/"
	(cd "$work/tools" && { npm ci --ignore-scripts --no-audit --no-fund --loglevel error ||
		npm ci --ignore-scripts --no-audit --no-fund --loglevel error; })
	export PAPERWIRE_NODE_MODULES="$work/tools/node_modules"
}

# postgres starts a cluster that lives as long as this run. Nothing kills the
# server, so it need not wait for the disk.
postgres() {
	local port try
	postgres_bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	mkdir "$work/pg" && chown postgres: "$work/pg"
	runuser -u postgres -- "$postgres_bin/initdb" -D "$work/pg" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1 ||
		{ cat "$work/initdb.log"; return 1; }
	for try in 1 2 3 4 5; do
		port=$((20000 + RANDOM % 12000))
		if runuser -u postgres -- "$postgres_bin/pg_ctl" -D "$work/pg" -w -s -l "$work/pg/log" \
			-o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=400" start; then
			export PAPERWIRE_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
			psql -X -q -c 'SELECT 1' "$PAPERWIRE_TEST_POSTGRES" >/dev/null
			return 0
		fi
	done
	cat "$work/pg/log"
	return 1
}

# fuzz SECONDS runs every fuzz target in turn.
fuzz() {
	local seconds=$1 list package target log="$work/fuzz.log" try
	list=$(go list -f '{{.Dir}}' ./... | while read -r dir; do
		{ grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go 2>/dev/null || true; } | sed "s|^func |$dir |"
	done)
	[ -n "$list" ] || { echo "no fuzz target found"; return 1; }
	while read -r package target; do
		for try in 1 2; do
			if (cd "$package" && go test -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -fuzzminimizetime 5x -timeout 10m .) >"$log" 2>&1; then
				echo "${package#"$PWD"/} $target: $(grep -E '^fuzz: elapsed' "$log" | tail -n 1)"
				break
			fi
			# The engine reports its own deadline as a failure now and then: golang.org/issue/75804.
			if [ "$try" = 1 ] && grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log"; then continue; fi
			cat "$log"
			echo "${package#"$PWD"/} $target failed"
			return 1
		done
	done <<<"$list"
}

say "machine: $(nproc) cores, $(go version)"
say "packages, node modules, PostgreSQL"
packages
node_modules
postgres
export PAPERWIRE_TEST_ALL=1
