"""The models that an evaluation asks: behind endpoints or in this process, each loaded once."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from offtarget.api.evaluation_options import EvaluationOptions, Keys
from offtarget.core.errors import ConfigError
from offtarget.evaluate.evaluation.lock import PLAN, read_plan
from offtarget.evaluate.evaluation.run import BASE, SUBJECT
from offtarget.evaluate.subjects import Subject, SubjectKind
from offtarget.lm.endpoint import Endpoint, EndpointConfig

if TYPE_CHECKING:
    from offtarget.lm import Arithmetic

OPENAI = "openai:"


def endpoint_name(model: str) -> str | None:
    """Return the name behind `openai:`, None for a model in this process."""
    return model.removeprefix(OPENAI) if model.startswith(OPENAI) else None


def open_endpoint(name: str, url: str, options: EvaluationOptions, *, key: str) -> Endpoint:
    """Return an endpoint with the limits of the options; sends nothing.

    Raises:
        ConfigError: If address or key cannot be used.
    """
    config = EndpointConfig(
        url=url,
        model=name,
        timeout_s=options.timeout_s,
        max_retries=options.max_retries,
        concurrency=options.concurrency,
        requests_per_minute=options.requests_per_minute,
        tokens_per_minute=options.tokens_per_minute,
    )
    return Endpoint(config, api_key=key, allow_net=options.allow_net)


def open_models(
    model: str,
    options: EvaluationOptions,
    *,
    out: Path,
    cache: Path,
    keys: Keys,
    endpoints: dict[str, Endpoint],
    stack: ExitStack,
) -> tuple[Subject, Subject | None]:
    """Return the subject and its base, if there is one; nothing is sent.

    Args:
        model: The subject, as a user names it.
        options: With its adapter, base, address and limits.
        out: Run directory; a plan in it says which arithmetic is gone on with.
        cache: For models.
        keys: For endpoints.
        endpoints: Connections are added here by role.
        stack: Closes them.

    Raises:
        OfftargetError: If a model cannot be used.
    """
    from offtarget.evaluate.subjects import EndpointSubject

    names = {SUBJECT: model} | ({BASE: options.base} if options.base else {})
    if options.adapter is not None and endpoint_name(model) is not None:
        raise ConfigError(
            f"--adapter {str(options.adapter)!r} cannot be put on a model behind an endpoint; "
            "serve the adapted model and name that"
        )
    if options.base == model and options.adapter is None:
        raise ConfigError(f"--base {model[:60]!r} is the subject itself; name another model")
    found: dict[str, Subject] = {}
    for role, reference in names.items():
        name = endpoint_name(reference)
        if name is not None:
            endpoint = open_endpoint(name, options.url, options, key=keys.subject)
            endpoints[role] = stack.enter_context(endpoint)
            found[role] = EndpointSubject(endpoint)
    local = {role: name for role, name in names.items() if role not in found}
    if local:
        found |= _local(local, options, out, cache)
    return found[SUBJECT], found.get(BASE)


def _local(
    names: dict[str, str], options: EvaluationOptions, out: Path, cache: Path
) -> dict[str, Subject]:
    """Load each base once; a subject that is its base with an adapter shares it."""
    for reference in names.values():
        is_hub = "/" in reference and not Path(reference).expanduser().exists()
        if is_hub and not reference.startswith(("/", ".", "~")) and not options.allow_net:
            raise ConfigError(
                f"{reference!r} is no local directory, and a hub id is fetched from the network; "
                "add --allow-net, or give a directory"
            )
    from offtarget.evaluate.subjects import LocalSubject
    from offtarget.lm import AdapterSwitch, load_model

    arithmetic = _arithmetic(options, out)
    switches: dict[str, AdapterSwitch] = {}
    found: dict[str, Subject] = {}
    for role, reference in names.items():
        if reference not in switches:
            switches[reference] = AdapterSwitch(
                load_model(reference, arithmetic=arithmetic, cache=cache)
            )
        adapter = options.adapter if role == SUBJECT else None
        found[role] = LocalSubject(
            switches[reference], adapter=adapter, name=reference, arithmetic=arithmetic
        )
    return found


def _arithmetic(options: EvaluationOptions, out: Path) -> "Arithmetic":
    """Return what the plan in `out` was locked with; without one, what this machine is best at."""
    from offtarget.lm import Arithmetic, choose_arithmetic

    if (options.device, options.dtype) == ("auto", "auto") and (out / PLAN).is_file():
        plan = read_plan(out / PLAN)
        for identity in (plan.subject, plan.base):
            if identity is not None and identity.kind is SubjectKind.LOCAL:
                device, dtype, threads, _ = identity.arithmetic.split(" ")
                return Arithmetic(device=device, dtype=dtype, threads=int(threads))
    return choose_arithmetic(options.device, options.dtype)
