from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from lvsd.core.conf.derive import ROOT, BlockView, codes, describe, keys, schema, tree
from lvsd.core.conf.keyword import arg, block, blocks, kw, reachable, sub
from lvsd.core.conf.rules import Finding, Rules
from lvsd.core.conf.values import integer, word
from lvsd.core.root import Root
from lvsd.core.rules import RULES
from lvsd.core.unobeyed import UNOBEYED
from tests.unit.core.conf.toy import Store


@block("peer", "A peer of a link.")
class LinkPeer:
    cost: int = kw(integer(0), "Its cost.", default=0)


@block("link", "A link.")
class Link:
    peers: tuple[LinkPeer, ...] = blocks(LinkPeer, doc="Its peers.")


@block("peer", "A peer of a session.")
class SessionPeer:
    name: str = arg(word, "Its name.")


@block("session", "A session.")
class Session:
    peer: SessionPeer | None = sub(SessionPeer, "Its peer.")
    link: Link | None = sub(Link, "Its link.")


@block("", "A language in which a keyword opens blocks of two kinds.")
class Net:
    links: tuple[Link, ...] = blocks(Link, doc="Links.")
    sessions: tuple[Session, ...] = blocks(Session, doc="Sessions.")


def view(root: type, key: str) -> BlockView:
    return next(each for each in describe(root) if each.key == key)


def test_a_keyword_is_described_as_it_is_declared() -> None:
    box = {each.name: each for each in view(Store, "box").keywords}
    assert "name" not in box  # it stands in the header
    assert (box["size"].usage, box["size"].required, box["size"].limits) == ("size N", True, "1 to 9")
    assert (box["weight"].default, box["weight"].aliases) == ("1", ("mass",))
    assert not box["colour"].obeyed
    assert box["old"].deprecated == "boxes do not age"
    assert box["dry-time"].default == ""
    assert (box["lid"].opens, box["lid"].form) == ("lid", "{ ... }")
    assert box["things"].form == "{ WORD ... }"
    assert view(Store, "box").usage == "box WORD { ... }"
    assert view(Store, "list").keywords[0].name == ""


def test_a_keyword_lists_the_values_that_can_be_listed() -> None:
    instance = {each.name: each.values for each in view(Root, "vrrp_instance").keywords}
    assert instance["state"] == ("MASTER", "BACKUP")
    assert instance["lower_prio_no_advert"] == ("on", "off")
    assert instance["nopreempt"] == ()
    assert instance["priority"] == ()


def test_the_outermost_level_comes_first_and_every_block_once() -> None:
    described = describe(Root)
    assert described[0].key == ROOT
    assert [each.key for each in described] == list(keys(Root).values())
    assert len({each.key for each in described}) == len(reachable(Root))


def test_blocks_that_share_their_keyword_are_told_apart() -> None:
    assert list(keys(Net).values()) == ["root", "link", "session", "link.peer", "session.peer"]
    assert view(Net, "link").parents == ("root", "session")
    assert view(Net, "session.peer").parents == ("session",)
    described = schema(Net)["$defs"]
    assert described["link"]["properties"]["peer"]["items"] == {"$ref": "#/$defs/link.peer"}
    assert described["session"]["properties"]["peer"] == {"$ref": "#/$defs/session.peer"}


def test_the_tree_shows_a_block_wherever_it_stands() -> None:
    assert [(depth, each.key) for depth, each in tree(describe(Net))] == [
        (0, "link"),
        (1, "link.peer"),
        (0, "session"),
        (1, "session.peer"),
        (1, "link"),
        (2, "link.peer"),
    ]


def test_keywords_without_a_declaration_are_named_only_while_they_have_none() -> None:
    box = next(each for each in describe(Store, {"box": {"stamp", "size", "mass"}}) if each.key == "box")
    assert box.unknown == ("stamp",)


def test_no_block_of_keepalived_without_a_declaration_is_forgotten() -> None:
    described = describe(Root, UNOBEYED)
    assert {word for each in described for word in each.unknown} <= {
        word for words in UNOBEYED.values() for word in words
    }
    assert {each.name for each in described} >= set(UNOBEYED)


def test_the_schema_is_a_schema_and_links_resolve() -> None:
    described = schema(Root)
    jsonschema.Draft202012Validator.check_schema(described)
    assert set(links(described)) <= {f"#/$defs/{key}" for key in described["$defs"]}
    assert described["$defs"]["vrrp_instance"]["required"] == ["name", "interface", "virtual_router_id"]
    assert described["$defs"]["vrrp_instance"]["properties"]["virtual_router_id"]["maximum"] == 255
    assert described["$defs"]["HTTP_GET"]["required"] == ["url"]
    assert described["$defs"][ROOT]["properties"]["virtual_server"]["type"] == "array"


def links(described: Any) -> list[str]:
    if isinstance(described, dict):
        found = [each for value in described.values() for each in links(value)]
        return [*found, described["$ref"]] if "$ref" in described else found
    return [each for value in described for each in links(value)] if isinstance(described, list) else []


def test_every_default_of_the_schema_is_allowed_by_it() -> None:
    defaults = 0
    for kind in schema(Root)["$defs"].values():
        for described in kind["properties"].values():
            if "default" in described:
                jsonschema.validate(described["default"], described, jsonschema.Draft202012Validator)
                defaults += 1
    assert defaults > 40


def test_two_things_of_one_name_in_a_block_are_a_mistake_of_the_declaration() -> None:
    @block("twins", "Two of a name.")
    class Twins:
        name: str = arg(word, "One.")
        other: str = kw(word, "The other.", default="", name="name")

    with pytest.raises(TypeError, match="twins: two things would have the key name"):
        schema(Twins)


def test_a_rule_explains_itself_by_its_docstring_else_by_its_name() -> None:
    rules: Rules[None] = Rules()

    @rules("silent")
    def silence_is_golden(root: None) -> list[Finding]:
        return []

    @rules("spoken")
    def speech_is_silver(root: None) -> list[Finding]:
        """Say what it means.

        And how to mend it."""
        return []

    found = {each.code: each for each in codes(rules)}
    assert found["silent"].title == found["silent"].explanation == "Silence is golden."
    assert found["spoken"].title == "Speech is silver."
    assert found["spoken"].explanation == "Say what it means.\n\nAnd how to mend it."
    assert list(found) == sorted(found)


def test_a_code_means_one_thing() -> None:
    names = [each.code for each in codes(RULES)]
    assert len(names) == len(set(names))
