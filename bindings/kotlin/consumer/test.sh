#!/usr/bin/env bash
# README's lines in Kotlin and in Java, in a fresh Maven project outside of this repository that has one dependency: the
# package as `mvn package` has just left it in ../target. Argument: its version. Needs mvn; prints nothing if all is well.
set -euo pipefail
cd "$(dirname "$0")"
version=$1 project=$PWD package=$(dirname "$PWD") readme=$PWD/../../../README.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The user's own repository stays as it is: what is in it is linked into one that ends with this test.
mkdir "$work/repository"
if [ -d ~/.m2/repository ]; then
    cp -al ~/.m2/repository/. "$work/repository" 2>/dev/null || cp -a ~/.m2/repository/. "$work/repository"
fi
rm -rf "$work/repository/org/keyplate"
maven=(mvn --batch-mode --quiet "-Dmaven.repo.local=$work/repository")
cd "$work"
"${maven[@]}" install:install-file -Dfile="$package/target/keyplate-$version.jar" -DpomFile="$package/pom.xml"

# The first block of the README in this language.
lines() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$readme" | sed '1d;/^```$/,$d'; }
mkdir -p "$work/project/src/main/kotlin" "$work/project/src/main/java" "$work/kotlin" "$work/java"
cp "$project/pom.xml" "$work/project"
{
    printf 'import org.keyplate.*\n\nfun main() {\n'
    lines kotlin
    printf '}\n'
} >"$work/project/src/main/kotlin/Screen.kt"
{
    printf 'import java.util.List;\nimport org.keyplate.*;\n\npublic class Twin {\n'
    printf 'public static void main(String[] arguments) throws KeyplateException {\n'
    lines java
    printf '}\n}\n'
} >"$work/project/src/main/java/Twin.java"
run() {
    (cd "$work/$1" && "${maven[@]}" -f ../project/pom.xml "-Dkeyplate.version=$version" "${@:3}" exec:java "-Dexec.mainClass=$2")
    [ -s "$work/$1/id.db" ] || { echo "$2 has left no database" >&2; return 1; }
}
run kotlin ScreenKt compile
run java Twin
