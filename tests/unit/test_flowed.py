"""The file of a flow: what is written comes back, and equal trajectories give equal files."""

import dataclasses

import pytest
import torch

from wowbench.errors import InputError
from wowbench.jobs.flowed import read_flow, write_flow
from wowbench.methods.trajectory import Frame, Trajectory

SPEC = {"method": "mine", "axes": {}}


def frame(seed, weights=None):
    generator = torch.Generator().manual_seed(seed)
    particles = torch.randn(6, 2, 3, 4, generator=generator)
    return Frame(particles, torch.randint(5, (6,), generator=generator), weights)


WEIGHTS = torch.tensor([0.25, 0.0, 0.75])
TRAJECTORIES = {
    "one frame": Trajectory({0: frame(0)}, torch.empty(0)),
    "snapshots": Trajectory({0: frame(1), 9: frame(2), 10: frame(3)}, torch.arange(10.0)),
    "weights": Trajectory({2: frame(4), 11: frame(5, WEIGHTS)}, torch.arange(11.0).double()),
    "no particles": Trajectory(
        {0: Frame(torch.empty(0, 1, 4, 5), torch.empty(0, dtype=torch.int64))}, torch.empty(0)
    ),
    "diverged": Trajectory({}, torch.empty(0), status="diverged", message="at step 3"),
}


@pytest.mark.parametrize("trajectory", TRAJECTORIES.values(), ids=TRAJECTORIES)
def test_a_trajectory_comes_back(trajectory, tmp_path):
    path = tmp_path / "flow.safetensors"
    digest = write_flow(path, trajectory, SPEC)
    found, read_digest = read_flow(path, SPEC)
    assert read_digest == digest
    assert list(found.frames) == list(trajectory.frames)
    for step, kept in found.frames.items():
        for part in ("particles", "labels", "weights"):
            mine, other = getattr(trajectory.frames[step], part), getattr(kept, part)
            assert (mine is None) == (other is None)
            assert mine is None or (mine.dtype == other.dtype and mine.equal(other))
    assert found.losses.dtype == trajectory.losses.dtype
    assert found.losses.equal(trajectory.losses)
    assert (found.status, found.message) == (trajectory.status, trajectory.message)


def test_the_outcome_is_the_frame_after_the_most_steps(tmp_path):
    path = tmp_path / "flow.safetensors"
    write_flow(path, TRAJECTORIES["snapshots"], SPEC)
    assert read_flow(path)[0].last.particles.equal(frame(3).particles)


def test_what_it_measured_is_left_to_the_record(tmp_path):
    trajectory = TRAJECTORIES["weights"]
    measured = dataclasses.replace(trajectory, seconds=3.0, metrics={"speed": 1.0})
    paths = tmp_path / "one", tmp_path / "two"
    digests = [write_flow(p, t, SPEC) for p, t in zip(paths, (trajectory, measured), strict=True)]
    assert digests[0] == digests[1]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_every_part_is_in_the_digest(tmp_path):
    first = TRAJECTORIES["weights"]
    moved = Trajectory({2: frame(4), 11: frame(5, WEIGHTS.flip(0))}, first.losses)
    others = [moved, dataclasses.replace(first, losses=first.losses + 1)]
    digests = {write_flow(tmp_path / "flow", trajectory, SPEC) for trajectory in (first, *others)}
    assert len(digests) == 3


def test_the_file_of_another_flow_is_refused(tmp_path):
    path = tmp_path / "flow.safetensors"
    write_flow(path, TRAJECTORIES["one frame"], SPEC)
    with pytest.raises(InputError, match="made with method = 'mine', expected 'yours'"):
        read_flow(path, SPEC | {"method": "yours"})
