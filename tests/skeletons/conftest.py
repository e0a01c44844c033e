"""The skeletons are imported by tests, and hold none themselves (doctest would import them a second time)."""

collect_ignore = ["small.py"]
