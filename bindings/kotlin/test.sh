#!/usr/bin/env bash
# Tests the Kotlin face: has its source written anew, puts the native library into the jar, runs the tests and the example
# with it, and looks at what the jar holds. Wants a JDK (17 or newer) and mvn, which fetches Kotlin, JUnit and JNA and calls
# cargo, and in KEYPLATE_TESTKIT the program keyplate-testkit.
# Prints "N passed, N failed" at the end.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
passed=0 failed=0

# Maven calls `cargo xtask generate kotlin`, which builds the library for development before it reads it; that one is taken.
rm -rf src/main/generated target/surefire-reports
mvn --batch-mode --quiet -Dnative.dir="$target/debug" -Dmaven.test.failure.ignore=true package \
    >"$target/kotlin-test.log" 2>&1 || failed=1

for report in target/surefire-reports/TEST-*.xml; do
    [ -e "$report" ] || continue
    count() { sed -n "s/.*<testsuite [^>]* $1=\"\([0-9]*\)\".*/\1/p" "$report" | head -n 1; }
    tests=$(count tests) bad=$(($(count failures) + $(count errors)))
    passed=$((passed + tests - bad - $(count skipped))) failed=$((failed + bad))
done

# JUnit passes over a test that gives a value, and only says so.
if grep --quiet "will not be executed" "$target/kotlin-test.log"; then
    failed=$((failed + 1))
    echo "failed: a test is not executed" >&2
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
if unzip -l "target/keyplate-$version.jar" linux-x86-64/libkeyplate_uniffi.so >/dev/null; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "failed: the jar holds the native library" >&2
fi

[ "$failed" -eq 0 ] || cat "$target/kotlin-test.log" >&2
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
