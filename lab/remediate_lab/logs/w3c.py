"""IIS's own log in the W3C format: UTC, a folder for each site, a file for each day, spaces as plus signs.

Which fields it has is set for a site and can change; then the ``#`` lines stand again, with the new ``#Fields``.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from remediate_lab.clock.history import Served

_START = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent)"
# What IIS 8.5 and later log by default, what IIS 7.5 did, and a choice of somebody's.
DEFAULT = f"{_START} cs(Referer) sc-status sc-substatus sc-win32-status time-taken"
OLDER = f"{_START} sc-status sc-substatus sc-win32-status time-taken"
SHORT = "time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)"


def header(day: Served, fields: str) -> str:
    return (
        "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
        f"#Date: {day.time:%Y-%m-%d %H:%M:%S}\n#Fields: {fields}\n"
    )


def line(request: Served, fields: str) -> str:
    path = "/" + request.application.partition("/")[2]
    values = {
        "date": f"{request.time:%Y-%m-%d}", "time": f"{request.time:%H:%M:%S}", "s-ip": "10.20.0.80",
        "cs-method": "GET", "cs-uri-stem": f"{path.rstrip('/')}/{request.page}", "s-port": "443",
        "c-ip": request.client, "cs(User-Agent)": request.agent, "sc-status": str(request.status),
        "sc-substatus": "0", "sc-win32-status": str(request.win32), "time-taken": str(request.taken),
    }  # fmt: skip
    return " ".join(values.get(field, "-").replace(" ", "+") or "-" for field in fields.split()) + "\n"


def days(requests: Iterable[Served], fields: Sequence[str] = (DEFAULT,)) -> dict[str, list[str]]:
    """By the file's name below the logs' folder, its lines with those that begin it; each day has the next fields."""
    files: dict[str, list[str]] = {}
    ordered = sorted(requests, key=lambda request: (request.site, request.time))
    for site, served in groupby(ordered, key=lambda request: request.site):
        for number, (day, some) in enumerate(groupby(served, key=lambda request: request.time.date())):
            chosen = fields[number % len(fields)]
            todays = list(some)
            files[f"W3SVC{site}/u_ex{day:%y%m%d}.log"] = [
                header(todays[0], chosen), *(line(request, chosen) for request in todays)
            ]  # fmt: skip
    return files
