"""Pages are jinja2 templates, which escape everything that is put into them.

A template lies beside the code that fills it, and is named by its path in the package: `compare/page.html`.  Every page
extends `pages/page.html`, which puts the shared style and the page's own into the one file that a page is.
"""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lanekeep.pages.png import data_uri

ENVIRONMENT = Environment(
    loader=PackageLoader("lanekeep", ""),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **values: Any) -> str:
    """Fill a template, named by its path in the package, with values."""
    return ENVIRONMENT.get_template(template).render(values)


def verbatim(name: str) -> Markup:
    """A style sheet or a script of the package, as it is."""
    source, _, _ = PackageLoader("lanekeep", "").get_source(ENVIRONMENT, name)
    return Markup(source)  # noqa: S704


ENVIRONMENT.globals.update(verbatim=verbatim, data_uri=data_uri, zip=zip)
