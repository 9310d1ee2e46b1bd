"""Broken files: whatever is done to a good one, the reader answers with a configuration or with findings that have a place."""

from __future__ import annotations

import os
import random

import pytest

from lvsd.core.conf.diagnose import FOUND_MOST
from lvsd.core.conf.dump import dump
from lvsd.core.conf.expand import Surroundings
from lvsd.core.config import load
from tests.conf.corpus import BAD, GOOD, find, read

ROUNDS = 20_000 if os.environ.get("LVSD_PROOF") else 1_500
SEEDS = [path.read_bytes() for path in [*GOOD, *BAD]]
PIECES = [
    *(
        b"{ } \" ' # ! \\ $ @ ~ \n \t \r \0 \xff \x1b 0 -1 99999999999999999999 1.5 ::1 10.0.0.1/24 10.0.0.1-9".split(
            b" "
        )
    ),
    b"${A}",
    b"$A=${B}\n",
    b"@x ",
    b"~SEQ(i,1,9) ",
    b"include nested/unknown.inc\n",
    b"include *\n",
    b"vrrp_instance A {\n",
    b"virtual_server group X {\n",
    b"real_server 10.0.0.1 {\n",
    b"weight",
    b"auth_pass",
    b"\xe2\x80\xae",
    "٣".encode(),
]


def mutate(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(lines))
        line = lines[at]
        column = chance.randint(0, len(line))
        match chance.randrange(8):
            case 0:
                del lines[at]
            case 1:
                lines.insert(chance.randint(0, len(lines)), line)
            case 2:
                lines[at] = line[:column] + chance.choice(PIECES) + line[column:]
            case 3:
                lines[at] = line[:column] + line[column + 1 :]
            case 4:
                words = line.split(b" ")
                words[chance.randrange(len(words))] = chance.choice(PIECES)
                lines[at] = b" ".join(words)
            case 5:
                lines[at] = line + b" " + lines[chance.randrange(len(lines))]
            case 6:
                lines[at] = line[:column] + bytes([chance.randrange(256)]) + line[column:]
            case 7:
                lines = lines[:at]
        lines = lines or [b""]
    return b"\n".join(lines)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_escapes_the_reader_and_every_finding_has_a_place(seed: int) -> None:
    chance = random.Random(seed)
    taken = refused = 0
    for _ in range(ROUNDS // 4):
        data = mutate(chance.choice(SEEDS), chance)

        def read_mutant(name: str, data: bytes = data) -> bytes:
            return data if name == "fuzz.conf" else read(name)

        loaded = load(
            "fuzz.conf", read_mutant, glob=lambda pattern: find(f"good/{pattern}"), surroundings=Surroundings("x")
        )
        assert (loaded.config is None) == bool(loaded.errors), data
        taken += loaded.config is not None
        refused += loaded.config is None
        for each in loaded.diagnostics:
            if each.code == "too-many":  # about the whole file, and only where there are that many
                assert len(loaded.diagnostics) > FOUND_MOST, data
                continue
            each.render()
            assert each.text, data
            assert each.file, data
            if each.code not in ("not-utf8",):
                assert each.line >= 1, (each, data)
                assert 1 <= each.column <= len(each.place.source_line) + 1, (each, data)
        if loaded.config is not None:
            text = dump(loaded.config.root)
            again = load("dump", lambda name, text=text: text.encode())  # type: ignore[misc]
            assert again.config is not None, (data, text, [each.render() for each in again.errors])
            assert dump(again.config.root) == text, data
            if "***" not in text:
                assert again.config == loaded.config, (data, text)
    assert taken > ROUNDS // 100
    assert refused > ROUNDS // 20
