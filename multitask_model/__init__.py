"""
Multi-task learning with AllenNLP. Importing this package registers the type name "multitask" for
the model, the predictor, the dataset reader and the data loader defined here, in place of
AllenNLP's own classes.
"""

from multitask_model.compat.requirements import require_allennlp as _require_allennlp

_require_allennlp()

from multitask_model.compat import apply_patches as _apply_patches  # noqa: E402

_apply_patches()

import allennlp.models  # noqa: E402  (registers AllenNLP's own "multitask", to be replaced)
import allennlp.predictors  # noqa: E402, F401

from multitask_model.archiving import save_archive  # noqa: E402
from multitask_model.backbones import TextBackbone, TextPairBackbone  # noqa: E402
from multitask_model.data import (  # noqa: E402
    ColumnsReader,
    ConlluReader,
    HfDatasetReader,
    LabeledJsonlReader,
    MaskedTokensReader,
    MultiTaskDataLoader,
    MultiTaskDatasetReader,
    PunctuationTokenizer,
    apply_edit_script,
    collate,
    edit_script,
)
from multitask_model.data.samplers import EpochSampler  # noqa: E402
from multitask_model.data.schedulers import Scheduler  # noqa: E402
from multitask_model.evaluation import evaluate  # noqa: E402
from multitask_model.heads import (  # noqa: E402
    CrfTaggerHead,
    DependencyParserHead,
    MaskedLanguageModelHead,
    MultiLabelClassifierHead,
    RegressionHead,
    TaggerHead,
)
from multitask_model.model import MultiTaskModel  # noqa: E402
from multitask_model.predictor import MultiTaskPredictor  # noqa: E402
from multitask_model.routing.partial import Partial, Whole  # noqa: E402
from multitask_model.routing.signatures import get_forward_arguments  # noqa: E402
from multitask_model.training.callbacks import (  # noqa: E402
    GradientAggregationCallback,
    MultiTaskDataCallback,
    TaskReportCallback,
)
from multitask_model.training.distributed_training import (  # noqa: E402
    prepare_distributed_training as _prepare_distributed_training,
)
from multitask_model.training.evaluation_order import (  # noqa: E402
    bucket_evaluations as _bucket_evaluations,
)
from multitask_model.training.trainer_checks import (  # noqa: E402
    check_multitask_training as _check_multitask_training,
)
from multitask_model.weighting import LossWeighting  # noqa: E402

_bucket_evaluations()
_check_multitask_training()
_prepare_distributed_training()

import multitask_model.commands  # noqa: E402, F401  (registers the subcommands)

__version__ = "0.2.0"

__all__ = [
    "ColumnsReader",
    "ConlluReader",
    "CrfTaggerHead",
    "DependencyParserHead",
    "EpochSampler",
    "GradientAggregationCallback",
    "HfDatasetReader",
    "LabeledJsonlReader",
    "LossWeighting",
    "MaskedLanguageModelHead",
    "MaskedTokensReader",
    "MultiLabelClassifierHead",
    "MultiTaskDataCallback",
    "MultiTaskDataLoader",
    "MultiTaskDatasetReader",
    "MultiTaskModel",
    "MultiTaskPredictor",
    "Partial",
    "PunctuationTokenizer",
    "RegressionHead",
    "Scheduler",
    "TaggerHead",
    "TaskReportCallback",
    "TextBackbone",
    "TextPairBackbone",
    "Whole",
    "apply_edit_script",
    "collate",
    "edit_script",
    "evaluate",
    "get_forward_arguments",
    "save_archive",
]
