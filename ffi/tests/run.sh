#!/usr/bin/env bash
# Tests the C face as it is installed, below a folder with a blank in its name: the header alone, the test programs under ASan
# and UBSan, natively and under valgrind, the names that the libraries show, the scenarios, the examples through pkg-config
# and CMake, and the media servers in C, Go, JavaScript and C#. Wants gcc, g++, cmake, pkg-config, valgrind, cJSON,
# libmicrohttpd, Go, Node.js with npm, Mono, python3, and in KEYPLATE_TESTKIT the program keyplate-testkit.
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

prefix="$out/pre fix"
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig" RUST_BACKTRACE=0
check "install" make --silent -C ffi install PREFIX="$prefix" LIBRARY_DIR="$library"
check "install below DESTDIR" make --silent -C ffi install PREFIX="/a b" DESTDIR="$out/c d" LIBRARY_DIR="$library"
staged() { diff -r "$prefix/lib/cmake" "$out/c d/a b/lib/cmake" && grep -q '^prefix=/a b$' "$out/c d/a b/lib/pkgconfig/keyplate.pc"; }
check "what is below DESTDIR" staged

# What a library shows: its symbols that are defined and can be seen.
only_ours() { "$@" | awk 'NF > 2 {print $NF}' | sort -u >"$out/names" && grep -q '^keyplate_open$' "$out/names" && ! grep -v '^keyplate_' "$out/names"; }
soname() { readelf -d "$prefix/lib/libkeyplate.so" | grep -F "[libkeyplate.so.${version%.*}]" && [ -e "$prefix/lib/libkeyplate.so.${version%.*}" ]; }

warnings=(-Wall -Wextra -Werror -Iinclude)
check "header as C11" gcc -std=c11 -pedantic "${warnings[@]}" -fsyntax-only -x c include/keyplate.h
check "header as C++17" g++ -std=c++17 -pedantic "${warnings[@]}" -fsyntax-only -x c++ include/keyplate.h
check "names of the shared library" only_ours nm -D --defined-only "$prefix/lib/libkeyplate.so"
check "names of the archive" only_ours nm --extern-only --defined-only "$prefix/lib/libkeyplate.a"
check "SONAME" soname

build() {
    local program=$1
    shift
    gcc -std=gnu11 -g "${warnings[@]}" "-DKEYPLATE_TEST_VERSION=\"$version\"" "$@" \
        "$prefix/lib/libkeyplate.a" -lpthread -ldl -lm -o "$out/$program"
}
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
facade_sources=(ffi/tests/{facade,reasons}_test.c)
arguments_sources=(ffi/tests/arguments_{test,calls}.c)
scenario_sources=(ffi/tests/scenario_{test,authenticator,facade,json}.c)
check "build with ASan and UBSan" build sanitized "${sanitizers[@]}" "${facade_sources[@]}"
check "build of the scenarios" build scenarios "${sanitizers[@]}" "${scenario_sources[@]}" \
    $(pkg-config --cflags --libs libcjson)
check "build" build plain "${facade_sources[@]}"
check "build of wrong arguments with ASan and UBSan" build arguments-sanitized "${sanitizers[@]}" "${arguments_sources[@]}"
check "build of wrong arguments" build arguments "${arguments_sources[@]}"
check_program "under ASan and UBSan" env ASAN_OPTIONS=detect_leaks=1 "$out/sanitized"
check_program "scenarios" env ASAN_OPTIONS=detect_leaks=1 "$out/scenarios" tests/scenarios/*.json
# Valgrind runs one thread at a time, and under ASan nobody forks among writers.
check_program "natively" "$out/plain"
check_program "under valgrind" valgrind --quiet --error-exitcode=1 --leak-check=full \
    --errors-for-leak-kinds=definite,indirect,possible "$out/plain"

check_program "wrong arguments, under ASan and UBSan" env ASAN_OPTIONS=detect_leaks=1 "$out/arguments-sanitized"
grep 'with a wrong argument' "$out/log" || true
check_program "wrong arguments, under valgrind" valgrind --quiet --error-exitcode=1 --leak-check=full \
    --errors-for-leak-kinds=definite,indirect,possible "$out/arguments"

# pkg-config writes blanks for a shell: hence eval.
installed_example() {
    pkg-config --exact-version="$version" "$1" &&
        eval "gcc -std=c11 ${warnings[*]} examples/c/main.c $(pkg-config --cflags --libs "$1") -o '$out/example'" || return
    rm -f "$out/example.db"*
    LD_LIBRARY_PATH="$prefix/lib" "$out/example" "$out/example.db"
}
check "example through pkg-config" installed_example keyplate
check "example through pkg-config, static" installed_example keyplate-static
# The README's C screen in a folder of its own, with a credential that nobody has.
readme() {
    local folder="$out/readme"
    rm -rf "$folder" && mkdir "$folder" &&
        { printf '#include <stdio.h>\n#include <string.h>\n#include "keyplate.h"\nint main(void) {\nconst char *credential = "nobody";\n'
          awk '/^### C$/ {c = 1} c && /^```$/ {exit} on {print} c && /^```c$/ {on = 1}' README.md
          echo '}'; } >"$folder/main.c" &&
        (cd "$folder" && eval "gcc -std=c11 -Wall -Wextra -Werror main.c $(pkg-config --cflags --libs "$1") -o readme" &&
            LD_LIBRARY_PATH="$prefix/lib" ./readme 2>&1 | grep -x 'invalid credential')
}
check "the README's C screen, shared" readme keyplate
check "the README's C screen, static" readme keyplate-static
cmake_example() {
    cmake -S examples/c -B "$out/cmake" -DCMAKE_PREFIX_PATH="$prefix" && cmake --build "$out/cmake"
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

# The media servers: each is driven by everybody's browser.
host() {
    local name=$1
    shift
    rm -rf "$out/host-$name" && mkdir "$out/host-$name"
    check_program "media server: $name" python3 ffi/tests/hosts_test.py "$out/host-$name" "$@"
}
build_c_host() {
    eval "gcc -std=gnu11 -g ${warnings[*]} ${sanitizers[*]} examples/c/media_server.c \
        $(pkg-config --cflags --libs keyplate-static libmicrohttpd) -o '$out/media-c'"
}
check "build of the media server in C" build_c_host
host c "$out/media-c"
# Go does not see that an archive has changed: its sum makes it link anew.
archive=$(sha256sum "$prefix/lib/libkeyplate.a")
build_go_host() (cd examples/go && go build -ldflags "-X main.archive=${archive%% *}" -o "$out/media-go" .)
check "build of the media server in Go" build_go_host
host go "$out/media-go"
check "packages of the media server in JavaScript" npm ci --prefix examples/node --silent --ignore-scripts
host node --sockets env KEYPLATE_PREFIX="$prefix" node examples/node/main.js
check "build of the media server in C#" mcs -warnaserror -out:"$out/media.exe" examples/csharp/*.cs
host csharp env LD_LIBRARY_PATH="$prefix/lib" mono "$out/media.exe"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
