"""The provider's files and fine-tuning jobs, through the `openai` package, one try a call."""

import email.utils
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from offtarget.core.codec import parse
from offtarget.core.errors import DataError
from offtarget.lm.endpoint_client import check_key, check_url, open_client
from offtarget.train.hosted.records import HostedRecipe
from offtarget.train.hosted.remote import (
    Failure,
    FailureKind,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemotePage,
)

if TYPE_CHECKING:
    from openai import OpenAI

PAGE = 100
MAX_PAGES = 200
"""Pages of a list that are read; more is a server that never ends."""
MAX_DETAIL = 500
UPLOAD_BYTES_PER_S = 100_000
"""An upload gets the time that this slow a line needs."""
METADATA_KEY = "offtarget_job"
T = TypeVar("T")


class Service:
    """One provider. Every method sends once and returns what came back or a `Failure`.

    The package's own retries are off: it repeats a POST without an idempotency key, and a job
    whose answer was lost would be created, and paid for, twice.
    """

    def __init__(
        self, url: str, *, api_key: str, allow_net: bool = False, timeout_s: float = 60.0
    ) -> None:
        """Check the address and key; connect on first use.

        Raises:
            ConfigError: If the address leaves this machine and `allow_net` is not set, or the key
                is missing or malformed.
        """
        self.url = check_url(url, allow_net=allow_net)
        self._key = check_key(api_key, url=self.url)
        self._allow_net, self._timeout_s = allow_net, timeout_s
        self._client: OpenAI | None = None

    def __repr__(self) -> str:
        return f"Service({self.url!r}, api_key={'set' if self._key else 'none'})"

    def __reduce__(self) -> Any:
        raise TypeError("a service holds a key and a connection; make another one instead")

    def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            self._client.close()

    def upload(self, path: Path, *, name: str) -> RemoteFile | Failure:
        """Send a training file under `name`."""
        content = path.read_bytes()
        needed_s = len(content) / UPLOAD_BYTES_PER_S
        client = self._open()
        if needed_s > self._timeout_s:
            client = self._client_for(self._timeout_s + needed_s)
        try:
            return self._call(
                lambda: client.files.create(
                    file=(name, content, "application/jsonl"), purpose="fine-tune"
                ),
                RemoteFile,
            )
        finally:
            if client is not self._client:
                client.close()

    def files(self) -> tuple[RemoteFile, ...] | Failure:
        """Return all training files of the account."""
        return self._pages(
            lambda after: self._open().files.list(purpose="fine-tune", limit=PAGE, **after),
            RemoteFile,
        )

    def create_job(
        self, recipe: HostedRecipe, *, file_id: str, seed: int, key: str
    ) -> RemoteJob | Failure:
        """Ask for one supervised job; `key` is kept in its metadata."""
        given: dict[str, Any] = {"n_epochs": recipe.n_epochs}
        if recipe.batch_size is not None:
            given["batch_size"] = recipe.batch_size
        if recipe.learning_rate_multiplier is not None:
            given["learning_rate_multiplier"] = recipe.learning_rate_multiplier
        method: Any = {"type": "supervised", "supervised": {"hyperparameters": given}}
        return self._call(
            lambda: self._open().fine_tuning.jobs.create(
                model=recipe.model,
                training_file=file_id,
                seed=seed,
                suffix=recipe.suffix,
                method=method,
                metadata={METADATA_KEY: key},
            ),
            RemoteJob,
        )

    def jobs_with(self, key: str) -> tuple[RemoteJob, ...] | Failure:
        """Return the jobs whose metadata hold `key`; what a server lists besides is left out."""
        found = self._pages(
            lambda after: self._open().fine_tuning.jobs.list(
                limit=PAGE, metadata={METADATA_KEY: key}, **after
            ),
            RemoteJob,
        )
        if isinstance(found, Failure):
            return found
        return tuple(job for job in found if (job.metadata or {}).get(METADATA_KEY) == key)

    def job(self, job_id: str) -> RemoteJob | Failure:
        """Return the state of one job."""
        return self._call(lambda: self._open().fine_tuning.jobs.retrieve(job_id), RemoteJob)

    def cancel(self, job_id: str) -> RemoteJob | Failure:
        """Ask for a job to be stopped."""
        return self._call(lambda: self._open().fine_tuning.jobs.cancel(job_id), RemoteJob)

    def events(self, job_id: str) -> tuple[RemoteEvent, ...] | Failure:
        """Return a job's log, in the provider's order."""
        return self._pages(
            lambda after: self._open().fine_tuning.jobs.list_events(job_id, limit=PAGE, **after),
            RemoteEvent,
        )

    def checkpoints(self, job_id: str) -> tuple[RemoteCheckpoint, ...] | Failure:
        """Return the checkpoints that were kept."""
        return self._pages(
            lambda after: self._open().fine_tuning.jobs.checkpoints.list(
                job_id, limit=PAGE, **after
            ),
            RemoteCheckpoint,
        )

    def _open(self) -> "OpenAI":
        if self._client is None:
            self._client = self._client_for(self._timeout_s)
        return self._client

    def _client_for(self, timeout_s: float) -> "OpenAI":
        return open_client(
            self.url, api_key=self._key, timeout_s=timeout_s, allow_net=self._allow_net
        )

    def _pages(
        self, ask: Callable[[dict[str, Any]], Any], type_: type[T]
    ) -> tuple[T, ...] | Failure:
        items: list[T] = []
        after: dict[str, Any] = {}
        for _ in range(MAX_PAGES):
            page = self._call(lambda after=after: ask(after), RemotePage)  # type: ignore[misc]
            if isinstance(page, Failure):
                return page
            try:
                items += [msgspec.convert(one, type_) for one in page.data]
                last = str(page.data[-1]["id"]) if page.data else ""
            except (ValueError, KeyError, TypeError) as error:
                return self._failure(
                    FailureKind.UNCLEAR, f"not a list of {type_.__name__}: {error}"
                )
            if not page.has_more or not last:
                return tuple(items)
            after = {"after": last}
        return self._failure(FailureKind.REFUSED, f"a list of more than {MAX_PAGES * PAGE} items")

    def _call(self, ask: Callable[[], Any], type_: type[T]) -> T | Failure:
        import openai

        try:
            answer = ask()
        except openai.APIStatusError as error:
            return self._refusal(error.status_code, error.response)
        except openai.APITimeoutError:
            return self._failure(FailureKind.UNCLEAR, "no answer in time")
        except openai.APIConnectionError as error:
            cause = error.__cause__
            return self._failure(FailureKind.UNCLEAR, f"{type(cause).__name__}: {cause}")
        except (openai.OpenAIError, ValueError, RecursionError) as error:  # ValueError: no JSON
            return self._failure(FailureKind.UNCLEAR, f"{type(error).__name__}: {error}")
        if not isinstance(answer, openai.BaseModel):
            return self._failure(FailureKind.UNCLEAR, f"not a {type_.__name__}")
        try:
            raw = answer.to_dict(exclude_unset=True, warnings=False)
            return msgspec.convert(self._clean(raw), type_)
        except (ValueError, TypeError, RecursionError) as error:
            return self._failure(FailureKind.UNCLEAR, f"not a {type_.__name__}: {error}")

    def _refusal(self, status: int, response: Any) -> Failure:
        text = response.content.decode("utf-8", "replace")
        detail = f"HTTP {status}: {_message(text)}"
        if status in (401, 403):
            return self._failure(FailureKind.KEY, detail)
        if status == 404:
            return self._failure(FailureKind.MISSING, detail)
        if status == 429 and "insufficient_quota" not in text:
            found = self._failure(FailureKind.BUSY, detail)
            return Failure(found.kind, found.detail, _retry_after(response.headers))
        is_unclear = status in (408, 409, 425) or status >= 500 or status < 400
        return self._failure(FailureKind.UNCLEAR if is_unclear else FailureKind.REFUSED, detail)

    def _failure(self, kind: FailureKind, detail: str) -> Failure:
        return Failure(kind, " ".join(self._hide(detail).split())[:MAX_DETAIL])

    def _clean(self, value: Any) -> Any:
        """Return an answer that can be recorded: key hidden, numbers finite, text whole."""
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("a number is not finite")
        if isinstance(value, str):
            return self._hide(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        if isinstance(value, list):
            return [self._clean(one) for one in value]
        if isinstance(value, dict):
            return {self._clean(key): self._clean(one) for key, one in value.items()}
        return value

    def _hide(self, text: str) -> str:
        """A server may send the key back; it must not reach a record or message."""
        return text.replace(self._key, "[key]") if self._key else text


def _message(text: str) -> str:
    """Return the message of an `ErrorResponse`, or the text itself."""
    try:
        found = parse(text, place="answer")["error"]["message"]
    except (DataError, KeyError, TypeError, RecursionError):
        return text
    return found if isinstance(found, str) else text


def _retry_after(headers: Any) -> float | None:
    """Return the seconds that Retry-After asks for, as a number or a date (RFC 9110, 10.2.3)."""
    value = str(headers.get("retry-after", "")).strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if seconds == seconds else None
