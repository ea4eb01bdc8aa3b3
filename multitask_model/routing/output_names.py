"""The names of outputs and metrics, and which component each output came from."""

from typing import Dict, List, Mapping, Optional, Sequence, Tuple

BACKBONE = "backbone"
LOSS = "loss"
WEIGHT = "weight"


def metric_name(component: str, key: str) -> str:
    """
    Returns `HEAD_KEY`, or `_HEAD_KEY` for a metric `_KEY`, so that hidden metrics stay hidden.
    """
    return f"_{component}{key}" if key.startswith("_") else f"{component}_{key}"


def add_metrics(metrics: Dict[str, float], head: str, of_head: Mapping[str, float]) -> None:
    """
    Adds the metrics of one head to `metrics`, under prefixed names.

    # Raises

    `ValueError`
        If another head has a metric of the same prefixed name.
    """
    for key, value in of_head.items():
        name = metric_name(head, key)
        if name in metrics:
            raise ValueError(
                f"Every metric must have a unique name, but {name!r} is the metric {key!r} of "
                f"{head!r} and also a metric of another head. Rename a head, or one of the metrics."
            )
        metrics[name] = value


class OutputNames:
    """
    Names the outputs of the model and records which component each came from. A name alone does not
    say: `a_b_x` may be the output `b_x` of a head `a` or `x` of a head `a_b`.

        >>> names, outputs = OutputNames(["a", "a_b"]), {}
        >>> names.add(outputs, "a", {"b_x": 1})
        >>> outputs, names.find("a_b_x")
        ({'a_b_x': 1}, 'a')

    # Parameters

    heads : `Sequence[str]`
    """

    def __init__(self, heads: Sequence[str]) -> None:
        self._longest_first = sorted(heads, key=len, reverse=True)
        self._names: Dict[str, Dict[str, str]] = {name: {} for name in (BACKBONE, *heads)}
        self._owners: Dict[str, str] = {}

    def add_head(self, head: str) -> None:
        """Adds a head whose outputs will be named."""
        self._longest_first = sorted([*self._longest_first, head], key=len, reverse=True)
        self._names[head] = {}

    def add(
        self, outputs: Dict[str, object], component: str, of_component: Mapping[str, object]
    ) -> None:
        """
        Adds the outputs of one component to `outputs`: those of a head as `HEAD_KEY`, those of the
        backbone under their own names. Its `loss` becomes `backbone_loss`, since `loss` is the
        joint loss.

        # Raises

        `ValueError`
            If another component has, or ever had, an output of the same name.
        """
        outputs.update(self.merge({component: (of_component, 0)}))

    def merge(self, results: Mapping[str, Tuple[Mapping[str, object], int]]) -> Dict[str, object]:
        """
        Returns the named outputs of all components.

        # Parameters

        results : `Mapping[str, Tuple[Mapping[str, object], int]]`
            The outputs of each component, and the number of rows of its loss, which is not used.
        """
        outputs: Dict[str, object] = {}
        for component, (of_component, _) in results.items():
            names = self._names[component]
            for key, value in of_component.items():
                outputs[names[key] if key in names else self.name(component, key)] = value
        return outputs

    def keys_of(self, component: str) -> List[str]:
        """Returns the outputs that a component ever had, under its own names for them."""
        return list(self._names[component])

    def names_of(self, component: str) -> Mapping[str, str]:
        """The names of the outputs that a component had so far, by its own names for them."""
        return self._names[component]

    def name(self, component: str, key: str) -> str:
        """
        Returns the name of an output that a component has.

        # Raises

        `ValueError`
            If another component has, or ever had, an output of the same name.
        """
        name = f"{component}_{key}" if component != BACKBONE or key == LOSS else key
        owner = self._owners.setdefault(name, component)
        if owner != component:
            raise ValueError(
                f"Every output of the model must have a unique name, but {name!r} is an output of "
                f"{owner!r} and of {component!r} (which calls it {key!r}). Rename a head, or one "
                "of the outputs."
            )
        self._names[component][key] = name
        return name

    def find(self, name: str) -> Optional[str]:
        """
        Returns the component that the output `name` came from, or `None` for the joint loss. An
        output that was never added belongs to the head with the longest name that is its prefix, or
        else to the backbone.
        """
        if name == LOSS:
            return None
        if name not in self._owners:
            heads = (head for head in self._longest_first if name.startswith(f"{head}_"))
            return next(heads, BACKBONE)
        return self._owners[name]

    def split(self, outputs: Mapping[str, object]) -> Dict[str, Dict[str, object]]:
        """
        Splits outputs by component. Those of a head lose its prefix; the joint loss is left out.
        """
        by_component: Dict[str, Dict[str, object]] = {}
        for name, value in outputs.items():
            owner = self.find(name)
            if owner is not None:
                key = name if owner == BACKBONE else name[len(owner) + 1 :]
                by_component.setdefault(owner, {})[key] = value
        return by_component
