"""The command line: ``nasturtium search | show | list | sample``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run a command; leaves with 0 done, 2 for what cannot be used, 130 stopped by the user, 1 for anything else."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and give its exit code; an error of the user's is one line on standard error."""
    from click.exceptions import Abort, ClickException, Exit

    from nasturtium.cli.commands import app
    from nasturtium.errors import NasturtiumError

    try:
        code = app(args=arguments, prog_name="nasturtium", standalone_mode=False)
    except (NasturtiumError, ClickException) as error:
        text = error.format_message() if isinstance(error, ClickException) else str(error)
        sys.stderr.write(f"nasturtium: {' '.join(text.split())}\n")
        return 2
    except Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, Abort):
        sys.stderr.write("nasturtium: stopped; everything that ended is kept, the same command goes on\n")
        return 130
    return code if isinstance(code, int) else 0
