from __future__ import annotations

import argparse

from lvsd import cli
from lvsd.core.usage import Option, options, verbs


def test_options_are_those_that_the_help_shows() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-c", "--config", metavar="FILE", help="what is read")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--level", choices=["low", "high"])
    parser.add_argument("--hidden", help=argparse.SUPPRESS)
    parser.add_argument("word", nargs="?", metavar="WORD")
    assert options(parser) == (
        Option(("-c", "--config"), "FILE", "what is read"),
        Option(("--json",), "", "as JSON"),
        Option(("--level",), "LEVEL", "", ("low", "high")),
        Option((), "[WORD]", ""),
    )


def test_the_verbs_of_lvsd_are_read_off_its_parser() -> None:
    of_verbs = {each.name: each for each in verbs(cli.verb_parser())}
    assert {"validate", "dump", "explain", "unit", "status", "drain"} <= set(of_verbs)
    assert of_verbs["validate"].takes_file
    assert not of_verbs["drain"].takes_file
    assert [each.argument for each in of_verbs["explain"].arguments] == ["[WORD]"]
    assert "--json" in of_verbs["dump"].flags
    assert all(each.doc for each in of_verbs.values())


def test_options_that_are_refused_are_not_offered() -> None:
    shown = {flag for each in options(cli.run_parser()) for flag in each.flags}
    assert "--config" in shown
    assert "--snmp" not in shown
