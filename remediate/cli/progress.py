"""Progress on standard error: a bar on a terminal, a line for each host in a pipeline."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from remediate.cli.verbosity import is_quiet


@contextmanager
def follow(doing: str, hosts: int) -> Iterator[Callable[[str, bool], None]]:
    """Gives a function to call for each host that is done, with its line and whether the line reports a problem.

    Beside a bar only problems are shown: a thousand lines without a problem would scroll them away. A problem that
    another host had before is shortened, `web02: failed, as web01`, and not shown beside a bar.
    """
    if is_quiet():
        yield lambda _line, _trouble: None
        return
    first: dict[str, str] = {}

    def shortened(line: str) -> str:
        host, _, said = line.partition(": ")
        before = first.setdefault(said, host)
        return line if before == host else f"{host}: {said.partition(':')[0]}, as {before}"

    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda line, trouble: click.echo(shortened(line) if trouble else line, err=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=hosts)

        def done(line: str, trouble: bool) -> None:
            if trouble and shortened(line) == line:
                bar.console.print(Text(line))
            bar.advance(task)
            if bar.finished:
                # Ansible takes some seconds more to end a run of many hosts.
                bar.update(task, description=f"{doing}: ending")

        yield done
