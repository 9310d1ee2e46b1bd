from __future__ import annotations

import pickle
from ipaddress import ip_address

import pytest

from lvsd.core.conf.types import Endpoint, Tracked
from tests.unit.core.conf.toy import Box, Lid


@pytest.mark.parametrize(
    "value",
    [
        Endpoint(ip_address("192.0.2.1"), 80),
        Endpoint(ip_address("2001:db8::1")),
        ip_address("fe80::1%eth0"),
        Tracked("a", -5, True),
        Box(name="b", size=3, lid=Lid(tight=False), things=("x", "y")),
    ],
)
def test_what_is_pickled_comes_back_equal(value: object) -> None:
    again = pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
    assert again == value
    assert type(again) is type(value)
    assert repr(again) == repr(value)
