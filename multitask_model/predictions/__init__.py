"""The parts of `MultiTaskPredictor`: instances from JSON, and what a prediction has."""
