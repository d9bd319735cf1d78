"""What may be shown of Ansible's own errors and warnings: the file and line, and what is wrong in our words.

Ansible quotes what it could not read: a line of an inventory, a template, what a script printed. Any of that may hold a
password. So nothing of a message is passed on but the names and numbers that a row of these tables lets through.
"""

import re
from collections.abc import Iterator

from remediate.fleet.ansible_internals import ini_line, source_context
from remediate.iis.inspection import one_line

# A name of a variable, a plugin or a group, as Ansible spells it.
_NAME = r"[A-Za-z_][\w.\-]{0,99}"

# The first row that is found in a message decides. `\1` and the like are names and numbers, and nothing else.
_ERRORS = tuple((re.compile(pattern), words) for pattern, words in (
    # Secrets and vaults.
    (r"[Vv]ault password script|[Pp]assword script|password file .* returned non-zero|problem running vault password",
     "a vault's password script failed; run it by hand to see what it prints"),
    (r"(?:password|secret) file .*(?:was not found|does not exist|not found)|[Ii]nvalid vault password was provided",
     "a vault's password file is missing or empty"),
    (r"envelope format error|unhexlify error|vaulttext format error|Cipher .* could not be found|not vault encrypted",
     "it is a damaged vault: encrypt it again"),
    # Templates.
    (rf"The lookup plugin '({_NAME})' was not found", r"lookup plugin '\1' was not found"),
    (rf"The lookup plugin '({_NAME})' failed: .*returned (\d{{1,5}})",
     r"the lookup plugin '\1' failed: its command ended with exit code \2"),
    (rf"The lookup plugin '({_NAME})' failed: .*(?:not found|could not be found|[Nn]o such file|No file was found)",
     r"the lookup plugin '\1' failed: it found no such file"),
    (rf"The (lookup|filter|test) plugin '({_NAME})' failed", r"the \1 plugin '\2' failed"),
    (rf"No (filter|test) named '({_NAME})'", r"the template has a syntax error: there is no \1 '\2'"),
    (r"Syntax error in template", "the template has a syntax error"),
    (rf"^'({_NAME})' is undefined", r"'\1' is undefined"),
    (r"^hostvars\[", "hostvars has no such host"),
    (r"^'\w+' object has no attribute", "the inventory plugin cannot use what it says"),
    (r"has no attribute|has no element", "something in it has no attribute or item of that name"),
    (r"No variable named", "the variable that a lookup names is undefined"),
    (r"Recursive loop|recursion depth|Type 'TemplateReference'", "the template needs itself: a ring of variables"),
    (r"[Tt]emplat", "the template cannot be resolved"),
    # Files of variables.
    (r"expected dicts but got", "it is not a mapping of variables"),
    (r"Unable to retrieve file contents", "a file cannot be read"),
    # Inventories as INI.
    (r"No closing quotation", "a quote is not closed"),
    (r"No escaped character", "a line ends with a backslash"),
    (r"'---' is normally a sign", "it looks like YAML: give the file the ending .yml"),
    (r"Expected group name", "a line of a [...:children] section is not a group's name"),
    (r"Expected key=value", "NAME=VALUE was expected"),
    (r"not valid for undefined group", "a [...:vars] section is of a group that is not there"),
    (r"Section \[.*has unknown type", "a section is of an unknown type: children, hosts and vars are known"),
    (r"includes undefined group", "a [...:children] section names a group that is not there"),
    (r"Section \[.*not a valid|[Ii]nvalid section entry", "a section's header is not valid"),
    (r"Invalid host pattern|host range|invalid literal for int", "a host's name or range is not valid"),
    # As YAML, JSON, TOML.
    (r"Tabs are usually invalid", "it is not valid YAML: it has a tab where spaces are wanted"),
    (r"Colons in unquoted values", "it is not valid YAML: quote the value, since it has a colon"),
    (r"control characters are not allowed|surrogates not allowed|could not be decoded|codec can't",
     "it holds bytes that are no text in UTF-8"),
    (rf"Invalid \"(hosts|vars|children)\" entry for \"({_NAME})\" group, requires a dictionary",
     r"`\1` of the group '\2' must be a mapping (`NAME:`, without a dash)"),
    (r"Invalid \"(hosts|vars|children)\" entry", r"`\1` of a group must be a mapping (`NAME:`, without a dash)"),
    (r"YAML inventory has invalid structure", "it must be a mapping of groups"),
    (r"missing quotes around a template block", "it is not valid YAML: quote a value that begins with {{"),
    (r"undefined alias", "it is not valid YAML: quote a value that begins with *"),
    (r"could not determine a constructor", "it is not valid YAML: quote a value that begins with !"),
    (r"TOML file .* is invalid", "it is not valid TOML"),
    (r"YAML parsing failed", "it is not valid YAML"),
    # Scripts and plugins.
    (r"script returned non-zero exit code (\d{1,5})",
     r"the script ended with exit code \1; run it by hand to see what it prints"),
    (r"JSON decoder for inventory script", "the script did not print one JSON object"),
    (r"Inventory script result contained characters", "the script printed bytes that are no text in UTF-8"),
    (r"Value contains '", "what the script printed is not an inventory: a list or a mapping is missing in it"),
    (r"problem running .*(?:Permission denied)|Exec format error|Failed to execute inventory script",
     "the script cannot be started"),
    (rf"specifies unknown plugin '({_NAME})'", r"there is no inventory plugin '\1' here"),
    (rf"inventory plugin '({_NAME})'", r"the inventory plugin '\1' failed"),
    # Patterns.
    (r"[Ll]imit file", "the file that -l names cannot be read"),
    (r"[Hh]ost pattern|subscript|pattern", "the pattern of -l is not valid"),
))  # fmt: skip

