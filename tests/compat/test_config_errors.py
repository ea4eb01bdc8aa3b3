"""Errors for mistakes in a config that name the closest name."""

from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional

import pytest
from allennlp.common import FromParams, Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.from_params import construct_arg
from allennlp.models.heads import Head

from multitask_model import TaggerHead
from tests.helpers.messages import exactly
from tests.helpers.models import make_vocab
from tests.helpers.training_config import make_config, train


def test_a_misspelled_type_is_close_to_a_known_one() -> None:
    with pytest.raises(ConfigurationError) as error:
        Head.from_params(Params({"type": "taggr"}), vocab=make_vocab())
    assert str(error.value).startswith("taggr not in acceptable choices for type: ['classifier', ")
    assert str(error.value).endswith(" Did you mean 'tagger'?")


def test_a_misspelled_parameter_is_close_to_a_known_one() -> None:
    params = Params({"input_dim": 3, "dropuot": 0.1})
    message = "Extra parameters passed to TaggerHead: {'dropuot': 0.1}. Did you mean 'dropout'?"
    with pytest.raises(ConfigurationError, match=exactly(message)):
        TaggerHead.from_params(params, vocab=make_vocab())


class Inner(FromParams):
    def __init__(self, size: int = 1) -> None:
        self.size = size


class Outer(FromParams):
    def __init__(self, inner: Inner, names: Optional[List[str]] = None, sise: int = 0) -> None:
        self.inner, self.names, self.sise = inner, names, sise


def test_the_parameters_are_those_of_the_class_that_lacks_one() -> None:
    message = "Extra parameters passed to Inner: {'sise': 3}. Did you mean 'size'?"
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Outer.from_params(Params({"inner": {"sise": 3}}))


def test_a_parameter_that_is_close_to_none_gets_no_advice() -> None:
    message = "Extra parameters passed to Inner: {'colors': 3}."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Inner.from_params(Params({"colors": 3}))


def test_a_missing_type_gets_no_advice() -> None:
    message = 'key "type" is required'
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Params({}).pop_choice("type", ["one", 2])
    with pytest.raises(ConfigurationError, match="3 not in acceptable choices") as error:
        Params({"type": "3"}).pop_choice("type", [1, 2])
    assert str(error.value).endswith("imported automatically.")


def test_an_empty_string_is_no_list() -> None:
    message = "names must be a list, but got the string ''. Write it in brackets, [ and ]."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Outer.from_params(Params({"inner": {}, "names": ""}))


class Wrong(FromParams):
    def __init__(self, size: int = 1) -> None:
        raise ConfigurationError("size must be even") from KeyError("size")


class Around(FromParams):
    def __init__(self, inner: Wrong) -> None: ...


def test_any_other_error_keeps_its_cause() -> None:
    with pytest.raises(ConfigurationError, match="^size must be even$") as error:
        Around.from_params(Params({"inner": {"size": 3}}))
    assert isinstance(error.value.__cause__, KeyError)


def test_a_missing_parameter_may_be_one_that_is_unknown() -> None:
    message = """key "inner" is required. Is 'iner' meant to be 'inner'?"""
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Outer.from_params(Params({"iner": {}, "sise": 3}))
    with pytest.raises(ConfigurationError, match=exactly('key "inner" is required')):
        Outer.from_params(Params({"sise": 3}))
    with pytest.raises(ConfigurationError, match="Is 'typ' meant to be 'type'"):
        Head.from_params(Params({"typ": "tagger"}), vocab=make_vocab())


def test_extras_may_have_any_name() -> None:
    assert Inner.from_params(Params({"size": 3}), original=1).size == 3


def test_a_string_is_no_list() -> None:
    message = """names must be a list, but got the string 'ab'. Write it in brackets, [ and ]."""
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Outer.from_params(Params({"inner": {}, "names": "ab"}))


def test_a_string_in_a_dictionary_of_lists_is_named_by_its_key() -> None:
    message = (
        """heads.tweets must be a list, but got the string 'ner'. Write it in brackets, [ and ]."""
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        construct_arg("Model", "heads", Params({"tweets": "ner"}), Dict[str, List[str]], None)


@pytest.mark.parametrize("annotation", [str, Any, Dict[str, str], Iterable[Path]])
def test_a_string_for_anything_else_is_unchanged(annotation: Any) -> None:
    value: Any = {"a": "b"} if annotation == Dict[str, str] else "ab"
    given = Params(value) if isinstance(value, dict) else value
    assert construct_arg("Model", "name", given, annotation, None) == value


@pytest.mark.slow
def test_an_option_that_the_trainer_ignores_is_reported(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    config["trainer"]["num_epoch"] = 1
    train(config, tmp_path, "run")
    lines = (tmp_path / "run" / "out.log").read_text().splitlines()
    assert [line.split(" - ")[-1] for line in lines if "The trainer has no option" in line] == [
        "The trainer has no option 'num_epoch' and ignores it. Did you mean 'num_epochs'?"
    ]
