"""Modules and functions that heads and backbones share."""
