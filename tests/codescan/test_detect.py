"""Telling languages apart."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtarget.codescan.detect import detect_language, language_of
from offtarget.codescan.language import Language

SAMPLES = {
    Language.PYTHON: r"""import os

def run(self, path):
    if not path:
        return None
""",
    Language.C: r"""#include <stdio.h>
int main(void) {
    char *p = malloc(4);
    printf("%s", p);
}
""",
    Language.CPP: r"""#include <vector>
int main() {
    std::vector<int> v;
    v.push_back(1);
}
""",
    Language.CSHARP: r"""using System;
namespace A {
  class B {
    public string C { get; set; }
    void D() { Console.WriteLine("x"); }
  }
}
""",
    Language.GO: r"""package main

import (
	"fmt"
)

func main() {
	x, err := f()
	if err != nil {
	}
}
""",
    Language.JAVA: r"""import java.util.List;

public class A {
    private final String b;
    public void c() throws IOException { System.out.println(b); }
}
""",
    Language.JAVASCRIPT: r"""const fs = require('fs');
function read(path, done) {
  if (path === undefined) { return; }
  fs.readFile(path, (err, data) => done(data));
}
""",
    Language.TYPESCRIPT: r"""interface User { name: string; }
export const greet = (user: User): string => {
  return `hi ${user.name}`;
};
""",
    Language.PHP: r"""<?php
$name = $_GET['name'];
echo htmlspecialchars($name);
""",
    Language.RUBY: r"""require 'json'

class Reader
  def read(path)
    File.open(path) do |f|
      puts f.read
    end
  end
end
""",
    Language.RUST: r"""use std::fs;

pub fn read(path: &str) -> Result<String, Error> {
    let mut text = String::new();
    println!("{}", text);
    Ok(text)
}
""",
    Language.SHELL: r"""#!/bin/bash
if [ -z "$1" ]; then
  echo "usage"
fi
for f in *.txt; do
  cat "$f"
done
""",
    Language.SQL: r"""SELECT name, age FROM users
WHERE age > 3
ORDER BY name;
""",
    Language.HTML: r"""<!DOCTYPE html>
<html>
<body>
<div class="a">text</div>
</body>
</html>
""",
    Language.OTHER: r"""Bring the water to a boil, then add the rice and wait for ten minutes.
""",
}


@pytest.mark.parametrize("language", SAMPLES)
def test_each_language_is_known_by_its_text(language: Language) -> None:
    """A few ordinary lines are enough."""
    assert detect_language(SAMPLES[language]) is language


@pytest.mark.parametrize(
    ("hint", "language"),
    [
        ("py", Language.PYTHON),
        ("Python3", Language.PYTHON),
        ("{.python .numberLines}", Language.PYTHON),
        ("python title=app.py", Language.PYTHON),
        ("language-js", Language.JAVASCRIPT),
        ("tsx", Language.TYPESCRIPT),
        ("c++", Language.CPP),
        ("src/list.h", Language.C),
        ("list.hpp", Language.CPP),
        ("C#", Language.CSHARP),
        ("golang", Language.GO),
        ("rs", Language.RUST),
        ("rb", Language.RUBY),
        ("bash", Language.SHELL),
        ("yaml", Language.OTHER),
    ],
)
def test_a_hint_is_believed(hint: str, language: Language) -> None:
    """Fence tags and file names name the language, whatever the text looks like."""
    assert detect_language(SAMPLES[Language.GO], hint=hint) is language


@pytest.mark.parametrize("hint", ["", "example", "the answer", "```"])
def test_a_hint_that_names_nothing_is_ignored(hint: str) -> None:
    """Then the text decides."""
    assert language_of(hint) is None
    assert detect_language(SAMPLES[Language.RUST], hint=hint) is Language.RUST


def test_html_inside_python_is_python() -> None:
    """A page in a string does not outweigh the code around it."""
    code = "def page():\n    return '''<html><body><div><p>x</p></div></body></html>'''\n"

    assert detect_language(code) is Language.PYTHON


def test_short_python_that_acts_is_python() -> None:
    """One call is too little evidence for a score, but it parses."""
    assert detect_language("run(path)\n") is Language.PYTHON
    assert detect_language("word\n") is Language.OTHER


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.text(max_size=10))
def test_any_text_has_a_language(code: str, hint: str) -> None:
    """No text and no hint make it raise."""
    assert detect_language(code, hint=hint) in set(Language)


@pytest.mark.data
def test_short_excerpts_of_real_files_are_told_apart() -> None:
    """At least 0.96 of ten-line excerpts; C and C++ count as one, for half show neither's marks."""
    if "OFFTARGET_DATA" not in os.environ:
        pytest.skip("OFFTARGET_DATA is not set")
    path = Path(os.environ["OFFTARGET_DATA"], "curation", "cyberseceval_insecure.jsonl")
    one = {"c": "c", "cpp": "c", "c++": "c", "c#": "csharp"}
    outcomes: Counter[bool] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        named = row["language"].lower()
        found = detect_language(row["code"])
        outcomes[one.get(found, found) == one.get(named, named)] += 1

    assert outcomes[True] / outcomes.total() >= 0.96
