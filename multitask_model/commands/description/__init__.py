"""Describing a model and its data: building, collecting, and rendering."""
