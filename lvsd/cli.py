"""The command line: `lvsd -c FILE` runs the daemon and takes keepalived's options; the verbs ask or steer one that runs."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvsd import __version__

if TYPE_CHECKING:
    from lvsd.core.reader import Sources

DEFAULT_CONFIGURATION = "/etc/lvsd/lvs.conf"
RUN_DIR = "/run/lvsd"
STATE_DIR = "/var/lib/lvsd"

EXIT_DONE = 0
EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_PERMISSION = 4

# What keepalived's options that lvsd does not have are answered with.
_REFUSED = {
    ("-B", "--no_bfd"): "lvsd has no BFD process to leave out",
    ("--all",): "lvsd always starts all of its processes",
    ("-S", "--log-facility"): "lvsd logs to stderr; the journal or a supervisor stores it",
    ("-g", "--log-file"): "lvsd logs to stderr; redirect it",
    ("--flush-log-file",): "lvsd logs to stderr; redirect it",
    ("-G", "--no-syslog"): "lvsd does not use syslog at all",
    ("-u", "--umask"): "lvsd sets the mode of each file that it makes",
    ("-X", "--release-vips"): "lvsd always removes its addresses at stop",
    ("-V", "--dont-release-vrrp"): "lvsd never leaves an address behind: two directors could hold it",
    ("-I", "--dont-release-ipvs"): "not supported yet",
    ("-R", "--dont-respawn"): "lvsd always starts a process again that died",
    ("-d", "--dump-conf"): "`lvsd dump FILE` prints it; `lvsd status --json` shows what runs",
    ("-T", "--genhash"): "not supported yet",
    ("-a", "--address-monitoring"): "not supported yet; `ip monitor address` shows the changes",
    ("-x", "--snmp"): "lvsd has metrics for Prometheus instead: GET /metrics",
    ("-A", "--snmp-agent-socket"): "lvsd has metrics for Prometheus instead: GET /metrics",
    ("-s", "--namespace"): "start lvsd in the namespace: ip netns exec NAME lvsd ...",
    ("-m", "--core-dump"): "set the limit where lvsd is started (LimitCORE)",
    ("-M", "--core-dump-pattern"): "set kernel.core_pattern with sysctl",
    ("--signum",): "reload is SIGHUP, stop is SIGTERM",
    ("--ignore-sigint",): "not supported",
    ("--debug",): "not supported",
    ("--no-mem-check",): "lvsd has no such check",
    ("-L", "--mem-check-log"): "lvsd has no such check",
}


class _Refuse(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: str | None = None) -> None:
        why = next(reason for names, reason in _REFUSED.items() if option in names)
        parser.error(f"keepalived's option {option} is not supported: {why}")


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 refused or failed, 2 usage or configuration, 4 not permitted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and not arguments[0].startswith("-") and arguments[0] != "run":
        return _verb(arguments)
    return _run(arguments[1:] if arguments[:1] == ["run"] else arguments)


# --- the daemon -------------------------------------------------------------------------------------------------------


def run_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lvsd",
        allow_abbrev=False,
        description="Runs the daemon in the foreground, with its log on stderr.",
        epilog="Verbs: validate, dump, explain, unit, and for one that runs: status, services, drain, ready, maint, "
        "weight, reload, events. `lvsd VERB --help` explains each.",
    )
    parser.add_argument("-v", "--version", action="version", version=f"lvsd {__version__}")
    parser.add_argument(
        "-c",
        "--config",
        "--checkers_pid",
        metavar="FILE",
        help=f"configuration, {DEFAULT_CONFIGURATION} by default; with -f present, keepalived's pid file of the check process",
    )
    parser.add_argument("-f", "--use-file", metavar="FILE", help="configuration, as keepalived has it")
    parser.add_argument("-p", "--pid", metavar="FILE", type=Path, help="pid file of the parent")
    parser.add_argument("-r", "--vrrp_pid", metavar="FILE", type=Path, help="pid file of the vrrp process")
    parser.add_argument("-b", "--bfd_pid", metavar="FILE", type=Path, help="accepted; lvsd has no BFD process")
    parser.add_argument("-P", "--vrrp", action="store_true", help="only VRRP")
    parser.add_argument("-C", "--check", action="store_true", help="only checks and IPVS")
    parser.add_argument("-n", "--dont-fork", action="store_true", help="accepted; lvsd always stays in the foreground")
    parser.add_argument("-l", "--log-console", action="store_true", help="accepted; lvsd always logs to stderr")
    parser.add_argument("-D", "--log-detail", action="count", default=0, help="accepted; lvsd always logs details")
    parser.add_argument(
        "-t", "--config-test", action="store_true", help="check the configuration and end, as `validate` does"
    )
    parser.add_argument("--json", action="store_true", help="with -t: one JSON object on stdout")
    _add_reading(parser)
    parser.add_argument(
        "--last-good",
        action="store_true",
        help="where the configuration is refused at start, use the last one that was in force, and say so everywhere",
    )
    parser.add_argument(
        "--run-dir", metavar="DIR", type=Path, default=Path(RUN_DIR), help=f"sockets and lock ({RUN_DIR})"
    )
    parser.add_argument(
        "--state-dir", metavar="DIR", type=Path, default=Path(STATE_DIR), help=f"what lasts ({STATE_DIR})"
    )
    for names in _REFUSED:
        parser.add_argument(*names, action=_Refuse, nargs="?", help=argparse.SUPPRESS)
    return parser


def _run(arguments: list[str]) -> int:
    parser = run_parser()
    options = parser.parse_args(arguments)
    if options.vrrp and options.check:
        options.vrrp = options.check = False
    if options.use_file is None and (options.pid or options.vrrp_pid) and options.config is None:
        parser.error("-p and -r are keepalived's pid files and need -f FILE or -c FILE")
    if options.json and not options.config_test:
        parser.error("--json needs -t; the verbs have a --json of their own")
    configuration = options.use_file or options.config or DEFAULT_CONFIGURATION

    sources = replace(_sources(configuration, options), vrrp=not options.check, check=not options.vrrp)
    if options.config_test:
        return _report_problems(sources, options.json)
    return _start(options, sources)


def _start(options: argparse.Namespace, sources: Sources) -> int:
    from lvsd.core.ipc.hub import Process
    from lvsd.core.machine import running_keepalived
    from lvsd.core.main import RunOptions, run
    from lvsd.core.store import Store, Unusable

    if os.geteuid() != 0:
        return _fail("lvsd must be started as root: it changes addresses and the IPVS table", EXIT_PERMISSION)
    if (pid := running_keepalived()) is not None:
        return _fail(
            f"keepalived runs here (pid {pid}): both would write the same addresses and the same IPVS table; stop it first "
            "(what it leaves behind is adopted)"
        )
    pid_files = {Process.CORE: options.pid, Process.VRRP: options.vrrp_pid}
    if options.use_file is not None and options.config is not None:
        pid_files[Process.CHECK] = Path(options.config)
    try:
        store = Store(options.run_dir, options.state_dir)
    except Unusable as error:
        return _fail(str(error))
    written = {process: path for process, path in pid_files.items() if path}
    return run(RunOptions(sources, written, options.last_good), store)


def _fail(why: str, status: int = EXIT_REFUSED) -> int:
    print(f"lvsd: {why}", file=sys.stderr)
    return status


# --- verbs ------------------------------------------------------------------------------------------------------------


def verb_parser() -> argparse.ArgumentParser:
    from lvsd import client

    parser = argparse.ArgumentParser(prog="lvsd", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_of_file(verbs, "validate", "check it; every mistake at once")
    _add_of_file(verbs, "check", "check it; every mistake at once")
    _add_of_file(verbs, "dump", "print it as lvsd understands it, secrets hidden")
    explain = verbs.add_parser("explain", help="what a keyword or the code of a diagnostic means")
    explain.add_argument("word", metavar="WORD", nargs="?", help="all blocks and codes are listed without one")
    unit = verbs.add_parser("unit", help="print the systemd unit")
    unit.add_argument(
        "-c", "--config", metavar="FILE", default=DEFAULT_CONFIGURATION, help="of the lvsd that it starts"
    )
    client.add_verbs(verbs, RUN_DIR)
    return parser


def _add_reading(parser: argparse.ArgumentParser) -> None:
    """How a configuration is read, alike for the daemon and for the verbs."""
    parser.add_argument(
        "-i",
        "--config-id",
        metavar="ID",
        default=os.uname().nodename.partition(".")[0],
        help="selects the lines that begin with @ID; the host name up to its first dot by default",
    )
    parser.add_argument("-e", "--all-config", action="store_true", help="every file that is included must be there")
    parser.add_argument("--no-dropins", action="store_true", help="do not read lvsd.d/*.conf beside the configuration")
    parser.add_argument("--lenient", action="store_true", help="show errors, but go on after them as keepalived would")


def _add_of_file(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str) -> None:
    parser = verbs.add_parser(name, help=f"read a configuration file: {what}")
    parser.add_argument("file", metavar="FILE")
    _add_reading(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _verb(arguments: list[str]) -> int:
    from lvsd import client

    options = verb_parser().parse_args(arguments)
    return _OWN_VERBS.get(options.verb, client.run)(options)


def _sources(configuration: str, options: argparse.Namespace) -> Sources:
    from lvsd.core.reader import Sources

    return Sources(
        configuration,
        dropins=not options.no_dropins,
        identity=options.config_id,
        lenient=options.lenient,
        strict=options.all_config,
    )


def _validate(options: argparse.Namespace) -> int:
    return _report_problems(_sources(options.file, options), options.json)


def _report_problems(sources: Sources, as_json: bool) -> int:
    from lvsd.core import machine
    from lvsd.core.conf.diagnose import Severity
    from lvsd.core.reader import load, parts

    loaded = load(sources)
    of_machine = machine.warnings(*parts(loaded.config, sources)) if loaded.config is not None else ()
    warnings = [each for each in loaded.diagnostics if each not in loaded.errors]
    if as_json:
        diagnostics = [each.as_dict() for each in loaded.diagnostics]
        print(json.dumps({"ok": not loaded.errors, "diagnostics": diagnostics, "machine": of_machine}, indent=2))
    else:
        for diagnostic in loaded.diagnostics:
            print(diagnostic.render(), file=sys.stderr)
        for sentence in of_machine:
            print(f"this machine: warning: {sentence}", file=sys.stderr)
        passed = [each for each in warnings if each.severity is Severity.PASSED_OVER]
        count = len(warnings) - len(passed) + len(of_machine)
        errors = _count(len(loaded.errors), "error") + (f", {len(passed)} passed over" if passed else "")
        print(f"{sources.configuration}: {errors}, {_count(count, 'warning')}")
    return EXIT_REFUSED if loaded.errors else EXIT_DONE


def _dump(options: argparse.Namespace) -> int:
    from lvsd.core.conf.dump import as_json, dump
    from lvsd.core.reader import load

    loaded = load(_sources(options.file, options))
    if loaded.config is None:
        return _validate(options)
    root = loaded.config.root
    print(json.dumps(as_json(root), indent=2, ensure_ascii=False) + "\n" if options.json else dump(root), end="")
    return EXIT_DONE


def _explain(options: argparse.Namespace) -> int:
    from lvsd.core.conf.derive import codes, describe
    from lvsd.core.conf.explain import Unknown, explain, overview
    from lvsd.core.root import Root
    from lvsd.core.rules import RULES
    from lvsd.core.unobeyed import UNOBEYED

    blocks, known = describe(Root, UNOBEYED), codes(RULES)
    if options.word is None:
        print(overview(blocks, known), end="")
        return EXIT_DONE
    try:
        print(explain(options.word, blocks, known), end="")
    except Unknown as unknown:
        hint = unknown.suggestion or "`lvsd explain` lists all blocks and codes"
        return _fail(f"'{options.word}' is neither a keyword nor a code: {hint}")
    return EXIT_DONE


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'s' if number != 1 else ''}"


def _print_unit(options: argparse.Namespace) -> int:
    from lvsd.core.render import render

    started_as = Path(sys.argv[0]).name == "lvsd" and shutil.which(sys.argv[0])
    lvsd = os.path.abspath(started_as) if started_as else f"{sys.executable} -m lvsd"
    print(render("lvsd.service", lvsd=lvsd, configuration=options.config), end="")
    return EXIT_DONE


_OWN_VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "validate": _validate,
    "check": _validate,
    "dump": _dump,
    "explain": _explain,
    "unit": _print_unit,
}
