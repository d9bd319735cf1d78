"""audit --config with folders and globs: every applicationHost.config is found by its content, nothing is silent."""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import remediate

CONFIG = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<configuration><system.applicationHost><applicationPools>\n'
    '<add name="Shop" startMode="AlwaysRunning" />\n'
    "</applicationPools></system.applicationHost></configuration>\n"
)
REDIRECTION = '<configuration>\n<configurationRedirection enabled="{}" path="\\\\share\\iis" />\n</configuration>\n'
ADMINISTRATION = "<configuration><moduleProviders /></configuration>"


def hosts(text: str) -> dict[str, str]:
    """The name of each file, below its folder, and its status."""
    return {Path(host["host"]).name: host["status"] for host in json.loads(text)["hosts"]}


def test_a_folder_finds_renamed_backups_and_says_what_it_passed_over(tmp_path: Path) -> None:
    """Whatever their names and their encoding. Others are named on standard error, and are no failures."""
    (tmp_path / "old").mkdir()
    (tmp_path / "applicationHost.config").write_text(CONFIG)
    (tmp_path / "applicationHost.config.bak").write_text(CONFIG)
    (tmp_path / "old" / "2024-01 web01.xml").write_bytes(CONFIG.replace("UTF-8", "UTF-16").encode("utf-16"))
    (tmp_path / "old" / "broken.config").write_text(CONFIG.replace("</applicationPools>", ""))
    (tmp_path / "administration.config").write_text(ADMINISTRATION)
    (tmp_path / "redirection.config").write_text(REDIRECTION.format("false"))
    (tmp_path / "web.config").write_text("<configuration><system.web /></configuration>")
    (tmp_path / "notes.txt").write_text("look at <applicationPools> in the file")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)))
    done = remediate("audit", "--config", tmp_path, "--format", "json", expect=3)
    assert hosts(done.stdout) == {
        "applicationHost.config": "inspected", "applicationHost.config.bak": "inspected",
        "2024-01 web01.xml": "inspected", "broken.config": "failed",
    }  # fmt: skip
    passed, failed = done.stderr.splitlines()
    for name in ("administration.config", "redirection.config", "web.config", "notes.txt", "photo.jpg"):
        assert name in passed
    assert "passed over" in passed
    assert failed.startswith(f"{tmp_path / 'old' / 'broken.config'}: failed: line 4, column ")


def test_what_lies_beside_it_is_no_failure_in_a_glob(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("administration.config", "applicationHost.config", "Redirection.config")]
    for file, text in zip(files, (ADMINISTRATION, CONFIG, REDIRECTION.format("false")), strict=True):
        file.write_text(text)
    done = remediate("audit", "--config", *files, "--format", "json", expect=2)
    assert hosts(done.stdout) == {"applicationHost.config": "inspected"}
    assert done.stderr.count("passed over") == 2
    alone = remediate("audit", "--config", files[0], expect=1)
    assert "no applicationHost.config" in alone.stderr.splitlines()[-1]


def test_a_file_that_iis_does_not_read_is_said_to_be_so(tmp_path: Path) -> None:
    """redirection.config beside it names another one: shared configuration, as for a server."""
    file = tmp_path / "applicationHost.config"
    file.write_text(CONFIG)
    (tmp_path / "redirection.config").write_text(REDIRECTION.format("true"))
    done = remediate("audit", "--config", file, "--format", "json", expect=2)
    seen = json.loads(done.stdout)
    assert seen["hosts"][0]["shared_config"] == "\\\\share\\iis"
    assert "shared" in {doubt["kind"] for doubt in seen["findings"][0]["doubts"]}
    assert f"{file}: IIS does not read this file" in done.stderr


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (REDIRECTION.format("yes"), "line 2: enabled: 'yes'"),
        (REDIRECTION.format("true").replace("enabled", "Enabled"), "line 2: the attribute 'Enabled'"),
        ("<configuration>", "line 1, column 16"),
    ],
)
def test_a_redirection_that_cannot_be_read_is_the_files_failure(tmp_path: Path, text: str, where: str) -> None:
    """Nobody knows then which file IIS reads."""
    (tmp_path / "applicationHost.config").write_text(CONFIG)
    (tmp_path / "redirection.config").write_text(text)
    done = remediate("audit", "--config", tmp_path / "applicationHost.config", "--format", "json", expect=3)
    assert json.loads(done.stdout)["hosts"][0]["detail"].startswith(f"redirection.config beside it: {where}")


def test_pipes_links_and_huge_files_end(tmp_path: Path) -> None:
    """In a folder they are passed over or fail by name; nothing is read for ever, and nothing is read twice."""
    (tmp_path / "a.config").write_text(CONFIG)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    with (tmp_path / "applicationHost.config").open("wb") as huge:
        huge.truncate(2**30)
    done = remediate("audit", "--config", tmp_path, tmp_path / "a.config", "--format", "json", expect=3)
    seen = json.loads(done.stdout)["hosts"]
    assert {Path(host["host"]).name: host["status"] for host in seen} == {
        "a.config": "inspected", "applicationHost.config": "failed", "itself": "failed",
    }  # fmt: skip
    assert len(seen) == 3
    assert "more than 64 MB" in next(host["detail"] for host in seen if "applicationHost" in host["host"])
    assert "circle" in done.stderr and "pipe" in done.stderr


def test_a_pipe_or_device_that_is_named_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = remediate("audit", "--config", tmp_path / "pipe", "/dev/zero", "--format", "json", expect=3)
    assert [host["detail"] for host in json.loads(done.stdout)["hosts"]] == [
        "is a pipe or a socket, not a file", "is a device, not a file",
    ]  # fmt: skip
