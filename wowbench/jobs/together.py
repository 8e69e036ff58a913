"""Several jobs of one verb in one process: one after another, or at once on a GPU."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Generic, TypeVar

from wowbench.errors import DivergedError, InputError, JobsFailedError, describe
from wowbench.jobs.machine import explain_full_memory
from wowbench.memory import keep_freed_memory
from wowbench.parameters import Parameters

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

Spec = TypeVar("Spec", bound=Parameters)
Result = TypeVar("Result")

AT_ONCE = 16
"""Threads at a time: each takes two of the 32 streams that torch has before it gives one twice."""

FAILURE = "error: "
"""What a log has between the name of one of several jobs and the reason why it failed."""

_current: ContextVar[str] = ContextVar("current", default="")
"""Name of the job that this thread runs, where there are several."""


def parse_specs(kind: type[Spec], values: Sequence[tuple[str, dict]]) -> dict[str, Spec]:
    """Parse the specs of the jobs of a process.

    Parameters
    ----------
    kind : type
        What a spec is.
    values : sequence of (str, dict)
        Name of each job, which is the path of its record, and its spec.

    Returns
    -------
    dict of str to Parameters
        By name.

    Raises
    ------
    InputError
        For a bad spec, two jobs of one name, or jobs with different numbers of threads.
    """
    specs: dict[str, Spec] = {}
    for name, spec in values:
        if name in specs:
            raise InputError(f"two jobs write {name}; expected a record of its own for each")
        specs[name] = kind.parse(spec, "--spec" if len(values) == 1 else f"--spec of {name}")
    counts = sorted({spec.threads for spec in specs.values()})
    if len(counts) > 1:
        raise InputError(
            f"the jobs have {' and '.join(map(str, counts))} threads; expected the same number in "
            "all jobs of a process"
        )
    return specs


def run_jobs(
    jobs: Mapping[str, Callable[[], Result]], device: str, *, at_once: bool = False
) -> list[Result]:
    """Run jobs, whatever becomes of the others.

    Parameters
    ----------
    jobs : mapping of str to callable
        What runs each job, by its name. Lines that it logs begin with the name, where there are
        several jobs.
    device : str
        Torch device.
    at_once : bool
        Whether each has a thread, and on a GPU a stream, of its own. Those for which the memory of
        the GPU is too small then run again after the others, one at a time.

    Returns
    -------
    list
        What the jobs return, in their order.

    Raises
    ------
    JobsFailedError
        If one of several failed, after all have ended; the log says why. The error of a job that
        is alone is left as it is.
    """
    if len(jobs) == 1:
        (job,) = jobs.values()
        with explain_full_memory(device):
            return [job()]
    batch = _Batch(jobs, device)
    with _lines_with_names():
        if at_once:
            batch.run_at_once()
        batch.run_in_turn()
    if batch.failed:
        raise JobsFailedError([name for name in jobs if name in batch.failed], len(jobs))
    return [batch.done[name] for name in jobs]


class _Batch(Generic[Result]):
    """Jobs, and what has become of them."""

    def __init__(self, jobs: Mapping[str, Callable[[], Result]], device: str):
        self._jobs = jobs
        self._device = device
        self.done: dict[str, Result] = {}
        self.failed: list[str] = []

    def run_at_once(self) -> None:
        """Run each job in a thread, `AT_ONCE` at a time; those that do not fit are left."""
        import torch

        _load_what_loads_once(self._device)
        names = list(self._jobs)
        for start in range(0, len(names), AT_ONCE):
            self._run_threads(names[start : start + AT_ONCE])
        left = len(self._jobs) - len(self.done) - len(self.failed)
        if left:
            logger.warning(
                "%d of %d jobs do not fit in the memory of the GPU beside the others; they are run "
                "after them, one at a time",
                left,
                len(self._jobs),
            )
            torch.cuda.empty_cache()

    def _run_threads(self, names: Sequence[str]) -> None:
        import torch

        threads = torch.get_num_threads()

        def work(name: str, stream: torch.cuda.Stream | None) -> None:
            _current.set(name)
            torch.set_num_threads(threads)  # OpenMP's number is that of a thread
            try:
                with _on(stream):
                    self.done[name] = self._jobs[name]()
            except torch.OutOfMemoryError:
                pass
            except Exception as error:
                self._fail(name, error)

        # Daemons, so that an interrupted process does not wait for their end.
        workers = [
            threading.Thread(target=work, args=(name, _new_stream(self._device)), daemon=True)
            for name in names
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def run_in_turn(self) -> None:
        """Run those that have not ended yet."""
        for name, job in self._jobs.items():
            if name in self.done or name in self.failed:
                continue
            token = _current.set(name)
            try:
                with explain_full_memory(self._device):
                    self.done[name] = job()
            except Exception as error:
                self._fail(name, error)
            finally:
                _current.reset(token)

    def _fail(self, name: str, error: Exception) -> None:
        expected = isinstance(error, InputError | DivergedError | OSError)
        logger.error("%s%s", FAILURE, describe(error), exc_info=None if expected else error)
        self.failed.append(name)


def _new_stream(device: str) -> torch.cuda.Stream | None:
    import torch

    return torch.cuda.Stream(device) if device.startswith("cuda") else None


@contextmanager
def _on(stream: torch.cuda.Stream | None) -> Iterator[None]:
    """Launch on a stream, and wait for its end; on a CPU there is none."""
    import torch

    with torch.cuda.stream(stream):  # none is no change
        yield
    if stream is not None:
        stream.synchronize()


def _load_what_loads_once(device: str) -> None:
    """Set and load what is the process's own, before there are threads that would do it at once."""
    import torch

    keep_freed_memory()
    if device.startswith("cuda"):
        # Torch's library of factorisations; two threads that load it at the same time fail.
        torch.linalg.inv(torch.eye(2, device=device))
        torch.cuda.synchronize(device)  # new streams do not wait for what was launched before


@contextmanager
def _lines_with_names() -> Iterator[None]:
    """Begin each line that a job logs with its name."""
    handlers = logging.getLogger().handlers
    for handler in handlers:
        handler.addFilter(_put_name)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(_put_name)


def _put_name(record: logging.LogRecord) -> bool:
    name = _current.get()
    if name and not hasattr(record, "of_job"):
        record.of_job, record.msg, record.args = name, f"{name}: {record.getMessage()}", ()
    return True
