"""Trainer callbacks and metrics."""
