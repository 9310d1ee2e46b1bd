"""What a process asks of the system beyond an ordinary one's rights: real time, locked memory; and what it gives away."""

from __future__ import annotations

import ctypes
import os
import resource
from dataclasses import dataclass

_CAPABILITIES = {"NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "NET_RAW": 13}

_MCL_CURRENT = 1
_MCL_FUTURE = 2
_MCL_ONFAULT = 4

_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_LAST_CAPABILITY = 63
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Rights:
    """realtime: SCHED_RR priority, 1 to 99. rttime: microseconds of computing without a pause (RLIMIT_RTTIME). nice: -20 to
    19. capabilities: those that are kept; uid: what to become instead of root, with no capability at all."""

    realtime: int | None = None
    rttime: int | None = None
    nice: int | None = None
    lock_memory: bool = False
    capabilities: tuple[str, ...] = ()
    uid: int | None = None


def take(rights: Rights) -> tuple[str, ...]:
    """Takes what is asked for and gives the rest away, in the only order that works: limits, scheduling, lock, capabilities.

    Returns a sentence for each thing that the system did not grant; the process runs without it."""
    refused: list[str] = []
    if rights.nice is not None:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, rights.nice)
        except OSError as error:
            refused.append(f"nice value {rights.nice} was not granted: {error.strerror}")
    if rights.realtime is not None:
        refused += _run_in_real_time(rights.realtime, rights.rttime)
    if rights.lock_memory:
        refused += _lock_memory()
    refused += _give_away(rights)
    return tuple(refused)


def _run_in_real_time(priority: int, rttime: int | None) -> list[str]:
    try:
        # A child of a real-time process, a script for instance, is an ordinary process.
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return [
            f"real-time priority {priority} was not granted ({error.strerror}): adverts may be late on a busy machine"
        ]
    if rttime is not None:
        try:
            # Only the soft limit, which signals: the hard one kills, and that would be worse than a late advert. An
            # interpreter's turn with a thousand addresses takes longer than the 10 ms that do for a C program.
            resource.setrlimit(resource.RLIMIT_RTTIME, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_RTTIME, (max(rttime, 1_000_000), resource.RLIM_INFINITY))
        except (OSError, ValueError) as error:
            return [f"the limit of real-time computing was not set: {error}"]
    return []


def _lock_memory() -> list[str]:
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        # Under a finite limit a locked process loses its next allocation, so not to lock is the safer half.
        return ["memory is not locked, since its limit could not be raised: adverts may be late when the machine swaps"]
    if _libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        why = os.strerror(ctypes.get_errno())
        return [f"memory is not locked ({why}): adverts may be late when the machine swaps"]
    return []


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def _give_away(rights: Rights) -> list[str]:
    if os.geteuid() != 0:
        return []
    kept = {_CAPABILITIES[name] for name in rights.capabilities}
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in kept:
            _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    if rights.uid is not None:
        os.setgroups([])
        os.setresgid(rights.uid, rights.uid, rights.uid)
        os.setresuid(rights.uid, rights.uid, rights.uid)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    mask = sum(1 << capability for capability in kept)
    data = (_Data * 2)()
    data[0].effective = data[0].permitted = mask & 0xFFFFFFFF
    if _libc.capset(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), ctypes.byref(data)) != 0:
        return [f"rights could not be given away: {os.strerror(ctypes.get_errno())}"]
    return []
