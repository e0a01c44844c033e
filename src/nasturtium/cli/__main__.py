"""``python -m nasturtium.cli``."""

from nasturtium.cli import main

if __name__ == "__main__":
    main()
