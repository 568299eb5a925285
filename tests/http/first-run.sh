#!/bin/sh
# Runs what docs/first-run.md prints: each section's `sh` blocks in order, by one `sh -eu`, in an empty folder. A `text` block
# is what the `sh` block before it prints, with `…` for what differs.
. "$(dirname "$0")/lib.sh"
document=${FIRST_RUN_DOCUMENT:-$(dirname "$0")/../../docs/first-run.md}
port=1411 # as printed

is_free() {
    curl --silent --noproxy '*' --max-time 5 --output /dev/null "http://127.0.0.1:$port/" && return 1
    [ $? -eq 7 ] # nobody listens
}

# Splits the document: a folder for each section, with its title, a script that marks where each block's output begins, and
# in want.N what block N is to print.
split() {
    awk -v work="$work" '
        /^```/ && kind != "" { kind = ""; next }
        /^```sh$/ {
            kind = "sh"
            out = folder "/script"
            print "echo; echo @@@ " ++blocks >out
            next
        }
        /^```text$/ { kind = "text"; out = folder "/want." blocks; next }
        /^```/ { kind = "other"; next }
        kind == "sh" || kind == "text" { print >out; next }
        /^## / {
            folder = work "/section." ++sections
            system("mkdir " folder)
            print substr($0, 4) >(folder "/title")
            blocks = 0
        }' "$document"
}

# Does FILE hold what WANT says? Says the first line that differs.
compare() { # compare WANT FILE
    node -e '
        const lines = (name) => require("fs").readFileSync(name, "utf8").replace(/\n+$/, "").split("\n");
        const [want, got] = process.argv.slice(1).map(lines);
        const pattern = (line) => new RegExp("^" + line.split("…").map((part) => part.replace(/[^\w ]/g, "\\$&")).join(".*") + "$");
        for (let i = 0; i < Math.max(want.length, got.length); i++) {
            if (want[i] !== undefined && got[i] !== undefined && pattern(want[i]).test(got[i])) continue;
            console.log(`line ${i + 1} is "${got[i] ?? ""}", not "${want[i] ?? ""}"`);
            break;
        }' "$1" "$2"
}

run_section() { # run_section FOLDER
    title=$(cat "$1/title")
    mkdir "$1/empty"
    ended=0
    # A session of its own, so that everything that it started can be found; no variables but those of the document.
    (
        cd "$1/empty"
        exec setsid env -i "PATH=$work/bin:$PATH" "HOME=$1/empty" LC_ALL=C.UTF-8 timeout 120 sh -eu "$1/script"
    ) >"$1/output" 2>&1 &
    section=$!
    started="$started -$section"
    wait "$section" || ended=$?
    kill -- "-$section" 2>/dev/null || :
    check "first run: $title" 0 "$ended"
    [ "$ended" -eq 0 ] || cat "$1/output" >&2

    awk -v folder="$1" '/^@@@ [0-9]+$/ { out = folder "/got." $2; printf "" >out; next } out { print >out }' "$1/output"
    for want in "$1"/want.*; do
        block=${want##*.}
        [ -e "$1/got.$block" ] || echo "block $block never ran" >"$1/got.$block"
        check "first run: $title: output of block $block" "" "$(compare "$want" "$1/got.$block")"
    done
    for _ in $(seq 200); do
        is_free && return
        sleep 0.05
    done
    echo "not ok first run: the server of \"$title\" does not stop"
    exit 1
}

if ! is_free; then
    echo "not ok first run: something listens on port $port, which docs/first-run.md prints; stop it and run this again"
    exit 1
fi
mkdir "$work/bin"
ln -s "$(realpath "$KEYPLATE_SERVER")" "$work/bin/keyplate-server"
split
for folder in "$work"/section.*; do
    # A table of contents or so has no commands.
    [ ! -e "$folder/script" ] || run_section "$folder"
done
check "first run: sections" 5 "$(ls -d "$work"/section.*/script | wc -l | tr -d ' ')"
