"""Readable outputs of heads: names instead of indices, and no padding."""

from typing import Dict, cast

import torch

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.padded_predictions import strip_padding


def with_readable(
    output_dict: Dict[str, torch.Tensor], **readable: object
) -> Dict[str, torch.Tensor]:
    """
    Returns a copy of `output_dict` with the `readable` values added or replaced. As in
    `Model.make_output_human_readable`, the annotation covers lists too.
    """
    return cast(Dict[str, torch.Tensor], {**output_dict, **readable})


def readable_tags(
    labels: LabelVocabulary, output_dict: Dict[str, torch.Tensor]
) -> Dict[str, torch.Tensor]:
    """
    # Parameters

    labels : `LabelVocabulary`
    output_dict : `Dict[str, torch.Tensor]`
        The outputs of a head that predicts one tag for each token: `tags` and `logits`.

    # Returns

    `Dict[str, torch.Tensor]`
        The names of the `tags` as one list per sequence, and unpadded `logits`. The same outputs if
        there are no `tags`.
    """
    if "tags" not in output_dict:
        return output_dict
    tags = output_dict["tags"]
    logits = strip_padding(output_dict["logits"], tags)
    return with_readable(output_dict, tags=labels.names_of(tags), logits=logits)
