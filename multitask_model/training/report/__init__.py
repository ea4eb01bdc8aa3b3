"""The report of a training: what is recorded in each epoch, and the page made of it."""
