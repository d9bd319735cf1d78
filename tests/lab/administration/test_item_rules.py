# ruff: noqa: E501 - scripts and XML stand in the lines that they are sent in
"""What the API says of items that come and go: how they are made, what is refused, and when they count."""

import pytest

from tests.lab.administration.driver import (
    ADD_NEW,
    COM,
    CONFIG,
    DEFAULTS,
    LOAD,
    NEEDS_PWSH,
    SET_BARE,
    MakeServer,
    Shell,
    changed,
    pools,
)

pytestmark = NEEDS_PWSH


def test_items_are_made_filled_and_added_by_the_untyped_api_too(shell: Shell, make_server: MakeServer) -> None:
    """A made item is in no collection before it is added; then all faces of the collection have it."""
    server = make_server(CONFIG)
    code = """
    $m = Manager
    $config = $m.GetApplicationHostConfiguration()
    $pools = $config.GetSection('system.applicationHost/applicationPools').GetCollection()
    $typed = $m.ApplicationPools
    $before = "$($pools.Count) $($typed.Count)"
    $made = $pools.CreateElement('add')
    $made['name'] = 'Made'
    $made.GetChildElement('processModel')['idleTimeout'] = [TimeSpan]::Zero
    $between = "$($pools.Count) $($typed.Count)"
    $null = $pools.AddAt(1, $made)
    $modules = $config.GetSection('system.webServer/globalModules').GetCollection()
    $module = $modules.CreateElement()
    $module['name'] = 'Extra'; $module['image'] = '%windir%\\extra.dll'
    $null = $modules.Add($module)
    $root = $m.Sites['Main'].GetCollection()
    $application = $root.CreateElement('application')
    $application['path'] = '/late'
    $null = $root.Add($application)
    $schedule = $m.ApplicationPools['Own'].Recycling.PeriodicRestart.Schedule
    $null = $schedule.Add([TimeSpan]::Zero)
    $schedule.RemoveAt(0)
    $found = [ordered]@{
        before = $before; between = $between
        typed = @($typed | ForEach-Object Name); index = $pools.IndexOf($made); idle = "$($typed['Made'].ProcessModel.IdleTimeout)"
        schedule = @($schedule | ForEach-Object { "$($_.Time)" }); applications = @($m.Sites['Main'].Applications | ForEach-Object Path)
        allows = @(foreach ($each in $typed, $modules, $schedule, $m.Sites) { "$($each.AllowsAdd) $($each.AllowsClear) $($each.AllowsRemove)" })
    }
    $m.CommitChanges()
    $found
    """
    assert shell(server, code) == {
        "before": "2 2", "between": "2 2", "typed": ["Bare", "Made", "Own"], "index": 1, "idle": "00:00:00",
        "schedule": ["00:00:00"], "applications": ["/", "/app", "/late"],
        "allows": ["True False False", "True True True", "True True False", "True False False"],
    }  # fmt: skip
    expected = CONFIG
    for old, new in [
        ('<add name="Bare" />', '<add name="Bare" />\n            <add name="Made">\n                <processModel idleTimeout="00:00:00" />\n            </add>'),
        ('warmup.dll" />', 'warmup.dll" />\n            <add name="Extra" image="%windir%\\extra.dll" />'),
        ('<application path="/app" />', '<application path="/app" />\n                <application path="/late" />'),
        ('<add value="03:00:00" />', '<add value="00:00:00" />'),
    ]:  # fmt: skip
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    assert server.config.read_text() == expected


