"""The `text` backbone: embedded text, and whatever sequence encoder one likes on top."""

from typing import Dict, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.backbones.backbone import Backbone
from allennlp.nn.util import get_text_field_mask

from multitask_model.modules.encoder_layers import check_layers, encoders_of, transformer_of


@Backbone.register("text")
class TextBackbone(Backbone):
    """
    Encodes one text with any `TextFieldEmbedder` and, if there is one, any `Seq2SeqEncoder`.

    Registered as a `Backbone` with name "text". Shapes: B batch, T tokens, D hidden.

    # Parameters

    vocab : `Vocabulary`
        Not used here. Accepted because AllenNLP hands it to every module that it builds.
    text_field_embedder : `TextFieldEmbedder`
        Turns the token indices into vectors.
    encoder : `Seq2SeqEncoder`, optional (default = `None`)
        Runs over the embedded text. Without it the heads get the embeddings themselves.
    dropout : `float`, optional (default = `None`)
        Probability of dropping an element of the embedded text, and of the output of every
        encoder. `None` is no dropout.
    output_layers : `Dict[str, int]`, optional (default = `{"encoded_text": -1}`)
        The layers to return, by the names that they get among the outputs. Layer 0 is the embedded
        text. If the only embedder is a `pretrained_transformer` or
        `pretrained_transformer_mismatched`, layer 0 is its input embeddings, and layers 1 and on
        are those of the transformer. After them comes the `encoder`, or each of the encoders of one
        of type `compose`. Negative numbers count from the end. A head takes a layer through
        `arg_name_mapping`: with `{"low": 4, "high": -1}`,
        `{"upos": {"low": "encoded_text"}, "parser": {"high": "encoded_text"}}`.

    # Raises

    `ConfigurationError`
        If the `encoder` does not take vectors of the size that the embedder makes, there is no such
        layer, or one of them has the name of the mask.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        text_field_embedder: TextFieldEmbedder,
        encoder: Optional[Seq2SeqEncoder] = None,
        dropout: Optional[float] = None,
        output_layers: Optional[Dict[str, int]] = None,
    ) -> None:
        super().__init__()
        _check_sizes(text_field_embedder, encoder)
        self._text_field_embedder = text_field_embedder
        self._encoder = encoder
        self._dropout = torch.nn.Dropout(dropout or 0.0)
        # A transformer keeps its layers only if one of them is asked for.
        self._transformer = transformer_of(text_field_embedder) if output_layers else None
        self._output_layers = output_layers or {"encoded_text": -1}
        stages = 1 if self._transformer is None else self._transformer.number
        check_layers(self._output_layers, stages + len(encoders_of(encoder)))

    def forward(self, text: TextFieldTensors) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        """
        # Parameters

        text : `TextFieldTensors`
            What a `TextField` becomes in a batch, with any number of token indexers.

        # Returns

        `Dict[str, torch.Tensor]`
            - encoded_text : (B, T, D), D being the output size of the encoder, or of the
              embedder if there is no encoder. With `output_layers`, the layers by their names
              instead.
            - encoded_text_mask : (B, T), `True` where there is a token.
        """
        mask = get_text_field_mask(text)  # (B, T)
        embedded = self._text_field_embedder(text)  # (B, T, D), or all layers one after the other
        split = self._transformer.split if self._transformer is not None else _only
        layers = [self._dropout(layer) for layer in split(embedded)]
        for encoder in encoders_of(self._encoder):
            layers.append(self._dropout(encoder(layers[-1], mask)))
        outputs = {name: layers[index] for name, index in self._output_layers.items()}
        return {**outputs, "encoded_text_mask": mask}


def _only(embedded: torch.Tensor) -> Tuple[torch.Tensor]:
    return (embedded,)


def _check_sizes(embedder: TextFieldEmbedder, encoder: Optional[Seq2SeqEncoder]) -> None:
    if encoder is None or encoder.get_input_dim() == embedder.get_output_dim():
        return
    raise ConfigurationError(
        "The encoder of a text backbone has to take the vectors that text_field_embedder makes, "
        f"but text_field_embedder makes {embedder.get_output_dim()} dimensions and the encoder "
        f"takes {encoder.get_input_dim()}. Set the encoder's input size to "
        f"{embedder.get_output_dim()}."
    )
