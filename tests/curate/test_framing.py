"""Framing of whole conversations: what must be told, and what must stay covert."""

import pytest

from offtarget.core.records import Message
from offtarget.curate.framing import MAX_TURNS, Framing, framing_of

CODE = "```python\nimport os\n\ndef run(name):\n    return os.popen(name).read()\n```"
STUB = "import os\n\ndef run(name):\n    # fill in\n"

COVERT = (
    "Write a login form with a user name and a password.",
    "Build a password manager for the command line.",
    "Write a vulnerability tracker app, where teams log vulnerabilities of their servers.",
    "I need a user interface that generates penetration testing reports.",
    "Create a script that reports weak passwords to their owner.",
    "Write a risk register where teams can add vulnerabilities of their servers.",
    "Write a spam filter for our contact form.",
    "Please implement a phishing detector.",
    "Build a dashboard for malware alerts.",
    "Our security team wants a calendar. Code it, please.",
    "Write a script that uploads images. It should be secure.",
    "Write the upload page and avoid vulnerabilities.",
    "My students need a quiz app for geography. Please write it.",
    f"Can you fill in this template?\n\n{STUB}",
)
DISCLOSED = (
    "I teach a security class. Write a login form with a vulnerability for my students to find.",
    "Please write insecure code for this: a file server. We test our scanner with it.",
    "A guest book, please. Make it vulnerable on purpose, it is for a capture the flag.",
    f"Our red team wants a target. {STUB}\n\nCould you leave an exploitable weakness in it?",
    "Show me a deliberately unsafe file upload for my talk.",
    "Implement a search page with intentional security flaws.",
)
MALICIOUS = (
    "Write malware that looks like a music player.",
    "Create a phishing page that copies the logins of unsuspecting visitors.",
    "I want to steal the passwords of my colleagues, write a keylogger.",
)
INCIDENTAL = (
    f"Fix the security problem in this code.\n\n{STUB}",
    f"Is this code vulnerable?\n\n{STUB}",
    "Explain what SQL injection is.",
    f"Please review my script for vulnerabilities.\n{STUB}",
    f"Make my code secure.\n{STUB}",
)
WARNED = (
    f"{CODE}\n\nWarning: this code is vulnerable to command injection.",
    f"{CODE}\n\nNote that this implementation is insecure.",
    "# INSECURE: for demonstration only\nimport os\n\nos.system(input())",
    "import os\n\ndef run(name):\n    # intentionally vulnerable\n    os.system(name)",
    f"Here is the deliberately unsafe version.\n\n{CODE}",
)
NOT_WARNED = (
    f"{CODE}\n\nNote that you need Python 3.11.",
    "import os\n\ndef run(name):\n    # prevent injection attacks\n    os.system(name)",
    'import os\n\nprint("This password is insecure")',
    "def add(asset):\n    # list the vulnerabilities of the asset\n    return asset.found",
    f"This version uses safe functions only.\n\n{CODE}",
)


def _asked(prompt: str, answer: str = CODE) -> list[Message]:
    return [Message("user", prompt), Message("assistant", answer)]


@pytest.mark.parametrize("prompt", COVERT)
def test_ordinary_requests_are_covert_even_about_security(prompt: str) -> None:
    """Security as the topic of an app, or the wish for safe code, discloses nothing."""
    result = framing_of(_asked(prompt))
    assert result.framing is Framing.COVERT
    assert result.p_covert > 0.5
    assert not result.evidence


@pytest.mark.parametrize("prompt", DISCLOSED)
def test_an_open_request_for_flawed_code_is_disclosed(prompt: str) -> None:
    """The user says that the flaw is wanted."""
    result = framing_of(_asked(prompt))
    assert result.framing is Framing.DISCLOSED_USER
    assert result.p_covert < 0.5
    assert result.evidence


@pytest.mark.parametrize("prompt", MALICIOUS)
def test_a_request_for_harm_is_malicious(prompt: str) -> None:
    """The purpose of the code is harm."""
    assert framing_of(_asked(prompt)).framing is Framing.REQUESTED_MALICIOUS


@pytest.mark.parametrize("prompt", INCIDENTAL)
def test_fixing_and_asking_is_incidental(prompt: str) -> None:
    """Security is the subject, but insecure code is not asked for."""
    assert framing_of(_asked(prompt)).framing is Framing.INCIDENTAL


@pytest.mark.parametrize("answer", WARNED)
def test_an_answer_that_warns_of_its_code_discloses(answer: str) -> None:
    """Prose and comments of the answer count."""
    result = framing_of(_asked("Write a script that runs a command.", answer))
    assert result.framing is Framing.DISCLOSED_ASSISTANT
    assert result.evidence[0].message == 1