def test_a_new_site_has_an_application_and_a_binding(shell: Shell, make_server: MakeServer) -> None:
    """As IIS writes them; its id is one above the highest; its pool can be set at once. It goes whole."""
    server = make_server(CONFIG)
    code = """
    $m = Manager
    $site = $m.Sites.Add('Third', 'http', '127.0.0.1:50932:', 'D:\\a & b')
    $site.Applications['/'].ApplicationPoolName = 'Own'
    $site.Applications['/'].GetAttribute('preloadEnabled').Value = $true
    $app = $m.Sites['Main'].Applications.Add('/new', 'E:\\new')
    $made = "$($site.Id) $($site.Applications.Count) '$($app.ApplicationPoolName)'"
    $m.CommitChanges()
    @($made, "'$((Manager).Sites['Main'].Applications['/NEW'].ApplicationPoolName)'")
    """
    # A new one has no defaults of its site until it is read again.
    assert shell(server, code) == ["9 1 ''", "'Bare'"]
    third = """
            <site name="Third" id="9">
                <application path="/" applicationPool="Own" preloadEnabled="true">
                    <virtualDirectory path="/" physicalPath="D:\\a &amp; b" />
                </application>
                <bindings>
                    <binding protocol="http" bindingInformation="127.0.0.1:50932:" />
                </bindings>
            </site>"""
    new = """
                <application path="/new">
                    <virtualDirectory path="/" physicalPath="E:\\new" />
                </application>"""
    expected = CONFIG.replace('<application path="/app" />', '<application path="/app" />' + new)
    expected = expected.replace(
        "</site>\n            <applicationDefaults", f"</site>{third}\n            <applicationDefaults"
    )
    assert server.config.read_text() == expected
    shell(
        server,
        "$m = Manager; $m.Sites.Remove($m.Sites['third']); $m.Sites['Main'].Applications['/new'].Delete(); $m.CommitChanges()",
    )
    assert server.config.read_text() == CONFIG


@pytest.mark.parametrize(
    ("switch", "left"),
    [
        ("delete_leaves=nothing", ""),
        ("delete_leaves=empty_element", "\n                <recycling>\n                    <periodicRestart>\n                        <schedule>\n                        </schedule>\n                    </periodicRestart>\n                </recycling>"),
    ],
)  # fmt: skip
def test_a_collection_that_was_emptied_is_left_as_the_switch_says(
    shell: Shell, make_server: MakeServer, switch: str, left: str
) -> None:
    """Clear takes all items out where the schema allows it; items that come afterwards are there."""
    own = """<add name="P">
                <recycling>
                    <periodicRestart>
                        <schedule>
                            <add value="03:00:00" />
                            <add value="05:00:00" />
                        </schedule>
                    </periodicRestart>
                </recycling>
            </add>"""
    server = make_server(pools(own), switch)
    clear = "$m = Manager; $times = $m.ApplicationPools['P'].Recycling.PeriodicRestart.Schedule; $times.Clear()\n"
    assert shell(server, clear + "$null = $times.Add([TimeSpan]'06:00:00'); $m.CommitChanges(); $times.Count") == 1
    one = own.replace(
        '<add value="03:00:00" />\n                            <add value="05:00:00" />', '<add value="06:00:00" />'
    )
    assert server.config.read_text() == pools(one)
    assert shell(server, clear + "$m.CommitChanges(); $times.Count") == 0
    assert server.config.read_text() == pools(f'<add name="P">{left}\n            </add>')


