"""What each diagnostic code of the language engine means. Those of the rules stand with the rules, as their docstrings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """severity: "" for a code that may be an error or a warning, which the explanation tells apart."""

    code: str
    title: str
    explanation: str
    severity: str = ""


CODES = (
    Code(
        "bad-character",
        "The line holds a NUL character.",
        "Text never holds one, so the file was damaged or is not a configuration. keepalived drops the line. "
        "Write the line again, or restore the file.",
        "error",
    ),
    Code(
        "bad-repetition",
        "A ~SEQ or ~LST cannot be understood.",
        "`~SEQ(NAME, START, STEP, END) TEXT` repeats a text for numbers, `~LST(NAME, A, B) TEXT` for words; START, STEP and "
        "tuples in braces may be left out. keepalived drops the line. Write it in one of these forms.",
        "error",
    ),
    Code(
        "bad-value",
        "A value is of the wrong kind, or out of its range.",
        "keepalived says so in its log, ignores the line and goes on with the default, so that the director does not do what "
        "its file says. lvsd refuses the file. Write a value that the keyword takes; `lvsd explain KEYWORD` shows its form "
        "and its range.",
        "error",
    ),
    Code(
        "cannot-include",
        "The files that an include names cannot be looked up.",
        "Its braces stand for more than a thousand patterns, or it has wildcards where no folder can be looked into. Name the "
        "files one by one, or in fewer braces.",
        "error",
    ),
    Code(
        "cannot-read",
        "A file cannot be read.",
        "The main file, a file of `lvsd.d` and one that a strict include (`includer`, `includem`, `includea`, or "
        "`includeb` with braces) names must be readable: an error. A plain `include` goes on without the file: a warning, "
        "where keepalived is silent. Mend the name or the permissions of the file.",
    ),
    Code(
        "definition-not-last",
        "A definition of several lines stands where something follows it.",
        "Its lines take the place of the end of the line, so nothing may stand behind its name, and no other definition of one "
        "line can hold it. keepalived leaves the name as it is, a word without a meaning. Break the line behind the name.",
        "error",
    ),
    Code(
        "deprecated",
        "The keyword is deprecated.",
        "It is taken as keepalived takes it, and a later version may not. The finding says what has come in its place.",
        "warning",
    ),
    Code(
        "duplicate-keyword",
        "A keyword stands a second time in its block.",
        "The last one counts, in keepalived too, which does not mention it. Remove the line that is not meant.",
        "warning",
    ),
    Code(
        "endless-definition",
        "Definitions name each other without end.",
        "A definition is put in where it is used, and what it names is put in again, so that one which uses itself, directly or by "
        "way of others, would grow for ever. Take the name out of its own definition.",
        "error",
    ),
    Code(
        "extra-brace",
        "A brace closes nothing, or opens a block without a name.",
        "keepalived mentions and ignores it, and what follows may then stand in another block than it seems to. "
        "Remove the brace, or write the keyword that it lacks.",
        "error",
    ),
    Code(
        "include-loop",
        "A file includes itself, directly or by way of others.",
        "keepalived would go on until it has no file descriptors left. Take one of the includes out.",
        "error",
    ),
    Code(
        "missing-brace",
        "A block is not opened, or never closed.",
        "Behind the keyword of a block `{` is missing, or `}` at its end. keepalived says so and reads on; without the closing "
        "brace the blocks that follow fall into this one. Write the brace; the finding shows where the block begins.",
        "error",
    ),
    Code(
        "missing-keyword",
        "A block lacks a keyword that it must have.",
        "Without it the block means nothing: a vrrp_instance needs its virtual_router_id, a check by HTTP its url. keepalived "
        "drops the block and goes on without it. Write the keyword into the block.",
        "error",
    ),
    Code(
        "missing-value",
        "A keyword stands without the value that it needs.",
        "keepalived ends at such a line, or takes a value that nobody wrote. Write the value behind the keyword, on the same "
        "line; text with blanks stands in double quotes.",
        "error",
    ),
    Code(
        "no-match",
        "A strict include matches no file.",
        "`includem` asks for a file for each pattern, `includew` for each pattern with wildcards, `includeb` for each "
        "alternative in braces, `includea` for all of it; it is an error of keepalived as well. Write plain `include` where "
        "files may be absent.",
        "error",
    ),
    Code(
        "not-obeyed",
        "keepalived knows the keyword, and lvsd does not do yet what it says.",
        "The rest of the file counts, and a block among such keywords is skipped whole: a warning. It is an error where a "
        "director without it would harm the service, as by not hearing its peer. Remove the keyword, or stay with keepalived "
        "until lvsd obeys it.",
    ),
    Code(
        "not-utf8",
        "A file is not encoded in UTF-8.",
        "It is read as Latin-1, which can be wrong only in letters beyond ASCII: comments, most of the time. keepalived does "
        "not look at letters at all. Convert the file, with `iconv -f latin1 -t utf8` for example.",
        "warning",
    ),
    Code(
        "one-statement-a-line",
        "A keyword stands behind the value of another, where it would be lost.",
        "Each statement has a line of its own. keepalived drops what is left of the line without a word, as the password in "
        "`auth_type PASS auth_pass 1111`. Begin a new line before the keyword.",
        "error",
    ),
    Code(
        "surplus-word",
        "A word stands behind all that the line can hold.",
        "keepalived leaves it out without a word. Behind the value of a keyword lvsd does the same with a warning; in the name "
        "of a block and in lists of entries it is an error, because another meaning is likely there. Text with blanks stands "
        "in double quotes.",
    ),
    Code(
        "too-many",
        "There are more findings than are shown.",
        "A file with so many mistakes is probably no configuration. Mend the first ones and try again.",
    ),
    Code(
        "too-much",
        "Definitions and repetitions come to more than a director can mean.",
        "300,000 lines or 32 MiB: a repetition has a digit too many, or definitions multiply each other. keepalived goes on "
        "until the memory is full.",
        "error",
    ),
    Code(
        "unclosed-quote",
        "A quote is opened and not closed on its line.",
        "A text in quotes ends on the line where it begins; keepalived calls the quote unterminated, too. Write the closing "
        "quote, or a backslash before one that is part of the text of a command.",
        "error",
    ),
    Code(
        "undefined",
        "A definition is used and not made before this line.",
        "keepalived leaves `${NAME}` in the line as it stands, and its braces then open and close blocks: an error. In quotes the "
        "text may be meant for a shell and stays, with a warning only where a defined name is spelt nearly so. Write "
        "`$NAME=VALUE` on a line before the first use, or mend the name.",
    ),
    Code(
        "unexpected-block",
        "Braces stand behind a keyword that takes none.",
        "keepalived ignores the opening brace, takes the lines behind it for keywords of the block around, and ends that block at "
        "the closing one. Write the value on the line of the keyword, without braces.",
        "error",
    ),
    Code(
        "unfinished-definition",
        "A definition of several lines has no last line.",
        "Each of its lines but the last ends with a backslash, and the file ends behind one that does. keepalived goes on with "
        "the next file. Remove the last backslash, or write the lines that are missing.",
        "error",
    ),
    Code(
        "unknown-keyword",
        "The block has no such keyword.",
        "keepalived says so in its log and goes on without the line, so that a slip of the pen turns a setting off. The finding "
        "names the nearest keyword, or the block where the word belongs; `lvsd explain BLOCK` lists what may stand there.",
        "error",
    ),
)
