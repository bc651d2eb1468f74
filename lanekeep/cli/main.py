"""The command line: finds the command, reads its flags, runs it, and tells every failure in one sentence.

Exit codes: 0 done, 2 what was asked for cannot be done, 130 interrupted.
"""

import dis
import os
import sys
from collections.abc import Sequence

import lanekeep
from lanekeep import extensions
from lanekeep.cli.commands import COMMANDS, VERBS, at
from lanekeep.cli.signals import ended_like_ctrl_c
from lanekeep.errors import UserError, did_you_mean
from lanekeep.terminal import one_line

ROOMS = ("lanekeep", "lanekeep_envs", "lanekeep_files", "lanekeep_policies")
HELP_OF_A_COMMAND = "lanekeep COMMAND --help lists the flags of a command, lanekeep --version tells the version"


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lanekeep` with these arguments and return the exit code."""
    with ended_like_ctrl_c():
        return _exit_code(argv)


def _exit_code(argv: Sequence[str] | None) -> int:
    try:
        _run(extensions.taken_from(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _say("interrupted", exit_code=130)
    except BrokenPipeError:  # `lanekeep --help | head -1`; nothing may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        sentence = _as_sentence(error)
        if sentence is None:
            raise
        return _say(sentence)
    return 0


def _run(argv: list[str]) -> None:
    if not argv or argv[0] in ("-h", "--help"):
        print(_help())
    elif argv[0] == "--version":
        print(f"lanekeep {lanekeep.__version__}")
    elif argv[0] in COMMANDS:
        _run_command(argv[0], argv[1:])
    elif " ".join(argv[:2]) in COMMANDS:
        _run_command(" ".join(argv[:2]), argv[2:])
    elif argv[0] == "more":
        print(_help_of(_names_under("more"), "COMMAND"))
    elif argv[0] in _next_words("") and argv[1:2] in (["-h"], ["--help"]):
        print(_help_of([name for name in COMMANDS if name.split()[0] == argv[0]], argv[0]))
    else:
        raise UserError(_about_unknown(argv))


def _run_command(name: str, argv: list[str]) -> None:
    from lanekeep.cli.flags import parse
    from lanekeep.cli.recipe import with_recipe

    command = COMMANDS[name]
    extensions.load()
    settings = at(command.settings)
    try:
        given = parse(name, settings, with_recipe(settings, argv))
    except SystemExit:  # after the help of a command
        print(extensions.HELP)
        raise
    at(command.function)(given)


def _help() -> str:
    """The commands of each verb; those under `more` are only counted."""
    lines = ["usage: lanekeep COMMAND ...", "", lanekeep.__doc__ or ""]
    for verb, purpose in VERBS.items():
        names = _names_under(verb)
        if verb != "more":
            lines += ["", f"{verb}: {purpose}", *_summaries(names)]
        elif names:
            lines += ["", f"more: {purpose}; `lanekeep more` lists the {len(names)} commands"]
    return "\n".join([*lines, "", HELP_OF_A_COMMAND])


def _help_of(names: list[str], first_word: str) -> str:
    return "\n".join([f"usage: lanekeep {first_word} ...", "", *_summaries(names), "", HELP_OF_A_COMMAND])


def _names_under(verb: str) -> list[str]:
    return [name for name, command in COMMANDS.items() if command.verb == verb]


def _summaries(names: list[str]) -> list[str]:
    width = max(map(len, COMMANDS))
    return [f"  {name:{width}}  {COMMANDS[name].summary}" for name in names]


def _next_words(group: str) -> list[str]:
    """The first words of all commands, or the second words of those that begin with one."""
    split = [name.split() for name in COMMANDS]
    return list(dict.fromkeys(words[bool(group)] for words in split if not group or words[0] == group))


def _about_unknown(argv: list[str]) -> str:
    group = argv[0] if argv[0] in _next_words("") else ""
    words = _next_words(group)
    if group and (len(argv) < 2 or argv[1].startswith("-")):
        return f"{group} is followed by one of: {', '.join(words)}"
    unknown = argv[bool(group)]
    way_out = did_you_mean(unknown, words, "lanekeep --help lists the commands")
    return f"there is no command {f'{group} {unknown}'.strip()!r}; {way_out}"


def _as_sentence(error: Exception) -> str | None:
    """What to tell the user; None if the error is a mistake of ours, whose traceback is worth more."""
    if type(error).__module__.partition(".")[0] in ROOMS:
        return str(error)
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return reason if error.filename is None else f"{error.filename}: {reason}"
    return str(error) if isinstance(error, ValueError) and _is_raised_by_us(error) else None


def _is_raised_by_us(error: Exception) -> bool:
    """Whether a `raise` in one of our own files made it, and not numpy, torch or int() in the midst of a bug."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None or step.tb_frame.f_globals["__name__"].partition(".")[0] not in ROOMS:
        return False
    return step.tb_frame.f_code.co_code[step.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def _say(sentence: str, exit_code: int = 2) -> int:
    print(f"lanekeep: {one_line(sentence)}", file=sys.stderr)
    return exit_code
