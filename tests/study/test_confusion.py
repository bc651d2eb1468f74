"""The study of confusion: hand-made drivers whose share is known, second sources, and a study that goes on."""

import dataclasses
import functools
import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr, t

from lanekeep.cli.main import main
from lanekeep.driving.controllers import ExpertController
from lanekeep.driving.drivers import states_along
from lanekeep.effects import ReRenderer, record_drive
from lanekeep.errors import UserError
from lanekeep.evaluate.evaluate import drive
from lanekeep.imitation.settings import TrainImitation
from lanekeep.intervals import over_seeds, span_of
from lanekeep.study.confusion import outcomes, predictors, training
from lanekeep.study.confusion.confounders import CONFOUNDERS, TIES, as_toml, worlds_of
from lanekeep.study.confusion.confusion import StudyConfusion
from lanekeep.study.confusion.findings import PREDICTORS, findings_of, mean_ratio, rank_correlation_draws
from lanekeep.study.confusion.outcomes import Measured, read, save
from lanekeep.study.confusion.predictors import Exhibits, exhibits_of, memories_of, shares_of, shares_of_pixels
from lanekeep.study.confusion.tables import sentences
from lanekeep_envs import Camera, Element, Remove, read_scenario
from lanekeep_envs.sampling.episode import curvature_along
from lanekeep_policies import Driver, DriverSpec

CAMERA = Camera.parse("24x80")
LAMP = "lamp_shows_steering"


