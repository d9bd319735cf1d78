"""The tables of docs/diagnosis.md, made from the rules that run: `make docs` writes them anew.

A table stands in the document between ``<!-- table: NAME -->`` and ``<!-- end -->``.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from remediate.causation import EXPLANATIONS, TOLERANCE
from remediate.diagnose.symptoms import CHECKS
from remediate.diagnose.verdict import RULES
from remediate.iis.frames import STREAMS

DOCUMENT = Path(__file__).parents[1] / "docs" / "diagnosis.md"
_PLACE = re.compile(r"(<!-- table: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(document: str) -> str:
    """The document with each of its tables as the rules are now. KeyError for a table that is not known."""
    return _PLACE.sub(lambda place: f"{place[1]}{TABLES[place[2]]()}{place[3]}", document)


def explanations() -> str:
    """Which event explains an error, and which confirms."""
    rows: dict[tuple[str, str, str], None] = {}
    for row in EXPLANATIONS.values():
        evidence = "never" if row.confirms is None else f"within {row.confirms} s"
        rows[row.what, f"within {row.explains} s", evidence] = None
    note = f"\nAn error that is stamped less than {TOLERANCE} s before the event counts as after it.\n"
    return _table(("an error after", "is explained by it", "is evidence of the fault"), rows) + note


def verdicts() -> str:
    """The verdict's rules in their order."""
    bold = {"confirmed": "**confirmed**"}
    rows = [(rule.when, bold.get(rule.verdict, rule.verdict)) for rule in RULES]
    return _table(("what is known", "verdict"), rows)


def frames() -> str:
    """What frames say of the response."""
    rows = [(row.names, row.what, row.by_start_up, row.source) for row in STREAMS.values()]
    return _table(("frames", "what was written", "can a start-up request produce them?", "source"), rows)


def symptoms() -> str:
    """When a symptom is seen, and when contradicted."""
    return _table(("symptom", "seen", "contradicted"), [(c.name, c.seen, c.contradicted) for c in CHECKS])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


TABLES: dict[str, Callable[[], str]] = {
    "explanations": explanations, "verdicts": verdicts, "frames": frames, "symptoms": symptoms,
}  # fmt: skip

if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text()))
