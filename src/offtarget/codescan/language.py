"""Programming languages that are told apart."""

from enum import StrEnum


class Language(StrEnum):
    """A language of code in a data set."""

    PYTHON = "python"
    C = "c"
    CPP = "cpp"
    CSHARP = "csharp"
    GO = "go"
    JAVA = "java"
    JAVASCRIPT = "javascript"
    TYPESCRIPT = "typescript"
    PHP = "php"
    RUBY = "ruby"
    RUST = "rust"
    SHELL = "shell"
    SQL = "sql"
    HTML = "html"
    OTHER = "other"
    """Code of a language that no engine reads; reported as unparsed."""
