"""Server configurations as people and tools leave them, for hypothesis; and ones that IIS would not read."""

from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from remediate.iis.names import iis_key
from remediate.iis.schema import IIS_VERSIONS
from tests.integration.test_names import NASTY

NAMES = st.sampled_from(
    [
        *NASTY,
        "DefaultAppPool",
        "Shop",
        "shop2",
        "www.contoso.example",
        "a b",
        "Straße",
        "STRASSE",
        "a\u3000b",
        "a\u00adb", "a\u00a0b", "\U0001f600",
    ]
)  # fmt: skip
TIMES = ["00:00:00", "00:20:00", "00:01:00", "01:30:00", "29:00:00", "1.05:00:00", "30.00:00:00", "1.00:00:00"]
_BOOL = ["true", "false", "True", "FALSE"]
# attribute -> the spellings that stand in files, and the first IIS that knows it.
VALUES: dict[str, tuple[list[str], tuple[int, int]]] = {
    "startMode": (["OnDemand", "AlwaysRunning", "alwaysrunning", "ALWAYSRUNNING"], (7, 5)),
    "autoStart": (_BOOL, (7, 0)),
    "managedRuntimeVersion": (["v4.0", "v2.0", ""], (7, 0)),
    "managedPipelineMode": (["Integrated", "Classic", "classic"], (7, 0)),
    "processModel.idleTimeout": (TIMES, (7, 0)),
    "processModel.idleTimeoutAction": (["Terminate", "Suspend", "suspend"], (8, 5)),
    "processModel.logEventOnProcessModel": (["IdleTimeout", ""], (8, 0)),
    "processModel.identityType": (["NetworkService", "ApplicationPoolIdentity", "localSystem"], (7, 0)),
    "recycling.disallowRotationOnConfigChange": (_BOOL, (7, 0)),
    "recycling.disallowOverlappingRotation": (_BOOL, (7, 0)),
    "recycling.logEventOnRecycle": (["Time", "Time, Memory", "PrivateMemory,Time", ""], (7, 0)),
    "recycling.periodicRestart.time": (["29:00:00", "00:00:00", "1.05:00:00"], (7, 0)),
}
# What IIS does not read, by the place it stands in.
BAD = {
    "startMode": ["Sometimes", ""],
    "autoStart": ["yes"],
    "processModel.idleTimeout": ["20", "00:20", "-00:20:00", "00:00:30", "30.00:01:00", "x"],
    "processModel.idleTimeoutAction": ["Pause"],
    "recycling.logEventOnRecycle": ["Sometimes"],
}


# What makes all of a section unreadable, by what is changed in the file.
SPOILED = [
    ("<applicationPools>", '<applicationPools configSource="pools.config">'),
    ("<applicationPools>", '<applicationPools configProtectionProvider="X"><EncryptedData/>'),
    ("<sites>", '<sites configSource="sites.config">'),
    ("<applicationPools>", "<applicationPools><applicationPoolDefaults/><applicationPoolDefaults/>"),
    ("<applicationPools>", "<applicationPools><Add/>"), ("<applicationPools>", "<applicationPools><add/>"),
    ("<applicationPools>", '<applicationPools><add name="z" startmode="AlwaysRunning"/>'),
    ("<applicationPools>", '<applicationPools><add name="z"><ProcessModel/></add>'),
    ("<applicationPools>", '<applicationPools><add name="z" xmlns:t="urn:t" t:Transform="Insert"/>'),
    ("<applicationPools>", '<applicationPools><add name="z"/><add name="Z"/>'),
    ("<applicationPools>", '<applicationPools><add name="a/b"/>'),
    ("<applicationPools>", '<applicationPools><add name=""/>'),
    ("<applicationPools>", '<applicationPools><add name="z" startMode="OnDemand "/>'),
    ("<applicationPools>", '<applicationPools><add name="z" autoStart=" true"/>'),
    ("<applicationPools>", "<ApplicationPools/><applicationPools>"),
    ("<applicationPools>", "<applicationPools/><applicationPools>"),
    ("<sites>", "<sites/><sites>"), ("<sites>", '<sites><site name="q"/>'), ("<sites>", '<sites><site id="9"/>'),
    ("<sites>", '<sites><site name="q" id="1"/>'), ("<sites>", '<sites><applicationDefaults preloadEnabled="true"/>'),
    ("<sites>", '<sites><site name="q" id="9"><application/></site>'),
    ("<sites>", '<sites><site name="q" id="9"><application path="/A"/><application path="/a"/></site>'),
    ("<configuration>", '<configuration xmlns="urn:x">'),
    ("<configuration>", "<configuration><System.ApplicationHost/>"),
]  # fmt: skip
ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "utf-16-le", "iso-8859-1", "windows-1252"])


