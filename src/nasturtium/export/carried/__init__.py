"""Functions that an exported file carries: they need torch alone; those of events build on those of tables."""
