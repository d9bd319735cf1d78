"""The same server and application by the names that logs, events and inventories use."""

import pytest
from msgspec.structs import replace

from remediate.diagnose.merging import each_error_once
from remediate.diagnose.server_index import ServerIndex, server_index
from remediate.values.fleet import Application, Pool
from tests.diagnosis.values import error
from tests.unit.values import host, pool


def serving(name: str, *applications: Application) -> Pool:
    return replace(pool(name), applications=applications)


@pytest.fixture
def known() -> ServerIndex:
    web = host(
        "web01",
        serving("Shop", Application("Default Web Site/shop", None, 1), Application("Default Web Site/", None, 1)),
        serving("Api", Application("api.contoso.example/", None, 2), Application("api.contoso.example/v2", None, 2)),
        machine="WEB01.corp.example",
    )
    return server_index([web, host("10.0.0.7", machine="DB7.corp.example")])


@pytest.mark.parametrize("name", ["web01", "WEB01", "web01.corp.example", "Web01.other.example"])
def test_a_server_is_known_by_its_short_and_its_full_name(known: ServerIndex, name: str) -> None:
    assert known.host(name) == "web01"


@pytest.mark.parametrize(("name", "found"), [("DB7", "10.0.0.7"), ("10.0.0.7", "10.0.0.7"), ("10.0.0.8", "10.0.0.8")])
def test_an_address_is_no_domain(known: ServerIndex, name: str, found: str) -> None:
    assert known.host(name) == found


@pytest.mark.parametrize(
    ("application", "found"),
    [
        ("Default Web Site/shop", "Shop"),
        ("default web site/SHOP", "Shop"),
        ("/LM/W3SVC/1/ROOT/shop", "Shop"),
        ("/LM/W3SVC/1/ROOT/shop-1-133701234567890123", "Shop"),
        ("/LM/W3SVC/2/ROOT", "Api"),
        ("/LM/W3SVC/1/ROOT", "Shop"),
        ("/LM/W3SVC/3/ROOT/shop", None),
        ("/shop", "Shop"),
        ("/", None),
        ("shop", "Shop"),
        ("v2", "Api"),
        ("Api", "Api"),
        ("api.contoso.example", "Api"),
        ("something else", None),
        ("", None),
        (None, None),
    ],
)
def test_an_application_s_pool(known: ServerIndex, application: str | None, found: str | None) -> None:
    """None where no application is meant, or several of different pools."""
    assert known.pool("web01", application) == found


def test_where_all_applications_are_of_one_pool_it_is_that_one() -> None:
    assert server_index([host("web01", pool("Shop", applications=3))]).pool("web01", None) == "Shop"


@pytest.mark.parametrize(
    ("site", "path", "pools"),
    [
        ("W3SVC1", "/shop/cart", {"shop"}),
        ("W3SVC2", "/v2/items", {"api"}),
        (None, "/v2/items", {"shop", "api"}),
        (None, "/shopping", {"shop", "api"}),
        ("W3SVC9", "/", set()),
    ],
)
def test_which_pools_may_have_answered(known: ServerIndex, site: str | None, path: str, pools: set[str]) -> None:
    assert known.serving("web01", site, path) == pools


def test_logs_of_one_server_need_not_name_it() -> None:
    assert server_index((), None, ["WEB01", "web01.corp.example"]).host(None) == "WEB01"
    assert server_index((), None, ["WEB01", "WEB02"]).host(None) is None
    assert server_index((), "web02", ["WEB01", "WEB02"]).host(None) == "WEB02"


def test_an_error_that_a_log_and_an_event_tell_is_one() -> None:
    """And the log's, with what only the event tells."""
    logged = [error(0, application=None), error(3000, application=None)]
    events = [error(2, application="/LM/W3SVC/1/ROOT/shop", local=True), error(9000)]
    found = each_error_once(logged, events)
    assert [(one.time, one.application, one.local) for one in found] == [
        (logged[0].time, "/LM/W3SVC/1/ROOT/shop", True),
        (logged[1].time, None, None),
        (events[1].time, "Site/0", None),
    ]
