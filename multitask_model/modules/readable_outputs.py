"""Readable outputs of heads: names instead of indices, and no padding."""

from typing import Dict, Optional, cast

import torch

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.padded_predictions import strip_padding
from multitask_model.modules.span_encodings import to_spans


def with_readable(
    output_dict: Dict[str, torch.Tensor], **readable: object
) -> Dict[str, torch.Tensor]:
    """
    Returns a copy of `output_dict` with the `readable` values added or replaced. As in
    `Model.make_output_human_readable`, the annotation covers lists too.
    """
    return cast(Dict[str, torch.Tensor], {**output_dict, **readable})


def readable_tags(
    labels: LabelVocabulary,
    output_dict: Dict[str, torch.Tensor],
    label_encoding: Optional[str] = None,
) -> Dict[str, torch.Tensor]:
    """
    # Parameters

    labels : `LabelVocabulary`
    output_dict : `Dict[str, torch.Tensor]`
        The outputs of a head that predicts one tag for each token: `tags` and `logits`.
    label_encoding : `str`, optional (default = `None`)
        The encoding of spans as these tags.

    # Returns

    `Dict[str, torch.Tensor]`
        The names of the `tags` as one list per sequence, unpadded `logits` and, with a
        `label_encoding`, the `spans` of each sequence. The same outputs if there are no `tags`.
    """
    if "tags" not in output_dict:
        return output_dict
    tags = output_dict["tags"]
    logits = strip_padding(output_dict["logits"], tags)
    names = labels.names_of(tags)
    readable = with_readable(output_dict, tags=names, logits=logits)
    if label_encoding is None:
        return readable
    return with_readable(readable, spans=[to_spans(row, label_encoding) for row in names])
