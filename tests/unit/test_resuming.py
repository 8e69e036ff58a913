import errno
import logging
import os

import pytest
import torch

from wowbench.flows import Checkpoint, descend, iterate
from wowbench.functionals import SlicedMMD
from wowbench.kernels.riesz import Riesz
from wowbench.schemes.momentum import Momentum

SNAPSHOTS = (0, 3, 20)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def seeded(seed=7):
    return torch.Generator().manual_seed(seed)


class Counting(SlicedMMD):
    """A functional that counts its calls, and is interrupted after some of them."""

    def __init__(self, interrupted_after=None):
        super().__init__(normal(2, 5, 3, seed=1), Riesz(), n_directions=20)
        self.interrupted_after = interrupted_after
        self.calls = 0

    def value_and_grad(self, state, generator):
        if self.calls == self.interrupted_after:
            raise KeyboardInterrupt
        self.calls += 1
        return super().value_and_grad(state, generator)


def flow(functional, checkpoint=None, **arguments):
    arguments = {"steps": 30, "snapshots": SNAPSHOTS, **arguments}
    scheme = Momentum(lr=0.1, momentum=0.9)
    return descend(
        functional, normal(2, 6, 3), scheme, generator=seeded(), checkpoint=checkpoint, **arguments
    )


def assert_same(one, other):
    assert torch.equal(one.x, other.x)
    assert torch.equal(one.losses, other.losses)
    assert list(one.snapshots) == list(other.snapshots) == list(SNAPSHOTS)
    assert all(torch.equal(one.snapshots[at]["x"], other.snapshots[at]["x"]) for at in SNAPSHOTS)


def interrupt(path, after, **arguments):
    checkpoint = Checkpoint(path, "print", every_seconds=0)
    with pytest.raises(KeyboardInterrupt):
        flow(Counting(after), checkpoint, **arguments)


@pytest.mark.parametrize("check_every", [1, 100])
@pytest.mark.parametrize("after", [0, 1, 4, 17, 29])
def test_an_interrupted_flow_resumes_to_the_same_bits(tmp_path, after, check_every):
    path = tmp_path / "flow"
    interrupt(path, after, check_every=check_every)
    assert path.exists() == (after > 0)
    objective = Counting()
    assert_same(flow(objective, Checkpoint(path, "print")), flow(Counting()))
    assert objective.calls == 30 - after


def test_a_complete_flow_takes_no_step_again(tmp_path):
    checkpoint = Checkpoint(tmp_path / "flow", "print")
    first = flow(Counting(), checkpoint)
    objective, reports = Counting(), []
    again = flow(objective, checkpoint, progress=lambda *report: reports.append(report))
    assert_same(again, first)
    assert objective.calls == 0
    assert reports == []
    assert again.seconds == first.seconds > 0
    assert checkpoint.path.exists()
    checkpoint.remove()
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_checkpoint_of_another_flow_is_not_resumed(tmp_path, caplog):
    interrupt(tmp_path / "flow", 5)
    objective = Counting()
    flow(objective, Checkpoint(tmp_path / "flow", "mine"))
    assert objective.calls == 30
    assert "another flow" in caplog.text


def saved(path, after=5, **changes):
    """Write the checkpoint of a flow interrupted after five steps, some tensors replaced."""
    interrupt(path, after)
    tensors, step, seconds = Checkpoint(path, "print").load()
    tensors |= changes
    step = int(tensors.pop("step", step))
    tensors = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    Checkpoint(path, "print").save(tensors, step, seconds)


def flip_a_bit(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


ODD = {
    "a directory": lambda path: (path / "inside").mkdir(parents=True),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a named pipe": lambda path: os.mkfifo(path),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 100),
    "no metadata": lambda path: path.write_bytes(b"\x02" + bytes(7) + b"{}"),
    "truncated": lambda path: (saved(path), path.write_bytes(path.read_bytes()[:-9])),
    "a flipped bit at the end": lambda path: (saved(path), flip_a_bit(path, -1)),
    "a flipped bit in the middle": lambda path: (saved(path), flip_a_bit(path, -200)),
    "no particles": lambda path: saved(path, **{"state.x": None}),
    "no losses": lambda path: saved(path, losses=None),
    "no generator": lambda path: saved(path, generator=None),
    "no snapshot": lambda path: saved(path, **{"snapshot.3.x": None}),
    "one key too many": lambda path: saved(path, **{"state.y": torch.ones(2)}),
    "another shape": lambda path: saved(path, **{"state.x.velocity": torch.ones(2, 6, 2)}),
    "another dtype": lambda path: saved(path, **{"state.x": torch.ones(2, 6, 3).double()}),
    "another generator": lambda path: saved(path, generator=torch.ones(7, dtype=torch.uint8)),
    "a snapshot of another shape": lambda path: saved(path, **{"snapshot.0.x": torch.ones(1)}),
    "too few losses": lambda path: saved(path, losses=torch.ones(4)),
    "losses that are whole": lambda path: saved(path, losses=torch.ones(5, dtype=torch.int64)),
    "too many steps": lambda path: saved(path, step=31),
    "no steps": lambda path: saved(path, step=0),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_checkpoint_is_one_warning_and_a_new_start(tmp_path, caplog, kind):
    path = tmp_path / "flow"
    ODD[kind](path)
    caplog.clear()
    objective = Counting()
    with caplog.at_level(logging.WARNING):
        found = flow(objective, Checkpoint(path, "print", every_seconds=1e9))
    assert_same(found, flow(Counting()))
    assert objective.calls == 30
    loading = [line for line in caplog.messages if "starting from step 0" in line]
    assert len(loading) == 1
    assert str(path) in loading[0]
    assert "\n" not in loading[0]
    # What cannot be replaced by a file is a second warning, of the save after the last step.
    assert len(caplog.messages) == 1 + (kind == "a directory")


def test_a_flipped_bit_is_found_wherever_it_is(tmp_path, caplog):
    def step(state, generator):
        state["x"] += 1
        return state["x"].sum()

    def run():
        state = {"x": torch.zeros(3)}
        iterate(step, state, steps=2, checkpoint=Checkpoint(path, "print", every_seconds=1e9))
        return state["x"]

    path = tmp_path / "flow"
    whole = run()
    content = path.read_bytes()
    for at in range(0, len(content), 3):
        path.write_bytes(content)
        flip_a_bit(path, at)
        caplog.clear()
        assert torch.equal(run(), whole)
        assert len(caplog.messages) == 1, at


def full_disk(tensors, path, metadata):
    path.write_bytes(b"half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_a_warning_each_time_and_the_flow_goes_on(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("wowbench.flows.checkpoint.save_file", full_disk)
    with caplog.at_level(logging.WARNING):
        found = flow(Counting(), Checkpoint(tmp_path / "flow", "print", every_seconds=0))
    assert_same(found, flow(Counting()))
    assert len(caplog.messages) == 30
    assert "No space left on device" in caplog.messages[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_should_be_is_a_warning(tmp_path, caplog):
    (tmp_path / "folder").write_text("in the way")
    checkpoint = Checkpoint(tmp_path / "folder" / "flow", "print")
    with caplog.at_level(logging.WARNING):
        assert_same(flow(Counting(), checkpoint), flow(Counting()))
    assert len(caplog.messages) == 1
    assert "cannot be saved after step 30" in caplog.messages[0]
