"""
The models and data loaders that `epoch.py` compares: four annotations of the same sentences of UD
English EWT, in this package and in AllenNLP's own `multitask` classes.
"""

import copy
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import torch
from allennlp.common import Params
from allennlp.data import DatasetReader, TextFieldTensors, Vocabulary
from allennlp.data.data_loaders import MultiTaskDataLoader as AllenNLPLoader
from allennlp.data.data_loaders.multitask_scheduler import HomogeneousRoundRobinScheduler
from allennlp.data.dataset_readers import MultiTaskDatasetReader as AllenNLPReader
from allennlp.models import Model
from allennlp.models.multitask import MultiTaskModel as AllenNLPModel
from allennlp.modules import Backbone, Seq2SeqEncoder, TextFieldEmbedder
from allennlp.nn.util import get_text_field_mask

from multitask_model import MultiTaskDataLoader, MultiTaskDatasetReader, MultiTaskModel

CONFIGS = Path(__file__).parent.parent / "examples" / "ewt"
FIELDS = {
    "upos": ["upos_tags"],
    "xpos": ["xpos_tags"],
    "parser": ["head_indices", "head_tags"],
    "genre": [],
}
HEADS = list(FIELDS)


class AllenNLPBackbone(Backbone):
    """The modules of the backbone `text`, called as AllenNLP's models call theirs."""

    def __init__(self, vocab: Vocabulary, params: Params) -> None:
        super().__init__()
        self._text_field_embedder = TextFieldEmbedder.from_params(
            params["text_field_embedder"], vocab=vocab
        )
        has_encoder = "encoder" in params
        self._encoder = Seq2SeqEncoder.from_params(params["encoder"]) if has_encoder else None
        self._dropout = torch.nn.Dropout(params["dropout"])

    def forward(  # type: ignore[override]
        self, text: TextFieldTensors
    ) -> Dict[str, torch.Tensor]:
        mask = get_text_field_mask(text)
        encoded = self._dropout(self._text_field_embedder(text))
        if self._encoder is not None:
            encoded = self._dropout(self._encoder(encoded, mask))
        return {"encoded_text": encoded, "encoded_text_mask": mask}


class Experiment(NamedTuple):
    """Two models with equal parameters, and the data loader of each."""

    ours: MultiTaskModel
    theirs: AllenNLPModel
    our_loader: MultiTaskDataLoader
    their_loader: AllenNLPLoader


def make_experiment(
    name: str, variables: Dict[str, str], sentences: int, buckets: bool
) -> Experiment:
    """
    `name` is a config of `examples/ewt`. Its four heads are one task in this package, as in the
    config. AllenNLP's classes have one head per task, so they get a dataset for each head.
    """
    params = config_of(name, variables)
    data, size = params["train_data_path"]["ewt"], params["data_loader"]["batch_size"]
    our_loader = MultiTaskDataLoader(
        MultiTaskDatasetReader({"ewt": make_reader(params, sentences)}),
        {"ewt": data},
        batch_size=size,
        sorting_keys=["text"] if buckets else None,
    )
    readers = {head: make_reader(params, sentences, head) for head in HEADS}
    their_loader = AllenNLPLoader(
        AllenNLPReader(readers), dict.fromkeys(HEADS, data), HomogeneousRoundRobinScheduler(size)
    )
    vocab = Vocabulary.from_instances(our_loader.iter_instances(), **params.get("vocabulary", {}))
    our_loader.index_with(vocab)
    their_loader.index_with(vocab)
    mapping = {k: dict(v) for k, v in params["model"]["arg_name_mapping"].items()}
    torch.manual_seed(0)
    ours = Model.from_params(Params(params["model"]), vocab=vocab)
    assert isinstance(ours, MultiTaskModel)
    heads = {head: copy.deepcopy(ours.head(head)) for head in HEADS}
    backbone = AllenNLPBackbone(vocab, Params(config_of(name, variables)["model"]["backbone"]))
    theirs = AllenNLPModel(vocab, backbone, heads, arg_name_mapping=mapping)
    theirs.load_state_dict(ours.state_dict())
    return Experiment(ours, theirs, our_loader, their_loader)


def config_of(name: str, variables: Dict[str, str]) -> Dict[str, Any]:
    """A config of `examples/ewt`."""
    path = str(CONFIGS / f"{name}.jsonnet")
    params: Dict[str, Any] = Params.from_file(path, ext_vars=variables).as_dict()
    return params


def make_reader(
    params: Dict[str, Any], sentences: Optional[int], head: Optional[str] = None
) -> DatasetReader:
    """The reader of the config, with all annotations or those of one head."""
    config = copy.deepcopy(params["dataset_reader"]["readers"]["ewt"])
    config["max_instances"] = sentences
    if head is not None:
        fields: List[str] = FIELDS[head]
        config["fields"] = fields
        if head != "genre":
            del config["sentence_labels"]
    return DatasetReader.from_params(Params(config))
