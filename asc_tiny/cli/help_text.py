"""What ``--help`` shows beside the options: commands in sections, examples, near names."""

from __future__ import annotations

from difflib import get_close_matches

import click


def examples(*lines: str) -> str:
    """Return the epilog of a command's help.

    Args:
        lines: command lines without the program's name.
    """
    # \b keeps click from joining the lines.
    return "\b\nExamples:\n" + "\n".join(f"  asc-tiny {line}" for line in lines)


class Group(click.Group):
    """A group of commands that offers names like one that it does not have."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            near = get_close_matches(args[0], names, n=3)
            offer = (
                f"Did you mean {' or '.join(map(repr, near))}?"
                if near
                else (f"{ctx.command_path} --help lists all.")
            )
            ctx.fail(f"No such command {args[0]!r}. {offer}")
        return super().resolve_command(ctx, args)
