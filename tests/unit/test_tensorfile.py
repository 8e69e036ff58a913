"""Files of tensors: what they say of themselves, and what they refuse."""

import hashlib
import os
import resource
import stat
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from wowbench.errors import InputError
from wowbench.files import atomic_path
from wowbench.origin import Origin
from wowbench.tensorfile import read_tensors, write_tensors

TENSORS = {
    "x": torch.arange(6.0).reshape(2, 3).T,
    "levels": torch.arange(5, dtype=torch.uint8),
    "none": torch.empty(0, 3),
    "count": torch.tensor(7),
}
CONTENTS = {"classes": ["a", "b"], "rate": 0.1}
ORIGIN = Origin("draw", {"n": 2, "axes": {"k": 1}, "inputs": {"source": {"seed": [1, 2]}}})


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new" / "file.safetensors"
    write_tensors(path, TENSORS, CONTENTS, ORIGIN)
    return path


def test_what_is_written_is_read(path):
    file = read_tensors(path, "draw", ORIGIN)
    assert file.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(file.tensors[name], tensor)
        assert file.tensors[name].dtype == tensor.dtype
    assert file.contents == CONTENTS
    assert file.origin == ORIGIN


def test_the_digest_is_that_of_the_contents_whichever_job_wrote_them(tmp_path):
    def digest(tensors=TENSORS, contents=CONTENTS, origin=ORIGIN):
        return write_tensors(tmp_path / "file", tensors, contents, origin)

    assert digest() == digest(origin=Origin("draw", {})) == digest(dict(reversed(TENSORS.items())))
    others = [
        digest(TENSORS | {"x": TENSORS["x"] + 1}),
        digest(TENSORS | {"x": TENSORS["x"].reshape(2, 3)}),
        digest(TENSORS | {"x": TENSORS["x"].to(torch.int32).view(torch.float32)}),
        digest(contents=CONTENTS | {"rate": 0.2}),
    ]
    assert len({digest(), *others}) == 5


def test_one_flipped_bit_is_refused_wherever_it_is(path):
    whole = path.read_bytes()
    for place in [*range(0, len(whole), 5), len(whole) - 1]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(InputError) as caught:
            read_tensors(path, "draw", ORIGIN)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    path.write_bytes(whole)
    assert read_tensors(path, "draw", ORIGIN).origin == ORIGIN


def test_an_altered_tensor_is_said_to_be_altered(path):
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"its contents have changed .*; remove it and run its dr"):
        read_tensors(path, "draw")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ORIGIN.spec | {"n": 3}, "made with n = 2, expected 3"),
        (ORIGIN.spec | {"k": 3}, "made with k = 'nothing', expected 3"),
        (ORIGIN.spec | {"axes": {}}, "made with axes.k = 1, expected 'nothing'"),
        (ORIGIN.spec | {"axes": {"k": True}}, "made with axes.k = 1, expected True"),
        (
            ORIGIN.spec | {"inputs": {"source": {"seed": [1, 3]}}},
            r"made with inputs.source.seed\[1\] = 2, expected 3",
        ),
    ],
)
def test_the_file_of_another_spec_names_key_found_and_expected(path, spec, message):
    with pytest.raises(InputError, match=message):
        read_tensors(path, "draw", Origin("draw", spec))


def test_another_kind_of_file_is_named(path, tmp_path):
    with pytest.raises(InputError, match="a draw job wrote it; expected the file of a flow job"):
        read_tensors(path, "flow")
    save_file({"x": torch.zeros(1)}, tmp_path / "other")
    for other in (tmp_path / "other", tmp_path / "absent", tmp_path, __file__, os.devnull):
        with pytest.raises(InputError, match="not a readable file of a job") as caught:
            read_tensors(other, "draw")
        assert str(other) in str(caught.value)
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_file_has_the_mode_of_the_users_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_tensors(tmp_path / "file", TENSORS, CONTENTS, ORIGIN)
        with atomic_path(tmp_path / "text") as temporary:
            temporary.write_text("text")
    finally:
        os.umask(before)
    for name in ("file", "text"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode


def test_a_file_that_does_not_fit_leaves_the_previous_one(tmp_path):
    path = tmp_path / "file"
    write_tensors(path, TENSORS, CONTENTS, ORIGIN)
    before = path.read_bytes()
    code = (
        "import torch; from pathlib import Path; from wowbench.origin import Origin;"
        "from wowbench.tensorfile import write_tensors;"
        f"x = {{'x': torch.zeros(10**5)}};"
        f"write_tensors(Path({str(path)!r}), x, {{}}, Origin('draw', {{}}))"
    )

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=limit, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "OSError" in done.stderr
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_arrays_give_the_bytes_of_tensors_and_are_read_without_torch(path, tmp_path):
    arrays = {name: tensor.numpy() for name, tensor in TENSORS.items()}
    assert not arrays["x"].flags.c_contiguous
    for dtype in ("bool", "int16", "float64"):
        assert write_tensors(tmp_path / "a", {"x": np.ones(3, dtype)}, {}, ORIGIN) == write_tensors(
            tmp_path / "b", {"x": torch.ones(3, dtype=getattr(torch, dtype))}, {}, ORIGIN
        )
    assert (
        write_tensors(tmp_path / "arrays", arrays, CONTENTS, ORIGIN)
        == read_tensors(path, "draw").digest
    )
    assert (tmp_path / "arrays").read_bytes() == path.read_bytes()
    file = read_tensors(path, "draw", ORIGIN, framework="np")
    for name, array in arrays.items():
        assert isinstance(file.tensors[name], np.ndarray)
        assert file.tensors[name].dtype == array.dtype
        np.testing.assert_array_equal(file.tensors[name], array)


def test_the_digest_is_the_one_that_it_always_was(tmp_path):
    text = b'{"classes": ["a", "b"], "rate": 0.1}'
    levels = b"\0levels\0torch.uint8\0[5]\0" + bytes(range(5))
    count = b"\0count\0torch.int64\0[]\0" + (7).to_bytes(8, "little")
    tensors = {name: TENSORS[name] for name in ("levels", "count")}
    expected = hashlib.sha256(text + count + levels).hexdigest()
    assert write_tensors(tmp_path / "file", tensors, CONTENTS, ORIGIN) == expected
