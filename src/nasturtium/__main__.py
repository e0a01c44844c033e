"""``python -m nasturtium``."""

from nasturtium.cli import main

if __name__ == "__main__":
    main()
