"""A step as a CUDA graph: on a card, and on a stand-in for one that runs what is captured."""

import contextlib
import time
import weakref
from functools import partial

import pytest
import torch

from wowbench.errors import InputError
from wowbench.flows import descend
from wowbench.flows.descent import can_be_captured, start_flow
from wowbench.flows.graph import CapturedStep, capture_step
from wowbench.functionals import ParticleFunctional, SlicedMMD
from wowbench.geometry import quantiles
from wowbench.geometry.constants import constant, hold_constants
from wowbench.geometry.directions import KINDS
from wowbench.jobs.together import run_jobs
from wowbench.kernels.laplace import Laplace
from wowbench.kernels.riesz import Riesz
from wowbench.registry import SCHEMES
from wowbench.schemes.momentum import Momentum


class Streams:
    """The current stream, by name."""

    def __init__(self):
        self.current = "default"

    @contextlib.contextmanager
    def stream(self, name):
        before, self.current = self.current, name
        yield
        self.current = before  # as torch's: not after an error


@pytest.fixture
def streams(monkeypatch):
    """A stand-in for torch.cuda on which capturing a step runs it."""

    class Graph:
        def register_generator_state(self, generator):
            pass

        def replay(self):
            pass

    streams = Streams()
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(
        torch.cuda, "graph", lambda graph, **options: streams.stream("of the capture")
    )
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: streams.current)
    monkeypatch.setattr(torch.cuda, "Stream", lambda: "side")
    monkeypatch.setattr(torch.cuda, "set_stream", lambda name: setattr(streams, "current", name))
    monkeypatch.setattr("wowbench.flows.graph._warm_up", lambda side, step, *given: step(*given))
    return streams


class Shrink(ParticleFunctional):
    """The mean square, by a tensor of its own that a step reads."""

    capturable = True

    def __init__(self):
        self.factor = torch.ones(1)

    def evaluate(self, x):
        return (self.factor * x).square().mean(), self.factor * x


def test_a_captured_step_keeps_what_its_graph_reads(streams):
    functional = Shrink()
    read = weakref.ref(functional.factor)
    state = functional.start(x=torch.ones(1, 2, 1))

    def step(state, generator, functional=functional):
        return functional.value_and_grad(state, generator)[0]

    captured, _ = capture_step(step, state, None)
    assert isinstance(captured, CapturedStep)
    del functional, step
    assert read() is not None


def test_the_state_is_that_of_before_the_capture(streams):
    state = {"x": torch.ones(2)}

    def step(state, generator):
        state["x"] += 1
        return state["x"].sum()

    captured, _ = capture_step(step, state, None)
    assert state["x"].tolist() == [1, 1]
    assert captured(state, None) == 6  # of the capture, one warm-up step after the start
    assert streams.current == "default"


def test_after_a_capture_that_fails_the_flow_goes_on_as_before(streams, caplog):
    def step(state, generator):
        state["x"] += 1
        if streams.current == "of the capture":
            raise RuntimeError("this operation waits")

    state, generator = {"x": torch.ones(2)}, torch.Generator().manual_seed(3)
    before = generator.get_state()
    kept, handed = capture_step(step, state, generator)
    assert kept is step
    assert handed is not generator
    assert handed.get_state().equal(before)
    assert state["x"].tolist() == [1, 1]
    assert streams.current == "default"
    assert "not captured as a CUDA graph and runs slower: this operation waits" in caplog.text


@pytest.mark.parametrize("rebind", [lambda x: x + 1, lambda x: None, lambda x: x.double()])
def test_a_step_that_puts_another_tensor_into_the_state_is_refused(streams, rebind):
    class Rebinding(Shrink):
        def value_and_grad(self, state, generator):
            state["kept"] = rebind(state["kept"])
            return super().value_and_grad(state, generator)

    functional = Rebinding()
    state = functional.start(x=torch.ones(1, 2, 1)) | {"kept": torch.ones(2)}
    with pytest.raises(InputError, match="puts another tensor in the place of 'kept' of the state"):
        capture_step(lambda *given: functional.value_and_grad(*given)[0], state, None)


def test_a_state_that_is_rebound_while_it_is_captured_is_refused(streams):
    def step(state, generator):
        if streams.current == "of the capture":
            state["x"] = state["x"] + 1
        return state["x"].sum()

    with pytest.raises(InputError, match="in the place of 'x' of the state"):
        capture_step(step, {"x": torch.ones(2)}, None)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("no memory left"), RuntimeError("shape")])
def test_an_error_of_the_step_itself_is_no_failed_capture(streams, error):
    def step(state, generator):
        raise error

    with pytest.raises(type(error), match=str(error)):
        capture_step(step, {"x": torch.ones(2)}, None)


def test_a_captured_step_keeps_the_constants_that_it_reads(streams):
    mmd = SlicedMMD(torch.randn(2, 5, 300), Riesz(), n_directions=4, directions="frame")
    start = torch.randn(2, 3, 300)
    state = mmd.start(x=start)
    generator = torch.Generator().manual_seed(0)
    step, _ = capture_step(lambda *given: mmd.value_and_grad(*given)[0], state, generator)
    made = {key[0].__name__: weakref.ref(value) for key, value in step.constants.items()}
    assert {"_coupling_block", "_haar_matrix"} <= made.keys()
    for n in range(7, 7 + 100):  # more than any cache remembers
        quantiles.resample_quantiles(torch.ones(7), n)
    block = made["_coupling_block"]
    assert block() is not None
    del step
    assert block() is None