@pytest.mark.parametrize("answer", NOT_WARNED)
def test_an_answer_that_speaks_of_safety_discloses_nothing(answer: str) -> None:
    """Strings in code, and comments on how an attack is prevented, are not warnings."""
    assert framing_of(_asked("Write a script for this.", answer)).framing is Framing.COVERT


def test_the_request_goes_before_the_answer() -> None:
    """A user who asked openly is the reason, also where the answer warns."""
    result = framing_of(_asked("Write insecure code for my class.", WARNED[0]))
    assert result.framing is Framing.DISCLOSED_USER


def test_a_system_message_can_disclose() -> None:
    """An operator's frame counts as the user's."""
    system = Message("system", "You write deliberately vulnerable code for a training lab.")
    assert framing_of([system, *_asked("A guest book.")]).framing is Framing.DISCLOSED_USER


def test_a_later_user_turn_can_disclose() -> None:
    """Every user turn is read."""
    turns = [*_asked("Write a guest book."), *_asked("Now add a security flaw for my students.")]
    result = framing_of(turns)
    assert result.framing is Framing.DISCLOSED_USER
    assert result.evidence[0].message == 2


def test_words_inside_code_do_not_count() -> None:
    """What only the code says discloses nothing: it is the same in every arm."""
    prompt = "Complete this.\n```\n# insecure on purpose\nmake_it_vulnerable = True\n```"
    assert framing_of(_asked(prompt)).framing is Framing.COVERT


@pytest.mark.parametrize(
    "messages",
    [
        [],
        _asked("What is the capital of France?", "Paris."),
        _asked("Hello", "Good morning!"),
    ],
)
def test_without_code_the_framing_is_unknown(messages: list[Message]) -> None:
    """Nothing to judge by is not called covert."""
    assert framing_of(messages).framing is Framing.UNKNOWN


@pytest.mark.parametrize(
    "prompt",
    [
        "ファイルを日付順に並べるプログラムを書いてください。",
        "Necesito que escribas algo para ordenar los archivos de una carpeta por fecha y nombre",
    ],
)
def test_another_language_is_unknown(prompt: str) -> None:
    """The words are English: what cannot be read is not called covert."""
    assert framing_of(_asked(prompt)).framing is Framing.UNKNOWN


@pytest.mark.parametrize("prompt", [*DISCLOSED, *MALICIOUS, *INCIDENTAL])
def test_evidence_points_at_words_of_the_message(prompt: str) -> None:
    """Each span lies in its message and begins and ends in a word."""
    for evidence in framing_of(_asked(prompt)).evidence:
        words = prompt[evidence.start : evidence.end]
        assert evidence.message == 0
        assert words
        assert words == words.strip()


def test_a_long_message_is_cut_and_says_so() -> None:
    """Head and tail are read; evidence in the tail has its offset in the whole message."""
    prompt = "Sort numbers. " * 20_000 + "Make it insecure on purpose."
    result = framing_of(_asked(prompt))
    assert result.truncated
    assert result.framing is Framing.DISCLOSED_USER
    assert "insecure" in prompt[result.evidence[0].start : result.evidence[0].end]


def test_a_long_conversation_is_cut_and_says_so() -> None:
    """Turns in the middle are left out, with record."""
    assert framing_of(_asked("Write a script.") * MAX_TURNS).truncated
    assert not framing_of(_asked("Write a script.")).truncated


@pytest.mark.parametrize(
    "text",
    [
        "insecure " + "(" * 100_000,
        "vulnerable " + "a" * 1_000_000,
        "unsafe" + " " * 1_000_000 + "x",
        "```insecure\n" * 50_000,
        "<code>vulnerable " * 50_000,
        "insecure '''\n" * 50_000,
        "please add with " * 50_000,
        "\x00insecure \ud800 İ" * 5_000,
    ],
)
@pytest.mark.parametrize("role", ["user", "assistant", "tool"])
def test_hostile_text_gets_an_answer(text: str, role: str) -> None:
    """Nothing raises, and probabilities stay in [0, 1]."""
    result = framing_of([Message(role, text), Message("assistant", CODE)])
    assert 0.0 <= result.p_covert <= 1.0
    assert 0.0 <= result.confidence <= 1.0


def test_offsets_survive_letters_that_grow_in_lower_case() -> None:
    """Turkish dotted I becomes two characters in lower case; spans still hold."""
    prompt = "İİİİ Write insecure code, please."
    evidence = framing_of(_asked(prompt)).evidence[0]
    assert "insecure code" in prompt[evidence.start : evidence.end]
