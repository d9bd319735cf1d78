"""The transcripts in README.md are what the program prints.

In README a line `...` stands for lines that are left out, and a line that ends with ` ...` is cut. The spaces between
columns are fewer where long rows are left out. All else is compared, line by line.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tests.conftest import remediate, run

README = Path(__file__).parents[2] / "README.md"


def transcripts(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Each command behind a `$`, and the lines below it."""
    command = ""
    for is_command, group in groupby(lines, key=lambda line: line.startswith("$ ")):
        if is_command:
            *_, command = group
        elif command:
            yield command, [line.rstrip() for line in group if line.strip() and not line.startswith("# exit code")]


def in_readme(heading: str) -> list[tuple[str, list[str]]]:
    """The transcripts of a section."""
    text = README.read_text(encoding="utf-8")
    section = re.split(r"^##+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return list(transcripts(line[4:] for line in section.splitlines() if line.startswith("    ")))


def pattern(line: str) -> str:
    """The lines of output that a line of README stands for."""
    if line == "...":
        return r"(?:.*\n)*"
    indent = re.match(" *", line)
    words = [re.escape(word) for word in line.removesuffix(" ...").split()]
    assert indent is not None
    return indent[0] + " +".join(words) + (r".*\n" if line.endswith(" ...") else r"\n")


def test_the_demo(tmp_path: Path) -> None:
    """What README shows of the demo is what it prints; it ends well, and leaves no process and no file."""
    said = remediate("demo", "--full", expect=0, TMPDIR=str(tmp_path)).stdout
    assert said.count("# checked: ") == 4
    printed = list(transcripts(said.splitlines()))
    shown = in_readme("Try it")
    assert len(shown) == 5
    for command, lines in shown:
        of_command = ["".join(f"{line}\n" for line in out) for name, out in printed if name == command]
        wanted = "".join(map(pattern, lines))
        assert any(re.fullmatch(wanted, text) for text in of_command), f"{command}: README shows other lines:\n{lines}"
    assert str(tmp_path) not in run("ps", "-eo", "args", expect=0).stdout
    assert list(tmp_path.iterdir()) == []
