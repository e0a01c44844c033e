"""The command line: ``nasturtium search``, ``show`` and the others in ``commands.py`` and ``research.py``."""

from __future__ import annotations

import sys

STOPPED = 130
KEEPING = ("search", "build-benchmark")
"""Commands that keep in a folder what ended, whether one is given or not."""
KEEPING_IN_OUT = ("bench", "predict")
"""Those that keep it where a folder is given."""


def main() -> None:
    """Run a command; leaves with 0 done, 2 for what cannot be used, 130 stopped by the user, 1 for anything else."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and give its exit code; an error of the user's is one line on standard error.

    Without a command the help is shown.
    """
    import typer

    from nasturtium.cli import commands, research  # noqa: F401  their commands are added to the program
    from nasturtium.cli.app import app
    from nasturtium.errors import NasturtiumError

    try:
        code = app(args=arguments or ["--help"], prog_name="nasturtium", standalone_mode=False)
    except NasturtiumError as error:
        return unusable(str(error))
    except typer.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except Exception as error:
        # typer brings click's exceptions under a name that differs between its versions
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        return unusable(message() or "give a command; 'nasturtium --help' shows them")
    if code == STOPPED:  # some releases of typer make that of an interrupt, and a search gives it when it was stopped
        sys.stderr.write(f"nasturtium: {stopped(arguments)}\n")
    return code if isinstance(code, int) else 0


def stopped(arguments: list[str]) -> str:
    """What is to be said when the user stops a command: whether a folder keeps what ended."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    given = {word.partition("=")[0] for word in arguments}
    in_out = command in KEEPING_IN_OUT and "--fit" not in given
    if command in KEEPING or (in_out and "--out" in given):
        return "stopped; everything that ended is kept, the same command goes on"
    return "stopped; nothing was kept: give --out" if in_out else "stopped"


def unusable(text: str) -> int:
    """Say on one line what cannot be used; gives the exit code for it."""
    sys.stderr.write(f"nasturtium: {' '.join(text.split())}\n")
    return 2
