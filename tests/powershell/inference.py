"""What an expression of a script is, as far as that can be told without running it.

A variable has the type of all that it is given in its function, if that is one; a member, that which the metadata says.
What a parameter holds and what a function gives back is told by ``declared.json``.
"""

import json
import re
from typing import Any

from tests.powershell.engine import HERE, Engine, Node, children, walk

# Names that PowerShell itself gives to types (about_Type_Accelerators), of those that 3.0 has. Others are tried as they
# stand, and below System.
ACCELERATORS = {
    "array": "System.Array", "bool": "System.Boolean", "float": "System.Single",
    "hashtable": "System.Collections.Hashtable",
    "int": "System.Int32", "long": "System.Int64", "psobject": "System.Management.Automation.PSObject",
    "pscustomobject": "System.Management.Automation.PSObject", "regex": "System.Text.RegularExpressions.Regex",
    "scriptblock": "System.Management.Automation.ScriptBlock", "switch": "System.Management.Automation.SwitchParameter",
    "xml": "System.Xml.XmlDocument", "ordered": "System.Collections.Specialized.OrderedDictionary",
}  # fmt: skip
# What the engine's own variables hold.
AUTOMATIC = {
    "matches": "System.Collections.Hashtable", "psversiontable": "System.Collections.Hashtable",
    "executioncontext": "System.Management.Automation.EngineIntrinsics", "true": "System.Boolean",
    "false": "System.Boolean", "psscriptroot": "System.String",
}  # fmt: skip
DICTIONARY = "System.Collections.IDictionary"
# A variable that is given something of its own, as in $x = $x.Parent: that says nothing about its type.
ITSELF: Node = {"name": "", "members": [], "interfaces": []}

# What the scripts keep in a variable and give back from a function, where the text alone does not tell: our word.
DECLARED: dict[str, dict[str, str]] = json.loads((HERE / "declared.json").read_text())


class Types:
    """The types of one script's expressions."""

    def __init__(self, engine: Engine, tree: Node) -> None:
        self._engine = engine
        self._scopes = {id(tree): _assignments(tree)}
        self._asked: list[str] = []  # the variables whose type is being told
        self.declared: set[str] = set()  # which of DECLARED were of use

    def named(self, name: str) -> Node | None:
        """A type by the name that a script, or Facts.cs, gives it."""
        bare = re.sub(r"^System\.(?=ordered$)", "", name)
        generic = re.fullmatch(r"([\w.]+)\[(.+)\]", bare)
        if generic:
            inner = ",".join((self.named(a.strip()) or {"name": a})["name"] for a in generic[2].split(","))
            bare = f"{generic[1]}[{inner}]"
        array = bare.endswith("[]")
        bare = bare.removesuffix("[]")
        for full in (ACCELERATORS.get(bare.lower(), bare), f"System.{bare}"):
            # PowerShell looks types up without case; the metadata does not.
            for spelling in (full, re.sub(r"(^|\.)([a-z])", lambda m: m[1] + m[2].upper(), full)):
                found = self._engine.members(spelling + ("[]" if array else ""))
                if found is not None:
                    return found
        return None

    def infer(self, node: Node, above: tuple[Node, ...]) -> Node | None:
        kind = node["kind"]
        if kind in ("StringConstantExpressionAst", "ExpandableStringExpressionAst"):
            return self.named("System.String")
        if kind in ("TypeExpressionAst", "ConvertExpressionAst"):
            return self.named(node["TypeName"] if kind == "TypeExpressionAst" else node["Type"]["TypeName"])
        if kind == "HashtableAst":
            return self.named("System.Collections.Hashtable")
        if kind in ("ArrayExpressionAst", "ArrayLiteralAst"):
            return self.named("System.Object[]")
        if kind == "BinaryExpressionAst" and node["Operator"] in ("Format", "Join"):
            return self.named("System.String")
        if kind == "BinaryExpressionAst" and node["Operator"] == "Plus":
            left = self.infer(node["Left"], above)
            return left if left and left["name"].endswith("[]") else None
        if kind == "VariableExpressionAst":
            return self._variable(node["VariablePath"], above)
        if kind in ("MemberExpressionAst", "InvokeMemberExpressionAst"):
            holder = self.infer(node["Expression"], above)
            if holder is ITSELF:
                return ITSELF
            name = str(node["Member"].get("Value"))
            found = (find(holder, name) if holder else None) or []
            if kind == "InvokeMemberExpressionAst":
                found = [m for m in found if fits([m], len(node.get("Arguments", [])))]
            if holder and not found and is_a(holder, DICTIONARY):
                return self._declared("keys", name)
            return self._agreed([m["type"] for m in found])
        if kind == "IndexExpressionAst":
            return self._element(self.infer(node["Target"], above), node["Index"])
        if kind == "CommandAst":
            return self._command(node)
        inner = expression(node)
        return self.infer(inner, above) if inner and inner is not node else None

    def _agreed(self, names: list[str]) -> Node | None:
        distinct = set(names)
        return self._known(distinct.pop()) if len(distinct) == 1 else None

    def _known(self, name: str) -> Node | None:
        """The type, unless it is the one that may hold anything."""
        return None if name in ("System.Object", "object") else self.named(name)

    def _command(self, node: Node) -> Node | None:
        name = node["CommandElements"][0].get("Value", "")
        if name.lower() == "new-object":
            made, _ = new_object(node)
            return self.named(made) if made else None
        return self._declared("functions", name)

    def _declared(self, what: str, name: str) -> Node | None:
        for key, made in DECLARED[what].items():
            if key.lower() == name.lower():
                self.declared.add(key)
                return self.named(made)
        return None

    def _element(self, whole: Node | None, index: Node | None = None) -> Node | None:
        """What foreach, or [n], hands out."""
        if whole is None or whole is ITSELF:
            return whole
        if whole["name"] == "System.String":
            return self.named("System.Char")
        if whole["name"].endswith("[]"):
            return self._known(whole["name"][:-2])
        for interface in whole["interfaces"]:
            generic = re.fullmatch(r"System\.Collections\.Generic\.IEnumerable<(.+)>", interface)
            if generic and not (index and is_a(whole, DICTIONARY)):
                return self._known(generic[1])
        return None

    def _variable(self, name: str, above: tuple[Node, ...]) -> Node | None:
        name = name.lower().removeprefix("script:")
        if name.startswith("env:"):
            return self.named("System.String")
        if name in AUTOMATIC:
            return self.named(AUTOMATIC[name])
        if name in ("_", "psitem"):
            # In a catch block that is not a pipeline's block inside of it.
            for node in reversed(above):
                if node["kind"] == "ScriptBlockExpressionAst":
                    return None
                if node["kind"] == "CatchClauseAst":
                    return self.named("System.Management.Automation.ErrorRecord")
            return None
        if name in self._asked:
            return ITSELF
        self._asked.append(name)
        told = [self._source(s, above) for s in self.sources(name, above) if not _is_null(s)]
        self._asked.pop()
        kinds = {(t["name"] if t else None) for t in told if t is not ITSELF}
        if len(kinds) > 1 and all(t and is_a(t, DICTIONARY) for t in told):
            kinds = {DICTIONARY}
        if len(kinds) == 1 and (single := kinds.pop()):
            return self.named(single)
        return self._declared("variables", name)

    def _source(self, source: Node, above: tuple[Node, ...]) -> Node | None:
        if "each" in source:
            return self._element(self.infer(source["each"], above))
        return self.infer(source, above)

    def sources(self, name: str, above: tuple[Node, ...]) -> list[Node]:
        """All that a variable is given in the function around: expressions, and {each: what a loop runs over}."""
        for node in reversed(above):
            if node["kind"] in ("FunctionDefinitionAst", "ScriptBlockExpressionAst") or node is above[0]:
                scope = self._scopes.setdefault(id(node), _assignments(node))
                if name.lower() in scope:
                    return scope[name.lower()]
                if node["kind"] == "FunctionDefinitionAst":
                    return []
        return []


