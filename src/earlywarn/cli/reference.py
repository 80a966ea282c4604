"""Writes docs/commands.md: `python -m earlywarn.cli.reference > docs/commands.md`.

Every command with its help text, arguments, options and examples, read from the commands
themselves rather than from their printed --help, so that the width of a terminal, its colours and
the working folder make no difference.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from earlywarn.cli.main import make_app

_HEAD = """# Commands

Made from the program's own `--help` by `make docs`; do not edit by hand.

`earlywarn COMMAND --help` shows the same. Exit codes: 0 done, 1 an error (said in plain words on
standard error), 2 a command line that is not understood, 3 done, but some rows went to quarantine.
The language of what is printed: `--lang`, else the variable `EARLYWARN_LANG`, else the workspace's
`lang`, else Chinese.
"""

_EXAMPLE = re.compile(r"^Examples?:\s*", re.MULTILINE)


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command and group with its full name, `earlywarn rules check`, in help order."""
    yield from _walk("earlywarn", get_command(make_app()))


def examples(command: Any) -> list[str]:
    """Return the example lines of a command's help, `earlywarn ...` each."""
    _, *rest = _EXAMPLE.split(_help(command))
    return [line.strip() for part in rest for line in part.splitlines() if line.strip()]


def reference() -> str:
    """Return docs/commands.md."""
    every = list(commands())
    parts = [_HEAD, _overview(every)]
    parts += [_section(name, command) for name, command in every[1:]]
    return "\n".join(parts)


def is_group(command: Any) -> bool:
    """Tell whether `command` only holds others, such as `rules`."""
    return bool(getattr(command, "commands", None))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for sub, below in (getattr(command, "commands", None) or {}).items():
        if not below.hidden:
            yield from _walk(f"{name} {sub}", below)


def _help(command: Any) -> str:
    return (command.help or "").replace("\b\n", "").replace("\f", "").strip()


def _overview(every: list[tuple[str, Any]]) -> str:
    lines = ["| command | what it does |", "|---|---|"]
    for name, command in every[1:]:
        if not is_group(command):
            short = name.removeprefix("earlywarn ")
            first = _cell(_help(command).split("\n\n")[0])
            lines.append(f"| [`{short}`](#{_anchor(name)}) | {first} |")
    return "\n".join(lines) + "\n"


def _section(name: str, command: Any) -> str:
    depth = "#" * name.count(" ")
    text, *_ = _EXAMPLE.split(_help(command))
    lines = [f"#{depth} {name}", "", text.strip(), ""]
    if is_group(command):
        return "\n".join(lines)
    arguments = [p for p in command.params if p.param_type_name == "argument" and not p.hidden]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join([name, *(_usage(a) for a in arguments), "[OPTIONS]" if options else ""])
    lines += ["```", usage.strip(), "```", ""]
    if arguments:
        lines += ["| argument | |", "|---|---|"]
        lines += [f"| `{_metavar(a)}` | {_cell(a.help or '')}{_default(a)} |" for a in arguments]
        lines.append("")
    if options:
        lines += ["| option | |", "|---|---|"]
        lines += [f"| {_spelling(o)} | {_cell(o.help or '')}{_default(o)} |" for o in options]
        lines.append("")
    if shown := examples(command):
        lines += ["Example:", "", "```sh", *shown, "```", ""]
    return "\n".join(lines)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _metavar(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name).upper()
    return f"{name}..." if parameter.nargs == -1 else name


def _usage(argument: Any) -> str:
    shown = _metavar(argument)
    return shown if argument.required else f"[{shown}]"


def _spelling(option: Any) -> str:
    flags = "/".join([*option.opts, *option.secondary_opts])
    names = ", ".join(f"`{name}`" for name in flags.split("/"))
    if option.is_flag or option.count:
        return names
    annotation = option.type_descriptor.annotation
    value = option.metavar or {int: "NUMBER", float: "NUMBER", Path: "PATH"}.get(annotation, "TEXT")
    return f"{names} `{str(value).upper()}`"


def _default(parameter: Any) -> str:
    value = parameter.default
    if callable(value) or value is None or value is False or value == "":
        return " (required)" if parameter.required else ""
    shown = value.as_posix() if isinstance(value, Path) else str(value)
    return f" (default: `{shown}`)"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(reference())
