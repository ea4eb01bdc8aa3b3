"""
Patches that must be in place before AllenNLP is imported, whoever imports it first: the `allennlp`
command, a notebook or a spawned worker process.

Python runs the line of `multitask_model_startup.pth`, which is installed in site-packages, whenever
it starts. The line is the code of `finder.py`. It adds a finder, which applies the patches and
removes itself as soon as a module of AllenNLP that needs them is imported. The environment variable
`MULTITASK_MODEL_STARTUP=0` switches it off, and Python 3.9 and 3.10, which have AllenNLP's own
requirements, do without. Importing `multitask_model` applies the patches too.

They are not in `multitask_model/compat`, because importing anything of `multitask_model` imports
AllenNLP and registers this project's classes. This package imports neither. The line holds code
and does not import this package, because finding a module takes two milliseconds at each start.
"""


def apply_patches() -> None:
    """Applies the patches. Does nothing for names that exist."""
    from multitask_model_startup import huggingface_hub, transformers

    huggingface_hub.provide_removed_classes()
    transformers.provide_adamw()
    transformers.provide_encode_plus()
    transformers.provide_build_inputs_with_special_tokens()