def _assignments(scope: Node) -> dict[str, list[Node]]:
    """Variable -> what it is given in this function, not in those within."""
    found: dict[str, list[Node]] = {}
    for node, above in walk(scope):
        if any(a["kind"] == "FunctionDefinitionAst" and a is not scope for a in above):
            continue
        if node["kind"] == "AssignmentStatementAst":
            left, value = node["Left"], node["Right"]
            if left["kind"] == "ConvertExpressionAst":
                left, value = left["Child"], left
            if left["kind"] == "VariableExpressionAst":
                found.setdefault(left["VariablePath"].lower().removeprefix("script:"), []).append(value)
        elif node["kind"] == "ForEachStatementAst":
            found.setdefault(node["Variable"]["VariablePath"].lower(), []).append(
                {"each": node["Condition"], "kind": ""}
            )
        elif node["kind"] == "ParameterAst":
            types = [a for a in node.get("Attributes", []) if a["kind"] == "TypeConstraintAst"]
            value = {"kind": "ConvertExpressionAst", "Type": types[0]} if types else {"kind": ""}
            found.setdefault(node["Name"]["VariablePath"].lower(), []).append(value)
    return found


def expression(node: Node) -> Node | None:
    """The one expression or command within a statement, or within parentheses."""
    while node["kind"] in ("PipelineAst", "CommandExpressionAst", "ParenExpressionAst", "StatementBlockAst"):
        below = [child for name, child in children(node) if name != "Redirections"]
        if len(below) != 1:
            return None
        node = below[0]
        if node["kind"] == "UnaryExpressionAst" and node["TokenKind"] == "Comma":
            node = node["Child"]
        if node["kind"] == "CommandAst":
            return node
    return (
        node if node["kind"].endswith("ExpressionAst") or node["kind"] in ("HashtableAst", "ArrayLiteralAst") else None
    )


def _is_null(source: Node) -> bool:
    inner = expression(source) if source["kind"] else None
    return inner is not None and inner.get("text", "").lower() == "$null"


def new_object(node: Node) -> tuple[str | None, int]:
    """The type's name, and how many arguments its constructor is given."""
    rest = [e for e in node["CommandElements"][1:] if e.get("ParameterName", "").lower() != "typename"]
    if not rest or rest[0]["kind"] != "StringConstantExpressionAst":
        return None, 0
    arguments = [e for e in rest[1:] if e["kind"] != "CommandParameterAst"]
    listed = arguments[0] if arguments else None
    if listed and listed["kind"] == "ParenExpressionAst":
        listed = expression(listed) or listed
    count = len(listed["Elements"]) if listed and listed["kind"] == "ArrayLiteralAst" else len(arguments)
    return str(rest[0]["Value"]), count


def find(holder: Node, name: str) -> list[dict[str, Any]] | None:
    return [m for m in holder["members"] if m["name"].lower() == name.lower()] or None


def fits(methods: list[dict[str, Any]], count: int) -> bool:
    return any(m["kind"] != "Method" or m["least"] <= count <= m["most"] for m in methods)


def is_a(holder: Node, interface: str) -> bool:
    return interface == holder["name"] or interface in holder["interfaces"]
