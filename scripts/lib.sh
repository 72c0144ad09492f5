# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# What the scripts share. Sourced, never run:
#
#     . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

set -euo pipefail

# shellcheck disable=SC2034  # read by the scripts that source this
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROGRAM=${PROGRAM:-$(basename "$0")}

# Oldest toolchain the package builds with.
SWIFT_MINIMUM=6.3

# note TEXT...: progress for people, on standard error.
note() {
    printf '%s: %s\n' "$PROGRAM" "$*" >&2
}

# die TEXT...: says what is wrong and ends the script.
die() {
    printf '%s: error: %s\n' "$PROGRAM" "$*" >&2
    exit 1
}

# usage_error TEXT...: a command line that cannot be understood; exit code 2 as usual.
usage_error() {
    printf '%s: error: %s\n' "$PROGRAM" "$*" >&2
    printf 'Try: scripts/%s --help\n' "$PROGRAM" >&2
    exit 2
}

# print_help FILE: the comment block at the top of a script is its help text.
print_help() {
    awk 'NR <= 4 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$1"
}

# require_swift: the toolchain is the one thing the scripts do not install.
require_swift() {
    command -v swift >/dev/null 2>&1 ||
        die "no swift in PATH; install a Swift $SWIFT_MINIMUM toolchain (https://swift.org/install)"
    local version
    version=$(swift --version 2>&1 || true)
    [[ $version =~ Swift\ version\ ([0-9]+(\.[0-9]+)*) ]] ||
        die "'swift --version' does not work: $(head -n 1 <<<"$version")"
    version=${BASH_REMATCH[1]}
    [ "$(printf '%s\n%s\n' "$SWIFT_MINIMUM" "$version" | sort -V | head -n 1)" = "$SWIFT_MINIMUM" ] ||
        die "Swift $version is too old; Swift $SWIFT_MINIMUM or later is needed"
}
