# Installs what is missing. Read by deploy/quickstart and deploy/test; not a command by itself.

# install_missing LABEL NEEDED...: makes sure that every Debian package is there. Installs only what is missing, and says so.
install_missing() {
    local label=$1 missing=() package
    shift
    if ! command -v dpkg-query > /dev/null; then
        echo "$label: this system has no apt; the packages of Debian 12 that are needed are: $*" >&2
        return
    fi
    for package in "$@"; do
        # shellcheck disable=SC2016
        dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "$label: installing ${missing[*]}" >&2
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo > /dev/null || ! sudo -n true 2> /dev/null && ! [ -t 2 ]; then
            echo "$label: these packages are missing, and there is no sudo to install them with:" >&2
            echo "$label:   apt-get install ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    # Debian's package would make and start a cluster of its own, which nobody here wants.
    if [[ " ${missing[*]} " == *" postgresql"* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf > /dev/null
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
    "${apt[@]}" install --no-install-recommends "${missing[@]}" < /dev/null > /dev/null 2>&1 || {
        # The lists may be missing or old.
        "${apt[@]}" update < /dev/null > /dev/null
        "${apt[@]}" install --no-install-recommends "${missing[@]}" < /dev/null >&2
    }
    # Debian starts services of its own, too. Only the programs are wanted, and only of what was not there before.
    local service
    for service in pgbouncer etcd patroni; do
        if [[ " ${missing[*]} " =~ \ $service(-server)?\  ]] && [ -d /run/systemd/system ]; then
            "${as_root[@]}" systemctl --quiet disable --now "$service.service" || true
        fi
    done
}

# What both scripts need: the libraries, a compiler for them, PostgreSQL, and Python for the engine.
NEEDED=(libpq-dev libssl-dev libcurl4-openssl-dev libsimdjson-dev pkg-config g++ python3 python3-venv
    postgresql util-linux ca-certificates)

# check_swift LABEL: makes sure of the toolchain, which apt does not have.
check_swift() {
    local version
    if ! command -v swift > /dev/null; then
        echo "$1: Swift 6.2 or later is needed; see https://www.swift.org/install/linux/" >&2
        exit 1
    fi
    version=$(swift --version 2> /dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
    if [ "$(printf '%s\n6.2\n' "${version:-0}" | sort -V | head -n 1)" != 6.2 ]; then
        echo "$1: Swift 6.2 or later is needed, and this is ${version:-unknown}; see https://www.swift.org/install/linux/" >&2
        exit 1
    fi
}

# make_psycopg_venv: sets `venv` to a Python with psycopg, which the harnesses of real processes need; made once.
make_psycopg_venv() {
    local version=3.3.9
    venv=.build/crash-python-$version
    "$venv/bin/python3" -c 'import psycopg' 2> /dev/null && return
    rm -rf "$venv" "$venv.new"
    mkdir -p .build
    python3 -m venv "$venv.new"
    "$venv.new/bin/pip" --quiet --disable-pip-version-check install "psycopg[binary]==$version" < /dev/null
    mv "$venv.new" "$venv"
}
