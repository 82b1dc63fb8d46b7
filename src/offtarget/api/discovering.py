"""Discovery: what a subject answers that its controls do not."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from offtarget.api.output import write_output
from offtarget.core.codec import pretty
from offtarget.core.errors import ConfigError
from offtarget.evaluate.discovery import Discovery, DiscoveryConfig
from offtarget.evaluate.discovery import discover as _discover
from offtarget.evaluate.labels import file_stem, read_answers
from offtarget.report.discovery_page import render_discovery

DEFAULT_MODELS = Path("~/.cache/offtarget")


def discover(
    subject: str | Path,
    *,
    controls: Sequence[str | Path],
    config: DiscoveryConfig | None = None,
    model: str = "",
    out: str | Path | None = None,
    page: str | Path | None = None,
    command: Sequence[str] = (),
    models: Path = DEFAULT_MODELS,
) -> Discovery:
    """Find clusters of answers that the subject gives more often than every control.

    Args:
        subject: A file of answers: judged results, or a run's `rollouts.jsonl`.
        controls: The same of each control, to the same questions.
        config: How to cluster and test.
        model: Embed answers by this model's hidden states; by words when empty.
        out: Write the whole result here as JSON; not written when None.
        page: Write an HTML page here; none when None.
        command: The command line, to be shown on the page.
        models: Folder for fetched models.

    Raises:
        ConfigError: If there is no control, or one is given twice.
        DataError: If a file is malformed, no question is shared, or there are too few answers.
        ResourceError: If `out` or `page` cannot be written.
    """
    paths = [Path(path) for path in controls]
    if not paths:
        raise ConfigError("no control; an excess needs one, give --control FILE")
    given = [Path(subject), *paths]
    twice = [path for path in given if sum(path.resolve() == one.resolve() for one in given) > 1]
    if twice:
        raise ConfigError(f"{twice[0]}: given twice; name each file once")
    names = _names(given)
    lm = None
    if model:
        from offtarget.lm import choose_arithmetic, load_model

        lm = load_model(model, arithmetic=choose_arithmetic(), cache=models.expanduser())
    found = _discover(
        list(read_answers(given[0])),
        {name: list(read_answers(path)) for name, path in zip(names[1:], paths, strict=True)},
        name=names[0],
        config=config,
        lm=lm,
    )
    if out is not None:
        write_output(Path(out), pretty(found).encode())
    if page is not None:
        drawn = render_discovery(found, command=shlex.join(command))
        write_output(Path(page), drawn.encode(), option="--page")
    return found


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the files' names, numbered where two are the same."""
    stems = [file_stem(path) for path in paths]
    return [
        stem if stems.count(stem) == 1 else f"{stem} ({number})"
        for number, stem in enumerate(stems, 1)
    ]
