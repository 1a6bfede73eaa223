"""Reads commands as SAM would, with samconfig.toml, and runs none. The SAM CLI's own interpreter runs this file.

JSON in: a list of commands, each a list of the words after `sam`. JSON out: for each, the options as SAM understood
them, or `error`.
"""

import json
import sys

import click
from samcli.cli.main import cli  # type: ignore[import-not-found]  # SAM has an environment of its own


def parse(words: list[str]) -> dict[str, object]:
    command, context, remaining = cli, cli.make_context("sam", list(words)), list(words)
    with context:
        while isinstance(command, click.Group):
            _, found, remaining = command.resolve_command(context, remaining)
            if found is None:
                return {"error": f"no command {remaining}"}
            command = found
            context = command.make_context(command.name, list(remaining), parent=context)
    return {name: value for name, value in context.params.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool | list | tuple | dict)


def attempt(words: list[str]) -> dict[str, object]:
    try:
        return parse(words)
    except click.ClickException as error:
        return {"error": error.format_message()}


if __name__ == "__main__":
    json.dump([attempt(words) for words in json.load(sys.stdin)], sys.stdout, default=str)
