#!/usr/bin/env bash
# Tests the C face: the header alone, the test program under ASan and UBSan, natively and under valgrind, the exported
# names, the scenarios, and an installed copy through pkg-config and CMake. Wants gcc, g++, cmake, pkg-config, valgrind,
# cJSON, and in KEYPLATE_TESTKIT the program keyplate-testkit.
# Prints "N passed, N failed" at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
out=$target/ffi-tests
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
passed=0 failed=0

cargo build --quiet --package keyplate-ffi
library=$target/debug
mkdir -p "$out"
rm -rf "${out:?}"/*

# Runs a command, shows what it says if it fails, counts it.
check() {
    local name=$1
    shift
    if "$@" >"$out/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $name" >&2
        cat "$out/log" >&2
    fi
}

# Runs a test program, whose last line counts for itself.
check_program() {
    local name=$1
    shift
    if "$@" >"$out/log" 2>&1; then status=0; else status=$?; fi
    local line
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$out/log" | tail -n 1 || true)
    passed=$((passed + $(echo "${line:-0 passed}" | cut -d' ' -f1)))
    failed=$((failed + $(echo "${line:-0 passed, 0 failed}" | cut -d' ' -f3)))
    if [ "$status" -ne 0 ] || [ -z "$line" ]; then
        [ -n "$line" ] && [ "${line##*, }" != "0 failed" ] || failed=$((failed + 1))
        echo "failed: $name" >&2
        cat "$out/log" >&2
    fi
}

only_ours() { ! nm -D --defined-only "$library/libkeyplate.so" | awk '{print $NF}' | grep -v '^keyplate_'; }

warnings=(-Wall -Wextra -Werror -Iinclude)
check "header as C11" gcc -std=c11 -pedantic "${warnings[@]}" -fsyntax-only -x c include/keyplate.h
check "header as C++17" g++ -std=c++17 -pedantic "${warnings[@]}" -fsyntax-only -x c++ include/keyplate.h
check "exported names" only_ours

build() {
    local program=$1
    shift
    gcc -std=gnu11 -g "${warnings[@]}" "-DKEYPLATE_TEST_VERSION=\"$version\"" "$@" \
        "$library/libkeyplate.a" -lpthread -ldl -lm -o "$out/$program"
}
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
facade_sources=(ffi/tests/{facade,reasons}_test.c)
scenario_sources=(ffi/tests/scenario_{test,authenticator,facade,json}.c)
check "build with ASan and UBSan" build sanitized "${sanitizers[@]}" "${facade_sources[@]}"
check "build of the scenarios" build scenarios "${sanitizers[@]}" "${scenario_sources[@]}" \
    $(pkg-config --cflags --libs libcjson)
check "build" build plain "${facade_sources[@]}"
check_program "under ASan and UBSan" env ASAN_OPTIONS=detect_leaks=1 "$out/sanitized"
check_program "scenarios" env ASAN_OPTIONS=detect_leaks=1 "$out/scenarios" tests/scenarios/*.json
# Valgrind runs one thread at a time, and under ASan nobody forks among writers.
check_program "natively" "$out/plain"
check_program "under valgrind" valgrind --quiet --error-exitcode=1 --leak-check=full \
    --errors-for-leak-kinds=definite,indirect,possible "$out/plain"

check "install" make --silent -C ffi install PREFIX="$out/prefix" LIBRARY_DIR="$library"
installed_example() {
    PKG_CONFIG_PATH="$out/prefix/lib/pkgconfig" pkg-config --exact-version="$version" keyplate
    gcc -std=c11 "${warnings[@]}" examples/c/main.c \
        $(PKG_CONFIG_PATH="$out/prefix/lib/pkgconfig" pkg-config --cflags --libs keyplate) -o "$out/example"
    rm -f "$out/example.db"*
    LD_LIBRARY_PATH="$out/prefix/lib" "$out/example" "$out/example.db"
}
check "example through pkg-config" installed_example
cmake_example() {
    cmake -S examples/c -B "$out/cmake" -DCMAKE_PREFIX_PATH="$out/prefix" && cmake --build "$out/cmake"
    rm -f "$out/example.db"*
    "$out/cmake/keyplate-example" "$out/example.db"
}
check "example through CMake" cmake_example
# The browser of the other example: it asks with `register` or `authenticate` and the options.
browser() {
    while read -r action options; do
        case $action in
            register | authenticate)
                "$KEYPLATE_TESTKIT" "$action" --state "$out/browser.json" --origin https://media.example <<<"$options" ;;
            *) echo "$action $options" >&2 ;;
        esac
    done
}
passkey_example() {
    rm -f "$out/passkey.db"* "$out/browser.json" "$out/answers"
    "$KEYPLATE_TESTKIT" new --state "$out/browser.json"
    mkfifo "$out/answers"
    "$out/cmake/keyplate-passkey" "$out/passkey.db" <"$out/answers" | browser >"$out/answers"
}
check "passkey example" passkey_example

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
