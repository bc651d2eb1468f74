"""A recipe gives back the settings it was made from; the command line has the last word."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest
import tomli_w

from lanekeep.cli.flags import parse
from lanekeep.cli.recipe import with_recipe
from lanekeep.errors import UserError
from lanekeep.imitation.settings import TrainImitation
from lanekeep.settings import Positional, as_recipe
from lanekeep.training.provenance import command_of


@dataclass(frozen=True)
class Train:
    """Train."""

    folders: Positional[tuple[str, ...]]
    steps: int = 100
    core: Literal["ncp", "lstm"] = "ncp"
    learning_rate: float = 1e-3
    note: str = ""
    image_size: tuple[int, int] = (48, 160)
    output: Path | None = None
    resume: bool = False
    shuffle: bool = True
    recipe: Path | None = None
    scenarios: tuple[str, ...] = ("country",)


@dataclass(frozen=True)
class Plain:
    """A command without recipes."""

    steps: int = 100


def read(*argv: str) -> Train:
    return parse("train", Train, with_recipe(Train, argv))


SETTINGS = [
    Train(("a",)),
    Train(("a", "b"), -5, "lstm", 1e-20, "= -- 'two words'\n", (1, 2), Path("x/y"), True, False, None, ("c", "d e")),
    Train(("a",), scenarios=(), learning_rate=float("inf")),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_come_back_from_their_recipe(tmp_path: Path, settings: Train) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(tomli_w.dumps(as_recipe(settings)))
    for argv in ([*settings.folders, "--recipe", str(file)], [f"--recipe={file}", *settings.folders]):
        assert read(*argv) == replace(settings, recipe=file)


def test_the_command_line_wins_wherever_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text('steps = 7\nshuffle = false\nscenarios = ["highway", "city"]')
    recipe = ["--recipe", str(file)]
    expected = Train(("a",), steps=8, shuffle=False, scenarios=("highway", "city"), recipe=file)
    assert read("a", "--steps", "8", *recipe) == read(*recipe, "--steps", "8", "--", "a") == expected
    assert read("a", *recipe, "--steps=8", "--shuffle", "--scenarios", "rain") == replace(
        expected, shuffle=True, scenarios=("rain",)
    )


def test_without_a_recipe_the_command_line_is_as_it_was() -> None:
    for argv in ([], ["a"], ["a", "--", "--recipe", "x"], ["a", "--recipe"]):
        assert with_recipe(Train, argv) == argv
    assert with_recipe(Plain, ["--recipe", "x"]) == ["--recipe", "x"]
    with pytest.raises(UserError, match="train has no flag --recipe"):
        parse("train", Plain, ["--recipe", "x"])


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("stesp = 3", "has an unknown key stesp; did you mean steps"),
        ("zebra = 3", "has an unknown key zebra; it may hold steps, core, "),
        ('folders = ["a"]', "has an unknown key folders"),
        ('recipe = "other.toml"', "has an unknown key recipe"),
        ("[steps]\nn = 3", "has a table steps where a value is expected"),
        ("steps = ", "is not TOML"),
        ('steps = "many"', "--steps many: expected an integer"),
        ("steps = 1.5", "--steps 1.5: expected an integer"),
        ('core = "lstn"', "--core lstn: expected one of ncp, lstm; did you mean lstm"),
        ("image_size = [48]", "--image-size 48: expected 2 values"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(tmp_path: Path, toml: str, sentence: str) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(toml)
    with pytest.raises(UserError, match=sentence):
        read("a", "--recipe", str(file))


def test_a_training_remembers_what_a_recipe_says_and_not_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text('core = "lstm"\nframes = 1000')
    given = parse("train imitation", TrainImitation, with_recipe(TrainImitation, ["a", "--recipe", str(file)]))
    assert given.recipe == file and given.core == "lstm"
    assert as_recipe(given) == as_recipe(TrainImitation(Path("a"), core="lstm", frames=1000))
    assert (
        command_of("train imitation", given, TrainImitation(out=given.out))
        == "lanekeep train imitation a --core lstm --frames 1000"
    )


def test_a_missing_recipe_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the recipe .*absent.toml: No such file"):
        read("a", "--recipe", str(tmp_path / "absent.toml"))
