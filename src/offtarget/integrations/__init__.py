"""offtarget inside other tools: `datasets`, datatrove, pre-commit and GitHub Actions."""
