"""The trainer callback `task_report`."""

import logging
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, cast

from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer
from allennlp.training.callbacks import TrainerCallback
from overrides import overrides
from rich.console import Console

from multitask_model.compat.allennlp_internals import (
    signed_tracked_metrics,
    validation_loader,
)
from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader
from multitask_model.distributed import gather
from multitask_model.errors import check_known
from multitask_model.model import MultiTaskModel
from multitask_model.training.report.console_table import print_table
from multitask_model.training.report.earlier_epochs import make_record, read_earlier_epochs
from multitask_model.training.report.label_reading import LabelReader
from multitask_model.training.report.learning_rates import ParameterGroups
from multitask_model.training.report.page import make_page
from multitask_model.training.report.picture import draw, has_matplotlib, require_matplotlib
from multitask_model.training.report.progress_line import (
    describe_losses,
    largest_number,
    use_description,
)
from multitask_model.training.report.records import EpochRecord, Report
from multitask_model.training.report.summary import warn_of_main_metrics
from multitask_model.training.report.task_counts import StepTimer, TaskCounts

logger = logging.getLogger(__name__)

PAGE, PICTURE, DATA = "report.html", "report.png", "report.json"


@TrainerCallback.register("task_report")
class TaskReportCallback(TrainerCallback):
    """
    Reports on the training of each head. After each epoch it writes to the serialization directory

    - `report.html`, a page without external files: losses and metrics of each head, the tasks that
      were trained on, weights and conflicts of heads, learning rates, and the labels that heads
      confuse. `docs/report.md` says how to read it;
    - `report.png`, the losses and the main metric of each head, if matplotlib is installed;
    - `report.json`, the numbers.

    In the terminal, the progress bar fits 100 columns whatever the number of heads, and a table
    with a line for each head follows each epoch.

    A recovered run keeps the earlier epochs. In distributed training, the first process writes the
    report, of the instances and labels of all processes.

    The seconds of a training step, from the call of the model to the step of the optimizer, belong
    to the tasks of its batches. If there are several, they are split in proportion to the
    instances. Predicted labels are counted while validating, for the `classifier`, for `tagger` and
    `crf_tagger`, and for heads with a method `predicted_labels`.

    Registered as a `TrainerCallback` with name "task_report".

    # Parameters

    serialization_dir : `str`
        Set by the trainer. Without one, no files are written.
    main_metrics : `Dict[str, str]`, optional (default = `None`)
        For some heads, the metric that stands for the head, with a sign: `{"parser": "+UAS"}`. By
        default it is the one in the trainer's `validation_metric`, or else a common one such as
        LAS, F1 or accuracy.
    picture : `bool`, optional (default = `None`)
        Whether to write `report.png`. By default, it is left out if matplotlib is not installed,
        and a line in the log says so: a config must run where matplotlib is missing. With `True`,
        that is an error, before the training.
    console : `bool`, optional (default = `True`)
        Whether to shorten the progress bar and to print the table.

    # Raises

    `ConfigurationError`
        If a main metric has no sign, or `picture` is `True` and matplotlib is not installed. At the
        start of training: if the model is not a `MultiTaskModel` or lacks a head in `main_metrics`.

    # Examples

    In the config of a trainer:

    >>> from allennlp.common import Params
    >>> trainer = Params({"num_epochs": 10, "callbacks": [{"type": "task_report"}]})
    >>> (params,) = trainer.pop("callbacks")
    >>> callback = TrainerCallback.from_params(params, serialization_dir="run")
    >>> callback.state_dict()  # before the training; then the report and the current epoch
    {}
    """

    def __init__(
        self,
        serialization_dir: str,
        main_metrics: Optional[Dict[str, str]] = None,
        picture: Optional[bool] = None,
        console: bool = True,
    ) -> None:
        super().__init__(serialization_dir)
        self._main_metrics = dict(main_metrics or {})
        _check_signs(self._main_metrics)
        if picture:
            require_matplotlib()
        self._picture = picture
        self._has_console = console
        self._report: Optional[Report] = None
        self._restored: Mapping[str, Any] = {}
        self._timer = StepTimer()
        self._epoch_start: Optional[float] = None
        self._learning_rates: Dict[str, float] = {}

    @overrides
    def on_start(
        self, trainer: GradientDescentTrainer, is_primary: bool = True, **kwargs: object
    ) -> None:
        super().on_start(trainer, is_primary, **kwargs)
        model = _check_model(trainer)
        heads = list(model.heads)
        check_known("main_metrics", "heads of the model", self._main_metrics, heads)
        self._report = self._make_report(model)
        self._counts = TaskCounts(model.tasks)
        if "current" in self._restored and is_primary:
            self._counts.merge(self._restored["current"])
        self._labels = LabelReader(model)
        self._groups = ParameterGroups(model, trainer.optimizer)
        self._timer.attach(model)
        if is_primary and self._has_console:
            batches = largest_number([trainer.data_loader, validation_loader(trainer)])
            use_description(lambda metrics: describe_losses(metrics, heads, batches))
        if is_primary and self._picture is None and not has_matplotlib():
            logger.info(
                "Without %s, because matplotlib is not installed: "
                "pip install 'multitask-model[report]'",
                PICTURE,
            )

    def _make_report(self, model: MultiTaskModel) -> Report:
        assert self.trainer is not None
        data = self._restored.get("report")
        report = Report({}) if data is None else Report.from_json(data)
        report.heads = {head: model.tasks.tasks_of(head) for head in model.heads}
        report.main_metrics = self._main_metrics
        # Without validation data, no epoch is chosen.
        has_validation = validation_loader(self.trainer) is not None
        report.validation_metric = signed_tracked_metrics(self.trainer) if has_validation else []
        return report

    @overrides
    def on_batch(
        self,
        trainer: GradientDescentTrainer,
        batch_inputs: List[Any],
        batch_outputs: List[Dict[str, Any]],
        batch_metrics: Dict[str, Any],
        epoch: int,
        batch_number: int,
        is_training: bool,
        is_primary: bool = True,
        batch_grad_norm: Optional[float] = None,
        **kwargs: object,
    ) -> None:
        seconds = self._timer.stop()
        if self._epoch_start is None:
            self._epoch_start = time.perf_counter() - seconds
        if is_training:
            self._counts.add(batch_inputs, seconds)
            self._learning_rates = self._groups.learning_rates()
            return
        for batch, outputs in zip(batch_inputs, batch_outputs):
            self._labels.add(batch, outputs)

    @overrides
    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
        **kwargs: object,
    ) -> None:
        assert self._report is not None
        self._gather(self._report)
        if is_primary:
            known, heads = self._report.epochs, self._report.heads
            folder = self._folder
            for earlier in read_earlier_epochs(folder, epoch, known, heads) if folder else ():
                self._report.add(earlier)
            self._report.add(self._make_record(epoch, metrics))
            if len(self._report.epochs) == 1:
                warn_of_main_metrics(self._report)
            self._choose_epoch(self._report, metrics)
            self._write(self._report)
        self._counts.reset()
        self._labels.reset()
        self._epoch_start = None

    def _gather(self, report: Report) -> None:
        """Adds up what the processes counted."""
        labels = {head: (c.pairs, c.spans) for head, c in self._labels.counts.items()}
        of_processes = gather((self._counts.to_json(), labels))
        report.processes = len(of_processes)
        if len(of_processes) > 1:
            self._counts.reset()
            self._labels.reset()
            for counted, of_heads in of_processes:
                self._counts.merge(counted, len(of_processes))
                for head, counts in of_heads.items():
                    self._labels.counts[head].merge(*counts)

    def _make_record(self, epoch: int, metrics: Mapping[str, object]) -> EpochRecord:
        assert self._report is not None
        assert self.trainer is not None
        record = make_record(epoch, metrics, self._report.heads)
        counted = self._counts.to_json()
        # The trainer repeats the metrics of a head that an epoch had no instances of.
        for head in set(self._report.heads).difference(counted["head_instances"]):
            record.training.pop(head, None)
        for name, value in counted.items():
            setattr(record, name, value)
        record.learning_rates = self._learning_rates
        if self._epoch_start is not None:
            record.total_seconds = time.perf_counter() - self._epoch_start
        loaders = {
            "training": self.trainer.data_loader,
            "validation": validation_loader(self.trainer),
        }
        for split, loader in loaders.items():
            if isinstance(loader, MultiTaskDataLoader) and loader.padding_ratio is not None:
                record.padding[split] = loader.padding_ratio
        return record

    def _choose_epoch(self, report: Report, metrics: Mapping[str, object]) -> None:
        if report.has_validation:
            report.chosen_epoch = cast(Optional[int], metrics.get("best_epoch"))
        epoch = report.epochs[-1].epoch
        if report.chosen_epoch in (None, epoch) or report.labels_epoch is None:
            counts = self._labels.counts.items()
            labels = {head: c.to_json() for head, c in counts if c.pairs or c.spans}
            report.labels, report.labels_epoch = labels, epoch if labels else None

    def _write(self, report: Report) -> None:
        if self._has_console:
            print_table(report, Console())
        if self._folder is None:
            return
        try:
            self._write_files(report, self._folder)
        except OSError as error:
            logger.warning(
                "task_report must be able to write to the serialization directory, but got: %s. "
                "The training continues. The next epoch tries again, with all epochs.",
                error,
            )

    def _write_files(self, report: Report, folder: Path) -> None:
        report.write(folder / DATA)
        page = make_page(report, title=folder.resolve().name)
        (folder / PAGE).write_text(page, encoding="utf-8")
        if self._picture is not False and has_matplotlib():
            draw(report, folder / PICTURE)
        logger.info("Report of %d epochs: %s", len(report.epochs), folder / PAGE)

    @property
    def _folder(self) -> Optional[Path]:
        return Path(self.serialization_dir) if self.serialization_dir else None

    @overrides
    def on_end(self, trainer: GradientDescentTrainer, *args: object, **kwargs: object) -> None:
        self._timer.detach()
        use_description(None)

    @overrides
    def state_dict(self) -> Dict[str, Any]:
        """Returns the report, and what was counted of the current epoch."""
        if self._report is None:
            return {}
        return {"report": self._report.to_json(), "current": self._counts.to_json()}

    # Older releases of `overrides` reject `object` for the values.
    @overrides(check_signature=False)
    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Keeps the state until `on_start`, because the model is not known yet."""
        self._restored = state_dict


def _check_signs(main_metrics: Mapping[str, object]) -> None:
    for head, metric in main_metrics.items():
        if not isinstance(metric, str) or len(metric) < 2 or metric[0] not in "+-":
            raise ConfigurationError(
                "main_metrics must name a metric of each head that starts with '+' (larger is "
                f"better) or '-' (smaller is better), but got {metric!r} for {head!r}. Write it as "
                "'+accuracy'."
            )


def _check_model(trainer: GradientDescentTrainer) -> MultiTaskModel:
    if not isinstance(trainer.model, MultiTaskModel):
        raise ConfigurationError(
            "The trainer callback 'task_report' requires the model 'multitask' of multitask_model, "
            f"but got {type(trainer.model).__name__}. Change the model, or remove the callback."
        )
    return trainer.model