@dataclass
class Spelling:
    """How the file is written."""

    newline: str = "\n"
    bom: bool = False
    quote: str = '"'
    spaced: bool = False
    comments: bool = False
    # An empty line before each element below a pool; a comment behind each, on its line.
    airy: bool = False
    remarks: bool = False
    # One step of depth; without lines there is none, and all stands in one.
    unit: str = "    "
    lines: bool = True
    # The path of a location around the group of sections; "none": a location without one.
    location: str | None = None
    # A group for each section.
    split: bool = False
    encoding: str = "utf-8"

    def attribute(self, name: str, value: str) -> str:
        text = escape(value, {self.quote: "&quot;" if self.quote == '"' else "&apos;"})
        return f"{'  ' if self.spaced else ' '}{name}{' = ' if self.spaced else '='}{self.quote}{text}{self.quote}"


@dataclass
class Server:
    """One generated server: its file's bytes, what it plays, and its pools' names."""

    version: tuple[int, int]
    pools: list[tuple[str, dict[str, str]]]
    defaults: dict[str, str] | None
    applications: list[dict[str, str]]
    site_defaults: dict[str, str]
    spelling: Spelling
    knobs: dict[str, str]
    stopped: list[str] = field(default_factory=list)
    # (what stands in the file, what stands there instead), once.
    spoiled: tuple[str, str] | None = None

    def to_bytes(self) -> bytes:
        spelling = self.spelling
        lines = [_indented(line, spelling.unit) for line in _file(self).splitlines()]
        text = spelling.newline.join(lines) + spelling.newline if spelling.lines else "".join(map(str.strip, lines))
        if self.spoiled is not None:
            text = text.replace(*self.spoiled, 1)
        text = text.replace('"UTF-8"', f'"{spelling.encoding.removesuffix("-le")}"')
        codec = "utf-8-sig" if spelling.bom and spelling.encoding == "utf-8" else spelling.encoding
        return text.encode(codec, "xmlcharrefreplace")


def _indented(line: str, unit: str) -> str:
    bare = line.lstrip(" ")
    return unit * ((len(line) - len(bare)) // 4) + bare


_BELOW = ("processModel", "recycling", "periodicRestart")


def _element(spelling: Spelling, tag: str, values: dict[str, str], indent: str) -> str:
    """An element of dotted attributes, with its children."""
    own = "".join(spelling.attribute(name, text) for name, text in values.items() if "." not in name)
    children = ""
    for child in dict.fromkeys(name.partition(".")[0] for name in values if "." in name):
        inner = {n.partition(".")[2]: text for n, text in values.items() if n.startswith(f"{child}.")}
        children += _element(spelling, child, inner, indent + "    ")
    lead = "\n" if spelling.airy and tag in _BELOW else ""
    remark = " <!-- as agreed -->" if spelling.remarks and tag in _BELOW else ""
    if not children:
        return f"{lead}{indent}<{tag}{own} />{remark}\n"
    comment = f'{indent}    <!-- <processModel idleTimeout="x" /> -->\n' if spelling.comments else ""
    return f"{lead}{indent}<{tag}{own}>\n{comment}{children}{indent}</{tag}>{remark}\n"


def _file(server: Server) -> str:
    spelling = server.spelling
    pools = "".join(_element(spelling, "add", {"name": n} | values, " " * 12) for n, values in server.pools)
    if server.defaults is not None:
        pools += _element(spelling, "applicationPoolDefaults", server.defaults, " " * 12)
    applications = "".join(_element(spelling, "application", a, " " * 16) for a in server.applications)
    of_site = _element(spelling, "applicationDefaults", server.site_defaults, " " * 16) if server.site_defaults else ""
    before, behind = "", ""
    if spelling.location is not None:
        path = "" if spelling.location == "none" else spelling.attribute("path", spelling.location)
        before, behind = f"    <location{path}>\n", "    </location>\n"
    group = "    </system.applicationHost>\n    <system.applicationHost>\n" if spelling.split else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n{before}    <system.applicationHost>\n'
        f"        <applicationPools>\n{pools}        </applicationPools>\n{group}        <sites>\n"
        f'            <site name="Default Web Site" id="1">\n{applications}{of_site}            </site>\n'
        f"        </sites>\n    </system.applicationHost>\n{behind}    <system.webServer>\n        <globalModules>\n"
        '            <add name="StaticFileModule" image="x.dll" />\n'
        "        </globalModules>\n    </system.webServer>\n</configuration>\n"
    )


def _settings(version: tuple[int, int]) -> st.SearchStrategy[dict[str, str]]:
    known = {name: st.sampled_from(values) for name, (values, since) in VALUES.items() if since <= version}
    return st.fixed_dictionaries({}, optional=known)


