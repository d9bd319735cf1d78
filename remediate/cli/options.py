"""Options that several commands share."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from remediate.amounts import is_amount
from remediate.audit.rules import RULES
from remediate.cli.choices import OneOf, meant
from remediate.errors import RemediateError
from remediate.iis.attributes import seconds
from remediate.report.diagnosis import PIPE, Screen
from remediate.values.fleet import Inventory

_ANSIBLES = ("extra_vars", "user", "ask_pass", "password_file", "connection", "private_key")


class _Path(click.Path):
    """A path; an empty one, which the variable of a script may be, is not the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name is empty: give a path", param, ctx)
        return super().convert(value, param, ctx)


PATH, FILE = _Path(path_type=Path), _Path(path_type=Path, dir_okay=False)
F = TypeVar("F", bound=Callable[..., Any])


def inventory_options() -> Callable[[F], F]:
    """-i, -l and the other options of Ansible for reaching hosts, passed to the command as the argument ``inventory``.

    Without -i it has no sources: cli/inventory.py finds the configured ones.
    """
    add = _all(
        click.option(
            "-i",
            "--inventory",
            multiple=True,
            type=click.Path(),
            metavar="INV",
            help="Inventory source, as for ansible-playbook. May be repeated.  [default: as ansible.cfg says]",
        ),
        click.option("-l", "--limit", metavar="PATTERN", help="Use only the hosts that match this Ansible pattern."),
        click.option(
            "--vault-password-file",
            "vault_files",
            multiple=True,
            type=click.Path(),
            metavar="FILE",
            help="File with a vault password, as for ansible-playbook. May be repeated.",
        ),
        click.option(
            "--vault-id",
            "vault_ids",
            multiple=True,
            metavar="LABEL@SOURCE",
            help="Vault identity, as for ansible-playbook. May be repeated.",
        ),
        click.option("-J", "--ask-vault-pass", "ask_vault", is_flag=True, help="Ask for the vault password."),
        click.option(
            "-e",
            "--extra-vars",
            multiple=True,
            metavar="VARS",
            help="Extra variables, as for ansible-playbook: NAME=VALUE, JSON or @FILE. May be repeated.",
        ),
        click.option("-u", "--user", metavar="NAME", help="User to connect as where no variable names a user."),
        click.option("-k", "--ask-pass", is_flag=True, help="Ask for the connection password."),
        click.option(
            "--connection-password-file", "password_file", metavar="FILE", help="File with the connection password."
        ),
        click.option(
            "-c",
            "--connection",
            metavar="NAME",
            help="Use this connection plugin where ansible_connection is not set.",
        ),
        click.option("--private-key", metavar="FILE", help="Private key for ssh."),
    )

    def collect(command: F) -> F:
        @wraps(command)
        def call(
            inventory: tuple[str, ...],
            limit: str | None,
            vault_files: tuple[str, ...],
            vault_ids: tuple[str, ...],
            ask_vault: bool,
            **others: Any,
        ) -> Any:
            vaults = (*vault_ids, *(f"default@{file}" for file in vault_files))
            ansibles = {name: others.pop(name) for name in _ANSIBLES}
            chosen = Inventory(sources=inventory, limit=limit, vault_ids=vaults, ask_vault=ask_vault, **ansibles)
            return command(inventory=chosen, **others)

        return cast(F, add(call))

    return collect


TIMEOUT = 60.0
# Event logs are long, and Windows reads the whole log for each query.
EVIDENCE_TIMEOUT = 180.0


def pace_options(evidence: bool = False) -> Callable[[F], F]:
    """--forks and --timeout. With ``evidence`` the ``timeout`` is None unless it was given."""
    seconds, hosts = click.FloatRange(1, 3600), click.IntRange(1, 1000)
    words = f"Seconds to wait for each host.  [default: {TIMEOUT:g}; with --evidence {EVIDENCE_TIMEOUT:g}]"
    timeout = (
        click.option("--timeout", type=seconds, help=words)
        if evidence
        else click.option(
            "--timeout", type=seconds, default=TIMEOUT, show_default=True, help="Seconds to wait for each host."
        )
    )
    return _all(
        click.option("-f", "--forks", type=hosts, default=64, show_default=True, help="Hosts to handle at a time."),
        timeout,
    )


