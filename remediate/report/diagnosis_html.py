"""A diagnosis as one page that stands alone: no script, nothing loaded, and a policy that would forbid both.

Names come from logs and servers, so every text goes through `text` of timeline_svg.py on its way into the markup.
"""

from base64 import b64encode
from hashlib import sha256

from remediate.diagnose.words import moment
from remediate.report.diagnosis_text import (
    STATES,
    attributed,
    fix,
    next_step,
    rhythm,
    source_line,
    sums,
    title,
    what_to_log,
)
from remediate.report.timeline_svg import legend_svg, text, timeline_svg
from remediate.values.diagnoses import Diagnosis, Stream

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1040px; margin: 2em auto; padding: 0 1em; }
h2 { margin-top: 2.5em; border-bottom: 1px solid #8888; overflow-wrap: anywhere; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .2em 1em .2em 0; white-space: nowrap; }
th { font-weight: 600; }
td:last-child, td:first-child { white-space: normal; overflow-wrap: anywhere; }
svg { display: block; max-width: 100%; height: auto; margin: .5em 0; }
.verdict { font-weight: 600; padding: 0 .5em; border: 1px solid; border-radius: .3em; }
.confirmed, .contradicted { color: #d1453b; }
.consistent, .undetermined { color: #b7791f; }
.seen { color: #2b7bb9; }
"""


def diagnosis_html(diagnosis: Diagnosis) -> str:
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    rows = "".join(_row(number, stream) for number, stream in enumerate(diagnosis.streams))
    sections = "".join(_section(number, stream) for number, stream in enumerate(diagnosis.streams))
    sources = "".join(f"<li>{text(source_line(source))}</li>\n" for source in diagnosis.sources)
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>Diagnosis of {text(diagnosis.created_at)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Diagnosis</h1>
<p>{text(sums(diagnosis))}. Made {text(diagnosis.created_at)} by remediate {text(diagnosis.tool_version)}.</p>
<table>
<tr><th scope="col">stream</th><th scope="col">errors</th><th scope="col">verdict</th></tr>
{rows}</table>
{legend_svg()}{sections}<h2>Sources</h2>
<ul>
{sources}</ul>
<p>{text(what_to_log(diagnosis))}</p>
</body>
</html>
"""


def _verdict(stream: Stream) -> str:
    return f'<span class="verdict {stream.verdict}">{stream.verdict}</span>'


def _row(number: int, stream: Stream) -> str:
    return (
        f'<tr><td><a href="#s{number}">{text(title(stream))}</a></td><td>{stream.count}</td>'
        f"<td>{_verdict(stream)}</td></tr>\n"
    )


def _section(number: int, stream: Stream) -> str:
    reasons = "".join(f"<li>{text(reason)}</li>\n" for reason in stream.reasons)
    symptoms = "".join(
        f'<tr><th scope="row">{name}</th><td class="{s.state}">{STATES[s.state]}</td><td>{text(s.text)}</td></tr>\n'
        for name, s in stream.symptoms.items()
    )
    facts = [
        ("errors", f"{stream.count}: {attributed(stream)}"),
        ("from, to", " to ".join(moment(time) for time in (stream.first, stream.last) if time is not None)),
        ("period", rhythm(stream)),
        ("fix", fix(stream)),
        ("next", next_step(stream)),
    ]
    told = "".join(f'<tr><th scope="row">{name}</th><td>{text(value)}</td></tr>\n' for name, value in facts if value)
    return f"""\
<h2 id="s{number}">{text(title(stream))} {_verdict(stream)}</h2>
<ul>
{reasons}</ul>
{timeline_svg(stream, number)}<table>
{symptoms}</table>
<table>
{told}</table>
"""
