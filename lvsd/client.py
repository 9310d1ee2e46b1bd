"""The verbs of the command line that ask or steer a daemon: HTTP over its admin socket."""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from lvsd.admin import api, text

EXIT_DONE = 0
EXIT_REFUSED = 1
ANSWER = 15.0
"""Seconds; the admin process itself gives up on an order after 10."""
RELOAD = 100.0
"""Seconds; the admin process itself gives up on a reload after 90."""
QUIET = 45.0
"""Seconds without a heartbeat (every 15) after which a stream counts as lost."""
RETURN = 60.0
"""Seconds that a follower waits for an lvsd that was stopped, or whose admin process died."""


class Failed(Exception):
    """The text says what failed, and where."""


class Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("lvsd", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _open(run_dir: Path, method: str, path: str, body: Any = None, seconds: float = ANSWER) -> http.client.HTTPResponse:
    """The answer, whose body is not read yet. Raises Failed, also for an answer that is an error."""
    socket_path = run_dir / "admin.sock"
    connection = Connection(socket_path, seconds)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
    except FileNotFoundError:
        raise Failed(f"there is no {socket_path}: is lvsd running? (--run-dir says where to look)") from None
    except ConnectionRefusedError:
        raise Failed(f"nobody listens on {socket_path}: lvsd is not running") from None
    except PermissionError:
        raise Failed(f"{socket_path} may not be used: be root, or a member of the group lvsd") from None
    except TimeoutError:
        raise Failed(f"no answer on {socket_path} within {seconds:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"{socket_path}: {error or type(error).__name__}") from None
    if response.status != 200:
        raise Failed(_error(response))
    return response


def _error(response: http.client.HTTPResponse) -> str:
    try:
        error = msgspec.json.decode(response.read(), type=api.Error)
    except (msgspec.DecodeError, OSError, http.client.HTTPException):
        return f"the admin process answered {response.status} {response.reason}"
    if error.lines:
        return "\n".join(error.lines)
    return error.error if error.where in ("order", "check", "core") else f"{error.error} ({error.where})"


def _ask(run_dir: Path, path: str) -> bytes:
    try:
        return _open(run_dir, "GET", path).read()
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"the answer of {run_dir / 'admin.sock'} broke off: {error}") from None


def _order(run_dir: Path, path: str, body: dict[str, Any], seconds: float = ANSWER) -> None:
    try:
        answer = _open(run_dir, "POST", path, body, seconds).read()
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"the answer of {run_dir / 'admin.sock'} broke off: {error}") from None
    for line in msgspec.json.decode(answer, type=api.Done).lines:
        print(line)


# --- verbs ------------------------------------------------------------------------------------------------------------


