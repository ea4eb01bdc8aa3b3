"""
The subcommands that this package adds to AllenNLP's, one file each. `python -m multitask_model` and
the command `multitask-model` have them, and so does `allennlp` with `.allennlp_plugins`.
"""

from multitask_model.commands.describe import DescribeCommand
from multitask_model.commands.new import NewCommand
from multitask_model.commands.predict import PredictCommand

__all__ = ["DescribeCommand", "NewCommand", "PredictCommand"]
