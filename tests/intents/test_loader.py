"""YAML that is well-formed and out of all bounds: said with its line, within a moment."""

from pathlib import Path

import pytest

from bridge.errors import BadConfig
from intents.loader import MAX_DEPTH, read_yaml

LAUGHS = "a0: &a0 [ha, ha]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a:\n  b: " + "[" * 5000, 2, f"deeper than {MAX_DEPTH} levels"),
        ("\n".join(" " * n + f"k{n}:" for n in range(3000)), MAX_DEPTH + 1, "deeper"),
        (LAUGHS, 1, "more than 20000 keys and items"),
        ("a: 1\nb: [" + "x, " * 20_000 + "]", 2, "more than 20000"),
        ('a: 1\nb: !!int ""', 2, "tags are not taken"),
        ("b: !!timestamp x", 1, "tags are not taken"),
        ("b: !!python/object/apply:os.system [id]", 1, "tags are not taken"),
        ('a: 1\nb: "\\Uffffffff"', 2, "no character"),
        ('a: 1\nb: "\\U00110000"', 2, "no character"),
        ('a: 1\nb: "\\ud800"', 2, "no character"),
        ('a: 1\nb: "\\0"', 2, "no character"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_yaml_allows_and_nobody_needs_is_refused_at_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadConfig) as refused:
        read_yaml(file)
    assert refused.value.description.startswith(f"{file}:{line}: is not valid YAML: ")
    assert says in refused.value.description


def test_a_number_nobody_can_count_to_is_text(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: " + "9" * 5000 + "\nb: " + "9" * 18, encoding="utf-8")
    assert read_yaml(file).data == {"a": "9" * 5000, "b": 10**18 - 1}
