"""Which statements of a script ran: a copy of it marks each of them before it runs.

A mark is a folder that is made: of all that could be put before a statement it needs nothing of the script's own,
prints nothing, touches no variable, and may be done twice, in any runspace, by many processes at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.powershell.engine import Engine, Node, walk


@dataclass(frozen=True)
class Statement:
    file: str
    function: str
    line: int
    start: int
    text: str  # its first line

    @property
    def key(self) -> str:
        return f"{self.file} | {self.function or '(script)'} | {self.text}"


def statements(file: str, tree: Node) -> list[Statement]:
    """All statements of a file, but the definitions of functions, which are no act.

    What stands inside ``$(...)`` or ``@(...)`` is part of the statement around it: putting something before it there
    could change what it gives.
    """
    found = []
    for node, above in walk(tree):
        if node["kind"] not in ("NamedBlockAst", "StatementBlockAst"):
            continue
        if above and above[-1]["kind"] in ("SubExpressionAst", "ArrayExpressionAst"):
            continue
        function = next((a["Name"] for a in reversed(above) if a["kind"] == "FunctionDefinitionAst"), "")
        for statement in node.get("Statements", []):
            if statement["kind"] != "FunctionDefinitionAst":
                text = statement["text"].splitlines()[0].strip()
                found.append(Statement(file, function, statement["line"], statement["start"], text))
    return sorted(found, key=lambda s: s.start)


def marked(text: str, found: Iterable[Statement], marks: Path) -> str:
    """The script with a mark before each of its statements."""
    assert text.isascii(), "the parser counts in UTF-16, Python in code points"
    for statement in sorted(found, key=lambda s: -s.start):
        folder = marks / f"{statement.file}-{statement.start}"
        mark = f"[void][System.IO.Directory]::CreateDirectory('{folder}'); "
        text = text[: statement.start] + mark + text[statement.start :]
    return text


def mark_files(engine: Engine, files: Iterable[Path], marks: Path) -> list[Statement]:
    """Put marks into these files, in place; all their statements."""
    every = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        found = statements(file.name, engine.tree(text))
        file.write_text(marked(text, found, marks), encoding="utf-8")
        every += found
    return every


def reached(every: Iterable[Statement], marks: Path) -> list[Statement]:
    """Those that ran."""
    return [s for s in every if (marks / f"{s.file}-{s.start}").is_dir()]
