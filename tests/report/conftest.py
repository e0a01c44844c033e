"""The networks that are drawn hold no tests themselves (doctest would import them a second time)."""

collect_ignore = ["networks.py", "geometry.py", "studies.py"]