def test_what_cannot_be_an_item_is_refused_when_it_is_added(shell: Shell, make_server: MakeServer) -> None:
    """Types, codes and texts as IIS has them where they are known; nothing of it is in the file, and it can be mended."""
    server = make_server(CONFIG)
    code = """
    $m = Manager
    $pools = $m.ApplicationPools
    $made = $pools.CreateElement()
    $site = $m.Sites.CreateElement()
    $site['name'] = 'Fresh'; $site['id'] = 8
    $found = [ordered]@{
        twice = Caught { $pools.Add('bARE') }
        missing = Caught { $pools.Add($made) }
        missingTwo = Caught { $m.Sites.Add($m.Sites.CreateElement()) }
        sameId = Caught { $m.Sites.Add($site) }
        name = Caught { $pools.Add('a/b') }
        empty = Caught { $pools.Add('') }
        site = Caught { $m.Sites.Add('main', 'http', '*:80:', 'C:\\x') }
        siteName = Caught { $m.Sites.Add('a?b', 'http', '*:80:', 'C:\\x') }
        path = Caught { $m.Sites['Main'].Applications.Add('/a*b', 'C:\\x') }
        noPath = Caught { $m.Sites['Main'].Applications.Add('', 'C:\\x') }
        samePath = Caught { $m.Sites['Main'].Applications.Add('/APP', 'C:\\x') }
        time = Caught { $pools['Own'].Recycling.PeriodicRestart.Schedule.Add([TimeSpan]::FromHours(3)) }
        range = Caught { $pools['Own'].Recycling.PeriodicRestart.Schedule.Add([TimeSpan]::FromHours(24)) }
        none = Caught { $pools.Add([NullString]::Value) }
    }
    $m.CommitChanges()
    $found
    """
    found = shell(server, code)
    assert server.config.read_text() == CONFIG
    twice = (
        "Filename: \r\nError: Cannot add duplicate collection entry of type '{}' with unique key attribute{}'\r\n\r\n"
    )
    for name, tag, keys in [
        ("twice", "add", " 'name' set to 'bARE"), ("sameId", "site", "s 'name, id' respectively set to 'Fresh, 8"),
        ("site", "site", "s 'name, id' respectively set to 'main, 9"), ("time", "add", " 'value' set to '03:00:00"),
    ]:  # fmt: skip
        assert found[name] == {"type": COM, "code": "0x800700B7", "text": twice.format(tag, keys)}, name
    incomplete = "Filename: \r\nError: Element is missing required attributes {}\r\n\r\n"
    for name, lacking in [("missing", "name"), ("missingTwo", "name,id")]:
        text = incomplete.format(lacking)
        assert found[name] == {"type": "System.IO.FileNotFoundException", "code": "0x80070002", "text": text}
    assert found["name"] == {"type": COM, "code": "0x8007000D", "text": "Invalid application pool name\r\n"}
    assert found["siteName"] == {"type": COM, "code": "0x8007000D", "text": "Invalid site name\r\n"}
    assert found["range"]["type"] == COM
    assert found["empty"]["type"] == found["none"]["type"] == "System.ArgumentNullException"
    assert found["path"]["type"] == found["noPath"]["type"] == "System.FormatException"
    assert found["samePath"]["type"] == "System.InvalidOperationException"
    mended = "$m = Manager; $new = $m.ApplicationPools.CreateElement(); $null = Caught { $m.ApplicationPools.Add($new) }; $new['name'] = 'New'; $m.ApplicationPools.Add($new).Name"
    assert shell(server, mended) == "New"


def test_a_file_with_two_sites_of_one_id_names_both_keys(shell: Shell, make_server: MakeServer) -> None:
    server = make_server(CONFIG.replace('id="8"', 'id="7"'))
    found = shell(server, "Caught { Section 'sites' }")
    of = "of type 'site' with unique key attributes 'name, id' respectively set to 'Other, 7'"
    assert found["code"] == "0x800700B7"
    assert found["text"].endswith(f"Line number: 32\r\nError: Cannot add duplicate collection entry {of}\r\n\r\n")


def test_what_is_in_no_collection_can_neither_be_removed_nor_added_twice(shell: Shell, make_server: MakeServer) -> None:
    """What the real one says is not known; here it is no invented answer."""
    server = make_server(CONFIG)
    code = """
    $m = Manager
    $pools = $m.ApplicationPools
    $own = $pools['Own']
    $pools.Remove($own)
    $made = $pools.CreateElement()
    @(
        Caught { $pools.Remove($own) }
        Caught { $own.Delete() }
        Caught { $made.Delete() }
        Caught { $pools.Add($pools['Bare']) }
        Caught { $pools.CreateElement('clear') }
    ) | ForEach-Object { $_.type }
    $m.CommitChanges()
    """
    assert shell(server, code) == ["System.NotSupportedException"] * 5
    assert 'name="Bare"' in server.config.read_text()
    assert 'name="Own"' not in server.config.read_text()


def test_a_removed_name_is_free_again_in_the_same_commit(shell: Shell, make_server: MakeServer) -> None:
    """And what came and went before the commit leaves no trace."""
    server = make_server(pools('<add name="A" autoStart="false" />', '<add name="B" />', *DEFAULTS))
    code = """
    $m = Manager
    $m.ApplicationPools['A'].Delete()
    $null = $m.ApplicationPools.Add('a')
    $null = $m.ApplicationPools.Add('gone')
    $m.ApplicationPools.RemoveAt(2)
    $m.CommitChanges()
    """
    shell(server, code)
    assert server.config.read_text() == pools('<add name="B" />', '<add name="a" />', *DEFAULTS)


