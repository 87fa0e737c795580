# shellcheck shell=bash disable=SC2034
# The Debian packages that the scripts need, and how the missing ones are installed. Sourced, not run; needs step.sh.
#
# `package=command` means: not needed where the command is found, wherever it came from.

packages_build=(
    cmake=cmake ninja-build=ninja gcc=cc libc6-dev pkg-config=pkg-config
    libwebsockets-dev libwebsockets-evlib-uv libuv1-dev libcjson-dev libsqlite3-dev libpq-dev libconfuse-dev
    libunistring-dev libxml2-dev libssl-dev libjwt-dev libsystemd-dev zlib1g-dev
)

# Debian's npm does not go together with a Node.js from elsewhere, so `node` decides for both.
packages_test=(
    libcmocka-dev binutils=nm spin=spin python3=python3 python3-websockets sqlite3=sqlite3 postgresql openssl=openssl
    iproute2=ip util-linux=setarch strace=strace patch=patch chromium=chromium nodejs=node npm=node
)

packages_fuzz=(clang=clang libclang-rt-14-dev llvm=llvm-symbolizer)

packages_coverage=(gcovr=gcovr)

packages_check=(clang-format=clang-format clang-tidy=clang-tidy)

packages_is_installed() {
    [[ $1 == *=* ]] && command -v "${1#*=}" >/dev/null && return 0
    [ "$(dpkg-query -W -f='${db:Status-Status}' "${1%%=*}" 2>/dev/null)" = installed ]
}

packages_apt() {
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=120 "$@"
}

# packages_install yes|no PACKAGE...: installs what is missing; with `no` only names it. Exit status 3: something is
# still missing.
packages_install() {
    local may_install=$1 entry missing=()
    shift
    if ! command -v dpkg-query >/dev/null; then
        echo "This is not Debian: see scripts/packages.sh for what has to be there." >&2
        return 0
    fi
    for entry in "$@"; do
        packages_is_installed "$entry" || missing+=("${entry%%=*}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$may_install" = no ]; then
        echo "Missing packages: ${missing[*]}" >&2
        echo "Install them with: apt-get install --no-install-recommends ${missing[*]}" >&2
        return 3
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        echo "Missing packages: ${missing[*]}" >&2
        echo "There is no sudo here: install them as root, or run this script as root." >&2
        return 3
    fi
    # sudo may ask for a password, which a step would hide.
    if [ "$(id -u)" -ne 0 ]; then sudo -v || return 3; fi
    # Old lists may still do; the installation tells.
    step "Updating the package lists" packages_apt update || true
    step "Installing ${missing[*]}" packages_apt install --no-install-recommends "${missing[@]}" || return 3
}
