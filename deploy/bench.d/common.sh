# What the benchmarks share. Read by them; not a command by itself.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { echo "bench: $*" >&2; }

# A folder for everything, and a function to call before it goes.
make_work() {
    before_leaving=$1
    work=$(mktemp -d /tmp/turnpike-bench.XXXXXX)
    chmod 755 "$work"
    trap 'status=$?; set +e; "$before_leaving"; rm -rf "$work"; exit $status' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

build_gateway() {
    turnpike=$root/.build/release/turnpike
    [ -x "$turnpike" ] || "$root/deploy/quickstart" --build-only > /dev/null
}

# A private Postgres with the settings it comes with: fsync on, synchronous commits.
pg=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
as_postgres() { if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi; }
start_postgres() {
    if [ ! -d "$work/pg" ]; then
        mkdir "$work/pg"
        if [ "$(id -u)" = 0 ]; then chown postgres "$work/pg"; fi
        (cd "$work/pg" && as_postgres "$pg/initdb" -D "$work/pg/data" -A trust -U postgres > /dev/null)
    fi
    (cd "$work/pg" && as_postgres "$pg/pg_ctl" -D "$work/pg/data" -l "$work/pg/log" -w start \
        -o "-c listen_addresses='' -c unix_socket_directories=$work/pg -c max_connections=200" > /dev/null)
}
stop_postgres() {
    if [ -f "$work/pg/data/postmaster.pid" ]; then
        (cd "$work/pg" && as_postgres "$pg/pg_ctl" -D "$work/pg/data" -m immediate stop > /dev/null 2>&1)
    fi
}
