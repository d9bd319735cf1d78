"""The transcripts in README.md are what the program prints.

In README a line `...` stands for lines that are left out, and a line that ends with ` ...` is cut. The spaces between
columns are fewer where long rows are left out. All else is compared, line by line. The numbers of a
diagnosis are not: it is of the last two days.
"""

import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tests.conftest import Up, remediate, run

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


def whole(lines: Iterable[str]) -> str:
    return "".join(map(pattern, lines))


def test_the_demo(tmp_path: Path) -> None:
    """What README shows of the demo is what it prints; it ends well, and leaves no process and no file."""
    said = remediate("demo", "--full", expect=0, TMPDIR=str(tmp_path)).stdout
    assert said.count("# checked: ") == 4
    printed = list(transcripts(said.splitlines()))
    shown = in_readme("Try it")
    assert len(shown) == 5
    for command, lines in shown:
        of_command = ["".join(f"{line}\n" for line in out) for name, out in printed if name == command]
        assert any(re.fullmatch(whole(lines), text) for text in of_command), f"{command}: README shows {lines}"
    assert str(tmp_path) not in run("ps", "-eo", "args", expect=0).stdout
    assert list(tmp_path.iterdir()) == []


def test_the_diagnosis(up: Up, tmp_path: Path) -> None:
    """What README shows of a diagnosis is what the command prints for a simulated server, but for the numbers."""
    state = up("--servers", "1")
    remediate("lab", "play", "--state", state, "--hours", "48", "--traffic", "random", expect=0)
    server = state / "servers" / "web001"
    for name, target in (
        ("app.log", "Logs/app/Default Web Site_contoso-shop.log"),
        ("W3SVC1", "Logs/W3SVC1"),
        ("System.xml", "Windows/System32/winevt/Logs/System.xml"),
    ):
        (tmp_path / name).symlink_to(server / target)
    inventory = state / "inventory" / "hosts.yml"
    remediate("audit", "-i", inventory, "--save", tmp_path / "audit.json", expect=2)
    ((command, lines),) = in_readme("From a log to the pool")
    _, program, *arguments = shlex.split(command)
    done = run("env", "-C", tmp_path, Path(sys.prefix) / "bin" / program, *arguments, expect=2)
    number = re.compile(r"\d+(?:[:.]\d+)*%?")
    printed = "".join(f"{number.sub('0', line)}\n" for line in done.stdout.splitlines() if line.strip())
    assert re.fullmatch(whole(number.sub("0", line) for line in lines), printed), done.stdout
