"""Which outputs a prediction keeps."""

from typing import Iterable, List, Optional

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_known


class OutputSelection:
    """
    Selects the outputs of predictions by name. A name is that of an output, such as `upos_tags`, or
    that of an output of all heads without their names, such as `tags`.

        >>> selection = OutputSelection(outputs=["tags", "genre_label"])
        >>> selection.keeps("upos_tags", "tags"), selection.keeps("polarity_label", "label")
        (True, False)

    # Parameters

    outputs : `List[str]`, optional (default = all)
        The outputs to keep.
    drop : `List[str]`, optional (default = none)
        The outputs to leave out.

    # Raises

    `ConfigurationError`
        If both are given, or one is not a list of names.
    """

    def __init__(
        self, outputs: Optional[List[str]] = None, drop: Optional[List[str]] = None
    ) -> None:
        if outputs is not None and drop is not None:
            raise ConfigurationError(
                "A predictor takes outputs (what to keep) or drop (what to leave out), but got "
                f"both: {outputs!r} and {drop!r}. Leave out one of them."
            )
        self._parameter = "outputs" if drop is None else "drop"
        names = outputs if drop is None else drop
        _check_names(self._parameter, names)
        self.names = list(names or [])
        """The names that were given."""
        self._keeps_all = names is None

    def keeps(self, name: str, plain_name: str) -> bool:
        """Whether an output is kept. `plain_name` is its name without that of its head."""
        is_named = name in self.names or plain_name in self.names
        return self._keeps_all or is_named == (self._parameter == "outputs")

    def unknown(self, known: Iterable[str]) -> List[str]:
        """Returns the names that were given and are not among the `known` ones."""
        return sorted(set(self.names) - set(known), key=self.names.index)

    def check(self, known: Iterable[str]) -> None:
        """
        # Raises

        `ConfigurationError`
            If a name that was given is not among the `known` ones.
        """
        check_known(self._parameter, "outputs of predictions", self.names, known)


def _check_names(parameter: str, names: object) -> None:
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if names is not None and not is_list:
        raise ConfigurationError(
            f"{parameter} must be a list of names of outputs, but got {names!r}. Write it as "
            '["tags"].'
        )
