"""Distributed training: what the processes of one model tell each other."""
