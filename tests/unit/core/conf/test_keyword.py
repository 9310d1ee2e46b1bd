from __future__ import annotations

import dataclasses
import pickle

import pytest

from lvsd.core.conf.keyword import declaration, empty, keywords, kw, reachable, secrets
from lvsd.core.conf.values import word
from lvsd.core.settings import GlobalDefs
from tests.unit.core.conf.toy import Box, Lid, Numbers, Settings, Store


def test_a_block_is_a_frozen_dataclass_with_slots_and_a_name() -> None:
    assert declaration(Box).name == "box"
    lid = Lid()
    with pytest.raises(dataclasses.FrozenInstanceError):
        lid.tight = False  # type: ignore[misc]
    assert not hasattr(lid, "__dict__")
    assert pickle.loads(pickle.dumps(lid)) == lid


def test_keywords_are_found_by_name_and_alias_but_headers_are_not() -> None:
    table = keywords(Box)
    assert table["weight"] == table["mass"]
    assert table["dry-time"][0] == "dry_time"
    assert table["lid"][0] == "lid"
    assert "name" not in table
    assert "numbers" not in keywords(Numbers)


def test_a_keyword_without_default_must_be_required() -> None:
    from lvsd.core.conf.keyword import Keyword, _declare

    with pytest.raises(TypeError):
        _declare(Keyword("Lost.", reader=word))
    assert dataclasses.is_dataclass(Lid)
    assert kw(word, "Kept.", default="") is not None


def test_every_block_below_the_root_is_reachable_outermost_first() -> None:
    assert reachable(Store) == [Store, Settings, Box, Numbers, Lid]


def test_secrets_are_known_by_their_keyword() -> None:
    assert secrets(Store) == ["lock"]


def test_an_empty_block_has_its_defaults_unless_something_is_required() -> None:
    assert empty(GlobalDefs).vrrp_version == 2
    with pytest.raises(TypeError):
        empty(Box)