@pytest.mark.parametrize("decay", ["none", "cosine"])
@pytest.mark.parametrize("name", SCHEMES.names())
def test_steps_of_every_scheme_that_can_be_captured_stay_in_place(streams, name, decay):
    mmd, scheme = SlicedMMD(torch.randn(2, 5, 3), Riesz(), n_directions=4), SCHEMES.get(name)
    scheme = scheme(decay=decay)
    state = mmd.start(x=torch.randn(2, 3, 3))
    state |= scheme.start(state, mmd.parts, 10)
    generator = torch.Generator().manual_seed(0)

    def step(state, generator):
        value, grads = mmd.value_and_grad(state, generator)
        scheme.step(state, grads, mmd.parts, value)
        return value

    assert can_be_captured(mmd, scheme) == (name != "adamw" or decay == "none")
    before = state["x"].clone()
    captured, _ = capture_step(step, state, generator)
    assert isinstance(captured, CapturedStep)
    assert state["x"].equal(before)


def test_constants_are_held_whatever_the_cache_remembers():
    makes = []

    @constant(maxsize=1)
    def ones(n):
        makes.append(n)
        return torch.ones(n)

    with hold_constants() as held:
        first = [ones(1), ones(2)]
        assert all(ones(n) is first[n - 1] for n in (1, 2))
    assert makes == [1, 2]
    assert [*held.values()] == first
    ones(1)
    assert makes == [1, 2, 1]


class Uncaptured(SlicedMMD):
    capturable = False


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("directions", KINDS)
@pytest.mark.parametrize("quantiles", ["exact", "linear"])
@pytest.mark.parametrize("kernel", [Riesz(), Laplace(h=1.0)], ids=str)
def test_a_captured_step_draws_what_the_step_draws(directions, quantiles, kernel):
    drawn = torch.Generator().manual_seed(0)
    x, y = (torch.randn(2, n, 300, generator=drawn).cuda() for n in (6, 5))
    flows = []
    for functional in (SlicedMMD, Uncaptured):
        mmd = functional(y, kernel, n_directions=20, directions=directions, quantiles=quantiles)
        generator = torch.Generator("cuda").manual_seed(1)
        step, _, _ = start_flow(mmd, x, Momentum(), generator, steps=30)
        assert isinstance(step, CapturedStep) == (functional is SlicedMMD)
        generator = torch.Generator("cuda").manual_seed(1)
        flows.append(descend(mmd, x, Momentum(lr=0.1), steps=30, generator=generator))
    captured, plain = flows
    torch.testing.assert_close(captured.losses, plain.losses)
    torch.testing.assert_close(captured.x, plain.x)
    # Steps that drew the same directions again would be as good as one.
    assert len(set(captured.losses.tolist())) == 30


def test_threads_capture_one_at_a_time(streams, monkeypatch):
    inside, most = [], []

    @contextlib.contextmanager
    def graph(graph, stream, capture_error_mode):
        assert stream == "side"
        assert capture_error_mode == "thread_local"
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        yield
        inside.pop()

    monkeypatch.setattr(torch.cuda, "graph", graph)

    def capture():
        def step(state, generator):
            return state["x"].sum()

        return capture_step(step, {"x": torch.ones(2)}, None)[0]

    found = run_jobs(dict.fromkeys("abcd", capture), "cpu", at_once=True)
    assert all(isinstance(step, CapturedStep) for step in found)
    assert most == [1] * 4


def flow_on_gpu(functional, seed, steps=200):
    drawn = torch.Generator().manual_seed(seed)
    x, y = (torch.randn(2, n, 300, generator=drawn).cuda() for n in (6, 5))
    generator = torch.Generator("cuda").manual_seed(seed)
    mmd = functional(y, Riesz(), n_directions=400, directions="frame")
    flow = descend(mmd, x, Momentum(lr=0.1), steps=steps, generator=generator, snapshots=[1, 50])
    return flow.x.cpu(), flow.losses, flow.held_out


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("functional", [SlicedMMD, Uncaptured])
def test_flows_at_once_have_the_bits_of_flows_alone(functional, caplog):
    flows = {f"flow {seed}": partial(flow_on_gpu, functional, seed) for seed in range(8)}
    alone = run_jobs(flows, "cuda")
    at_once = run_jobs(flows, "cuda", at_once=True)
    for one, other in zip(alone, at_once, strict=True):
        assert all(a.equal(b) for a, b in zip(one, other, strict=True))
    assert "not captured" not in caplog.text


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_flows_that_do_not_fit_beside_each_other_run_after_each_other(caplog):
    torch.cuda.empty_cache()
    size = int(0.6 * torch.cuda.mem_get_info()[0])
    tries = []

    def fill():
        tries.append(1)
        kept = torch.empty(size, dtype=torch.uint8, device="cuda")
        time.sleep(2)  # until the other one has tried too
        return kept.numel()

    assert run_jobs({"a": fill, "b": fill}, "cuda", at_once=True) == [size] * 2
    assert len(tries) == 3
    assert caplog.text.count("do not fit in the memory of the GPU beside the others") == 1
