"""
What AllenNLP 2.10.1, its last release, needs on current releases of Python, PyTorch and
transformers. There is one file per library. Each patch says what breaks and why; it does nothing
where nothing is broken, and nothing when it is applied again. Patches that must be in place before
AllenNLP is imported are in `multitask_model_startup`.
"""

import multitask_model_startup
from multitask_model.compat.requirements import require_allennlp

__all__ = ["apply_patches", "require_allennlp"]


def apply_patches() -> None:
    """Applies all patches. AllenNLP's worker processes do so too when they import this package."""
    # First, because the other patches import more of AllenNLP than `require_allennlp` does.
    multitask_model_startup.apply_patches()
    # They import AllenNLP and PyTorch, which takes seconds, and `require_allennlp` comes first.
    from multitask_model.compat import (
        config_errors,
        moving_average,
        multiprocessing,
        submodules,
        torch,
        transformers,
        wandb,
        weighted_metrics,
    )

    torch.accept_verbose_in_reduce_on_plateau()
    torch.allow_numpy_scalars_in_checkpoints()
    transformers.load_tokenizers_without_add_special_tokens()
    transformers.load_models_in_float32()
    transformers.reinitialize_loaded_weights()
    transformers.ignore_position_ids_of_old_archives()
    multiprocessing.use_locks_of_own_context()
    wandb.provide_generate_id()
    submodules.import_own_modules_at_once()
    weighted_metrics.accept_weights_in_validation_metric()
    moving_average.keep_parameters_of_moving_averages()
    config_errors.suggest_types_in_configs()
    config_errors.suggest_parameters_in_configs()
    config_errors.refuse_strings_for_lists()
