"""Whole files: the good ones are taken without a word, the bad ones are answered word for word."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from lvsd.core.conf.derive import schema
from lvsd.core.conf.dump import as_json, dump
from lvsd.core.config import load
from lvsd.core.root import Root
from tests.conf.corpus import BAD, GOOD, load_file, shown


def name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", GOOD, ids=name)
def test_a_good_file_is_taken_without_a_word(path: Path) -> None:
    loaded = load_file(path)
    assert shown(loaded) == ""
    assert loaded.config is not None


@pytest.mark.parametrize("path", BAD, ids=name)
def test_a_bad_file_is_answered_word_for_word(path: Path) -> None:
    assert shown(load_file(path)) == path.with_suffix(".expected").read_text()


@pytest.mark.parametrize("path", BAD, ids=name)
def test_a_configuration_is_given_exactly_if_there_is_no_error(path: Path) -> None:
    loaded = load_file(path)
    assert (loaded.config is None) == bool(loaded.errors)


@pytest.mark.parametrize("path", BAD, ids=name)
def test_every_finding_points_into_its_line(path: Path) -> None:
    for each in load_file(path).diagnostics:
        if each.line:
            assert 1 <= each.column <= len(each.place.source_line) + 1, each.headline()


def test_the_corpus_has_the_twenty_common_mistakes() -> None:
    assert len(BAD) >= 20
    assert {path.stem for path in BAD} == {path.stem for path in (BAD[0].parent).glob("*.expected")}


@pytest.mark.parametrize("path", GOOD, ids=name)
def test_a_dump_is_read_as_the_same_configuration(path: Path) -> None:
    config = load_file(path).config
    assert config is not None
    text = dump(config.root)
    again = load("dump", lambda _: text.encode())
    assert not again.diagnostics, shown(again)
    assert again.config is not None
    # Passwords are the one thing that a dump must not bring back.
    assert dump(again.config.root) == text
    if "***" not in text:
        assert again.config == config


@pytest.mark.parametrize("secret", ["1111", "2222", "s3cret", "much-too-long-a-secret", "third-s3cret"])
def test_no_password_of_the_corpus_is_shown(secret: str) -> None:
    for path in [*GOOD, *BAD]:
        loaded = load_file(path)
        assert secret not in shown(loaded)
        assert secret not in repr(loaded.config)
        if loaded.config is not None:
            assert secret not in dump(loaded.config.root)


def test_json_of_the_good_files_is_valid_by_the_schema() -> None:
    validator = jsonschema.Draft202012Validator(schema(Root), format_checker=jsonschema.FormatChecker())
    for path in GOOD:
        config = load_file(path).config
        assert config is not None
        described = json.loads(json.dumps(as_json(config.root)))
        assert [f"{path}: {each.json_path} {each.message}" for each in validator.iter_errors(described)] == []


def test_a_schema_refuses_what_the_language_refuses() -> None:
    validator = jsonschema.Draft202012Validator(schema(Root), format_checker=jsonschema.FormatChecker())
    instance = {"name": "VI_1", "interface": "eth0", "virtual_router_id": 51}
    assert validator.is_valid({"vrrp_instance": [instance]})
    for wrong in ({"virtual_router_id": 510}, {"prioritty": 1}, {"state": "SLAVE"}, {"mcast_src_ip": "10.0.0"}):
        assert not validator.is_valid({"vrrp_instance": [{**instance, **wrong}]}), wrong
    assert not validator.is_valid({"vrrp_instance": [{"name": "VI_1"}]})


def test_an_argument_left_out_is_a_value_that_the_schema_knows() -> None:
    text = b"vrrp_instance a {\n interface eth0\n virtual_router_id 5\n timer_expired_backup\n notify_deleted\n}\n"
    config = load("main", lambda name: text).config
    assert config is not None
    described = as_json(config.root)
    assert described["vrrp_instance"][0]["timer_expired_backup"] == 0
    jsonschema.Draft202012Validator(schema(Root)).validate(described)
