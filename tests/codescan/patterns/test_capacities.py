"""Sizes that stand in the code are computed, compared with what is copied, and only where known."""

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.patterns import PatternEngine
from offtarget.codescan.patterns.analyses.constants import constant, unit_of

ENGINE = PatternEngine()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("2 + 3 * 4", 14), ("(2 + 3) * 4", 20), ("10 * sizeof(int)", 40), ("9 - 1", 8),
        ("sizeof(char *)", 8), ("strlen(s) + 1", 6), ("n", 7), ("n * 2", 14), ("f(3)", None),
        ("m", None), ("3 4", None), ("(3", None), ("", None), ("1 +", None), ("+" * 99, None),
    ],
)  # fmt: skip
def test_an_expression_of_known_parts_has_a_value(text: str, value: int | None) -> None:
    """By hand: precedence, brackets, sizes, lengths; one part that is not known spoils it all."""
    assert constant(text, unit_of, {"s": 5}.get, {"n": 7}.get) == value


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        ("OT-C-075", "char b[8]; memcpy(b, s, 9);", "char b[8]; memcpy(b, s, 8);"),
        ("OT-C-075", "int b[8]; memset(b, 0, 33);", "int b[8]; memset(b, 0, 32);"),
        ("OT-C-075", "char *b = malloc(8); strncpy(b, s, 9);", "char *b = malloc(9); strncpy(b, s, 9);"),
        ("OT-C-075", "int *b = calloc(4, sizeof(int)); memset(b, 0, 17);",
         "int *b = calloc(4, sizeof(int)); memset(b, 0, 16);"),
        ("OT-C-075", "char b[4]; strcpy(b, \"four\");", "char b[5]; strcpy(b, \"four\");"),
        ("OT-C-075", "char a[9]; char b[5]; char *p = b; memset(a, 'x', 8); a[8] = 0; strcpy(p, a);",
         "char a[9]; char b[9]; char *p = b; memset(a, 'x', 8); a[8] = 0; strcpy(p, a);"),
        ("OT-C-075", "char b[8]; char d[20]; memcpy(d, b, 20);",
         "char b[20]; char d[20]; memcpy(d, b, 20);"),
        ("OT-C-075", "char b[8]; fgets(b, 80, in);", "char b[8]; fgets(b, sizeof(b), in);"),
        ("OT-C-076", "int a[9]; for (int i = 0; i <= 9; i++) a[i] = 0;",
         "int a[9]; for (int i = 0; i < 9; i++) a[i] = 0;"),
        ("OT-C-076", "char a[9]; int n = 10; for (int i = 0; i < n; i++) { use(a[i]); }",
         "char a[9]; int n = 9; for (int i = 0; i < n; i++) { use(a[i]); }"),
        ("OT-C-077", "char b[9]; char *p = b; free(p);", "char *b = malloc(9); char *p = b; free(p);"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_found(rule: str, bad: str, good: str) -> None:
    """Arrays, allocations and names for them; one byte decides."""
    found = ENGINE.scan(
        [Snippet("c", f"void f(char *s, FILE *in) {{ {body} }}") for body in (bad, good)]
    )
    assert rule in {flaw.rule for flaw in found[0].flaws}
    assert rule not in {flaw.rule for flaw in found[1].flaws}
