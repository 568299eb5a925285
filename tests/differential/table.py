"""The list of disagreements, `disagreements.md`: read, and held against what was seen."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

JUDGES = ("Keyplate", "py_webauthn", "SimpleWebAuthn")
VERDICTS = ("accept", "refuse")
STANDARD = (*VERDICTS, "either")

Verdicts = tuple[str, ...]
# The ceremony's kind, and one change or two.
Subject = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Seen:
    """What became of a change, or of a pair of them."""

    subject: Subject
    verdicts: Verdicts
    # Of a change, the standard's; of a pair, none.
    standard: str | None
    # Of a pair, what its changes let expect: that a judge refuses what it refuses one half of.
    expected: Verdicts | None = None

    def disagrees(self) -> bool:
        if self.expected is not None:
            return self.verdicts != self.expected
        views = set(self.verdicts) | ({self.standard} - {"either"})
        return len(views) > 1


def read(path: Path) -> dict[Subject, tuple[Verdicts, str | None]]:
    """Each listed disagreement with its verdicts; of a pair without the standard's."""
    listed: dict[Subject, tuple[Verdicts, str | None]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] not in ("both", "registration", "sign-in"):
            continue
        for subject, entry in entries(cells, line):
            if subject in listed:
                raise SystemExit(f"{path.name} has {name(subject)} twice")
            listed[subject] = entry
    return listed


def entries(cells: list[str], line: str) -> Iterator[tuple[Subject, tuple[Verdicts, str | None]]]:
    kinds = ("registration", "sign-in") if cells[0] == "both" else (cells[0],)
    names = re.findall(r"`([^`]+)`", cells[1])
    verdicts, standard, sentence = tuple(cells[2:5]), cells[5], cells[6:]
    is_pair = " + " in (names or [""])[0]
    is_known = all(verdict in VERDICTS for verdict in verdicts) and (is_pair or standard in STANDARD)
    if not names or not is_known or not all((sentence or [standard])[-1:]):
        raise SystemExit(f"no row of a disagreement: {line}")
    for kind in kinds:
        for each in names:
            yield (kind, tuple(each.split(" + "))), (verdicts, None if is_pair else standard)


def complaints(seen: list[Seen], listed: dict[Subject, tuple[Verdicts, str | None]]) -> dict[Subject, str]:
    """What is not as it is listed: new disagreements, other ones, and listed ones that no longer occur."""
    found: dict[Subject, str] = {}
    for each in seen:
        entry = (each.verdicts, each.standard)
        was = listed.get(each.subject)
        if each.disagrees() and was is None:
            found[each.subject] = f"is a new disagreement: {told(*entry)}" + (
                f", where its halves let expect {told(each.expected, None)}" if each.expected else ""
            )
        elif each.disagrees() and was != entry:
            found[each.subject] = f"is {told(*entry)}, and listed as {told(*was)}" if was else ""
        elif not each.disagrees() and was is not None:
            found[each.subject] = "is listed, and no longer a disagreement"
    for subject in listed.keys() - {each.subject for each in seen}:
        found[subject] = "is listed, and is no change or pair that is made"
    return found


def told(verdicts: Verdicts, standard: str | None) -> str:
    parts = [f"{judge} {verdict}" for judge, verdict in zip(JUDGES, verdicts, strict=True)]
    return ", ".join(parts + ([f"the standard {standard}"] if standard else []))


def name(subject: Subject) -> str:
    return f"{subject[0]}: {' + '.join(subject[1])}"
