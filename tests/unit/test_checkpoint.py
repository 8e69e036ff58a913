import logging

import pytest
import torch
from safetensors import SafetensorError

from wowbench.flows import Checkpoint

TENSORS = {"x": torch.arange(6.0).reshape(2, 3).T, "count": torch.tensor(3)}


def test_what_is_saved_is_loaded(tmp_path):
    checkpoint = Checkpoint(tmp_path / "new" / "flow.safetensors", "print")
    checkpoint.save(TENSORS, 7, 1.5)
    tensors, step, seconds = Checkpoint(checkpoint.path, "print").load()
    assert (step, seconds) == (7, 1.5)
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["flow.safetensors"]


def test_nothing_there_is_no_checkpoint(tmp_path):
    assert Checkpoint(tmp_path / "flow", "print").load() is None


def test_another_fingerprint_is_not_used_and_said(tmp_path, caplog):
    Checkpoint(tmp_path / "flow", "mine").save(TENSORS, 7, 1.5)
    with caplog.at_level(logging.WARNING):
        assert Checkpoint(tmp_path / "flow", "yours").load() is None
    assert "is the checkpoint of another flow (fingerprint mine, not yours)" in caplog.text


def test_a_file_that_cannot_be_read_is_said(tmp_path, monkeypatch, caplog):
    checkpoint = Checkpoint(tmp_path / "flow", "print")
    checkpoint.save(TENSORS, 7, 1.5)

    def refuse(*arguments, **options):
        raise PermissionError("Permission denied")

    monkeypatch.setattr("wowbench.flows.checkpoint.safe_open", refuse)
    with caplog.at_level(logging.WARNING):
        assert checkpoint.load() is None
    assert len(caplog.messages) == 1
    assert "flow is not a checkpoint of this flow (PermissionError: Perm" in caplog.messages[0]


def test_a_save_that_fails_leaves_the_previous_one(tmp_path, monkeypatch, caplog):
    checkpoint = Checkpoint(tmp_path / "flow", "print")
    checkpoint.save(TENSORS, 7, 1.5)

    def fail(tensors, path, metadata):
        path.write_bytes(b"half")
        raise SafetensorError("disk full")

    monkeypatch.setattr("wowbench.flows.checkpoint.save_file", fail)
    with caplog.at_level(logging.WARNING):
        checkpoint.save(TENSORS, 8, 2.0)
    assert caplog.messages == [
        f"the checkpoint {checkpoint.path} cannot be saved after step 8 (SafetensorError: disk "
        "full); the flow goes on"
    ]
    assert checkpoint.load()[1] == 7
    assert [path.name for path in tmp_path.iterdir()] == ["flow"]


def test_a_save_that_fails_is_not_tried_again_at_once(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    (tmp_path / "flow").mkdir()
    checkpoint = Checkpoint(tmp_path / "flow", "print", every_seconds=10)
    now = 110.0
    checkpoint.save(TENSORS, 1, 0.0)
    assert not checkpoint.is_due()


def test_what_the_flow_cannot_go_on_from_is_said(tmp_path, caplog):
    def check(tensors, step):
        assert tensors.keys() == TENSORS.keys()
        raise ValueError(f"step {step}\nis odd")

    checkpoint = Checkpoint(tmp_path / "flow", "print")
    checkpoint.save(TENSORS, 7, 1.5)
    with caplog.at_level(logging.WARNING):
        assert checkpoint.load(check) is None
    assert caplog.messages == [
        f"{checkpoint.path} is not a checkpoint of this flow (ValueError: step 7 is odd); "
        "starting from step 0"
    ]


def test_what_cannot_be_removed_is_said(tmp_path, caplog):
    (tmp_path / "flow").mkdir()
    with caplog.at_level(logging.WARNING):
        Checkpoint(tmp_path / "flow", "print").remove()
    assert len(caplog.messages) == 1
    assert f"the checkpoint {tmp_path / 'flow'} stays" in caplog.messages[0]


def test_due_after_the_interval(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    checkpoint = Checkpoint(tmp_path / "flow", "print", every_seconds=10)
    assert not checkpoint.is_due()
    now = 110.0
    assert checkpoint.is_due()
    checkpoint.save(TENSORS, 1, 0.0)
    assert not checkpoint.is_due()


def test_the_interval_is_not_negative(tmp_path):
    with pytest.raises(ValueError, match="every_seconds is -1; expected a number >= 0"):
        Checkpoint(tmp_path / "flow", "print", every_seconds=-1)


def test_the_checkpoint_of_another_flow_is_not_removed(tmp_path):
    Checkpoint(tmp_path / "flow", "mine").save(TENSORS, 7, 1.5)
    Checkpoint(tmp_path / "flow", "yours").remove()
    assert (tmp_path / "flow").exists()
    Checkpoint(tmp_path / "flow", "mine").remove()
    assert not (tmp_path / "flow").exists()
