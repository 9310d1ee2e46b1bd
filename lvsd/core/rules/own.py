"""Rules about lvsd's own blocks: the admin plane, the peer link, arbiters."""

from __future__ import annotations

from lvsd.core.conf.diagnose import Severity, suggest
from lvsd.core.conf.rules import Finding, Mend
from lvsd.core.root import Root
from lvsd.vrrp.settings import VrrpInstance, VrrpSyncGroup

from .common import RULES as rule
from .common import Findings, twice

KEY_LEAST = 10  # bytes


@rule("admin-without-tls", mend=Mend.REFUSE)
def the_admin_plane_is_encrypted(root: Root) -> Findings:
    """`listen` in the admin block opens the admin plane to the network, and there is no `tls` block beside it.
    Tokens and orders would travel in the clear. Add tls with a certificate and a key, or use the socket alone."""
    if root.admin is not None and root.admin.listen is not None and root.admin.tls is None:
        yield Finding("'listen' needs a tls block", root.admin, "listen")


@rule("admin-without-authentication", mend=Mend.REFUSE)
def the_admin_plane_knows_who_asks(root: Root) -> Findings:
    """`listen` in the admin block opens the admin plane to the network, and nothing says who may use it.
    Name a token_file, or a client_ca in the tls block."""
    admin = root.admin
    if admin is None or admin.listen is None or admin.token_file:
        return
    if admin.tls is None or not admin.tls.client_ca:
        yield Finding("'listen' needs a token_file, or a client_ca in tls", admin, "listen")


@rule("peer-link-without-peer", mend=Mend.REFUSE)
def a_peer_link_has_a_peer(root: Root) -> Findings:
    """The peer_link has no `peer` block, so that there is nobody to talk to. Add the other director and its addresses,
    or remove the peer_link."""
    if root.peer_link is not None and not root.peer_link.peers:
        yield Finding("the peer_link has no peer", root.peer_link)


@rule("peer-without-address", mend=Mend.REFUSE)
def peers_have_addresses(root: Root) -> Findings:
    """A peer of the peer_link has no address, so that nothing can be sent to it. Write one `address` line for each path,
    best on different networks."""
    for each in root.peer_link.peers if root.peer_link is not None else ():
        if not each.address:
            yield Finding(f"the peer '{each.name}' has no address", each, "name")


@rule("shared-path", mend=Mend.REFUSE)
def paths_are_of_one_peer(root: Root) -> Findings:
    """An address stands twice in the peer_link. Each address is a path to one director; written twice it would count as two
    paths that fail together, or as the path to two directors. Remove one of them."""
    yield from twice(
        (address, Finding(f"{address} is a path already", peer, "address", index))
        for peer in (root.peer_link.peers if root.peer_link is not None else ())
        for index, address in enumerate(peer.address)
    )


@rule("peer-link-without-key", mend=Mend.REFUSE)
def a_peer_link_has_a_key(root: Root) -> Findings:
    """The peer_link has no key. What directors tell each other decides who is master, so that it is never taken without
    authentication. Write the same `key 1 "..."` on both sides, at least 10 bytes long, or `key 1 file:PATH`."""
    if root.peer_link is not None and not root.peer_link.key:
        yield Finding("the peer_link has no key", root.peer_link)


@rule("short-key", mend=Mend.REFUSE)
def keys_are_long_enough(root: Root) -> Findings:
    """A key of the peer_link has less than 10 bytes, or `file:` without a path behind it. A short secret can be
    found by trying. Use a longer one, for example from `openssl rand -hex 16`."""
    for index, key in enumerate(root.peer_link.key if root.peer_link is not None else ()):
        if key.in_file:
            if not key.text.text.removeprefix("file:").startswith("/"):
                yield Finding("no absolute path stands behind 'file:'", root.peer_link, "key", index)
        elif len(key.text.text.encode()) < KEY_LEAST:
            yield Finding(f"the key has less than {KEY_LEAST} bytes", root.peer_link, "key", index)


@rule("duplicate-link-key", mend=Mend.REFUSE)
def keys_have_different_numbers(root: Root) -> Findings:
    """Two keys of the peer_link have the same number. The number in a datagram says which key it is authenticated with,
    so that each needs its own. Number them anew on both sides."""
    yield from twice(
        (key.number, Finding(f"key {key.number} stands above already", root.peer_link, "key", index))
        for index, key in enumerate(root.peer_link.key if root.peer_link is not None else ())
    )


@rule("own-node", mend=Mend.REFUSE)
def a_director_is_not_its_own_peer(root: Root) -> Findings:
    """A peer of the peer_link has the name of this director. The names tell directors apart, in vetoes as in drains.
    Correct `node`, or the peer's name: the two directors' files differ there."""
    for each in root.peer_link.peers if root.peer_link is not None else ():
        if root.peer_link is not None and each.name == root.peer_link.node:
            yield Finding(f"'{each.name}' is this director's own name", each, "name")


@rule("arbiter-out-of-reach", mend=Mend.REFUSE)
def an_arbiter_can_be_content(root: Root) -> Findings:
    """An arbiter requires more answers than it asks stations, so that it could never be content and its on_loss would
    always act. Lower `require`, or add a gateway, http or script line."""
    for each in root.arbiters:
        asked = len(each.gateway) + len(each.http) + len(each.script)
        if not asked:
            yield Finding(f"the arbiter '{each.name}' asks nobody", each, "name")
        elif each.require > asked:
            yield Finding(f"only {asked} can answer", each, "require")


@rule("slow-arbiter", Severity.WARNING)
def arbiters_answer_before_they_are_asked_again(root: Root) -> Findings:
    """The timeout of an arbiter is longer than its interval, so that a round would begin before the last one has ended.
    Rounds follow each other then, and a loss is noticed later. Make the timeout at most the interval."""
    for each in root.arbiters:
        if each.timeout > each.interval:
            yield Finding(f"longer than the interval of {each.interval:g} s", each, "timeout")


@rule("unknown-arbiter", mend=Mend.REFUSE)
def arbiters_that_are_asked_exist(root: Root) -> Findings:
    """A vrrp_instance or vrrp_sync_group names an arbiter that does not exist, so that it would decide without one.
    Declare the arbiter at the outermost level, or correct the name."""
    known = {each.name for each in root.arbiters}
    users: tuple[VrrpInstance | VrrpSyncGroup, ...] = (*root.instances, *root.groups)
    for each in users:
        name = each.arbiter
        if name and name not in known:
            text = f"there is no arbiter '{name}'"
            yield Finding(text, each, "arbiter", 0, suggest(name, known), missing=("arbiter", name))
