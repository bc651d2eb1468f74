"""Gallery: one page with every scenario, every strength and every intervention, to look at.

The page is a single HTML file that needs nothing else: the pictures are inside it, and there is no script.  The same
arguments write the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lanekeep.gallery.exhibits import (
    CHANGES,
    FINE_DAY,
    LED_M,
    SCENES,
    Instants,
    changed,
    dials,
    seed_with_sun_ahead,
    spread,
)
from lanekeep.gallery.page import Page, title_of
from lanekeep.settings import Positional, check_file, write_whole
from lanekeep_envs import REMOVABLE, Camera, Remove, Scenario, load_scenario, scenario_names

INSTANTS = 4  # of a scenario
DRIVER_CAMERA = Camera()


@dataclass(frozen=True)
class Gallery:
    """See every scenario, strength and intervention on one page, a file for any browser."""

    page: Positional[Path] = Path("gallery.html")
    """The file to write."""
    scenario: tuple[str, ...] = ()
    """Scenarios to show, each a name or the path of a .toml file; all that there are, if none is given."""
    camera: str = "180x320"
    """Rows x columns of the pictures; what the driver sees is 48x160 besides."""
    seed: int = 0
    """Seed of the first road."""


def gallery(settings: Gallery) -> None:
    """Draw all sections, with a bar that counts pictures, and write the page once it is whole."""
    check_file(settings, "page")
    camera = Camera.parse(settings.camera)
    scenarios = [load_scenario(name) for name in settings.scenario or scenario_names()]
    page = Page(camera, settings.seed)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as bar:

        def counted(name: str, total: int) -> Callable[[], None]:
            task = bar.add_task(name, total=total)
            return lambda: bar.advance(task)

        ticks = [
            counted("scenarios", 2 * INSTANTS * len(scenarios)),
            counted("dials", sum(len(dial.values) for dial in dials())),
            counted("interventions", len(REMOVABLE) + sum(map(len, CHANGES.values()))),
        ]
        show_scenarios(page, scenarios, camera, settings.seed, ticks[0])
        fine_day = changed(load_scenario("country"), FINE_DAY)
        seed = seed_with_sun_ahead(fine_day, settings.seed)
        show_dials(page, fine_day, camera, seed, ticks[1])
        show_interventions(page, fine_day, camera, seed, ticks[2])
    data = page.html().encode()
    write_whole(settings.page, data)
    print(f"{settings.page}: {page.pictures} pictures, {len(data) / 1e6:.1f} MB; open it in a browser")


def show_scenarios(
    page: Page, scenarios: Sequence[Scenario], camera: Camera, seed: int, tick: Callable[[], None]
) -> None:
    """Every scenario at some instants; then the same instants as a driver sees them."""
    shown = [(scenario, spread(scenario, seed, INSTANTS)) for scenario in scenarios]

    def pictures(instants: Instants, camera: Camera) -> Iterator[tuple[str, str]]:
        for car in range(INSTANTS):
            tick()
            at_m = instants.infos["distance_m"][car]
            yield page.picture(instants.frame(camera, car).image), f"seed {seed + car}, {at_m:.0f} m"

    page.section(
        "Scenarios", "Four roads of every scenario, one after the other further along, a second into the drive."
    )
    for scenario, instants in shown:
        page.scenario(scenario, list(pictures(instants, camera)))
    page.section(
        "What the driver sees", f"The same instants in {DRIVER_CAMERA.size} pixels, the frames that drivers get."
    )
    for scenario, instants in shown:
        page.strip(scenario.name, "", list(pictures(instants, DRIVER_CAMERA)), pixelated=True)


def show_dials(page: Page, scenario: Scenario, camera: Camera, seed: int, tick: Callable[[], None]) -> None:
    """Every dial from nothing to strong, all else being equal."""
    page.section("Dials", "One number of the scenario at a time, on the same road at the same instant of a fine day.")
    page.share(Instants(scenario, [seed], [LED_M]).frame(camera).image)
    table = ""
    for dial in dials():
        if dial.table != table:
            table = dial.table
            page.heading(table)
        pictures = []
        for value in dial.values:
            instant = Instants(changed(scenario, {table: {dial.key: value}}), [seed], [LED_M])
            caption = f"{value:g}" if isinstance(value, float) else " ".join(value)
            pictures.append((page.picture(instant.frame(camera).image), caption))
            tick()
        page.strip(title_of(dial.key), f"[{table}] {dial.key}", pictures)


def show_interventions(page: Page, scenario: Scenario, camera: Camera, seed: int, tick: Callable[[], None]) -> None:
    """Every element that a scene has, taken out of the first scene that has it."""
    page.section(
        "Interventions",
        "The same instant rendered again without one element of the scene. Only pixels that the element has a share in "
        "change, every other one stays the same to the bit.",
    )
    left = list(REMOVABLE)
    for name, tables in SCENES.items():
        instant = Instants(changed(scenario, tables), [seed], [LED_M])
        whole = instant.frame(camera)
        present = [element for element in left if whole.has(element).any()]
        if present:
            page.scene(name)
        for element in present:
            without, share = instant.frame(camera, 0, [Remove(element)]).image, whole.has(element)
            page.intervention(element.name.lower().replace("_", " "), whole.image, without, share)
            tick()
        left = [element for element in left if element not in present]
    fine = Instants(scenario, [seed], [LED_M])
    scene = page.share(fine.frame(camera).image)
    page.heading("Not only taken away")
    for title, changes in CHANGES.items():
        pictures = [(scene, "as it is")]
        for caption, change in changes:
            pictures.append((page.picture(fine.frame(camera, 0, [change]).image), caption))
            tick()
        page.strip(title, "", pictures)
    page.absent([element.name.lower().replace("_", " ") for element in left])