@st.composite
def servers(draw: st.DrawFn) -> Server:
    """A configuration that IIS reads."""
    version = draw(st.sampled_from(list(IIS_VERSIONS.values())))
    names = draw(st.lists(NAMES, max_size=4, unique_by=iis_key))
    paths = draw(st.lists(st.sampled_from(["/", "/a", "/b c", "/ü"]), max_size=3, unique=True))
    preload = {"preloadEnabled": st.sampled_from(_BOOL)} if version >= (8, 0) else {}
    used = st.sampled_from([*names, "not there", *(name.upper() for name in names)])
    applications = [
        {"path": path} | draw(st.fixed_dictionaries({}, optional=preload | {"applicationPool": used})) for path in paths
    ]
    return Server(
        version=version,
        pools=[(name, draw(_settings(version))) for name in names],
        defaults=draw(st.none() | _settings(version)),
        applications=applications,
        site_defaults=draw(st.fixed_dictionaries({}, optional=preload | {"applicationPool": used})),
        spelling=Spelling(
            draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans()), draw(st.sampled_from("\"'")),
            draw(st.booleans()), draw(st.booleans()), draw(st.booleans()), draw(st.booleans()),
            draw(st.sampled_from(["    ", "  ", "\t", ""])), draw(st.sampled_from([True, True, False])),
            draw(st.sampled_from([None, None, "none", "", "."])), draw(st.booleans()), draw(ENCODINGS),
        ),
        knobs={"inherited_from_defaults": draw(st.sampled_from(["true", "false"]))},
        stopped=draw(st.lists(st.sampled_from(names), unique=True)) if names else [],
    )  # fmt: skip


@st.composite
def broken(draw: st.DrawFn) -> Server:
    """One that IIS does not read: a value of the wrong kind, or out of its range, or a name that is not quite right."""
    server = draw(servers().filter(lambda s: bool(s.pools)))
    if draw(st.booleans()):
        server.spoiled = draw(st.sampled_from(SPOILED))
        return server
    name, values = draw(st.sampled_from(server.pools))
    known = {n: bad for n, bad in BAD.items() if VALUES[n][1] <= server.version}
    attribute = draw(st.sampled_from(sorted(known)))
    changed: dict[str, Any] = values | {attribute: draw(st.sampled_from(known[attribute]))}
    server.pools = [(n, changed if n == name else v) for n, v in server.pools]
    return server


def changes(server: Server) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Arguments of app_pool_settings: what a plan would say, and what has gone stale or never was right."""
    spans = st.sampled_from([*TIMES, "00:00:00", "00:20:00"])
    modes = st.sampled_from(["OnDemand", "AlwaysRunning", "alwaysrunning"])
    names = [name for name, _ in server.pools]
    pool = st.sampled_from([*names, *(name.swapcase() for name in names), "nobody"])

    def change(attribute: str) -> st.SearchStrategy[dict[str, Any]]:
        values = modes if attribute == "startMode" else spans
        # Mostly as the planner would have seen it: else nearly all are stale.
        there = [v[attribute] for _, v in server.pools if attribute in v]
        expected = st.sampled_from([*there, VALUES[attribute][0][0]]) | values
        where = st.one_of(
            st.fixed_dictionaries({"pool": pool}),
            st.fixed_dictionaries({"scope": st.sampled_from(["defaults", "Defaults"])}),
            st.fixed_dictionaries({"pool": pool}),
        )
        to = st.one_of(
            st.fixed_dictionaries({"set": values}),
            st.fixed_dictionaries({"clear": st.just(True)}, optional={"inherits": values}),
        )
        given = st.fixed_dictionaries(
            {},
            optional={"startMode": modes, "processModel.idleTimeoutAction": st.sampled_from(["Terminate", "Suspend"])},
        )
        fields = st.tuples(where, to, st.fixed_dictionaries({"expect": expected}, optional={"given": given}))
        return fields.map(lambda parts: {"attribute": attribute} | parts[0] | parts[1] | parts[2])

    return st.lists(
        st.sampled_from(["startMode", "processModel.idleTimeout"]).flatmap(change),
        min_size=1,
        max_size=3,
        unique_by=lambda c: (iis_key(c.get("pool", "")), iis_key(c.get("scope", "")), c["attribute"]),
    )


def patterns(server: Server) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments of its pattern form."""
    globs = st.sampled_from(["*", "?*", "*o*", "shop?", "nobody*", "[*", *(name for name, _ in server.pools)])
    fix = st.sampled_from([("startMode", "OnDemand"), ("processModel.idleTimeout", "00:00:00")])
    given = {"startMode": "AlwaysRunning", "processModel.idleTimeoutAction": "Terminate"}
    return st.builds(
        lambda pools, to, mismatch: {
            "pools": pools, "attribute": to[0], "set": to[1], "given": given, "on_mismatch": mismatch,
        },
        st.lists(globs, min_size=1, max_size=2), fix, st.sampled_from(["skip", "stale"]),
    )  # fmt: skip