def _all(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    def add(command: F) -> F:
        decorated: Any = command
        for option in options[::-1]:
            decorated = option(decorated)
        return cast(F, decorated)

    return add


def rules_option() -> Callable[[F], F]:
    """--rules, passed to the command as the set ``rules``."""

    def parse(_context: click.Context, _option: click.Parameter, text: str) -> frozenset[str]:
        rules = frozenset(rule.strip().upper() for rule in text.split(",") if rule.strip())
        unknown = sorted(rules - RULES.keys())
        if unknown:
            raise click.BadParameter(f"{unknown[0]!r} is not a rule; use {', '.join(RULES)}{meant(unknown[0], RULES)}")
        return rules

    return click.option(
        "--rules",
        metavar="RM001,...",
        default="",
        callback=parse,
        help="Check only these rules, and report all that they find as findings, not as notes.",
    )


def format_option(formats: Sequence[str]) -> Callable[[F], F]:
    """--format, passed to the command as ``form``. The first of the formats is the default."""
    return click.option(
        "--format", "form", type=OneOf(formats), default=formats[0], show_default=True, help="Format of the output."
    )


def out_option() -> Callable[[F], F]:
    """--out FILE, for ``emit``."""
    return click.option(
        "--out",
        type=FILE,
        metavar="FILE",
        help="Write to FILE instead of standard output.",
    )


def plan_folder_option() -> Callable[[F], F]:
    """--out DIR, for ``write_plan``."""
    return click.option(
        "--out",
        type=PATH,
        metavar="DIR",
        required=True,
        help="Folder to write the plan to. It must be new or empty.",
    )


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(_context: click.Context, _option: click.Parameter, text: str) -> float:
    """``90s``, ``20m``, ``24h``, ``7d`` or IIS's ``[d.]hh:mm:ss``, in seconds. An ambiguous text is refused."""
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.isascii() and number.isdigit() and len(number) < 7:
        return int(number) * _UNITS[unit]
    try:
        return seconds(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: write a number with its unit: 90s, 20m, 24h or 7d") from None


def amount(_context: click.Context, _option: click.Parameter, text: str, least: int = 0) -> str:
    """A number of hosts or a percentage, see remediate.amounts."""
    if not is_amount(text, least):
        raise click.BadParameter(f"{text!r}: write a number of hosts, or a percentage such as 10%")
    return text


def amounts(context: click.Context, option: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Amounts of at least one host, separated by commas. Empty where the option is not given."""
    return tuple(amount(context, option, part, least=1) for part in text.split(",")) if text else ()


def screen(out: Path | None) -> Screen:
    """The width and colours of standard output: a terminal's or a pipe's. A file is written as for a pipe."""
    if out is not None:
        return PIPE
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
    if not sys.stdout.isatty():
        return Screen(utf8=utf8)
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Screen(width=min(max(shutil.get_terminal_size().columns, 60), 200), utf8=utf8, colour=colour)


def check_target(out: Path | None) -> None:
    """RemediateError where ``emit`` could not write there. It is called before the work whose result is written."""
    if out is None or (out.exists() and not out.is_file()):
        return
    folder = out.resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        what = "is not writable" if folder.is_dir() else "does not exist"
        raise RemediateError(f"{out}: cannot be written: {folder} {what}")


def emit(data: bytes, out: Path | None) -> None:
    """Write to standard output, or to a file that is replaced whole or not at all."""
    if out is None:
        sys.stdout.buffer.write(data)
        # A later failure must not lose the output, and a reader that is gone is detected here.
        sys.stdout.flush()
        return
    try:
        if out.exists() and not out.is_file():
            out.write_bytes(data)  # a device or a pipe is written to, not replaced
            return
        target = out.resolve()
        building = target.with_name(f".{target.name}.{os.getpid()}.new")
        try:
            building.write_bytes(data)
            if target.exists():
                building.chmod(target.stat().st_mode & 0o777)
            building.replace(target)
        finally:
            building.unlink(missing_ok=True)
    except OSError as error:
        raise RemediateError(f"{out}: cannot be written: {error.strerror}") from error
