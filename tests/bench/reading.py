"""How fast a log is read: `make bench`, or `make bench BENCH="--size 200M --shape utf-16"`.

A log of varied lines is written, with exceptions at places that are noted; a process of its own, on one core, reads it
as `remediate diagnose` does; and it must find just those. Beside it stand `cat` and `wc -l` on the same file.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from remediate.logs import find_files, read_log
from tests.unit.reading.samples import text

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_BLOCK = 8 << 20
_FOLDER = Path("build") / "bench"
_LOGGERS = (
    "Contoso.Shop.Web.CartController",
    "Contoso.Shop.Data.Orders",
    "Hangfire.Server.Worker",
    "Owin",
    "Quartz.Job",
)
_WORDS = (
    "cache",
    "miss",
    "for",
    "key",
    "retry",
    "order",
    "customer",
    "timed",
    "queue",
    "was",
    "of",
    "in",
    "the",
    "and",
)
_FRAMES = (
    "   at System.Web.Mvc.Async.AsyncControllerActionInvoker.EndInvokeActionMethod(IAsyncResult asyncResult)\n",
    "   at System.Threading.Tasks.Task.Execute()\n",
    "   at Contoso.Shop.Data.Orders.<FindAsync>d__12.MoveNext() in C:\\src\\shop\\Orders.cs:line 8007\n",
)
_ENCODINGS = {"text": "utf-8", "gzip": "utf-8", "utf-16": "utf-16-le"}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="1G")
    parser.add_argument("--shape", choices=_ENCODINGS, default="text")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        return read(options.read)
    size = int(options.size.rstrip("KMG")) * _UNITS.get(options.size[-1], 1)
    _FOLDER.mkdir(parents=True, exist_ok=True)
    path = _FOLDER / f"{options.shape}.log"
    lines = write(path, size, options.shape)
    for _ in range(2):  # the first time, so that the file is in memory
        answer = json.loads(subprocess.check_output([sys.executable, "-m", "tests.bench.reading", "--read", path]))
    print(f"{path}: {path.stat().st_size / 1e6:,.0f} MB, {len(lines)} exceptions in it")
    shown("read", path, answer["seconds"], answer["processor"])
    print(f"  peak memory {answer['peak'] / 1024:.0f} MB, {answer['lines']:,} lines")
    for program in (["cat"], ["wc", "-l"]):
        begin, before = time.perf_counter(), os.times()
        subprocess.run([*program, path], stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        processor = sum(after[2:4]) - sum(before[2:4])
        shown(" ".join(program), path, time.perf_counter() - begin, processor)
    path.unlink()
    if answer["found"] != lines:
        print("the exceptions found are not those that were written", file=sys.stderr)
        return 1
    return 0


def shown(what: str, path: Path, seconds: float, processor: float) -> None:
    rate = path.stat().st_size / 1e6 / seconds
    print(f"  {what:6} {rate:9,.0f} MB/s  ({seconds:.2f} s, of which {processor:.2f} s on the processor)")


def read(path: Path) -> int:
    """In the process that is measured: one core, and what it took, as JSON."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    (file,) = find_files([str(path)])
    begin, before = time.perf_counter(), time.process_time()
    reading = read_log(file)
    seconds, processor = time.perf_counter() - begin, time.process_time() - before
    status = Path("/proc/self/status").read_text().split()
    peak = int(status[status.index("VmHWM:") + 1])
    found = [occurrence.line for occurrence in reading.occurrences]
    answer = {"seconds": seconds, "processor": processor, "peak": peak, "lines": reading.source.lines, "found": found}
    print(json.dumps(answer))
    return 0


def write(path: Path, size: int, shape: str) -> list[int]:
    """A log of this size, before it is packed; the lines on which its exceptions begin."""
    places: list[int] = []
    written = lines = 0
    chance = random.Random(7)  # noqa: S311  # variety, not secrets
    varied = ["".join(several(chance, _BLOCK // 4)) for _ in range(4)]
    exception = text("log4net.log").split("\r\n", 1)[1].rpartition("\r\n2026")[0].partition("\r\n2026")[0] + "\r\n"
    with gzip.open(path, "wb", compresslevel=1) if shape == "gzip" else path.open("wb") as file:
        while written < size:
            part = chance.choice(varied)
            if chance.random() < 0.3:
                places.append(lines + 1)
                part = exception + part
            data = part.encode(_ENCODINGS[shape])
            file.write(data)
            written += len(data)
            lines += part.count("\n")
    return places


def several(chance: random.Random, size: int) -> Iterator[str]:
    """Lines as an application logs them: short and long, with numbers, and now and then a stack."""
    moment = datetime(2026, 11, 25)
    while size > 0:
        moment += timedelta(milliseconds=chance.randrange(400))
        level = chance.choices(("INFO ", "DEBUG", "WARN ", "ERROR"), (70, 20, 7, 3))[0]
        words = " ".join(chance.choices(_WORDS, k=chance.randrange(3, 16)))
        head = f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03} [{chance.randrange(90)}] {level}"
        line = f"{head} {chance.choice(_LOGGERS)} - {words} {chance.randrange(1 << 31)} {chance.randrange(1 << 48):x}\n"
        if level == "ERROR":
            line += "System.InvalidOperationException: 0x80131509\n" + "".join(chance.choices(_FRAMES, k=12))
        size -= len(line)
        yield line


if __name__ == "__main__":
    sys.exit(main())
