"""A backbone and a head for `startup.py`. They import nothing of `multitask_model`."""

from typing import Dict

import torch
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models.heads import Head
from allennlp.models.heads.classifier_head import ClassifierHead
from allennlp.modules import Backbone
from allennlp.nn.util import get_text_field_mask


@Backbone.register("embedding_of_benchmark")
class EmbeddingBackbone(Backbone):
    """Embeds the tokens."""

    def __init__(self, vocab: Vocabulary, dim: int) -> None:
        super().__init__()
        self._embedding = torch.nn.Embedding(vocab.get_vocab_size("tokens"), dim)

    def forward(  # type: ignore[override]
        self, tokens: TextFieldTensors
    ) -> Dict[str, torch.Tensor]:
        mask = get_text_field_mask(tokens)
        encoded = self._embedding(tokens["tokens"]["tokens"])
        return {"encoded_text": encoded, "encoded_text_mask": mask}


@Head.register("classifier_of_benchmark")
class PredictableHead(ClassifierHead):
    """AllenNLP's predictor of several tasks needs one for each head, and its class names none."""

    default_predictor = "text_classifier"
