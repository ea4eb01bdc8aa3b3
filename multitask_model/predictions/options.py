"""The options of `MultiTaskPredictor`."""

from typing import Any, List, Mapping, NamedTuple, Optional

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_choice, check_known
from multitask_model.predictions.label_probabilities import check_top_k

JSONL, CONLLU = "jsonl", "conllu"
FORMATS = (JSONL, CONLLU)


class PredictorOptions(NamedTuple):
    """
    The options of a predictor. Those that have their default value may come from a config.

        >>> options = PredictorOptions(top_k=3).over({"top_k": 1, "drop": ["logits"]})
        >>> options.top_k, options.drop
        (3, ['logits'])
    """

    keep_encodings: bool = False
    outputs: Optional[List[str]] = None
    drop: Optional[List[str]] = None
    top_k: Optional[int] = None
    format: str = JSONL

    @property
    def adds_text(self) -> bool:
        """Whether predictions have the text of their tokens."""
        return self.format == CONLLU

    def over(self, config: Mapping[str, Any]) -> "PredictorOptions":
        """Replaces the options that have their default value by those of a config."""
        check_known("predictor", "options of the predictor", config, self._fields)
        defaults = self._field_defaults
        given = {n: value for n, value in self._asdict().items() if value != defaults[n]}
        return PredictorOptions(**{**config, **given})

    def check(self) -> None:
        """
        # Raises

        `ConfigurationError`
            If an option is invalid, or two of them exclude each other.
        """
        check_choice("keep_encodings", self.keep_encodings, (True, False))  # type: ignore[arg-type]
        check_choice("format", self.format, FORMATS)
        check_top_k(self.top_k)
        selected = self.outputs if self.drop is None else self.drop
        if self.format == CONLLU and selected is not None:
            raise ConfigurationError(
                "outputs and drop select what a prediction in JSON has, but got "
                f"{selected!r} with the format 'conllu', whose columns are fixed. Leave it out."
            )
