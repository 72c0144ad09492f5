#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# The scripts beside this one once more, with the objects in a real etcd: the same results.

command -v etcd >/dev/null || exit 77
here=$(dirname "$0")
export APUS_TEST_ETCD=1
passed=0
failed=0
skipped=0
scripts="kubectl.test.sh access.test.sh curl.test.sh python.test.py kr8s.test.py bad-input.test.py services.test.py"
# What hardly depends on the store, when there is time; resilience.test.py has a real etcd of its own.
[ -z "${APUS_TEST_LONG:-}" ] || scripts="$scripts serving.test.py cves.test.py proxy.test.py rpc-watch.test.py"
for script in $scripts; do
    output=$("$here/$script" 2>&1)
    code=$?
    if [ "$code" = 77 ]; then
        skipped=$((skipped + 1))
        continue
    fi
    counts=$(printf '%s\n' "$output" | tail -1)
    if [[ $counts =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
        skipped=$((skipped + BASH_REMATCH[3]))
        [ "${BASH_REMATCH[2]}" = 0 ] || printf '%s\n' "$output" | sed "s/^/$script: /"
    else
        failed=$((failed + 1))
        printf '%s\n' "$output" | tail -20 | sed "s/^/$script: /"
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
