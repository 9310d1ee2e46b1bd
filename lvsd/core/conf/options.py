"""Readers of arguments with a form of their own: commands, trackers, forwarding, time-outs.
Each gives a value or raises Unreadable with a sentence; none knows a keyword."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from .keyword import Reader, Unreadable
from .readers import PORT_MOST, quoted, read_integer, read_ip
from .types import Command, Lease, LvsMethod, TimeoutsLine, Tracked
from .words import TokenError, join_script, split_script

PERSISTENCE_DEFAULT = 360  # seconds; IPVS's own default (IP_VS_SVC_TIMEOUT of keepalived's `persistence_timeout` alone)
PERSISTENCE_MOST = 31 * 86400  # the kernel's MAXDELTA limit that ipvsadm and keepalived hold to
WEIGHT_WRITTEN = 254  # what keepalived reads
WEIGHT_MOST = 253  # what it makes of it: priorities between 1 and 254 can move by no more


# --- programs


def _read_command(words: Sequence[str]) -> Command:
    """words[0] is the whole command, cut a second time into its arguments; user and group stand behind it."""
    try:
        argv = tuple(split_script(words[0]))
    except TokenError as error:
        raise Unreadable(error.message) from None
    if not argv or not argv[0]:
        raise Unreadable("the command is empty")
    return Command(argv, *words[1:3])


def _write_command(value: Command) -> str:
    parts = [join_script([join_script(value.argv)])] if value.argv else []
    return " ".join([*parts, *(quoted(each) for each in (value.user, value.group) if each)])


command: Reader[Command] = Reader(
    form="COMMAND [USER [GROUP]]",
    read=_read_command,
    write=_write_command,
    schema={"type": "string"},
    limits="a command with arguments stands in quotes",
    most=3,
    script=True,
)
command_or_none: Reader[Command] = Reader(
    form="[COMMAND [USER [GROUP]]]",
    read=lambda words: _read_command(words) if words else Command(()),
    write=_write_command,
    schema={"type": "string"},
    least=0,
    most=3,
    script=True,
)
user_group: Reader[Command] = Reader(
    form="USER [GROUP]",
    read=lambda words: Command((), *words[:2]),
    write=_write_command,
    schema={"type": "string"},
    most=2,
)


# --- trackers, forwarding, time-outs


def _read_tracked(words: Sequence[str]) -> Tracked:
    name = words[0]
    weight: int | None = None
    reverse = False
    index = 1
    while index < len(words):
        if words[index] == "weight":
            if index + 1 == len(words):
                raise Unreadable("'weight' needs a number", index)
            weight = read_integer(words[index + 1], -WEIGHT_WRITTEN, WEIGHT_WRITTEN, index + 1)
            weight = max(-WEIGHT_MOST, min(WEIGHT_MOST, weight))
            index += 2
        elif words[index] in ("reverse", "noreverse"):
            reverse = words[index] == "reverse"
            index += 1
        else:
            raise Unreadable(f"'{words[index]}' is no option of a tracker", index, ("weight", "reverse", "noreverse"))
    return Tracked(name, weight, reverse)


def _write_tracked(value: Tracked) -> str:
    weight = "" if value.weight is None else f" weight {value.weight}"
    return quoted(value.name) + weight + (" reverse" if value.reverse else "")


tracked: Reader[Tracked] = Reader(
    form="NAME [weight N [reverse]]",
    read=_read_tracked,
    write=_write_tracked,
    schema={"type": "string"},
    limits="weight -254 to 254, of which -253 to 253 act",
    most=None,
)

_FORWARDING = ("NAT", "DR", "TUN")
_TUNNELS = ("ipip", "gue", "gre")
_CHECKSUMS = ("nocsum", "csum", "remcsum")


def _read_lvs_method(words: Sequence[str]) -> LvsMethod:
    name = words[0]
    if name not in _FORWARDING:
        raise Unreadable(f"'{name}' is no way of forwarding", 0, _FORWARDING)
    if len(words) > 1 and name != "TUN":
        raise Unreadable(f"{name} takes no option", 1)
    kind, number, checksum = "ipip", 0, "nocsum"
    index = 1
    while index < len(words):
        each, following = words[index], words[index + 1 : index + 2]
        if each in _CHECKSUMS:
            checksum = each
            index += 1
            continue
        if each not in ("type", "port"):
            raise Unreadable(f"'{each}' is no option of a tunnel", index, ("type", "port", *_CHECKSUMS))
        if not following:
            raise Unreadable(f"'{each}' needs a value", index)
        if each == "port":
            number = read_integer(following[0], 1, PORT_MOST, index + 1)
        elif following[0] in _TUNNELS:
            kind = following[0]
        else:
            raise Unreadable(f"'{following[0]}' is no type of tunnel", index + 1, _TUNNELS)
        index += 2
    if (kind == "gue") != bool(number):
        raise Unreadable("a gue tunnel needs a port" if kind == "gue" else f"an {kind} tunnel has no port")
    return LvsMethod(name, kind, number, checksum)


def _write_lvs_method(value: LvsMethod) -> str:
    parts = [value.name]
    if value.tunnel_type != "ipip":
        parts += ["type", value.tunnel_type]
    if value.tunnel_port:
        parts += ["port", str(value.tunnel_port)]
    if value.tunnel_checksum != "nocsum":
        parts.append(value.tunnel_checksum)
    return " ".join(parts)


lvs_method: Reader[LvsMethod] = Reader(
    form="NAT | DR | TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]",
    read=_read_lvs_method,
    write=_write_lvs_method,
    schema={"type": "string"},
    most=6,
)

_TIMEOUTS = {"tcp": "tcp", "tcpfin": "tcp_fin", "udp": "udp"}


def _read_lvs_timeouts(words: Sequence[str]) -> TimeoutsLine:
    found: dict[str, int] = {}
    for index in range(0, len(words), 2):
        if words[index] not in _TIMEOUTS:
            raise Unreadable(f"'{words[index]}' is no time-out of IPVS", index, tuple(_TIMEOUTS))
        if index + 1 == len(words):
            raise Unreadable(f"'{words[index]}' needs a number of seconds", index)
        found[_TIMEOUTS[words[index]]] = read_integer(words[index + 1], 0, PERSISTENCE_MOST, index + 1)
    return TimeoutsLine(**found)


lvs_timeouts: Reader[TimeoutsLine] = Reader(
    form="[tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]",
    read=_read_lvs_timeouts,
    write=lambda value: " ".join(
        f"{each} {getattr(value, field)}" for each, field in _TIMEOUTS.items() if getattr(value, field)
    ),
    schema={"type": "string"},
    limits=f"0 to {PERSISTENCE_MOST}",
    most=6,
)


def _read_flush(words: Sequence[str]) -> str:
    if words and words[0] != "VS":
        raise Unreadable(f"'{words[0]}' is not allowed here", 0, ("VS",))
    return words[0] if words else "all"


lvs_flush_on_stop: Reader[str] = Reader(
    form="[VS]",
    read=_read_flush,
    write=lambda value: "VS" if value == "VS" else "",
    schema={"type": "string", "enum": ["", "all", "VS"]},
    least=0,
)


def _read_persistence(words: Sequence[str]) -> int:
    return read_integer(words[0], 1, PERSISTENCE_MOST) if words else PERSISTENCE_DEFAULT


persistence: Reader[int] = Reader(
    form="[SECONDS]",
    read=_read_persistence,
    write=str,
    schema={"type": "integer", "minimum": 1, "maximum": PERSISTENCE_MOST},
    limits=f"1 to {PERSISTENCE_MOST}; {PERSISTENCE_DEFAULT} without an argument",
    least=0,
)


def _read_granularity(words: Sequence[str]) -> int:
    if "." not in words[0]:
        return read_integer(words[0], 1, 128)
    mask = int(IPv4Address(int(read_ip(words[0]))))
    width = mask.bit_count()
    if not mask or mask != (0xFFFFFFFF << (32 - width)) & 0xFFFFFFFF:
        raise Unreadable(f"'{words[0]}' is no netmask")
    return width


granularity: Reader[int] = Reader(
    form="NETMASK|PREFIX",
    read=_read_granularity,
    write=str,
    schema={"type": "integer", "minimum": 1, "maximum": 128},
    limits="a netmask for IPv4, 1 to 128 for IPv6",
)

LEASE_LEAST, LEASE_MOST = 2, 3600


def _read_lease(words: Sequence[str]) -> Lease:
    if words[0] in ("on", "off"):
        return Lease(words[0] == "on")
    if not words[0].isdigit():
        raise Unreadable(f"'{words[0]}' is not allowed here", 0, ("on", "off", "SECONDS"))
    return Lease(True, read_integer(words[0], LEASE_LEAST, LEASE_MOST))


lease: Reader[Lease] = Reader(
    form="on|off|SECONDS",
    read=_read_lease,
    write=lambda value: str(value.seconds) if value.on and value.seconds else "on" if value.on else "off",
    schema={"type": "string"},
    limits=f"{LEASE_LEAST} to {LEASE_MOST} whole seconds; on: three times the smallest advert_int",
)
