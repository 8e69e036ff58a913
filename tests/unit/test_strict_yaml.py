"""YAML and JSON of configs: what is read, and what is refused in one line."""

import os
import threading

import pytest
import yaml

from wowbench import strict_yaml
from wowbench.cli import BAD_INPUT, main
from wowbench.config import load_config, read_yaml
from wowbench.errors import InputError


@pytest.fixture
def refusal(tmp_path, capsys):
    """Message with which `wowbench validate` refuses a file of the given text or bytes."""

    def refuse(content):
        path = tmp_path / "config.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert main(["validate", str(path)]) == BAD_INPUT
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert len(captured.err) < 500
        return captured.err.removeprefix(f"wowbench validate: error: config {path}: ").rstrip("\n")

    return refuse


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("name: a\nseed: 1\nname: b\n", 3, "name"),
        ("{name: a, name: a}", 1, "name"),
        ("a:\n- b:\n    lr: 1\n    lr: 2\n", 4, "lr"),
        ("a: {'b': 1, \"b\": 1}", 1, "b"),
        ("x: &x {a: 1}\ny: {<<: *x, b: 1, b: 2}", 2, "b"),
        ("x: &x {a: 1}\ny:\n  <<: *x\n  <<: *x\n", 4, "<<"),
    ],
)
def test_a_key_that_comes_twice_is_named(refusal, text, line, key):
    assert refusal(text) == f"line {line}: the key {key!r} comes twice; keep one of them"


@pytest.mark.parametrize("key", ["3", "1.5", "null", "~", "true", "on", "2020-01-01", "? [a]\n"])
@pytest.mark.parametrize("before", ["", "a:\n  - "])
def test_a_key_that_is_no_text_is_named(refusal, key, before):
    message = refusal(f"{before}{key}: 1\n")
    assert "is no text; put it in quotes" in message
    assert message.startswith(f"line {before.count(chr(10)) + 1}: the key ")


def test_merged_keys_may_be_replaced(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "one: &one {lr: 1, steps: 2}\ntwo: &two {lr: 3, id: b}\n"
        "three: {<<: *one, lr: 9}\nfour:\n  lr: 8\n  <<: [*one, *two]\n"
    )
    # Of merged mappings the first counts, and before it the keys beside them, wherever they stand.
    assert read_yaml(path) == {
        "one": {"lr": 1, "steps": 2},
        "two": {"lr": 3, "id": "b"},
        "three": {"lr": 9, "steps": 2},
        "four": {"lr": 8, "steps": 2, "id": "b"},
    }


def bomb(levels, fan):
    """Lists of lists by aliases, with over ``fan ** levels`` values if they are written out."""
    lines = ["a0: &a0 [" + ", ".join(["x"] * fan) + "]"]
    for i in range(1, levels):
        lines.append(f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * fan) + "]")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        bomb(9, 9),
        bomb(100, 10),
        bomb(9, 9).replace("[", "{<<: [").replace("]", "]}").replace("{<<: [x", "{x: [x"),
        "a: [" + "1, " * 200_000 + "]",
    ],
    ids=["lists", "many levels", "merges", "written out"],
)
def test_a_bomb_is_refused_before_it_expands(refusal, text):
    assert "with its aliases written out it has over 100,000 keys and values" in refusal(text)


def test_values_are_counted_as_if_aliases_were_written_out(tmp_path, monkeypatch):
    # The top and its 2 keys; 1 list of 3 numbers; 1 list of 2 aliases, each for 4.
    path = tmp_path / "config.yaml"
    path.write_text("a: &a [1, 2, 3]\nb: [*a, *a]\n")
    monkeypatch.setattr(strict_yaml, "MAX_NODES", 1 + 2 + 4 + 1 + 8)
    assert read_yaml(path) == {"a": [1, 2, 3], "b": [[1, 2, 3]] * 2}
    monkeypatch.setattr(strict_yaml, "MAX_NODES", 1 + 2 + 4 + 1 + 8 - 1)
    with pytest.raises(InputError, match="line 2: with its aliases written out it has over 15 key"):
        read_yaml(path)


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: {c: *a}}", "&a {<<: *a}"])
def test_an_alias_within_itself_is_refused(refusal, text):
    assert refusal(text) == "line 1: an alias stands inside of what it stands for"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "got None; expected a mapping of keys to values"),
        ("- a\n- b\n", "got ['a', 'b']; expected a mapping of keys to values"),
        ("just text", "got 'just text'; expected a mapping of keys to values"),
        ("3", "got 3; expected a mapping of keys to values"),
        ("a: [", "not YAML: while parsing a flow node expected the node content"),
        ("a: 1\n---\nb: 2\n", "not YAML: expected a single document"),
        ("a: *b", "not YAML: found undefined alias 'b'"),
        ("a: !!python/object/apply:os.system ['touch x']", "not YAML: could not determine a con"),
        ("a: !!int ''", "not YAML: "),
        ("a: !!timestamp soon", "not YAML: "),
        ("a: 2020-13-45", "not YAML: month must be in 1..12"),
        ("a: " + "9" * 5000, "not YAML: Exceeds the limit"),
        ("a: " + "[" * 5000 + "]" * 5000, "it is nested too deeply"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not YAML: "),
        (bytes(1000), "not YAML: "),
        (b"name: caf\xe9\n", "not YAML: "),
        (b"#" * (10**6 + 1), "it has more than 1,000,000 bytes; expected fewer"),
    ],
)
def test_what_is_no_config_is_said_in_one_line(refusal, content, message):
    assert refusal(content).startswith(message)


def test_a_directory_is_named(tmp_path):
    with pytest.raises(InputError, match=f"^config {tmp_path}: Is a directory; expected a YAML"):
        read_yaml(tmp_path)


@pytest.mark.parametrize("path", ["a" * 5000, "a\0b", "a\nb", "name: x\nseed: 1\n"])
def test_what_is_no_path_is_named(path):
    with pytest.raises(InputError, match=r"^config ") as caught:
        load_config(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_endless_file_is_read_to_the_limit_alone(tmp_path):
    with pytest.raises(InputError, match="more than 1,000,000 bytes"):
        read_yaml("/dev/zero")


def test_a_pipe_is_a_file_too(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=["name: a\n"])
    writer.start()
    assert read_yaml(path) == {"name": "a"}
    writer.join()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": "a", "name": "b"}', "config: the key 'name' comes twice; keep one of them"),
        ('{"a": [{"b": 1, "b": 2}]}', "config: the key 'b' comes twice; keep one of them"),
        ('{"a": ', "config: not JSON: Expecting value"),
        ('{"a": ' + "[" * 100_000, "config: it is nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "config: not JSON: Exceeds the limit"),
    ],
)
def test_json_text_is_read_as_strictly(text, message):
    with pytest.raises(InputError, match=r"^config: ") as caught:
        load_config(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_json_text_keeps_letters_that_yaml_would_not():
    # JSON writes letters beyond 16 bits as two escapes, which YAML reads as two letters.
    path = "caf\u00e9 \U0001f600"
    text = f'{{"path": {path!a}}}'.replace("'", '"').replace("\\U0001f600", "\\ud83d\\ude00")
    text = text.replace("\\xe9", "\\u00e9")
    assert strict_yaml.parse_json(text) == {"path": path}
    assert yaml.safe_load(text) != {"path": path}
