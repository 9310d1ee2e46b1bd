"""Coverage-guided fuzzing of the reader of configurations: lexer, expander and binder, with atheris (libFuzzer).

`python -m tests.fuzz.coverage_guided DIRECTORY [libFuzzer's options and files]` keeps its seeds, dictionary and crashes in the
directory. The first byte of an input chooses the configuration id and leniency, the rest is the file. A file named instead of
options is run once: so a crash is seen again."""

from __future__ import annotations

import fnmatch
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lvsd.core.conf", "lvsd.core.config"]):
    from lvsd.core.config import Loaded, load

from lvsd.core.conf import expand
from lvsd.core.conf.expand import STRICTNESS, Surroundings
from lvsd.core.conf.keyword import keywords, reachable
from lvsd.core.root import Root
from tests.conf.corpus import BAD, CONSTRUCTS, GOOD

MAIN = "main.conf"
INCLUDED = {
    "part.inc": b"priority 100\n${NAME}\n}\n",
    "servers.inc": b"$SERVER= \\\nreal_server 10.0.0.${i} 80 { \\\nweight 1 \\\n}\n~SEQ(i,1,3) $SERVER\n",
    "loop.inc": b"include main.conf\ninclude loop.inc\ninclude *.inc\n",
}
WHOLE_FILE = {"not-utf8", "too-many"}
"""Codes of findings that are about a file as a whole."""

BOMBS = {
    "sequence": b"~SEQ(i,1,100000000) x\n",
    "sequence-of-nothing": b"~SEQ(i,1,0,9) x\n~SEQ(i,9,-0,1) x\n~SEQ(i,9,1) x\n",
    "nested-sequences": b"~SEQ(a,1,9999) ~SEQ(b,1,9999) ~SEQ(c,1,9999) ~SEQ(d,1,9999) ${a}${b}${c}${d}\n",
    "long-number": b"~SEQ(i,-" + b"9" * 400 + b"," + b"9" * 400 + b") x\n",
    "sequence-of-blocks": b"$B= \\\nx ${i} { \\\n~SEQ(j,1,99999) $C \\\n}\n$C= \\\n~SEQ(k,1,99999) x \\\ny\n~SEQ(i,1,99999) $B\n",
    "list": b"~LST({a,b},{1,2},{3,4},{5},{6,7,8},{) ${a}$b\n" + b"~LST({i},{1})" * 500 + b" x\n",
    "itself": b"$A=${A}${A}\nx ${A}\n",
    "itself-in-lines": b"$A= \\\nx \\\n$A \\\n$A\n$A\n",
    "each-other": b"$A= \\\n$B \\\n$B\n$B= \\\n$A \\\n$A\n$A\n",
    "doubling": b"".join(b"$A%d=${A%d}${A%d}\n" % (n + 1, n, n) for n in range(40)) + b"x ${A40}\n",
    "doubling-in-lines": b"".join(b"$A%d= \\\n$A%d \\\n$A%d\n" % (n + 1, n, n) for n in range(40)) + b"$A40\n",
    "includes": b"include loop.inc\ninclude main.conf\ninclude *\ninclude {loop,part,main}.{inc,conf}\n",
    "include-braces": b"include " + b"{a,b}" * 40 + b"\n",
    "includes-in-a-sequence": b"~SEQ(i,1,100000) include part.inc\n$I= \\\ninclude loop.inc \\\n$I\n$I\n",
    "deep": b"a {\n" * 3000,
    "open-definition": b"$A= \\\nx \\\n",
    "open-use": b"${A ${ $ ${} ~SEQ( ~LST( ~SEQ(i ~ @ @^ @^^\n~SEQ(\n~LST({\n${\n",
}
"""Inputs that must end in bounded time, whatever their answer is."""


def judge(loaded: Loaded, files: dict[str, bytes]) -> None:
    """Raises AssertionError where the answer is not what a reader of configurations may give."""
    assert (loaded.config is None) == bool(loaded.errors), "a configuration is given exactly if there is no error"
    for each in loaded.diagnostics:
        each.render()
        assert each.text, "a finding says something"
        assert each.file in files, f"a finding is in a file that was there: {each.file}"
        if each.line == 0:
            assert each.code in WHOLE_FILE, f"a finding has a line: {each.headline()}"
            continue
        assert 1 <= each.line <= files[each.file].count(b"\n") + 1, f"a finding is within the file: {each.headline()}"
        if each.place.source_line:
            assert 1 <= each.column <= len(each.place.source_line) + 1, f"a caret is within its line: {each.headline()}"


def run(data: bytes) -> None:
    flags, text = data[0] if data else 0, data[1:]
    files = {MAIN: text, **INCLUDED}

    def read(name: str) -> bytes:
        if name not in files:
            raise FileNotFoundError(2, "no such file", name)
        return files[name]

    def glob(pattern: str) -> list[str]:
        return fnmatch.filter(files, pattern)

    surroundings = Surroundings("lb1" if flags & 2 else "")
    judge(load(MAIN, read, glob=glob, surroundings=surroundings, lenient=bool(flags & 1)), files)


def write_seeds(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for flags in range(4):
        for path in (*GOOD, *BAD, *CONSTRUCTS):
            small = path.read_bytes().replace(b",1,100)", b",1,3)")  # the farm: its size makes it slow, not different
            (directory / f"{path.parent.name}-{path.stem}-{flags}").write_bytes(bytes([flags]) + small)
    for name, data in BOMBS.items():
        (directory / f"bomb-{name}").write_bytes(b"\0" + data)


def write_dictionary(path: Path) -> None:
    words = {word for kind in reachable(Root) for word in keywords(kind)} | set(STRICTNESS)
    words |= {
        "~SEQ(i,1,3) ",
        "~LST({a},{1},{2}) ",
        "$A= \\\\\\x0a",
        "${A}",
        "@lb1 ",
        "@^lb1 ",
        "{\\x0a",
        "}\\x0a",
        "part.inc",
    }
    path.write_text("".join(f'"{word}"\n' for word in sorted(words)))


def main(directory: Path, options: list[str]) -> None:
    seeds, dictionary, crashes = directory / "seeds", directory / "dictionary", directory / "crashes"
    crashes.mkdir(parents=True, exist_ok=True)
    write_seeds(seeds)
    write_dictionary(dictionary)
    single = any(not each.startswith("-") for each in options)
    limits = [
        "-timeout=25",
        "-rss_limit_mb=2048",
        "-max_len=4096",
        f"-artifact_prefix={crashes}/",
        f"-dict={dictionary}",
    ]
    atheris.Setup([sys.argv[0], *limits, *options, *([] if single else [str(seeds)])], run)
    atheris.Fuzz()


if __name__ == "__main__":
    expand.LINES_MOST = 10_000  # an input that reaches the real limit takes so long that few others would be tried
    main(Path(sys.argv[1]), sys.argv[2:])
