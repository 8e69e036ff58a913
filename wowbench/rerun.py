"""One job again from its record alone, to see whether it gives the same bits here."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wowbench.errors import InputError, shown
from wowbench.graph import OUTPUTS
from wowbench.origin import Origin, first_difference
from wowbench.results.records import TIMES, Record, read_record
from wowbench.tensorfile import read_header

MAKERS = {
    **dict.fromkeys(("source", "target", "test"), "prepare"),
    "draw": "draw",
    "flow": "flow",
    "classifier": "train",
}
"""Verb of the job that makes the file of each option."""

OPTIONS = {
    "prepare": (),
    "draw": ("source", "target", "test"),
    "train": ("target",),
    "flow": ("draw",),
    "evaluate": ("draw", "flow", "test", "classifier"),
    "distance": ("source", "target"),
}
"""Files that each verb reads."""

CHEAP = ("prepare", "draw")
"""Jobs whose files are made anew where they are missing."""


@dataclass(frozen=True)
class Rerun:
    """What came of a job the second time.

    Attributes
    ----------
    results : dict of str to (object, object)
        Digests, measurements and status that differ, each as recorded and as found now.
    surroundings : dict of str to (object, object)
        What the two were computed with, where that differs.
    is_dirty : bool
        Whether the code of either had changes that its commit does not have.
    """

    results: dict[str, tuple[Any, Any]]
    surroundings: dict[str, tuple[Any, Any]]
    is_dirty: bool = False

    @property
    def is_same(self) -> bool:
        """Whether it gave the same bits."""
        return not self.results


def rerun(path: Path, data_root: Path | None = None) -> Rerun:
    """Repeat the job of a record in a temporary folder.

    What it reads is looked for beside the record: the files that it names, and those of the run's
    folder, above ``records``, which the same jobs wrote. Datasets and draws that are not there are
    made again, from their specs in that of the job.

    Parameters
    ----------
    path : Path
        The record.
    data_root : Path, optional
        Folder with the datasets; ``$WOWBENCH_DATA``, else ``data``, where absent.

    Raises
    ------
    InputError
        If the job cannot be repeated here, saying why: it had another device, a flow or a
        classifier that it read is missing, or what it read is other data than it was.
    """
    record = read_record(path)
    device = _device(path, record)
    with tempfile.TemporaryDirectory(prefix="wowbench-") as folder:
        again = _Again(path, record, Path(folder), data_root).run(device)
    is_dirty = any(entry.provenance.get("dirty") for entry in (record, again))
    return Rerun(_results(record, again), _surroundings(record, again), is_dirty)


def _device(path: Path, record: Record) -> str:
    """Device of torch that stands for the record's; refuse what is another one here."""
    was = record.provenance["device"]
    if was == "cpu":
        return "cpu"
    import torch

    here = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    if here != was:
        raise InputError(
            f"record {path}: its {record.job} job ran on {was}, and here is {here}; the same bits "
            "are to be had on that device alone"
        )
    return "cuda"


