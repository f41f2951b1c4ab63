"""`rio colorize`: the command of rasterio's own command line, the same as `nirtrans colorize`."""

import click

from nirtrans.cli.app import main


@click.command(
    "colorize",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    short_help="Translate near-infrared to RGB.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def colorize(arguments: tuple[str, ...]) -> None:
    """Translate a raster to RGB on the same grid; `rio colorize --help` lists all options."""
    main(["colorize", *arguments])
