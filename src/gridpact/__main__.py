"""`python -m gridpact` and the `gridpact` command: expected failures become one sentence."""

import sys

from gridpact.errors import BadInput, GridpactError


def main() -> None:
    """Run the command line; exit 2 for bad input, 1 for a run that fails for another reason."""
    from gridpact.cli import app

    try:
        app()
    except BadInput as error:
        sys.exit(_say(error, 2))
    except GridpactError as error:
        sys.exit(_say(error, 1))


def _say(error: GridpactError, code: int) -> int:
    print(f"gridpact: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
