"""How methods look in figures."""

import pytest

from wowbench.figures.styles import method_styles


@pytest.mark.parametrize("n", [1, 8, 12, 25])
def test_every_method_has_a_colour_of_its_own(n):
    names = [f"m{i}" for i in range(n)]
    styles = method_styles(names + names)
    assert list(styles) == names
    assert len({style.colour for style in styles.values()}) == n
