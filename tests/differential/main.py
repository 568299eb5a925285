"""Runs the ceremonies through the three judges, and compares what they say with the list. `run.sh` calls it.

With `--show` it also prints every disagreement as it was seen.
"""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import ours
import table
from generator import Change, Kind, changes, pairs
from table import Seen, Verdicts

HERE = Path(__file__).parent
KINDS: tuple[Kind, ...] = ("registration", "sign-in")
OTHERS = ([sys.executable, str(HERE / "judges/py_webauthn.py")], ["node", str(HERE / "judges/simplewebauthn.mjs")])


def main() -> int:
    plan: list[tuple[Kind, tuple[Change, ...]]] = []
    for kind in KINDS:
        plan.append((kind, ()))
        plan += [(kind, (change,)) for change in changes(kind)]
        plan += [(kind, pair) for pair in pairs(kind)]
    verdicts = judged(plan)
    alone = {
        (kind, changed[0].name): found for (kind, changed), found in zip(plan, verdicts, strict=True) if len(changed) == 1
    }
    seen: list[Seen] = []
    broken: dict[table.Subject, str] = {}
    for (kind, changed), found in zip(plan, verdicts, strict=True):
        subject: table.Subject = (kind, tuple(change.name for change in changed))
        if not changed:
            if set(found) != {"accept"}:
                broken[subject] = f"the genuine ceremony is not accepted: {table.told(found, None)}"
        elif found[0] not in table.VERDICTS:
            broken[subject] = f"Keyplate {found[0]}"
        elif len(changed) == 1:
            seen.append(Seen(subject, found, changed[0].standard))
        else:
            expected = both(*(alone[kind, change.name] for change in changed))
            seen.append(Seen(subject, found, None, expected))
    if "--show" in sys.argv:
        for shown in filter(Seen.disagrees, seen):
            print(f"{table.name(shown.subject)}: {table.told(shown.verdicts, shown.standard)}")
    broken |= table.complaints(seen, table.read(HERE / "disagreements.md"))
    for each, complaint in sorted(broken.items()):
        print(f"failed: {table.name(each)} {complaint}")
    summarise(plan, verdicts, seen)
    of_run = {(kind, tuple(change.name for change in changed)) for kind, changed in plan}
    print(f"{len(of_run - broken.keys())} passed, {len(broken)} failed")
    return 1 if broken else 0


def judged(plan: list[tuple[Kind, tuple[Change, ...]]]) -> list[Verdicts]:
    """The verdicts on each ceremony of the plan, in the order of the judges."""
    began = time.monotonic()
    with ours.Judge() as judge:
        ceremonies = [judge.judge(kind, changed) for kind, changed in plan]
    lines = "".join(ceremony.asked() + "\n" for ceremony in ceremonies)
    columns = [[ceremony.ours for ceremony in ceremonies]]
    for command in OTHERS:
        done = subprocess.run(command, input=lines, stdout=subprocess.PIPE, encoding="utf-8", check=True)
        columns.append(done.stdout.split())
    print(f"{len(plan)} ceremonies judged in {time.monotonic() - began:.0f} s")
    return list(zip(*columns, strict=True))


def both(first: Verdicts, second: Verdicts) -> Verdicts:
    return tuple("accept" if pair == ("accept", "accept") else "refuse" for pair in zip(first, second, strict=True))


def summarise(plan: list[tuple[Kind, tuple[Change, ...]]], verdicts: list[Verdicts], seen: list[Seen]) -> None:
    for kind in KINDS:
        of_kind = [found for (planned, _), found in zip(plan, verdicts, strict=True) if planned == kind]
        alone = [each for each in seen if each.subject[0] == kind and each.expected is None]
        together = [each for each in seen if each.subject[0] == kind and each.expected is not None]
        agree = Counter(len(set(found)) == 1 for found in of_kind)[True]
        print(
            f"{kind}: {len(alone)} changes and {len(together)} pairs, {len(of_kind)} ceremonies; the three agree on {agree}; "
            f"{sum(map(Seen.disagrees, alone))} changes and {sum(map(Seen.disagrees, together))} pairs disagree"
        )


if __name__ == "__main__":
    sys.exit(main())
