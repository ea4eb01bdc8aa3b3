"""The configs and the training data of the comparisons."""

import copy
import gzip
import os
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple

HERE = Path(__file__).resolve().parent
SINGLE = "single_"


class Comparison(NamedTuple):
    """What is compared: a config, and the metric of each head with its title in a table."""

    config: Path
    scores: Dict[str, str]
    titles: Dict[str, str]


ANNOTATIONS = {
    "upos": "upos_accuracy",
    "xpos": "xpos_accuracy",
    "parser": "parser_LAS",
    "genre": "genre_accuracy",
}
ANNOTATION_TITLES = {"upos": "UPOS", "xpos": "XPOS", "parser": "LAS", "genre": "genre"}
COMPARISONS = {
    "annotations": Comparison(HERE / "annotations.jsonnet", ANNOTATIONS, ANNOTATION_TITLES),
    "three_tasks": Comparison(
        HERE / "three_tasks.jsonnet",
        {
            "parser": "parser_LAS",
            "slots": "slots_f1-measure-overall",
            "intent": "intent_accuracy",
        },
        {"parser": "LAS", "slots": "slot F1", "intent": "intent"},
    ),
    "minilm": Comparison(HERE.parent / "ewt" / "minilm.jsonnet", ANNOTATIONS, ANNOTATION_TITLES),
}


def read_methods(comparison: str, names: Iterable[str]) -> Dict[str, Dict[str, Any]]:
    """
    The changes of the named methods, and of all methods if there are no names. A name can join
    methods, as in "layer_mix+genre_weight".
    """
    from allennlp.common import Params

    methods = Params.from_file(str(HERE / "methods.jsonnet")).as_dict(quiet=True)[comparison]
    single = {f"{SINGLE}{head}": {"heads": [head]} for head in COMPARISONS[comparison].scores}
    methods = {"joint": methods.pop("joint"), **single, **methods}
    chosen: Dict[str, Dict[str, Any]] = {}
    for name in names or methods:
        chosen[name] = {}
        for part in name.split("+"):
            if part not in methods:
                raise SystemExit(
                    f"error: --methods must be among {list(methods)}, or several of these joined "
                    f"by '+', but got {name!r}."
                )
            merge(chosen[name], methods[part])
    return chosen


def merge(config: Dict[str, Any], changes: Mapping[str, Any]) -> None:
    """
    Writes the changes into a nested dictionary. `None` removes a key. The changes are copied, so
    that later ones do not become part of them.
    """
    for name, value in changes.items():
        if value is None:
            config.pop(name, None)
        elif isinstance(value, dict) and isinstance(config.get(name), dict):
            merge(config[name], value)
        else:
            config[name] = copy.deepcopy(value)


def make_config(path: str, method: Mapping[str, Any], **options: Any) -> Dict[str, Any]:
    """The config with the changes of a method. `options`: the epochs, the device and the seed."""
    from allennlp.common import Params

    config: Dict[str, Any] = Params.from_file(path, ext_vars=dict(os.environ)).as_dict(quiet=True)
    changes = dict(method)
    heads = changes.pop("heads", list(config["model"]["heads"]))
    mix = changes.pop("mix", False)
    merge(config, changes)
    keep_heads(config, heads)
    if mix:
        add_mixes(config["model"], heads, heads if mix is True else mix)
    trainer = config["trainer"]
    # Every run has the same number of epochs, and is evaluated after the last one.
    trainer.pop("patience", None)
    trainer["validation_metric"] = "-loss"
    trainer["num_epochs"] = options["epochs"] or trainer["num_epochs"]
    trainer["cuda_device"] = options["cuda_device"]
    for name in ("random_seed", "numpy_seed", "pytorch_seed"):
        config[name] = options["seed"]
    return config


def add_mixes(model: Dict[str, Any], heads: List[str], mixed: List[str]) -> None:
    """Gives some heads a mix of the layers of their own, and the others the last layer."""
    backbone = model["backbone"]
    backbone["layer_mixes"] = [f"{name}_text" for name in mixed if name in heads]
    if len(backbone["layer_mixes"]) < len(heads):
        backbone["output_layers"] = {f"{name}_text": -1 for name in heads if name not in mixed}
    for name in heads:
        mapping = model["arg_name_mapping"].setdefault(name, {})
        mapping[f"{name}_text"] = "encoded_text"


def keep_heads(config: Dict[str, Any], heads: List[str]) -> None:
    """
    Removes the other heads from a config, and the tasks that had no more than these. The other
    tasks keep their number of instances in an epoch, and of steps.
    """
    model = config["model"]
    for options in ("heads", "arg_name_mapping", "loss_weights"):
        if options in model:
            model[options] = {
                name: model[options][name] for name in heads if name in model[options]
            }
    kept = {
        task: [name for name in of_task if name in heads]
        for task, of_task in model["task_heads"].items()
    }
    model["task_heads"] = {task: of_task for task, of_task in kept.items() if of_task}
    removed = [task for task, of_task in kept.items() if not of_task]
    loader = config["data_loader"]
    if removed and "instances_per_epoch" in loader:
        for options, name in ((loader, "instances_per_epoch"), (loader["scheduler"], "batch_size")):
            options[name] = options[name] * (len(kept) - len(removed)) // len(kept)
    for of_tasks in (
        config["dataset_reader"]["readers"],
        config["train_data_path"],
        config["validation_data_path"],
    ):
        for task in removed:
            of_tasks.pop(task, None)


def write_parts(folder: Path, comparison: str) -> None:
    """Writes the parts of EWT and SNIPS that a comparison uses, unless they exist."""
    folder.mkdir(parents=True, exist_ok=True)
    if comparison != "minilm" and not (folder / "dev.conllu").exists():
        treebank = Path(os.environ["EWT_DIR"])
        take_sentences(treebank / "en_ewt-ud-train.conllu.gz", 1000, folder / "train.conllu.gz")
        take_sentences(treebank / "en_ewt-ud-dev.conllu", 500, folder / "dev.conllu")
    if comparison == "three_tasks" and not (folder / "intent.jsonl").exists():
        lines = (Path(os.environ["SNIPS_DIR"]) / "train.jsonl").read_text().splitlines(True)
        (folder / "slots.jsonl").write_text("".join(lines[:400]))
        (folder / "intent.jsonl").write_text("".join(lines[400:500]))


def take_sentences(treebank: Path, count: int, target: Path) -> None:
    """Writes about `count` sentences: the same share of each document, from its beginning."""
    data = treebank.read_bytes()
    text = (gzip.decompress(data) if treebank.suffix == ".gz" else data).decode("utf-8")
    documents = text.split("# newdoc")[1:]
    sentences = [f"# newdoc{document}".strip().split("\n\n") for document in documents]
    share = count / sum(map(len, sentences))
    taken = [s for of_document in sentences for s in of_document[: round(share * len(of_document))]]
    data = "".join(f"{sentence}\n\n" for sentence in taken).encode("utf-8")
    target.write_bytes(gzip.compress(data) if target.suffix == ".gz" else data)
