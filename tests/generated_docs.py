"""Writes the tables of the documentation anew, from the rules that run: `make docs`."""

from pathlib import Path

from remediate.diagnose.tables import filled

DOCUMENT = Path(__file__).parents[1] / "docs" / "diagnosis.md"

if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text()))
