from __future__ import annotations

import json

import jsonschema

from lvsd.core.conf.derive import schema
from lvsd.core.conf.dump import as_json, dump
from tests.unit.core.conf.test_bind import WHOLE
from tests.unit.core.conf.toy import Read, Store


def test_a_dump_is_read_back_as_the_same_values_but_for_secrets() -> None:
    text = dump(Read(WHOLE).store)
    again = Read(text)
    assert not again.headlines
    assert dump(again.store) == text
    assert "hush" not in text
    assert again.store.settings == Read(WHOLE).store.settings
    assert again.store.lists == Read(WHOLE).store.lists


def test_what_is_at_its_default_is_left_out() -> None:
    assert (
        dump(Read("box a {\n size 1\n weight 1\n lid { tight on }\n}").store)
        == "box a {\n    size 1\n    lid {\n    }\n}\n"
    )


def test_json_has_keywords_as_keys_and_values_as_they_are() -> None:
    found = as_json(Read(WHOLE).store)
    assert found == json.loads(json.dumps(found))
    jsonschema.validate(found, schema(Store), jsonschema.Draft202012Validator)
    box = found["box"][0]
    assert isinstance(box["name"], str)
    assert isinstance(box["size"], int)
    assert "hush" not in json.dumps(found)
    assert box["lid"]["lock"] == "***"


def test_json_leaves_out_defaults_and_writes_lines_of_their_own_form_as_text() -> None:
    read = Read('box "a b" {\n size 1\n weight 1\n dry-time 0.5\n tracks {\n x weight 3\n }\n}\nlist l {\n 7\n}')
    assert as_json(read.store) == {
        "box": [{"name": "a b", "size": 1, "dry-time": 0.5, "tracks": ["x weight 3"]}],
        "list": [{"name": "l", "numbers": [7]}],
    }
    assert as_json(Read("").store) == {}
