"""Proportions of the datasets from weights or from dataset sizes."""

from typing import Dict, Mapping, Sized

from allennlp.common.checks import ConfigurationError


def normalize(weights: Mapping[str, float]) -> Dict[str, float]:
    """Divides the weights by their sum, which must not be 0."""
    total = sum(weights.values())
    return {task: weight / total for task, weight in weights.items()}


def proportions_by_size(sizes: Mapping[str, int], power: float) -> Dict[str, float]:
    """Normalizes the sizes raised to `power`, which must not be negative."""
    # Ratios of at most 1 do not overflow, whatever the power.
    largest = max(sizes.values(), default=1)
    return normalize({task: (size / largest) ** power for task, size in sizes.items()})


def dataset_sizes(data_loaders: Mapping[str, Sized], sampler: str) -> Dict[str, int]:
    """
    Returns the number of instances of each dataset.

    # Raises

    `ConfigurationError`
        If a dataset is empty, or has no length because it is read lazily. `sampler` is the type
        name for the message.
    """
    sizes = {}
    for task, loader in data_loaders.items():
        try:
            sizes[task] = len(loader)
        except TypeError as error:
            raise ConfigurationError(
                f"The sampler {sampler!r} requires the size of every dataset, but {task!r} is read "
                "lazily and has none. Remove its max_instances_in_memory, or use the sampler "
                "'weighted' or 'uniform'."
            ) from error
        if sizes[task] == 0:
            raise ConfigurationError(
                f"The sampler {sampler!r} requires instances in every dataset, but {task!r} is "
                "empty. Correct its data_path, or remove the dataset."
            )
    return sizes
