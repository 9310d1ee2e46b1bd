from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from lvsd.core.conf.keyword import Reader, Unreadable
from lvsd.core.conf.transport import (
    ExtraGarps,
    HmacKey,
    UnicastPeer,
    UseIpvlan,
    UseVmac,
    extra_garps,
    hmac_key,
    unicast_peer,
    use_ipvlan,
    use_vmac,
)
from lvsd.core.conf.types import Secret

V4, V6 = ip_address("192.0.2.1"), ip_address("2001:db8::1")
FIVE = bytes((2, 0, 0x5E, 0, 1))


@pytest.mark.parametrize(
    ("reader", "line", "value"),
    [
        (unicast_peer, "192.0.2.1", UnicastPeer(V4)),
        (unicast_peer, "2001:db8::1 max_ttl 255 min_ttl 254", UnicastPeer(V6, 254, 255)),
        (use_vmac, "", UseVmac()),
        (use_vmac, "vrrp.51", UseVmac("vrrp.51")),
        (use_vmac, "02:00:5e:00:01", UseVmac(mac=FIVE)),
        (use_vmac, "vrrp.51 2:0:5e:0:1 netlink_notify_msg group 3", UseVmac("vrrp.51", FIVE, True, 3)),
        (use_vmac, "name group 02:00:5e:00:01:33", UseVmac("group", FIVE + b"3")),
        (use_ipvlan, "", UseIpvlan()),
        (use_ipvlan, "ipvl0 192.0.2.1 private group 1", UseIpvlan("ipvl0", V4, "private", 1)),
        (use_ipvlan, "name 192.0.2.1", UseIpvlan("192.0.2.1")),
        (use_ipvlan, "2001:db8::1 vepa", UseIpvlan(address=V6, mode="vepa")),
        (extra_garps, "30", ExtraGarps(30)),
        (extra_garps, "all 30", ExtraGarps(30, True)),
    ],
)
def test_a_line_is_read_and_written_back(reader: Reader[Any], line: str, value: object) -> None:
    assert reader.read(line.split()) == value
    assert reader.read(reader.write(value).split()) == value


@pytest.mark.parametrize(
    ("reader", "line", "word", "part"),
    [
        (unicast_peer, "peer.example.net", 0, "no IP address"),
        (unicast_peer, "192.0.2.1 min_ttl 256", 2, "0 to 255"),
        (unicast_peer, "192.0.2.1 min_ttl 9 max_ttl 8", 2, "above max_ttl"),
        (use_vmac, "a-name-that-is-too-long", 0, "longer than"),
        (use_vmac, "vrrp.51 01:00:5e:00:00:01", 1, "multicast address"),
        (use_vmac, "vrrp.51 02:00", 1, "no MAC address"),
        (use_vmac, "vrrp.51 group", 1, "needs a value"),
        (use_ipvlan, "ipvl0 bridg", 1, "no IP address"),
        (extra_garps, "all", 0, "missing"),
        (extra_garps, "86401", 0, "0 to 86400"),
    ],
)
def test_a_bad_line_is_refused_at_its_word(reader: Reader[Any], line: str, word: int, part: str) -> None:
    with pytest.raises(Unreadable, match=part) as caught:
        reader.read(line.split())
    assert caught.value.word == word


def test_a_key_is_read_and_never_written() -> None:
    key = hmac_key.read(["7", "hex:00ff"])
    assert key == HmacKey(7, Secret("hex:00ff"))
    assert key.octets() == b"\0\xff"
    assert HmacKey(1, Secret("file:/etc/lvsd/key")).octets() is None
    assert HmacKey(1, Secret("plain")).octets() == b"plain"
    assert hmac_key.write(key) == "7 ***"
    assert hmac_key.secret
    with pytest.raises(Unreadable, match="1 to 255") as caught:
        hmac_key.read(["hush", "7"])
    assert "hush" not in caught.value.message
    assert caught.value.word == 0