def _duration(value: str) -> float:
    try:
        return api.duration(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], run_dir: str) -> None:
    """Adds status, services, drain, maint, ready, weight, reload and events, whose namespaces `run` takes.
    run_dir: where the daemon's run folder is unless an option says otherwise."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--run-dir", metavar="DIR", type=Path, default=Path(run_dir), help=f"of the daemon ({run_dir})")
    status = verbs.add_parser("status", parents=[common], help="who is master and why, and every server")
    status.add_argument("--json", action="store_true", help="everything, as JSON")
    status.add_argument("--watch", action="store_true", help="again every second")
    services = verbs.add_parser("services", parents=[common], help="services and their servers")
    services.add_argument("--json", action="store_true", help="as JSON")
    for verb, doc in (
        ("drain", "give a server no new connections"),
        ("maint", "take a server out of the table at once"),
        ("weight", "give a server another weight"),
        ("ready", "give a server back what is configured"),
    ):
        parser = verbs.add_parser(verb, parents=[common], help=doc)
        parser.add_argument("server", metavar="SERVER", help="address, or address:port")
        if verb == "weight":
            parser.add_argument("weight", metavar="N", type=int)
        parser.add_argument("--service", default="", help="only in this one, as status names it; every one otherwise")
        parser.add_argument("--reason", default="", help="for those who look later")
        if verb != "ready":
            parser.add_argument(
                "--for", dest="seconds", type=_duration, metavar="TIME", help="30m, 1h30m, 2d; for ever otherwise"
            )
            parser.add_argument("--force", action="store_true", help="also below the floor of a service")
    verbs.add_parser("reload", parents=[common], help="read the configuration again")
    events = verbs.add_parser("events", parents=[common], help="what happened")
    events.add_argument("--follow", action="store_true", help="go on with what happens")
    events.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 refused or failed."""
    try:
        _run(options)
        sys.stdout.flush()
    except Failed as failure:
        print(f"lvsd {options.verb}: {failure}", file=sys.stderr)
        return EXIT_REFUSED
    except msgspec.DecodeError as error:
        print(f"lvsd {options.verb}: an answer of another version of lvsd? {error}", file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return EXIT_DONE
    except BrokenPipeError:
        sys.stdout = None  # nothing is left to flush at exit
        return EXIT_DONE
    return EXIT_DONE


def _run(options: argparse.Namespace) -> None:
    match options.verb:
        case "status":
            _status(options)
        case "services":
            _services(options)
        case "events":
            _events(options)
        case "reload":
            _order(options.run_dir, "/v1/reload", {}, RELOAD)
        case verb:
            body: dict[str, Any] = {"service": options.service, "reason": options.reason}
            if verb == "weight":
                body["weight"] = options.weight
            if verb != "ready":
                body |= {"for": options.seconds, "force": options.force}
            _order(options.run_dir, f"/v1/servers/{quote(options.server, safe='')}/{verb}", body)


def _pretty(answer: bytes) -> str:
    return msgspec.json.format(answer, indent=2).decode()


def _in_words(answer: bytes) -> str:
    return text.status(msgspec.json.decode(answer, type=api.Status), time.time())


def _status(options: argparse.Namespace) -> None:
    while True:
        answer = _ask(options.run_dir, "/v1/status")
        shown = _pretty(answer) + "\n" if options.json else _in_words(answer)
        print(("\x1b[H\x1b[J" if options.watch else "") + shown, end="", flush=True)
        if not options.watch:
            return
        time.sleep(1.0)


def _services(options: argparse.Namespace) -> None:
    answer = _ask(options.run_dir, "/v1/services")
    if options.json:
        print(_pretty(answer))
        return
    found = msgspec.json.decode(answer, type=api.Services)
    if found.age is None or found.age > api.QUIET_AFTER["check"]:
        print("(no answer from check" + (f" for {found.age:.0f} s)" if found.age is not None else " yet)"))
    print("\n".join(text.services(found.services, found.foreign)))


def _events(options: argparse.Namespace) -> None:
    for event in _follow(options.run_dir) if options.follow else _recent(options.run_dir):
        if options.json:
            print(json.dumps(event), flush=True)
        else:
            clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.get("at", 0)))
            print(text.event(event, clock), flush=True)


def _recent(run_dir: Path, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_ask(run_dir, "/v1/events" + query))["events"]
    return found


def _follow(run_dir: Path) -> Iterator[dict[str, Any]]:
    """Events from now on, also those of a daemon or an admin process that was started again. Raises Failed when there is
    none for RETURN."""
    last = max((event["id"] for event in _recent(run_dir, "?limit=1")), default=0)
    response = _open(run_dir, "GET", f"/v1/events?follow=1&after={last}", seconds=QUIET)
    while True:
        try:
            for event in _stream(response):
                last = event["id"]
                yield event
            why = "the stream ended"
        except (OSError, http.client.HTTPException) as error:
            why = f"the stream broke off: {error}"
        finally:
            response.close()
        print(f"lvsd events: {why}; waiting for lvsd", file=sys.stderr)
        response = _return(run_dir, f"/v1/events?follow=1&after={last}")
        print("lvsd events: it goes on", file=sys.stderr)


def _return(run_dir: Path, path: str) -> http.client.HTTPResponse:
    """The answer as soon as somebody listens again. Raises Failed with the last reason."""
    until = time.monotonic() + RETURN
    while True:
        try:
            return _open(run_dir, "GET", path, seconds=QUIET)
        except Failed:
            if time.monotonic() > until:
                raise
        time.sleep(0.2)


def _stream(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """Until it ends. Raises OSError, HTTPException."""
    kind = ""
    while line := response.readline():
        name, _, value = line.decode(errors="replace").rstrip("\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data" and kind == "Lost":
            print("lvsd events: some events were missed", file=sys.stderr)
        elif name == "data":
            yield json.loads(value)
