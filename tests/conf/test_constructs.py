"""Every construct of the language, with what keepalived 2.2.7 makes of it written out; tests/oracle runs it on the same files."""

from __future__ import annotations

from lvsd.core.conf.expand import Surroundings
from lvsd.core.config import load
from lvsd.core.root import Root
from lvsd.vrrp.settings import VrrpInstance
from tests.conf.corpus import CONSTRUCTS, HERE, find, read, shown


def root_of(name: str, config_id: str = "") -> Root:
    loaded = load(f"constructs/{name}.conf", read, glob=find, surroundings=Surroundings(config_id), drop_ins=False)
    assert shown(loaded) == ""
    assert loaded.config is not None
    return loaded.config.root


def addresses(instance: VrrpInstance) -> list[str]:
    return [f"{each.address}/{each.prefix}" for each in instance.virtual_ipaddress]


def servers(root: Root) -> list[tuple[str, int | None]]:
    return [
        (str(each.endpoint.address), each.weight) for service in root.virtual_servers for each in service.real_servers
    ]


def test_every_file_has_its_expectations_here() -> None:
    source = (HERE / "test_constructs.py").read_text()
    assert CONSTRUCTS
    assert [path.stem for path in CONSTRUCTS if f'root_of("{path.stem}"' not in source] == []


def test_a_whole_block_stands_in_a_definition() -> None:
    [instance] = root_of("whole-block-in-a-variable").instances
    assert (instance.name, instance.interface, instance.virtual_router_id, instance.priority) == (
        "VI_1",
        "eth0",
        51,
        120,
    )
    assert addresses(instance) == ["10.0.0.1/24", "10.0.0.2/24"]


def test_a_sequence_repeats_a_block() -> None:
    instances = root_of("sequence-over-a-block").instances
    assert [each.name for each in instances] == ["VI_11", "VI_12", "VI_13", "VI_14"]
    assert [each.virtual_router_id for each in instances] == [11, 12, 13, 14]
    assert [addresses(each) for each in instances] == [
        ["10.0.0.11/24"],
        ["10.0.0.12/24"],
        ["10.0.0.13/24"],
        ["10.0.0.14/24"],
    ]


def test_the_right_most_sequence_of_a_line_runs_fastest() -> None:
    [group] = root_of("nested-sequences").virtual_server_groups
    assert [(str(each.first), each.port) for each in group.members] == [
        ("10.0.1.1", 80),
        ("10.0.1.2", 80),
        ("10.0.1.3", 80),
        ("10.0.2.1", 80),
        ("10.0.2.2", 80),
        ("10.0.2.3", 80),
        ("10.1.0.8", 80),
        ("10.1.0.5", 80),
        ("10.1.0.2", 80),
    ]


def test_the_names_of_a_list_run_together() -> None:
    root = root_of("lists")
    assert servers(root) == [("10.0.1.1", 3), ("10.0.1.2", 5), ("10.0.1.9", 7)]
    assert all(len(each.checks) == 1 for each in root.virtual_servers[0].real_servers)


def test_a_condition_before_an_opening_line_leaves_the_body_to_both() -> None:
    [one] = root_of("condition-before-the-opening-line", "lb1").instances
    assert (one.name, one.priority, addresses(one)) == ("ONE", 120, ["10.0.0.1/24"])
    for other_id in ("lb2", ""):
        [two] = root_of("condition-before-the-opening-line", other_id).instances
        assert (two.name, two.priority, addresses(two)) == ("TWO", 80, ["10.0.0.2/24"])


def test_an_include_stands_for_its_lines_in_any_block() -> None:
    root = root_of("includes-inside-blocks")
    [instance] = root.instances
    assert (instance.interface, instance.virtual_router_id, instance.priority) == ("eth0", 51, 110)
    assert addresses(instance) == ["10.0.0.1/24", "10.0.0.2/24"]
    assert [address for address, _ in servers(root)] == ["10.0.1.1", "10.0.1.2"]


def test_braces_may_stand_anywhere() -> None:
    instances = root_of("braces").instances
    assert [(each.name, each.interface, each.virtual_router_id, addresses(each)) for each in instances] == [
        ("NEXT_LINE", "eth0", 51, ["10.0.0.1/24"]),
        ("ONE_LINE", "eth0", 52, ["10.0.0.2/24"]),
        ("BLANK_LINES", "eth1", 53, ["10.1.0.1/24"]),
    ]


def test_a_comment_begins_in_the_middle_of_a_word() -> None:
    [instance] = root_of("comments").instances
    assert (instance.interface, instance.virtual_router_id, instance.priority) == ("eth0", 51, 1)
    assert addresses(instance) == ["10.0.0.1/24"]
    assert instance.notify_master is not None
    assert instance.notify_master.argv == ("/bin/echo", "#", "!", "{", "}")


def test_lines_may_end_as_on_windows() -> None:
    assert b"\r\n" in read("constructs/line-ends.conf")
    [instance] = root_of("line-ends").instances
    assert (instance.interface, instance.virtual_router_id, instance.virtual_ipaddress[0].dev) == ("eth0", 51, "eth1")
    assert instance.notify_master is not None
    assert instance.notify_master.argv == ("/bin/echo", "two", "words")


def test_a_definition_is_used_in_words_and_quotes_and_counts_from_its_line_on() -> None:
    root = root_of("definitions")
    assert root.global_defs is not None
    assert root.global_defs.router_id == "lb of 10.0.0"
    first, second = root.instances
    assert (first.name, first.interface, second.name, second.interface) == ("VI_eth0", "eth0", "VI_eth1", "eth1")
    assert addresses(first) == ["10.0.0.1/24", "10.0.0.2/24"]
    assert [(each.dev, each.label) for each in first.virtual_ipaddress] == [("eth0", ""), ("eth0", "eth0:2")]
    assert first.notify_master is not None
    assert first.notify_master.argv == ("/bin/echo", "eth0x", "eth0", "end")


def test_a_definition_of_several_lines_goes_on_in_lines_of_its_own() -> None:
    [instance] = root_of("multi-line-at-the-end").instances
    assert (instance.interface, instance.virtual_router_id, instance.priority) == ("eth0", 51, 90)
    assert addresses(instance) == ["10.0.0.1/24"]


def test_a_farm_of_300_services_of_100_servers_comes_from_three_sequences() -> None:
    root = root_of("farm")
    services = [str(each.header.address) for each in root.virtual_servers]  # type: ignore[union-attr]
    assert services == [f"10.100.{i}.{j}" for i in range(1, 4) for j in range(1, 101)]
    expected = [f"10.200.{j}.{k}" for _ in range(3) for j in range(1, 101) for k in range(1, 101)]
    assert [address for address, _ in servers(root)] == expected