class ByHand:
    """A driver without memory that steers by how red some pixels [H, W] are."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = torch.from_numpy(weights.astype(np.float32))

    def initial_state(self, batch: int) -> torch.Tensor:
        return torch.zeros(batch, 0)

    def features(self, frames: torch.Tensor) -> torch.Tensor:
        return ((frames[..., 0].float() - frames[..., 2].float()) * self.weights).sum((-2, -1))[..., None]

    def act(self, features: torch.Tensor, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return features, states

    def stepper(self) -> Any:
        return lambda frames, state: (None, state)


@pytest.fixture(scope="module")
def lamp() -> Exhibits:
    return exhibits_of(worlds_of("country", LAMP)["tied"], CAMERA, CONFOUNDERS[LAMP], range(10_000, 10_002))


def share(driver: ByHand, shown: Exhibits, predictor: str) -> float:
    found = shares_of(driver, shown, lambda what: None)[predictor]  # type: ignore[arg-type]
    return float(found.part.sum() / found.whole.sum())


@pytest.mark.parametrize("predictor", ["effect", "shapley"])
def test_who_steers_by_the_lamp_is_found_and_who_steers_by_all_else_is_cleared(
    predictor: str, lamp: Exhibits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictors, "MAPS", ())
    inside = lamp.masks.all(0)
    assert inside.any() and np.array_equal(inside, lamp.masks.any(0)), "the lamp does not move"
    assert (
        share(ByHand(inside), lamp, predictor) > 0.8
    )  # sensor noise lies over the lamp, too, and road shines past its rim
    generator = np.random.default_rng(0)
    assert share(ByHand(~inside * generator.standard_normal(inside.shape)), lamp, predictor) == 0.0


def test_memories_are_those_of_each_film_on_its_own(lamp: Exhibits) -> None:
    short = dataclasses.replace(lamp, films=(lamp.films[0][:90], lamp.films[1]), picks=((0, 40), (1, 200), (0, 80)))
    spec = DriverSpec(core="lstm", camera_height=24, camera_width=80, curvature_limit_per_m=0.02)
    driver = Driver.build(spec, 0).eval()
    along = [states_along(driver, film) for film in short.films]
    expected = torch.stack([along[film][t] for film, t in short.picks])
    torch.testing.assert_close(memories_of(driver, short), expected, rtol=1e-4, atol=1e-5)


def test_a_map_of_the_lamp_has_all_of_it_and_a_flat_one_the_share_of_its_pixels(
    lamp: Exhibits, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, area = ByHand(lamp.masks[0]), float(lamp.masks.mean())
    for shown, expected in ((lamp.masks, 1.0), (~lamp.masks, 0.0), (np.full_like(lamp.masks, 3.0, float), area)):
        monkeypatch.setattr(predictors, "maps", lambda *_, shown=shown: -shown.astype(np.float32))
        assert share(driver, lamp, "gradient") == pytest.approx(expected)
    flat = shares_of_pixels(lamp)["flat"]
    assert flat.part.sum() / flat.whole.sum() == pytest.approx(area)


def test_in_full_company_is_the_frame_and_without_the_lamp_alone_the_frame_without_it(lamp: Exhibits) -> None:
    assert np.array_equal(lamp.company[:, -1], lamp.frames)
    assert np.array_equal(lamp.company[:, -2], lamp.singles[:, 1])
    assert not np.array_equal(lamp.company[:, -2], lamp.company[:, -1])


def test_without_dark_patches_the_asphalt_is_as_on_a_road_that_has_none() -> None:
    name = "dark_before_left_bends"
    scenario = worlds_of("country", name)["tied"]
    tape = record_drive(ExpertController(scenario.curvature_limit_per_m), scenario, None, 10_000, 100)
    here, projector = tape.snapshots[::20], ReRenderer(scenario, CAMERA)
    found = projector.frames(here, [(), (CONFOUNDERS[name].absent,)])
    plain = []
    for snapshot in here:
        roads = snapshot.state.roads.copy()
        roads["tone"] = 1.0
        plain.append(dataclasses.replace(snapshot, state=snapshot.state._replace(roads=roads)))
    assert np.array_equal(found[:, 1], projector.frames(plain)[:, 0])
    assert not np.array_equal(found[:, 0], found[:, 1])


@pytest.mark.parametrize("name", CONFOUNDERS)
def test_the_worlds_differ_in_the_tie_alone_and_come_back_from_their_files(name: str) -> None:
    worlds = worlds_of("country", name)
    for tie, one in worlds.items():
        assert read_scenario(as_toml(one), "", tie) == one
        assert getattr(one.confounder, name) == TIES[tie]
        assert np.array_equal(curvature_along(one, 10_000), curvature_along(worlds["tied"], 10_000))
    assert CONFOUNDERS[name].element in (Element.LAMP, Element.TREES, Element.TEXTURE)
    assert name != LAMP or CONFOUNDERS[name].absent == Remove(Element.LAMP)


def test_intervals_are_of_pairs_and_of_whole_roads_and_seeds() -> None:
    part, whole = np.random.default_rng(0).random((2, 3, 5))
    found = mean_ratio(part, whole)
    assert found[0] == pytest.approx(np.mean([part[s].sum() / whole[s].sum() for s in range(3)]))
    assert mean_ratio(part, whole, root=True)[0] == pytest.approx(np.sqrt(part.sum(1) / whole.sum(1)).mean())
    alike = mean_ratio(np.full((3, 5), 0.2), np.ones((3, 5)))
    assert span_of(alike) == pytest.approx((0.2, 0.2, 0.2))
    shifted = span_of(mean_ratio(part + 0.5 * whole, whole) - found)
    assert shifted == pytest.approx((0.5, 0.5, 0.5))
    seeds_apart = span_of(mean_ratio(np.repeat([[0.0], [1.0]], 5, 1), np.ones((2, 5))))
    assert seeds_apart == pytest.approx((0.5, 0.0, 1.0))
    assert np.isnan(span_of(mean_ratio(np.zeros((2, 3)), np.zeros((2, 3)))).value)


def test_what_foretells_is_the_rank_correlation_of_scipy() -> None:
    shares, outcomes = np.random.default_rng(0).random((2, 18))
    found = span_of(rank_correlation_draws(shares.tolist(), outcomes.tolist()))
    assert found.value == pytest.approx(spearmanr(shares, outcomes).statistic)
    assert found.low < 0.0 < found.high and found.low < found.value < found.high
    ties = np.random.default_rng(1).integers(0, 4, (2, 18)).astype(float)
    assert rank_correlation_draws(ties[0].tolist(), ties[1].tolist())[0] == pytest.approx(spearmanr(*ties).statistic)
    assert rank_correlation_draws([1.0, 2.0, 3.0, 5.0], [0.1, 0.2, 0.8, 0.9])[0] == pytest.approx(1.0)


@pytest.mark.parametrize("count", [2, 3, 5, 40])
def test_the_interval_over_seeds_is_that_of_students_t(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    expected = t.interval(0.95, count - 1, values.mean(), values.std(ddof=1) / np.sqrt(count))
    assert over_seeds(values.tolist()) == pytest.approx((values.mean(), *expected), rel=1e-5)
    assert np.isnan(over_seeds([0.3])).tolist() == [False, True, True]


@pytest.mark.parametrize("harmed", [True, False])
def test_the_sentences_name_who_is_confused_and_what_had_shown_it(harmed: bool) -> None:
    """Nine drivers whose harm grows with their effect, and with no map; nine controls."""
    found, generator = {}, np.random.default_rng(0)
    for k, trained in enumerate(training.trained_drivers(("ncp", "lstm", "cnn"), range(4, 7))):
        effect = 0.2 + 0.01 * k if trained.learned == "tied" else 0.1
        rms = {tie: 0.1 + (harmed and tie != "tied") * (effect - 0.1) for tie in TIES}
        ones = np.ones(10)
        driven = {tie: outcomes.Driven(0.0 * ones, ones, ones * value**2, ones) for tie, value in rms.items()}
        shares = {
            predictor: generator.random() * ones if predictor in predictors.MAPS else effect * ones
            for predictor in PREDICTORS
        }
        found[trained] = Measured(
            driven, {predictor: predictors.Share(part, ones) for predictor, part in shares.items()}
        )
    findings = findings_of(("ncp", "lstm", "cnn"), found, {})
    said = sentences(findings)
    assert ["are confused" in line for line in said[::2]] == [harmed, harmed]
    shown = "effect, now; effect, Shapley" if harmed else "none"
    assert [line.partition("told from 0: ")[2] for line in said[1::2]] == [shown, shown]
    assert findings["cores"]["lstm"]["confusion_by_seed_m"]["untied"] == pytest.approx(
        [0.1 + 0.01 * k if harmed else 0.0 for k, trained in enumerate(found) if trained.name.startswith("lstm-tied-")]
    )
    assert findings["rank_correlation_of_shapley_less"]["effect"]["untied"].value == 0.0 or not harmed


def study(tmp_path: Path, *more: str) -> list[str]:
    scenario = tmp_path / "short.toml"
    scenario.write_text('description = "a short road"\n[road]\nlength_m = 450\n')
    flags = ["--scenario", str(scenario), "--seeds", "1", "--frames", "128", "--roads", "2", "--km", "0.4"]
    return ["study", "confusion", str(tmp_path / "out"), *flags, *more]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {
        "camera": "24x80",
        "length": 8,
        "segments": 1,
        "expert_frames": 640,
        "dagger_frames": 32,
        "validation_km": 0.1,
    }
    monkeypatch.setattr(training, "TrainImitation", functools.partial(TrainImitation, **sizes))
    # who has learned nothing departs at every metre and is put back for minutes: the expert drives in its place
    monkeypatch.setattr(outcomes, "drive", lambda driver, *rest: drive(None, *rest))
    monkeypatch.setattr(importlib.import_module("lanekeep.imitation.train"), "validate", lambda *_: (0.0, 0.0))


@pytest.mark.usefixtures("tiny")
def test_a_study_from_end_to_end_that_does_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    assert main(study(tmp_path, "--cores", "rnn", "--json", str(files[0]), "--picture", str(tmp_path / "a.png"))) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert "VisualBackProp" in said and "learned untied" in said
    monkeypatch.setattr(training, "train", lambda settings: pytest.fail("it was trained already"))
    monkeypatch.setattr(
        "lanekeep.study.confusion.confusion.shares_of", lambda *_: pytest.fail("it was measured already")
    )
    assert main(study(tmp_path, "--cores", "rnn", "--json", str(files[1]))) == 0
    first, second = (json.loads(file.read_text()) for file in files)
    assert first == second and sorted(first["drivers"]) == ["rnn-tied-0", "rnn-untied-0"]
    assert not list((tmp_path / "out").glob("*/demonstrations"))
    capsys.readouterr()
    assert main(study(tmp_path, "--cores", "rnn", "--frames", "256")) == 2
    assert "rnn-tied-0 was trained with frames = 128, not 256" in capsys.readouterr().err
    assert main(study(tmp_path, "--confounder", LAMP)) == 2
    assert "tied.toml is of another study" in capsys.readouterr().err


@pytest.mark.usefixtures("tiny")
def test_ctrl_c_in_a_training_ends_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(training, "train", lambda settings: asked.append(settings.out.name))
    assert main(study(tmp_path)) == 130
    assert asked == ["ncp-tied-0"]


def test_what_was_measured_is_kept_for_the_same_question_alone(tmp_path: Path) -> None:
    measured = Measured({}, {"effect": predictors.Share(np.array([0.1]), np.array([1.0]))})
    assert read(tmp_path, {"km": 1.0}) is None
    save(tmp_path, {"km": 1.0}, measured)
    known = read(tmp_path, {"km": 1.0})
    assert known is not None and known.shares["effect"].part == [0.1]
    assert read(tmp_path, {"km": 2.0}) is None
    (tmp_path / "confusion.json").write_text("{")
    assert read(tmp_path, {"km": 1.0}) is None


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"cores": ("nccp",)}, "--cores nccp: did you mean ncp?"),
        ({"cores": ("ncp", "ncp")}, "--cores takes at least one name, and each once"),
        ({"seeds": 0}, "--seeds must be from 1 to 1000, not 0"),
        ({"picture": Path("a.jpg")}, "--picture a.jpg: expected a name that ends in .png"),
        ({"seed": 9}, "--seed must be at least 10000, not 9"),
    ],
)
def test_what_makes_no_study_is_refused(flags: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=f"^{sentence.replace('?', chr(92) + '?')}$"):
        StudyConfusion(out=Path("x"), **flags)


@pytest.mark.parametrize("argv", [("--scenario", "night"), ("--confounder", "lamp")])
def test_a_world_that_cannot_be_learned_in_is_one_sentence(
    argv: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "confusion", str(tmp_path / "out"), *argv]) == 2
    assert capsys.readouterr().err.startswith("lanekeep: ") and not (tmp_path / "out").exists()
