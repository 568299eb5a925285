#!/usr/bin/env bash
# Tests the Kotlin face: has its source written anew, puts the native library into the jar, runs the tests and the examples
# with it, one of them in Chromium, looks at what the jars hold, and runs README's lines in a project of their own. Wants a JDK
# (17 or newer) and mvn, which fetches Kotlin, JUnit and JNA and calls cargo, Node.js and Chromium, and in KEYPLATE_TESTKIT the
# program keyplate-testkit.
# Prints "N passed, N failed" at the end.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
passed=0 failed=0

# Maven calls `cargo xtask generate kotlin`, which builds the library for development before it reads it; that one is taken.
rm -rf src/main/generated target/surefire-reports
mvn --batch-mode --quiet -Dnative.dir="$target/debug" -Dmaven.test.failure.ignore=true -Dmdep.outputFile=target/class-path \
    package dependency:build-classpath \
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
# The comic library of the examples, in a browser.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
if ! cmp -s "$root/tests/web/package-lock.json" "$root/tests/web/node_modules/.installed-lock"; then
    npm ci --silent --no-audit --no-fund --prefix "$root/tests/web"
    cp "$root/tests/web/package-lock.json" "$root/tests/web/node_modules/.installed-lock"
fi
export COMICS_CLASS_PATH=$PWD/target/classes:$PWD/target/test-classes:$(cat target/class-path)
node --test --test-reporter=tap comics.test.mjs >"$target/comics-test.log" 2>&1 || cat "$target/comics-test.log" >&2
in_browser() { sed -n "s/^# $1 //p" "$target/comics-test.log"; }
passed=$((passed + $(in_browser pass))) failed=$((failed + $(in_browser fail) + $(in_browser cancelled)))

# One more test: its name, and the command.
check() {
    local name=$1
    shift
    if "$@" >>"$target/kotlin-test.log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $name" >&2
    fi
}
check "the jar holds the native library" unzip -l "target/keyplate-$version.jar" linux-x86-64/libkeyplate_uniffi.so
check "there is a jar of the sources" unzip -l "target/keyplate-$version-sources.jar" org/keyplate/keyplate.kt
check "README's lines in a project with one dependency" consumer/test.sh "$version"

[ "$failed" -eq 0 ] || cat "$target/kotlin-test.log" >&2
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
