"""Declarations of lvsd's own blocks, which keepalived does not have. Nothing but declarations."""

from __future__ import annotations

from enum import Enum

from .conf.keyword import arg, block, blocks, kw, optional, required, several, sub
from .conf.values import (
    Address,
    Command,
    Endpoint,
    Gateway,
    PeerKey,
    command,
    gateway,
    integer,
    ip,
    listener,
    lower_choice,
    path,
    peer_key,
    port,
    seconds,
    url,
    word,
)


class OnLoss(Enum):
    """What a director does that its arbiters do not answer."""

    STAY = "stay"
    YIELD = "yield"
    IGNORE = "ignore"


class OnFailure(Enum):
    """What a director does whose fencing program fails."""

    HOLD = "hold"
    TAKEOVER = "takeover"


@block("tls", "Certificates of the admin plane.")
class Tls:
    certificate: str = required(path, "File with the own certificate and those between it and the authority.")
    key: str = required(path, "File with the key of the certificate.")
    client_ca: str = kw(path, "File with the authorities whose certificates clients must show.", default="")


@block("admin", "How the daemon is asked and steered.")
class Admin:
    socket: str = kw(path, "Socket in the file system; always there.", default="/run/lvsd/admin.sock")
    listen: Endpoint | None = optional(
        listener, "Address for the same over TCP; needs tls and a way to authenticate: client_ca or token_file."
    )
    tls: Tls | None = sub(Tls, "Certificates for listen.")
    token_file: str = kw(path, "File with the name, role and hash of a token on each line.", default="")


@block("peer", "Another director.")
class Peer:
    name: str = arg(word, "Its name, as in its own `node`.")
    address: tuple[Address, ...] = several(ip, "An address of it; each is a path, and all are used at once.")


@block("peer_link", "A link between directors beside VRRP, over every path at once.")
class PeerLink:
    node: str = kw(word, "Name of this director; the host name by default.", default="")
    peers: tuple[Peer, ...] = blocks(Peer, doc="The other directors.")
    key: tuple[PeerKey, ...] = several(
        peer_key, "Shared key with its number; the first signs, and all are taken while keys are changed."
    )
    port: int = kw(port, "Port of UDP.", default=8405)
    interval: float = kw(seconds(0.01, 1), "Seconds between datagrams on each path.", default=0.1)


@block("arbiter", "Stations whose answers tell a director that it is not the one cut off.")
class Arbiter:
    name: str = arg(word, "Name of the arbiter.")
    gateway: tuple[Gateway, ...] = several(gateway, "A router, asked by ARP or neighbour discovery and then by ping.")
    http: tuple[str, ...] = several(url, "A page that must answer with a status of 200 to 299.")
    script: tuple[Command, ...] = several(command, "A program that must end with exit code 0.")
    require: int = kw(integer(1), "How many of them must answer.", default=1)
    interval: float = kw(seconds(0.01), "Seconds between two rounds.", default=1.0)
    timeout: float = kw(seconds(0.01), "Seconds allowed for an answer.", default=0.5)
    on_loss: OnLoss = kw(
        lower_choice(OnLoss),
        "When too few answer: keep the role that one has, give up mastership too, or go on as if they did.",
        default=OnLoss.STAY,
    )


@block("fence", "A program that switches the other director off before its addresses are taken in doubt.")
class Fence:
    script: Command = required(command, "The program; exit code 0 says that the other is off.")
    timeout: float = kw(seconds(0.01), "Seconds allowed for it.", default=10.0)
    delay: float = kw(seconds(0), "Seconds of waiting for each director of higher priority.", default=5.0)
    on_failure: OnFailure = kw(
        lower_choice(OnFailure), "When the program fails: wait on, or take over all the same.", default=OnFailure.HOLD
    )


@block("alert", "Who is told of alarms.")
class Alert:
    mail: tuple[str, ...] = several(word, "An address to write to.")
    webhook: tuple[str, ...] = several(url, "An address of the web that alarms are posted to.")
    script: tuple[Command, ...] = several(command, "A program that is given each alarm.")
    repeat: float = kw(seconds(1), "Seconds between two reports of an alarm that goes on.", default=300.0)
