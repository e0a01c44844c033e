"""The command line: ``nasturtium search``, ``show`` and the others in ``commands.py`` and ``research.py``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run a command; leaves with 0 done, 2 for what cannot be used, 130 stopped by the user, 1 for anything else."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and give its exit code; an error of the user's is one line on standard error."""
    import typer

    from nasturtium.cli import commands, research  # noqa: F401  their commands are added to the program
    from nasturtium.cli.app import app
    from nasturtium.errors import NasturtiumError

    try:
        code = app(args=arguments, prog_name="nasturtium", standalone_mode=False)
    except NasturtiumError as error:
        return unusable(str(error))
    except typer.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("nasturtium: stopped; everything that ended is kept, the same command goes on\n")
        return 130
    except Exception as error:
        # typer brings click's exceptions under a name that differs between its versions
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        return unusable(message() or "give a command; 'nasturtium --help' shows them")
    return code if isinstance(code, int) else 0


def unusable(text: str) -> int:
    """Say on one line what cannot be used; gives the exit code for it."""
    sys.stderr.write(f"nasturtium: {' '.join(text.split())}\n")
    return 2