# Warnings that change what is inspected. All others stay unsaid.
_WARNINGS = tuple((re.compile(pattern), words) for pattern, words in (
    (rf"Found duplicate mapping key '({_NAME})'", r"\1 stands twice in one mapping, and the last one counts"),
    (r"Found duplicate mapping key", "a key stands twice in one mapping, and the last one counts"),
    (r"could not be decoded as 'utf-8'", "a file is no text in UTF-8"),
    (rf"Skipping '({_NAME})' as this is not a valid group definition",
     r"the group '\1' is not a mapping, and is left out"),
    (r"as this is not a valid group definition|Skipping key", "a part of a group is not a mapping, and is left out"),
    (r"Could not match supplied host pattern", "a part of -l matches no host"),
    (r"variable using reserved name", "a variable has a name that Ansible reserves"),
))  # fmt: skip

_NO_HOST = re.compile(r"Could not match supplied host pattern, ignoring: (\S+)")
_ENCRYPTED = "it is encrypted, and no vault password that was given opens it (see --vault-id, --ask-vault-pass)"
_ORIGIN = re.compile(r"Origin: (/[^\n]*)")
# Ansible shows a file's lines behind its name, up to an empty line.
_SHOWN_LINES = re.compile(r"(Origin: [^\n]*)\n\n(?:[^\n]+(?:\n|\Z))+")
_NAMED_FILE = re.compile(r"(?:Could not process|TOML file) '(/[^']*)'")
_POSITION = re.compile(r"\(at line (\d+), column (\d+)\)|line (\d+),? column (\d+)")


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from, each once: Ansible's chains can be rings."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def reason(error: BaseException) -> str:
    """What is wrong, in one line, without anything that Ansible quotes."""
    chain = list(causes(error))
    found = _words(" ".join(map(_text, chain)), _ERRORS[:3])
    if found is None and any("Vault" in type(cause).__name__ for cause in chain):
        return _ENCRYPTED
    # The outermost error knows most of what was tried; what it came from may be known better.
    found = found or next((words for cause in chain if (words := _words(_text(cause), _ERRORS))), None)
    return found or (
        "a plugin of Ansible's ended itself" if isinstance(error, SystemExit) else "Ansible cannot read it"
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # a plugin's exception may not even be printable
        return ""


def warning(text: str, limit: str = "") -> str | None:
    """One of Ansible's warnings in our words, with its place; None for one that changes nothing.

    A part of ``limit``, as it was typed, is shown: of a file that -l names it may be anything.
    """
    words = _words(text, _WARNINGS)
    if words is None:
        return None
    part = _NO_HOST.search(text)
    if part is not None and part[1] in (one.lstrip("!&") for one in re.split("[,:]", limit)):
        return f"{words}: {one_line(part[1])}"
    where = _ORIGIN.search(text)
    return words if where is None else f"{one_line(where[1])}: {words}"


def in_log(text: str) -> str | None:
    """What Ansible prints, as the log of a run may hold it; None for what is left out.

    A warning is put in our words. Of all else the lines of a file that it shows are left out, with the file named.
    """
    if text.lstrip().startswith("[WARNING]: "):
        words = warning(text)
        return None if words is None else f"[WARNING]: {words}"
    return None if text.lstrip().startswith("[DEPRECATION WARNING]: ") else _SHOWN_LINES.sub(r"\1", text)


def place(error: BaseException) -> str:
    """``FILE``, ``FILE:LINE`` or ``FILE:LINE:COLUMN`` that the error is about; an empty text where nobody knows."""
    best = ""
    for cause in causes(error):
        found = _ORIGIN.match(source_context(cause)) or _NAMED_FILE.search(_text(cause))
        if found is not None and len(found[1]) > len(best):
            best = one_line(found[1])
    if best and not re.search(r":\d+$", best):
        line = _line(error)
        return f"{best}:{line}" if line else best
    return best


def _line(error: BaseException) -> str:
    for cause in causes(error):
        found = _POSITION.search(_text(cause))
        if found is not None:
            return ":".join(number for number in found.groups() if number)
        line = ini_line(cause)
        if line is not None:
            return str(line)
    return ""


def _words(text: str, table: "tuple[tuple[re.Pattern[str], str], ...]") -> str | None:
    for pattern, words in table:
        found = pattern.search(text)
        if found is not None:
            return found.expand(words)
    return None