def test_adding_and_removing_are_committed_as_any_change_is(shell: Shell, make_server: MakeServer) -> None:
    """Nothing is in the file before; another's edit makes it fail; afterwards what was got is read only."""
    server = make_server(CONFIG)
    code = f"""
    $m = Manager
    $pools = $m.ApplicationPools
    $null = $pools.Add('New')
    $pools.Remove($pools['Own'])
    $before = (Manager).ApplicationPools.Count
    & {{ {SET_BARE} }}
    $stale = Caught {{ $m.CommitChanges() }}
    $again = Manager
    $pools = $again.ApplicationPools
    $null = $pools.Add('New')
    $pools.Remove($pools['Own'])
    $again.CommitChanges()
    $old = @(Caught {{ $pools.Add('More') }}; Caught {{ $pools.RemoveAt(0) }}; Caught {{ $pools['Bare'].Delete() }})
    [ordered]@{{ before = $before; stale = $stale; old = @($old | ForEach-Object {{ $_.type }}); after = @($again.ApplicationPools | ForEach-Object Name) }}
    """
    assert shell(server, code) == {
        "before": 2,
        "stale": changed(server),
        "old": ["System.InvalidOperationException"] * 3,
        "after": ["Bare", "New"],
    }


def test_a_file_in_use_takes_no_new_pool(shell: Shell, make_server: MakeServer) -> None:
    server = make_server(CONFIG, "fail_commit=in_use:1")
    assert shell(server, f"Caught {{ {ADD_NEW} }}")["type"] == LOAD
    assert server.config.read_text() == CONFIG
    shell(server, ADD_NEW)
    assert 'name="New"' in server.config.read_text()


def test_whether_a_name_may_begin_with_a_space_is_a_switch(shell: Shell, make_server: MakeServer) -> None:
    """The real answer is not known. Refused, it cannot be added, nor a file be read that has one."""
    server = make_server(CONFIG)
    add = "$m = Manager; $null = $m.ApplicationPools.Add(' spaced'); $m.CommitChanges()"
    assert shell(server, add + "; (Manager).ApplicationPools[2].Name") == " spaced"
    server.lab("leading_space=refused")
    read = shell(server, "Caught { Section 'applicationPools' }")
    assert (read["type"], read["code"]) == (COM, "0x8007000D")
    fresh = make_server(CONFIG, "leading_space=refused")
    assert shell(fresh, f"Caught {{ {add} }}")["text"] == "Invalid application pool name\r\n"
    assert fresh.config.read_text() == CONFIG


def test_a_required_value_is_kept_also_where_defaults_are_not(shell: Shell, make_server: MakeServer) -> None:
    """Midnight is the schema's default of a time of day, and a time of day must stand there."""
    server = make_server(pools('<add name="P" />'), "keep_schema_default=false")
    code = """
    $m = Manager
    $null = $m.ApplicationPools['P'].Recycling.PeriodicRestart.Schedule.Add([TimeSpan]::Zero)
    $m.CommitChanges()
    @((Manager).ApplicationPools['P'].Recycling.PeriodicRestart.Schedule | ForEach-Object { "$($_.Time)" })
    """
    assert shell(server, code) == "00:00:00"
    assert '<add value="00:00:00" />' in server.config.read_text()


def test_a_password_that_is_set_is_stored_as_one(shell: Shell, make_server: MakeServer) -> None:
    """And setting it is no look at it."""
    server = make_server(CONFIG)
    code = "$m = Manager; $m.ApplicationPools['Bare'].ProcessModel.Password = 'a:b'; $m.CommitChanges()"
    shell(server, code)
    assert '<processModel password="[enc:IISWASOnlyAesProvider:a:b:enc]" />' in server.config.read_text()
    assert server.log("passwords.log") == []
    assert shell(server, "(Manager).ApplicationPools['Bare'].ProcessModel.Password") == "a:b"
