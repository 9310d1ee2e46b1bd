"""Readers of arguments that only daemon-wide keywords and lvsd's own blocks have: files, masks, firewall names, keys.
Each gives a value or raises Unreadable with a sentence; none knows a keyword."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address

from .keyword import Reader, Unreadable
from .line import first, line, line_reader, option
from .readers import PORT_MOST, integer, interface, ip, port, quoted, read_integer, read_interface, read_ip, word
from .types import (
    Address,
    Endpoint,
    Fifo,
    FirewallChains,
    LinkDelay,
    LinkPoll,
    PeerKey,
    Probing,
    Secret,
    TrackerWeight,
)
from .words import TokenError, join_script, split_script

SYNC_GROUP = IPv4Address("224.0.0.81")  # IP_VS_SYNC_GROUP of the kernel
NAME_MOST = 255
TITLE_MOST = 15  # TASK_COMM_LEN - 1
CPU_MOST = 1023  # CPU_SETSIZE of glibc


# --- words and files


def short_word(most: int) -> Reader[str]:
    """A word of at most so many bytes."""

    def read(words: Sequence[str]) -> str:
        if len(words[0].encode()) > most:
            raise Unreadable(f"'{words[0]}' is longer than {most} bytes")
        return words[0]

    return Reader(
        form="WORD",
        read=read,
        write=quoted,
        schema={"type": "string", "maxLength": most},
        limits=f"at most {most} bytes",
    )


def word_or(bare: str, form: str = "NAME") -> Reader[str]:
    """A word that may be left out; `bare` stands for it then."""
    return Reader(
        form=f"[{form}]",
        read=lambda words: words[0] if words else bare,
        write=lambda value: quoted(value) if value != bare else "",
        schema={"type": "string"},
        limits=f"{bare} without an argument" if bare else "",
        least=0,
    )


def permission(widened: str) -> Reader[str]:
    """A keyword that permits something, and more with the word behind it."""

    def read(words: Sequence[str]) -> str:
        if words and words[0] != widened:
            raise Unreadable(f"'{words[0]}' is not allowed here", 0, (widened,))
        return words[0] if words else ""

    return Reader(form=f"[{widened}]", read=read, write=str, schema={"type": "string", "enum": ["", widened]}, least=0)


def _read_absolute(words: Sequence[str]) -> str:
    if not words[0].startswith("/"):
        raise Unreadable(f"'{words[0]}' is no absolute path, which begins with /")
    return words[0]


path: Reader[str] = Reader(form="PATH", read=lambda words: words[0], write=quoted, schema={"type": "string"})
absolute_path: Reader[str] = Reader(
    form="PATH", read=_read_absolute, write=quoted, schema={"type": "string", "pattern": "^/"}, limits="absolute"
)


def _read_file_name(words: Sequence[str]) -> str:
    name = words[0]
    if not name or "/" in name or name in (".", "..") or len(name.encode()) > NAME_MOST:
        raise Unreadable(f"'{name}' is no name of a file", hint="the name alone, without a folder")
    return name


file_name: Reader[str] = Reader(
    form="NAME", read=_read_file_name, write=quoted, schema={"type": "string"}, limits="the name of a file, no path"
)
file_name_or_none: Reader[str] = Reader(
    form="[NAME]",
    read=lambda words: _read_file_name(words) if words else "",
    write=lambda value: quoted(value) if value else "",
    schema={"type": "string"},
    least=0,
)


def _read_url(words: Sequence[str]) -> str:
    if not re.match(r"https?://[^/?#\s]", words[0]):
        raise Unreadable(f"'{words[0]}' is no address of the web", hint="it begins with http:// or https://")
    return words[0]


url: Reader[str] = Reader(form="URL", read=_read_url, write=quoted, schema={"type": "string", "format": "uri"})

fifo: Reader[Fifo] = Reader(
    form="PATH [USER [GROUP]]",
    read=lambda words: Fifo(*words[:3]),
    write=lambda value: " ".join(quoted(each) for each in (value.path, value.user, value.group) if each),
    schema={"type": "string"},
    most=3,
)

_MASK_BITS = {
    f"I{right}{who}": bit << shift
    for who, shift in (("USR", 6), ("GRP", 3), ("OTH", 0))
    for right, bit in (("R", 4), ("W", 2), ("X", 1))
} | {"IRWXU": 0o700, "IRWXG": 0o070, "IRWXO": 0o007}
MASK_MOST = 0o777


def _read_umask(words: Sequence[str]) -> int:
    if re.fullmatch("0[0-7]*", words[0]) and len(words) == 1:
        if int(words[0], 8) > MASK_MOST:
            raise Unreadable(f"'{words[0]}' is out of range, 0 to 0777 is allowed")
        return int(words[0], 8)
    if words[0][:1].isdigit():
        raise Unreadable(f"'{words[0]}' is no mask in octal digits", hint="octal digits begin with 0, as in 022")
    mask = 0
    for index, each in enumerate(words):
        for name in filter(None, each.split("|")):
            if name.removeprefix("S_") not in _MASK_BITS:
                raise Unreadable(f"'{name}' is no bit of a mask", index, tuple(_MASK_BITS))
            mask |= _MASK_BITS[name.removeprefix("S_")]
    return mask


umask: Reader[int] = Reader(
    form="OCTAL | BIT [| BIT] ...",
    read=_read_umask,
    write=lambda value: f"0{value:o}" if value else "0",
    schema={"type": "integer", "minimum": 0, "maximum": MASK_MOST},
    limits="octal digits that begin with 0, or names as in IWGRP | IWOTH",
    most=None,
)


# --- lists

INCLUDE_CHECKS = ("read", "match", "wildcard_match", "brace_match")


def _read_include_check(words: Sequence[str]) -> tuple[str, ...]:
    for index, each in enumerate(words):
        if each.lstrip("+-") not in INCLUDE_CHECKS and each not in ("none", "readable"):
            raise Unreadable(f"'{each}' is no check of an include", index, ("none", *INCLUDE_CHECKS))
    return tuple(words)


include_check: Reader[tuple[str, ...]] = Reader(
    form="[none | [+|-]CHECK ...]",
    read=_read_include_check,
    write=" ".join,
    schema={"type": "array", "items": {"type": "string"}},
    limits=", ".join(INCLUDE_CHECKS) + "; + adds to what is checked, - takes from it",
    least=0,
    most=None,
)

cpus: Reader[tuple[int, ...]] = Reader(
    form="CPU ...",
    read=lambda words: tuple(read_integer(each, 0, CPU_MOST, index) for index, each in enumerate(words)),
    write=lambda value: " ".join(map(str, value)),
    schema={"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": CPU_MOST}},
    limits=f"0 to {CPU_MOST}",
    most=None,
)


# --- firewall

SETS_MOST = 6
SET_NAME_MOST = 31  # IPSET_MAXNAMELEN - 1
CHAIN_NAME_MOST = 28  # XT_EXTENSION_MAXNAMELEN - 1


def _read_chains(words: Sequence[str]) -> FirewallChains:
    for index, each in enumerate(words):
        if len(each.encode()) > CHAIN_NAME_MOST:
            raise Unreadable(f"'{each}' is longer than the {CHAIN_NAME_MOST} bytes of a chain's name", index)
    return FirewallChains(*words)


def _write_chains(value: FirewallChains) -> str:
    return "" if value == FirewallChains() else f"{quoted(value.inbound)} {quoted(value.outbound)}"


firewall_chains: Reader[FirewallChains] = Reader(
    form="[IN [OUT]]",
    read=_read_chains,
    write=_write_chains,
    schema={"type": "string"},
    limits="INPUT and OUTPUT without an argument",
    least=0,
    most=2,
)


def _read_set_names(words: Sequence[str]) -> tuple[str, ...]:
    for index, each in enumerate(words):
        if len(each.encode()) > SET_NAME_MOST:
            raise Unreadable(f"'{each}' is longer than the {SET_NAME_MOST} bytes of a set's name", index)
        if each in words[:index]:
            raise Unreadable(f"'{each}' names two sets", index)
    return tuple(words)


set_names: Reader[tuple[str, ...]] = Reader(
    form="[NAME ...]",
    read=_read_set_names,
    write=lambda value: " ".join(map(quoted, value)),
    schema={"type": "array", "items": {"type": "string"}, "maxItems": SETS_MOST},
    limits=f"at most {SETS_MOST} different names; no sets without an argument",
    least=0,
    most=SETS_MOST,
)


# --- VRRP and links

DAY = 86400
DELAY_MOST = 255
TRACKER_WEIGHT_MOST = 253
_BUFFER_RULES = ("MTU", "ADVERT")
_POLLS = ("MII", "ETHTOOL", "IOCTL")


buffer_rule: Reader[int | str] = Reader(
    form="MTU|ADVERT|BYTES",
    read=lambda words: words[0] if words[0] in _BUFFER_RULES else read_integer(words[0], 1, 2**31 - 1),
    write=str,
    schema={"type": ["integer", "string"]},
)


def tracker_weight(most: int) -> Reader[TrackerWeight]:
    """A weight from -most to most, of which -253 to 253 act."""

    def read(words: Sequence[str]) -> TrackerWeight:
        if len(words) > 1 and words[1] not in ("reverse", "noreverse"):
            raise Unreadable(f"'{words[1]}' is no option of a weight", 1, ("reverse", "noreverse"))
        weight = read_integer(words[0], -most, most)
        acts = max(-TRACKER_WEIGHT_MOST, min(TRACKER_WEIGHT_MOST, weight))
        return TrackerWeight(acts, len(words) > 1 and words[1] == "reverse")

    clamped = "" if most == TRACKER_WEIGHT_MOST else f", of which -{TRACKER_WEIGHT_MOST} to {TRACKER_WEIGHT_MOST} act"
    return Reader(
        form="N [reverse]",
        read=read,
        write=lambda value: f"{value.weight} reverse" if value.reverse else str(value.weight),
        schema={"type": "string"},
        limits=f"-{most} to {most}{clamped}",
        most=2,
    )


def _read_link_delay(words: Sequence[str]) -> LinkDelay:
    if len(words) < 2:
        raise Unreadable("a number of seconds is missing behind the interface")
    delays = [read_integer(each, 0, DELAY_MOST, 1 + index) for index, each in enumerate(words[1:3])]
    return LinkDelay(read_interface(words[0]), *delays)


link_delay: Reader[LinkDelay] = Reader(
    form="INTERFACE DOWN [UP]",
    read=_read_link_delay,
    write=lambda value: f"{quoted(value.interface)} {value.down}" + (f" {value.up}" if value.up else ""),
    schema={"type": "string"},
    limits=f"seconds, 0 to {DELAY_MOST}; up 0 where none is written",
    most=3,
)


def _read_link_poll(words: Sequence[str]) -> LinkPoll:
    if len(words) > 1 and words[1] not in _POLLS:
        raise Unreadable(f"'{words[1]}' is no way to ask a device", 1, _POLLS)
    return LinkPoll(read_interface(words[0]), words[1] if len(words) > 1 else "")


link_poll: Reader[LinkPoll] = Reader(
    form="INTERFACE [MII|ETHTOOL|IOCTL]",
    read=_read_link_poll,
    write=lambda value: f"{quoted(value.interface)} {value.way}".rstrip(),
    schema={"type": "string"},
    most=2,
)


def _read_init_file(words: Sequence[str]) -> tuple[int, bool]:
    value, overwrite = 0, False
    for index, each in enumerate(words):
        if each == "overwrite":
            overwrite = True
        elif index:
            raise Unreadable(f"'{each}' is not allowed here", index, ("overwrite",))
        else:
            value = read_integer(each, -(2**31), 2**31 - 1, index)
    return value, overwrite


init_file: Reader[tuple[int, bool]] = Reader(
    form="[VALUE] [overwrite]",
    read=_read_init_file,
    write=lambda value: f"{value[0]} overwrite" if value[1] else str(value[0]),
    schema={"type": "string"},
    least=0,
    most=2,
)


def _read_match(words: Sequence[str]) -> str:
    if words and words[0] not in ("initial", "partial"):
        raise Unreadable(f"'{words[0]}' is not allowed here", 0, ("initial", "partial"))
    return words[0] if words else "exact"


parameter_match: Reader[str] = Reader(
    form="[initial|partial]",
    read=_read_match,
    write=lambda value: "" if value == "exact" else value,
    schema={"type": "string", "enum": ["exact", "initial", "partial"]},
    limits="exact without an argument",
    least=0,
)


def _read_process(words: Sequence[str]) -> tuple[str, ...]:
    """A program and its arguments, each a word of its own or all of them in quotes."""
    try:
        argv = tuple(words) if len(words) > 1 else tuple(split_script(words[0]))
    except TokenError as error:
        raise Unreadable(error.message) from None
    if not argv or not argv[0]:
        raise Unreadable("the program is empty")
    return argv


process_line: Reader[tuple[str, ...]] = Reader(
    form="COMMAND [ARGUMENT ...]",
    read=_read_process,
    write=lambda value: join_script([join_script(value)]),
    schema={"type": "array", "items": {"type": "string"}},
    most=None,
    script=True,
)


# --- IPVS connection sync


def _read_multicast(words: Sequence[str]) -> Address:
    address = read_ip(words[0])
    if not address.is_multicast:
        raise Unreadable(f"{words[0]} is no multicast address")
    return address


multicast: Reader[Address] = Reader(
    form="IP", read=_read_multicast, write=str, schema={"type": "string"}, limits="a multicast address"
)


@line("the sync daemon", "Where connections are told to the other director.")
class SyncDaemon:
    interface: str = first(interface, "Interface that they are told on.")
    instance: str = first(word, "The vrrp_instance that decides who tells and who listens.", default="", name="inst")
    id: int | None = option(
        integer(0, 255), "Number that both sides share; the instance's VRID by default.", default=None
    )
    maxlen: int = option(integer(1, 65507), "Bytes of a message; what the interface takes by default.", default=0)
    port: int = option(port, "Port that they are told on.", default=8848)
    ttl: int = option(integer(1, 255), "TTL of the messages.", default=1)
    group: Address = option(multicast, "Multicast group.", default=SYNC_GROUP)


sync_daemon = line_reader(SyncDaemon)


# --- lvsd's own blocks

WAIT_LEAST, WAIT_MOST, WAIT_DEFAULT = 1, 3600, 10


def _read_probing(words: Sequence[str]) -> Probing:
    if words[0] not in ("off", "alarm", "wait"):
        raise Unreadable(f"'{words[0]}' is not allowed here", 0, ("off", "alarm", "wait"))
    if len(words) > 1 and words[0] != "wait":
        raise Unreadable(f"'{words[0]}' takes no number", 1)
    seconds = read_integer(words[1], WAIT_LEAST, WAIT_MOST, 1) if len(words) > 1 else WAIT_DEFAULT
    return Probing(words[0], seconds if words[0] == "wait" else 0)


probing: Reader[Probing] = Reader(
    form="off | alarm | wait [SECONDS]",
    read=_read_probing,
    write=lambda value: f"wait {value.seconds}" if value.then == "wait" else value.then,
    schema={"type": "string"},
    limits=f"{WAIT_LEAST} to {WAIT_MOST} seconds, {WAIT_DEFAULT} where none are written",
    most=2,
)


def _read_listener(words: Sequence[str]) -> Endpoint:
    return Endpoint(read_ip(words[0]), read_integer(words[1], 1, PORT_MOST, 1))


listener: Reader[Endpoint] = Reader(
    form="IP PORT",
    read=_read_listener,
    write=lambda value: f"{value.address} {value.port}",
    schema={"type": "string"},
    least=2,
    most=2,
)


@line("a gateway", "A gateway that an arbiter asks.")
class Gateway:
    address: Address = first(ip, "Its address.")
    dev: str = option(interface, "Interface that it is asked on; the route's by default.", default="")


gateway = line_reader(Gateway)

KEY_MOST = 255


def _read_peer_key(words: Sequence[str]) -> PeerKey:
    if not re.fullmatch("[0-9]+", words[0]) or int(words[0]) > KEY_MOST:
        raise Unreadable(f"the number of the key is missing or not from 0 to {KEY_MOST}")  # the word may be the secret
    return PeerKey(int(words[0]), Secret(words[1]))


peer_key: Reader[PeerKey] = Reader(
    form="ID SECRET|file:PATH",
    read=_read_peer_key,
    write=lambda value: f"{value.number} {quoted(value.text.text) if value.in_file else '***'}",
    schema={"type": "string"},
    limits=f"ID 0 to {KEY_MOST}, a secret of at least 10 bytes",
    least=2,
    most=2,
    secret=True,
)
