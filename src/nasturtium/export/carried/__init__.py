"""Functions that an exported file carries: they need torch alone, and none of them knows the others' files."""
