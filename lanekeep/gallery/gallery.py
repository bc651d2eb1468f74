"""Gallery: one page with every scenario, every strength and every intervention, to look at.

The page is a single HTML file that needs nothing else: the pictures are inside it, and there is no script.  Equal
arguments write the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lanekeep.gallery.exhibits import (
    CHANGES,
    FINE_DAY,
    LED_M,
    SCENES,
    DrivenInstants,
    changed,
    dials,
    seed_with_sun_ahead,
    spread,
)
from lanekeep.gallery.page import AMPLIFIED, Page, Picture, peculiarities, title_of
from lanekeep.pages.template import render
from lanekeep.progress import progress
from lanekeep.settings import PageFile, Positional, check_outputs
from lanekeep.terminal import say
from lanekeep_envs import REMOVABLE, Camera, Remove, Scenario, load_scenario, scenario_names
from lanekeep_files.writing import write_whole

INSTANTS = 4  # of a scenario
DRIVER_CAMERA = Camera()
COLUMNS = ("as it is", "without it", f"difference, {AMPLIFIED} times", "where it has a share")


@dataclass(frozen=True)
class Gallery:
    """See every scenario, strength and intervention on one page, a file for any browser."""

    page: Positional[PageFile] = Path("gallery.html")
    """The file to write."""
    scenario: tuple[str, ...] = ()
    """Scenarios to show, each a name or the path of a .toml file; all that there are, if none is given."""
    camera: str = "180x320"
    """Rows x columns of the pictures; what the driver sees is 48x160 besides."""
    seed: int = 0
    """Seed of the first road."""

    def __post_init__(self) -> None:
        check_outputs(self)


def gallery(settings: Gallery) -> None:
    """Draw all sections, with a bar that counts pictures, and write the page once it is whole."""
    camera = Camera.parse(settings.camera)
    scenarios = [load_scenario(name) for name in settings.scenario or scenario_names()]
    page = Page(camera, settings.seed)
    of_scenarios, of_dials = 2 * INSTANTS * len(scenarios), sum(len(dial.values) for dial in dials())
    of_interventions = len(REMOVABLE) + sum(map(len, CHANGES.values()))
    with progress("scenarios", of_scenarios + of_dials + of_interventions) as bar:
        show_scenarios(page, scenarios, camera, settings.seed, lambda: bar.advance(text="scenarios"))
        fine_day = changed(load_scenario("country"), FINE_DAY)
        seed = seed_with_sun_ahead(fine_day, settings.seed)
        show_dials(page, fine_day, camera, seed, lambda: bar.advance(text="dials"))
        show_interventions(page, fine_day, camera, seed, lambda: bar.advance(text="interventions"))
    data = render("gallery/page.html", page=page).encode()
    write_whole(settings.page, data)
    say(f"{settings.page}: {page.pictures} pictures, {len(data) / 1e6:.1f} MB; open it in a browser")


def show_scenarios(
    page: Page, scenarios: Sequence[Scenario], camera: Camera, seed: int, tick: Callable[[], None]
) -> None:
    """Show every scenario at some instants; then the same instants as a driver sees them."""
    shown = [(scenario, spread(scenario, seed, INSTANTS)) for scenario in scenarios]

    def pictures(instants: DrivenInstants, camera: Camera) -> Iterator[Picture]:
        for car, at_m in enumerate(instants.infos["distance_m"]):
            tick()
            yield page.captioned(instants.frame(camera, car).image, f"seed {seed + car}, {at_m:.0f} m")

    about = "Four roads of every scenario, one after the other further along, a second into the drive."
    page.add(2, "Scenarios", about)
    for scenario, instants in shown:
        figures = list(pictures(instants, camera))
        page.add(3, scenario.name, scenario.description, figures=figures, facts=peculiarities(scenario))
    about = f"The same instants in {DRIVER_CAMERA.size} pixels, the frames that drivers get."
    page.add(2, "What the driver sees", about)
    for scenario, instants in shown:
        page.add(4, scenario.name, figures=list(pictures(instants, DRIVER_CAMERA)), pixelated=True)


def show_dials(page: Page, scenario: Scenario, camera: Camera, seed: int, tick: Callable[[], None]) -> None:
    """Show every dial from nothing to strong, all else being equal."""
    page.add(2, "Dials", "One number of the scenario at a time, on the same road at the same instant of a fine day.")
    page.share(DrivenInstants(scenario, [seed], [LED_M]).frame(camera).image)
    for table, of_table in groupby(dials(), lambda dial: dial.table):
        page.add(3, table)
        for dial in of_table:
            figures = []
            for value in dial.values:
                instant = DrivenInstants(changed(scenario, {table: {dial.key: value}}), [seed], [LED_M])
                caption = f"{value:g}" if isinstance(value, float) else " ".join(value)
                figures.append(page.captioned(instant.frame(camera).image, caption))
                tick()
            page.add(4, title_of(dial.key), figures=figures, key=f"[{table}] {dial.key}")


def show_interventions(page: Page, scenario: Scenario, camera: Camera, seed: int, tick: Callable[[], None]) -> None:
    """Show every element taken out of the first scene that has it, and what else can be done to a scene."""
    page.add(
        2,
        "Interventions",
        "The same instant rendered again without one element of the scene. Only pixels that the element has a share in "
        "change, every other one stays the same to the bit.",
    )
    left = list(REMOVABLE)
    for name, tables in SCENES.items():
        instant = DrivenInstants(changed(scenario, tables), [seed], [LED_M])
        whole = instant.frame(camera)
        present = [element for element in left if whole.has(element).any()]
        if present:
            page.add(3, name, columns=COLUMNS)
        for element in present:
            without = instant.frame(camera, 0, [Remove(element)]).image
            page.intervention(element.title, whole.image, without, whole.has(element))
            tick()
        left = [element for element in left if element not in present]
    page.absent = [element.title for element in left]
    fine = DrivenInstants(scenario, [seed], [LED_M])
    scene = Picture(page.share(fine.frame(camera).image), "as it is", "as it is")
    page.add(3, "Not only taken away")
    for title, changes in CHANGES.items():
        figures = [scene]
        for caption, change in changes:
            figures.append(page.captioned(fine.frame(camera, 0, [change]).image, caption))
            tick()
        page.add(4, title, figures=figures)
