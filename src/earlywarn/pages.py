"""The pages that the program writes: templates of its packages, escaped, nothing undefined."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template


@cache
def template(name: str, *packages: str, folder: str = "templates") -> Template:
    """Return a template of the first of `packages` that has it; what it prints is escaped.

    Templates lie in each package's `folder`; those of any of `packages` may be included.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, folder) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
