"""LSTMs on padded batches, without packing them."""

from typing import List, cast

import torch
from allennlp.modules import Seq2SeqEncoder
from allennlp.nn.util import get_lengths_from_binary_sequence_mask

from multitask_model.compat.allennlp_internals import wrapped_lstm


def encode_sequences(
    encoder: Seq2SeqEncoder, inputs: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """
    Calls an encoder. In training on a CPU, AllenNLP's encoder of type `lstm` is replaced by
    `run_padded_lstm` with the same parameters, which has the same output.

    # Parameters

    encoder : `Seq2SeqEncoder`
    inputs : `torch.Tensor`
        Of shape (B, T, D).
    mask : `torch.Tensor`
        Of shape (B, T), `True` for tokens, which precede all padding.

    # Returns

    `torch.Tensor`
        Of shape (B, T, E).
    """
    # Without gradients, packing is as fast, and faster for batches with much padding.
    if torch.is_grad_enabled() and inputs.device.type == "cpu":
        lstm = wrapped_lstm(encoder)
        if lstm is not None:
            return run_padded_lstm(lstm, inputs, mask)
    return cast(torch.Tensor, encoder(inputs, mask))


def run_padded_lstm(lstm: torch.nn.LSTM, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    The output of an LSTM for sequences of different lengths. The same as for a `PackedSequence`,
    apart from the elements that dropout between layers selects.

    A direction from right to left is one from left to right over reversed sequences, so that
    padding always comes last and affects no token. With a `PackedSequence`, a backward pass on a
    CPU allocates and fills a gradient of the size of the batch for every time step, so its time
    grows with the square of the length.

    # Parameters

    lstm : `torch.nn.LSTM`
        With `batch_first`, and without projections.
    inputs : `torch.Tensor`
        Of shape (B, T, D).
    mask : `torch.Tensor`
        Of shape (B, T), `True` for tokens, which precede all padding.

    # Returns

    `torch.Tensor`
        Of shape (B, T, E), zero for padding.

    # Examples

        >>> lstm = torch.nn.LSTM(2, 3, batch_first=True, bidirectional=True)
        >>> mask = torch.tensor([[True, True], [True, False]])
        >>> outputs = run_padded_lstm(lstm, torch.ones(2, 2, 2), mask)
        >>> outputs.shape, outputs[1, 1].tolist()
        (torch.Size([2, 2, 6]), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    """
    lengths = get_lengths_from_binary_sequence_mask(cast(torch.BoolTensor, mask)).unsqueeze(-1)
    positions = torch.arange(mask.size(1), device=mask.device)
    is_padding = (positions >= lengths).unsqueeze(-1)  # (B, T, 1)
    # Whatever padding holds, even NaN, must not reach the gradients of the weights.
    layer = inputs.masked_fill(is_padding, 0.0)
    reverse = torch.where(positions < lengths, lengths - 1 - positions, positions)  # (B, T)
    for index in range(lstm.num_layers):
        if index > 0 and lstm.dropout > 0.0:
            layer = torch.nn.functional.dropout(layer, lstm.dropout, lstm.training)
        outputs = [_run_layer(lstm, f"_l{index}", layer)]
        if lstm.bidirectional:
            from_right = _run_layer(lstm, f"_l{index}_reverse", _take(layer, reverse))
            outputs.append(_take(from_right, reverse))
        layer = torch.cat(outputs, dim=-1)
    return layer.masked_fill(is_padding, 0.0)


def _take(sequences: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """The vectors of (B, T, D) at the `positions` (B, T) of each sequence."""
    return sequences.gather(1, positions.unsqueeze(-1).expand_as(sequences))


def _run_layer(lstm: torch.nn.LSTM, suffix: str, inputs: torch.Tensor) -> torch.Tensor:
    """One layer of an LSTM in one direction, from left to right."""
    names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if lstm.bias else [])]
    weights: List[torch.Tensor] = [getattr(lstm, name + suffix) for name in names]
    state = inputs.new_zeros(1, inputs.size(0), lstm.hidden_size)
    outputs, _, _ = torch.lstm(
        inputs,
        (state, state),
        weights,
        has_biases=lstm.bias,
        num_layers=1,
        dropout=0.0,
        train=False,
        bidirectional=False,
        batch_first=True,
    )
    return outputs
