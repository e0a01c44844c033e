"""Neural architecture search: from data and limits to a trained network."""