@dataclass(frozen=True)
class _Again:
    """The second run of a job, and of those whose files are missing."""

    path: Path
    record: Record
    folder: Path
    data_root: Path | None

    def run(self, device: str) -> Record:
        files = {
            option: self._input(option, digest) for option, digest in self.record.inputs.items()
        }
        return self._job(self.record.job, self.record.spec, files, device, "again")

    def _input(self, option: str, digest: str) -> Path:
        verb = MAKERS[option]
        spec = self.record.spec["inputs"][option]
        found = self._find(Origin(verb, spec))
        if found is None and verb not in CHEAP:
            raise InputError(
                f"record {self.path}: the file of its {verb} job ({option} {digest[:16]}) is not "
                f"beside it; expected it in {self._run / OUTPUTS[verb][option]}"
            )
        if found is None:
            made = self._make(verb, spec, option)
            (now,) = made.outputs.values()
            if now != digest:
                raise InputError(
                    f"record {self.path}: its {option} had the SHA-256 {digest[:16]}, and made "
                    f"again here it has {now[:16]}; the data, or the code that reads them, are not "
                    "the same"
                )
            return self._out(option)
        path, now = found
        if now != digest:
            raise InputError(
                f"{path}: its SHA-256 is {now[:16]}, expected {digest[:16]}, which record "
                f"{self.path} read; it has been written anew since"
            )
        return path

    @property
    def _run(self) -> Path:
        """Folder of the run: that above ``records``, or that of the record."""
        parents = self.path.resolve().parents
        return next((p.parent for p in parents if p.name == "records"), parents[0])

    def _find(self, origin: Origin) -> tuple[Path, str] | None:
        """Find the file of a job beside the record, with its digest."""
        (folder,) = OUTPUTS[origin.job].values()
        named = [self.path.parent / file for file in self.record.files.values()]
        for path in [*named, *sorted((self._run / folder).rglob("*.safetensors"))]:
            header = read_header(path)
            if header is not None and header[0] == origin:
                return path, header[1]
        return None

    def _make(self, verb: str, spec: dict, name: str) -> Record:
        """Run a job that reads nothing but data, and those before it."""
        files = {}
        for option, before in spec.get("inputs", {}).items():
            self._make(MAKERS[option], before, f"{name}-{option}")
            files[option] = self._out(f"{name}-{option}")
        return self._job(verb, spec, files, "cpu", name)

    def _out(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"

    def _job(
        self, verb: str, spec: dict, files: Mapping[str, Path], device: str, name: str
    ) -> Record:
        record = self.folder / f"{name}.json"
        arguments: dict[str, Any] = {option: files.get(option) for option in OPTIONS[verb]}
        arguments["out"] = record
        if OUTPUTS[verb]:
            arguments |= {"out": self._out(name), "record": record}
        how: dict[str, Any] = {}
        if verb == "prepare":
            how["data_root"] = self.data_root
        elif verb != "draw":
            how["device"] = device
        if verb == "flow":
            how["allow_divergence"] = True
        module = importlib.import_module(f"wowbench.jobs.{verb}")
        if hasattr(module, "Job"):  # of which a process takes several
            module.run([module.Job(spec, **arguments)], **how)
        else:
            module.run(spec, **arguments, **how)
        return read_record(record)


def _results(before: Record, after: Record) -> dict[str, tuple[Any, Any]]:
    """Compare what two runs of a job gave, but for its times."""
    return _differing(_given(before), _given(after))


def _given(record: Record) -> dict[str, Any]:
    given: dict[str, Any] = {"status": record.status}
    given |= {f"SHA-256 of the {name}": digest for name, digest in record.outputs.items()}
    measured = [entry for entry in record.measurements if entry.metric not in TIMES]
    for entry in measured:
        columns = entry.model_dump(exclude_none=True, exclude={"metric", "value"})
        said = " ".join(f"{name} {value}" for name, value in columns.items())
        given[" ".join(filter(None, (entry.metric, said)))] = entry.value
    return given


def _surroundings(before: Record, after: Record) -> dict[str, tuple[Any, Any]]:
    one, other = (
        dict(_flat({k: v for k, v in record.provenance.items() if k != "written"}))
        for record in (before, after)
    )
    return _differing(one, other)


def _flat(values: Mapping, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _differing(one: Mapping, other: Mapping) -> dict[str, tuple[Any, Any]]:
    return {
        name: (one.get(name), other.get(name))
        for name in dict.fromkeys([*one, *other])
        if first_difference(one.get(name), other.get(name)) is not None
    }


def describe(path: Path, found: Rerun) -> str:
    """Say in a few lines what came of a rerun."""
    surroundings = [_pair(name, *pair) for name, pair in found.surroundings.items()]
    if found.is_same:
        lines = [f"{path}: the same bits"]
        lines += ["with other surroundings:", *surroundings] if surroundings else []
        return "\n".join(lines)
    lines = [f"{path}: not the same bits; as recorded, and now:"]
    lines += [_pair(name, *pair) for name, pair in found.results.items()]
    if surroundings:
        lines += ["what differs in the surroundings:", *surroundings]
    else:
        lines += ["nothing differs in the surroundings that a record knows"]
    if found.is_dirty:
        lines += ["the code had changes that no commit names, here or where the record is from"]
    return "\n".join(lines)


def _pair(name: str, before: Any, after: Any) -> str:
    return f"  {name}: {shown(before)}, {shown(after)}"
