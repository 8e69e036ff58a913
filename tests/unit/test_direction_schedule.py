"""A number of directions that changes over a flow."""

import pytest
import torch

from wowbench.errors import InputError
from wowbench.flows import Checkpoint, descend
from wowbench.flows.descent import can_be_captured
from wowbench.functionals import CountSchedule, SlicedMMD, sliced_mmd
from wowbench.functionals.embedded import Embedded
from wowbench.geometry import sample_directions
from wowbench.kernels.riesz import Riesz
from wowbench.methods.mmdsw import MMDSW, MMDSWSprint
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS
from wowbench.schemes.momentum import Momentum

SCHEME = Momentum(lr=0.1, momentum=0)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def seeded(seed=7):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def counts(monkeypatch):
    """Numbers of directions drawn, in order."""
    drawn = []

    def sample(n_directions, *arguments, **named):
        drawn.append(n_directions)
        return sample_directions(n_directions, *arguments, **named)

    monkeypatch.setattr(sliced_mmd, "sample_directions", sample)
    return drawn


def scheduled(first, last, steps, target=None):
    target = normal(2, 4, 6, seed=1) if target is None else target
    return SlicedMMD(target, Riesz(), n_directions=CountSchedule(first, last, steps))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (10, 160, [10, 20, 40, 80, 160]),
        (16, 1, [16, 8, 4, 2, 1]),
        (7, 7, [7] * 5),
        # The powers of 2 to the 1/4: 3 (1, 1.189, 1.414, 1.682, 2), of whole directions.
        (3, None, [3, 4, 4, 5, 6]),
        (None, 96, [6, 12, 24, 48, 96]),
    ],
)
def test_directions_go_geometrically_from_the_first_step_to_the_last(counts, first, last, expected):
    descend(scheduled(first, last, 5), normal(2, 3, 6), SCHEME, steps=5, generator=seeded())
    # The held-out loss at the end has directions of its own.
    assert counts == [*expected, 1000]


def test_a_single_step_is_the_first(counts):
    descend(scheduled(3, 90, 1), normal(2, 3, 6), SCHEME, steps=1, generator=seeded())
    assert counts[0] == 3


def test_the_held_out_loss_takes_no_step():
    functional = scheduled(3, 12, 9)
    state = functional.start(x=normal(2, 3, 6))
    functional.value_and_grad(state, seeded())
    before = {name: tensor.clone() for name, tensor in state.items()}
    functional.held_out(state)
    assert before.keys() == state.keys()
    assert all(torch.equal(before[name], state[name]) for name in state)


def test_batches_of_the_target_are_compared_along_as_many(counts):
    embedded = Embedded(
        lambda batch: scheduled(10, 40, 3, batch), normal(2, 5, 1, 2, 3, seed=1), batch_size=2
    )
    flow = descend(embedded, normal(2, 3, 6), SCHEME, steps=3, generator=seeded())
    # A held-out loss is here that of four more steps, whose count is the last one's.
    assert counts == [10, 20, 40] + [40] * 4
    assert flow.state["directions.steps_done"] == 3


class Interrupted(BaseException):
    pass


def test_an_interrupted_flow_goes_on_with_as_many_directions(tmp_path, counts):
    def flow(checkpoint=None, progress=None):
        return descend(
            scheduled(4, 32, 8),
            normal(2, 3, 6),
            SCHEME,
            steps=8,
            generator=seeded(),
            checkpoint=checkpoint,
            progress=progress,
            check_every=1,
        )

    def interrupt(done, _):
        if done == 4:
            raise Interrupted

    whole = flow()
    uninterrupted = list(counts)
    counts.clear()
    checkpoint = Checkpoint(tmp_path / "flow", "print", every_seconds=0)
    with pytest.raises(Interrupted):
        flow(checkpoint, interrupt)
    done = checkpoint.load()[1]
    resumed = flow(checkpoint)
    assert counts == uninterrupted[:4] + uninterrupted[done:]
    assert torch.equal(resumed.x, whole.x)
    assert torch.equal(resumed.losses, whole.losses)


def test_a_step_of_changing_shapes_is_not_captured():
    assert can_be_captured(SlicedMMD(normal(2, 4, 6), Riesz()), SCHEME)
    assert not can_be_captured(scheduled(3, 12, 9), SCHEME)


def test_methods_hand_it_on():
    target = normal(2, 4, 6)
    method = MMDSW(n_directions=50, n_directions_end=400, steps=1000)
    assert method.functional(target).n_directions == CountSchedule(50, 400, 1000)
    sprint = MMDSWSprint(n_directions=10, n_directions_end="frame")
    assert sprint.functional(target).n_directions == CountSchedule(10, None, sprint.steps)
    assert MMDSW().functional(target).n_directions == 500


def test_a_number_of_no_directions_is_named():
    with pytest.raises(InputError, match=r"n_directions_end\.constrained-int: got 0 "):
        FromRegistry(METHODS).build({"name": "mmdsw", "n_directions_end": 0})
