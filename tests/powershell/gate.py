"""What a script uses that a version of Windows PowerShell lacks, told from its syntax tree.

Syntax by the tables here; commands and their parameters by PSScriptAnalyzer's lists; types and members by the metadata
of .NET Framework 4.5 and of PowerShell 5.1's engine, and by the sources of Ansible.Basic and of the lab's stand-in for
Microsoft.Web.Administration. A member of an object whose type is not known is reported as not checked.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from tests.powershell.engine import WINDOWS_POWERSHELL, Engine, Node, walk
from tests.powershell.inference import DICTIONARY, Types, expression, find, fits, is_a, new_object

Version = tuple[int, int]

# Kind of node -> the version that first knew it.
NEW_KINDS: dict[str, tuple[Version, str]] = {
    "TernaryExpressionAst": ((7, 0), "the ternary operator"),
    "PipelineChainAst": ((7, 0), "a pipeline chain (&& or ||)"),
    "UsingStatementAst": ((5, 0), "using"),
    "TypeDefinitionAst": ((5, 0), "a class or enum"),
}
NEW_OPERATORS: dict[str, tuple[Version, str]] = {
    "QuestionQuestion": ((7, 0), "??"),
    "QuestionQuestionEquals": ((7, 0), "??="),
}
NEW_VARIABLES: dict[str, Version] = {
    "psedition": (5, 1), "islinux": (6, 0), "ismacos": (6, 0), "iswindows": (6, 0),
    "iscoreclr": (6, 0), "enabledexperimentalfeatures": (6, 2), "psstyle": (7, 2),
    "psnativecommandargumentpassing": (7, 2), "psnativecommanduseerroractionpreference": (7, 3),
}  # fmt: skip
# Methods that the engine gives to every object.
NEW_METHODS: dict[str, Version] = {"where": (4, 0), "foreach": (4, 0)}
COMMON = [
    "Verbose", "Debug", "ErrorAction", "WarningAction", "ErrorVariable", "WarningVariable", "OutVariable", "OutBuffer",
    "WhatIf", "Confirm",
]  # fmt: skip
NEW_COMMON: dict[str, Version] = {
    "PipelineVariable": (4, 0), "InformationAction": (5, 0), "InformationVariable": (5, 0),
}  # fmt: skip
# Members that PowerShell adds to a type.
ADDED = {"[]": {"count"}, "System.IO.FileInfo": {"psiscontainer"}, "System.IO.DirectoryInfo": {"psiscontainer"}}


@dataclass
class Verdict:
    """What is wrong, each with its line; and the members that could not be checked."""

    wrong: list[str] = field(default_factory=list)
    unchecked: set[str] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)  # which of DECLARED were of use


def commands(version: str) -> dict[str, list[str]]:
    """The commands of a Windows PowerShell in small letters, with their parameters."""
    every = json.loads((WINDOWS_POWERSHELL / "commands.json").read_text())[version]
    return {name.lower(): c["parameters"] for module in every.values() for name, c in module.items()}


def functions(tree: Node) -> dict[str, list[str]]:
    """The functions that a script defines, with their parameters."""
    found = {}
    for node, _ in walk(tree):
        if node["kind"] == "FunctionDefinitionAst":
            block = node["Body"].get("ParamBlock", {})
            parameters = [*node.get("Parameters", []), *block.get("Parameters", [])]
            found[node["Name"].lower()] = [p["Name"]["VariablePath"] for p in parameters]
    return found


def judge(engine: Engine, text: str, version: str, known: dict[str, list[str]] | None = None) -> Verdict:
    """Hold a script against a version; ``known`` are the functions of others that it may call."""
    tree = engine.tree(text)
    judgement = _Judgement(engine, text, tree, version, (known or {}) | functions(tree))
    for node, above in walk(tree):
        for trouble in judgement.troubles(node, above):
            judgement.verdict.wrong.append(f"line {node['line']}: {trouble}")
    # The parser names the type of a cast twice.
    judgement.verdict.wrong = [*dict.fromkeys(judgement.verdict.wrong), *file_troubles(text, tree)]
    judgement.verdict.declared = judgement.types.declared
    return judgement.verdict


def file_troubles(text: str, tree: Node) -> Iterator[str]:
    if not text.isascii():
        yield "line 1: not ASCII: Windows PowerShell reads a file without a mark in the machine's code page"
    statements = tree.get("EndBlock", {}).get("Statements", [])
    defines = [s["start"] for s in statements if s["kind"] == "FunctionDefinitionAst"]
    strict = [s["start"] for s in statements if re.fullmatch(r"Set-StrictMode -Version Latest", s["text"])]
    if defines and not (strict and strict[0] < defines[0]):
        yield "line 1: defines functions without Set-StrictMode -Version Latest before them"


class _Judgement:
    """One script against one version."""

    def __init__(self, engine: Engine, text: str, tree: Node, version: str, known: dict[str, list[str]]) -> None:
        self._engine = engine
        self._text = text
        major, minor = version.split(".")
        self._version: Version = (int(major), int(minor))
        self._name = f"Windows PowerShell {version}"
        self._commands = commands(version)
        self._functions = known
        self.types = Types(engine, tree)
        self.verdict = Verdict()

    def _lacks(self, since: Version) -> bool:
        return since > self._version

    # Syntax

    def troubles(self, node: Node, above: tuple[Node, ...]) -> Iterator[str]:
        kind = node["kind"]
        since, what = NEW_KINDS.get(kind) or NEW_OPERATORS.get(node.get("Operator", "")) or ((0, 0), "")
        if self._lacks(since):
            yield f"{what} is not in {self._name}"
        if node.get("NullConditional") and self._lacks((7, 1)):
            yield f"?. or ?[] is not in {self._name}"
        if node.get("Background") and self._lacks((6, 0)):
            yield f"& at a command's end is not in {self._name}"
        if node.get("BlockKind") == "Clean" and self._lacks((7, 3)):
            yield f"a clean block is not in {self._name}"
        if node.get("GenericTypeArguments") and self._lacks((7, 3)):
            yield f"type arguments of a method are not in {self._name}"
        check = getattr(self, f"_{kind}", None)
        if check is not None:
            yield from check(node, above)

    def _ConstantExpressionAst(self, node: Node, _: tuple[Node, ...]) -> Iterator[str]:
        number = re.fullmatch(r"(?i)-?(0b[01]+|0x[0-9a-f]+|[0-9.]+(?:e[+-]?\d+)?)([a-z]*)", node["text"])
        if number and (number[1].lower().startswith("0b") or not re.fullmatch(r"(?i)[ld]?([kmgtp]b)?", number[2])):
            yield f"the number {node['text']} is not in {self._name}"

    def _PipelineAst(self, node: Node, _: tuple[Node, ...]) -> Iterator[str]:
        elements = node["PipelineElements"]
        for left, right in pairwise(elements):
            if re.match(r"[^|]*\n[^|]*\|", self._text[left["end"] : right["start"]]):
                yield f"| at the start of a line is not in {self._name}"

    def _escapes(self, node: Node, _: tuple[Node, ...]) -> Iterator[str]:
        if node.get("StringConstantType", "").startswith("DoubleQuoted"):
            for escape in re.findall(r"(?<!`)(?:``)*(`[eu])", node["text"]):
                yield f"the escape {escape} is not in {self._name}"

    _StringConstantExpressionAst = _ExpandableStringExpressionAst = _escapes

    def _VariableExpressionAst(self, node: Node, _: tuple[Node, ...]) -> Iterator[str]:
        if self._lacks(NEW_VARIABLES.get(node["VariablePath"].lower(), (0, 0))):
            yield f"${node['VariablePath']} is not in {self._name}"

    # Commands

    def _CommandAst(self, node: Node, above: tuple[Node, ...]) -> Iterator[str]:
        first, *elements = node["CommandElements"]
        if first["kind"] != "StringConstantExpressionAst":
            if first["kind"] not in ("ScriptBlockExpressionAst", "ParenExpressionAst"):
                self.verdict.unchecked.add(f"{node['InvocationOperator']} {first['text']}")
            return
        name = first["Value"]
        parameters = self._functions.get(name.lower(), self._commands.get(name.lower()))
        if parameters is None:
            yield f"{name}: no command of {self._name}, or an alias"
            return
        common = [*COMMON, *(p for p, since in NEW_COMMON.items() if not self._lacks(since))]
        for element in elements:
            used = []
            if element["kind"] == "CommandParameterAst":
                used = [element["ParameterName"]]
            elif element.get("Splatted"):
                keys = self._splatted(element, above)
                if keys is None:
                    self.verdict.unchecked.add(f"{name} {element['text']}")
                used = keys or []
            for parameter in used:
                if not _named(parameter, [*parameters, *common]):
                    yield f"{name} -{parameter}: no parameter, or more than one, of {self._name}"
        if name.lower() == "new-object":
            yield from self._new_object(node)

    def _splatted(self, element: Node, above: tuple[Node, ...]) -> list[str] | None:
        """The keys, where the variable is given one hashtable that stands there."""
        sources = self.types.sources(element["VariablePath"], above)
        tables = [table for s in sources if (table := expression(s)) and table["kind"] == "HashtableAst"]
        if len(sources) != 1 or not tables:
            return None
        return [pair[0]["text"].strip("'\"") for pair in tables[0]["KeyValuePairs"]]

    def _new_object(self, node: Node) -> Iterator[str]:
        made, arguments = new_object(node)
        if made is None:
            self.verdict.unchecked.add(node["text"].splitlines()[0])
            return
        facts = self.types.named(made)
        if facts is None:
            yield f"{made}: no type that {self._name} can be sure of"
        elif not fits([m for m in facts["members"] if m["name"] == "new"], arguments):
            yield f"New-Object {made}: no constructor takes {arguments} arguments"

    # Types and members

    def _TypeExpressionAst(self, node: Node, _: tuple[Node, ...]) -> Iterator[str]:
        if self.types.named(node["TypeName"]) is None:
            yield f"[{node['TypeName']}]: no type that {self._name} can be sure of"

    _TypeConstraintAst = _TypeExpressionAst

    def _AttributeAst(self, node: Node, _: tuple[Node, ...]) -> Iterator[str]:
        name = node["TypeName"]
        places = (name, f"{name}Attribute", f"System.Management.Automation.{name}Attribute")
        if not any(self._engine.members(place) for place in places):
            yield f"[{name}()]: no attribute of {self._name}"

    def _member(self, node: Node, above: tuple[Node, ...]) -> Iterator[str]:
        name = node["Member"].get("Value")
        if not isinstance(name, str):
            self.verdict.unchecked.add(node["text"])
            return
        call = node["kind"] == "InvokeMemberExpressionAst"
        if call and self._lacks(NEW_METHODS.get(name.lower(), (0, 0))):
            yield f".{name}(): not in {self._name}"
            return
        if node["Static"] and name.lower() == "new" and self._lacks((5, 0)):
            yield f"::new() is not in {self._name}"
            return
        holder = self.types.infer(node["Expression"], above)
        if holder is None:
            self.verdict.unchecked.add(f"{node['Expression']['text']}.{name}" + ("()" if call else ""))
            return
        found = find(holder, name)
        if found is None and (not call and is_a(holder, DICTIONARY) and not node["Static"]):
            return  # a key
        if found is None and (name.lower() in _added(holder) or name.lower() == "psobject"):
            return
        arguments = len(node.get("Arguments", []))
        if not found or (node["Static"] and not any(m["static"] or m["name"] == "new" for m in found)):
            static = "static " if node["Static"] else ""
            yield f"{node['text'].splitlines()[0]}: {holder['name']} has no {static}{name} for {self._name}"
        elif call and not fits(found, arguments):
            yield f"{name}(): {holder['name']} has none with {arguments} arguments for {self._name}"

    _MemberExpressionAst = _InvokeMemberExpressionAst = _member


def _named(used: str, parameters: list[str]) -> bool:
    """Whether that is the name of one parameter, or the beginning of one alone."""
    low = [p.lower() for p in parameters]
    return used.lower() in low or len([p for p in low if p.startswith(used.lower())]) == 1


def _added(holder: Node) -> set[str]:
    return ADDED.get("[]" if holder["name"].endswith("[]") else holder["name"], set())
