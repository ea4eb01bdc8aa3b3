"""The `text` backbone: embedded text, and whatever sequence encoder one likes on top."""

from typing import Dict, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.backbones.backbone import Backbone
from allennlp.nn.util import get_text_field_mask


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
        Probability of dropping an element of the embedded text and, if there is an `encoder`,
        of its output too. `None` is no dropout.

    # Raises

    `ConfigurationError`
        If the `encoder` does not take vectors of the size that the embedder makes.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        text_field_embedder: TextFieldEmbedder,
        encoder: Optional[Seq2SeqEncoder] = None,
        dropout: Optional[float] = None,
    ) -> None:
        super().__init__()
        _check_sizes(text_field_embedder, encoder)
        self._text_field_embedder = text_field_embedder
        self._encoder = encoder
        self._dropout = torch.nn.Dropout(dropout or 0.0)

    def forward(self, text: TextFieldTensors) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        """
        # Parameters

        text : `TextFieldTensors`
            What a `TextField` becomes in a batch, with any number of token indexers.

        # Returns

        `Dict[str, torch.Tensor]`
            - encoded_text : (B, T, D), D being the output size of the encoder, or of the
              embedder if there is no encoder.
            - encoded_text_mask : (B, T), `True` where there is a token.
        """
        mask = get_text_field_mask(text)  # (B, T)
        encoded = self._dropout(self._text_field_embedder(text))  # (B, T, D)
        if self._encoder is not None:
            encoded = self._dropout(self._encoder(encoded, mask))  # (B, T, D)
        return {"encoded_text": encoded, "encoded_text_mask": mask}


def _check_sizes(embedder: TextFieldEmbedder, encoder: Optional[Seq2SeqEncoder]) -> None:
    if encoder is None or encoder.get_input_dim() == embedder.get_output_dim():
        return
    raise ConfigurationError(
        "The encoder of a text backbone has to take the vectors that text_field_embedder makes, "
        f"but text_field_embedder makes {embedder.get_output_dim()} dimensions and the encoder "
        f"takes {encoder.get_input_dim()}. Set the encoder's input size to "
        f"{embedder.get_output_dim()}."
    )
