"""The registered types that this package defines."""

from typing import List, Type

from allennlp.common import Registrable


def our_types(base: Type[Registrable]) -> List[str]:
    """Returns the names of the types of `base` whose class is defined in this package."""
    return sorted(
        name
        for name in base.list_available()
        if base.by_name(name).__module__.startswith("multitask_model.")
    )
