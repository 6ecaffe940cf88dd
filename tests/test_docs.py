"""The documents are held to the code: the tree, the tables, the settings, the verbs, the citations, the example.

`python tests/test_docs.py --write` puts the tree of the code into docs/architecture.md.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml

from weathervane.cli.main import app
from weathervane.contracts.tables import TABLES
from weathervane.model.mmm.priors import Priors, parse_priors
from weathervane.settings import Settings

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "weathervane"
WEB = ROOT / "apps" / "web" / "src"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
GUIDES = ROOT / "docs" / "guides"
README = ROOT / "README.md"

# An empty __init__.py says nothing of itself.
FOLDERS = {
    "workflows": "One verb a file, one public function, no arithmetic.",
    "api": "The only place that knows the server.",
    "components": "Parts with data given to them, each with a story.",
    "design": "Theme, tokens, and how numbers are written.",
    "pages": "A page joins what is fetched with panels.",
    "panels": "One panel a folder; panels do not know each other.",
}
_NOT_LISTED = (".stories.tsx", ".test.ts", ".test.tsx", ".module.css", ".css")


def python_tree() -> str:
    return "\n".join(["src/weathervane/", *_python_lines(PACKAGE, 1)])


def web_tree() -> str:
    lines = ["apps/web/src/"]
    for path in _sorted(WEB):
        lines.append(_line(path, 1, FOLDERS[path.name] if path.is_dir() else first_comment(path)))
        if path.is_dir():
            lines += [_line(inner, 2, _web_caption(inner)) for inner in _sorted(path)]
    return "\n".join(lines)


def _web_caption(path: Path) -> str:
    """A panel's folder is captioned by the panel itself."""
    return first_comment(path / f"{path.name}.tsx" if path.is_dir() else path)


def _python_lines(folder: Path, depth: int) -> Iterator[str]:
    for path in _sorted(folder):
        if path.is_dir():
            yield _line(path, depth, first_docstring_line(path / "__init__.py") or FOLDERS[path.name])
            yield from _python_lines(path, depth + 1)
        else:
            yield _line(path, depth, first_docstring_line(path))


def _sorted(folder: Path) -> list[Path]:
    """Files before folders, as a reader meets them; caches, empty packages and what is no code left out."""
    return sorted((p for p in folder.iterdir() if _is_listed(p)), key=lambda p: (p.is_dir(), p.name))


def _is_listed(path: Path) -> bool:
    if path.is_dir():
        return path.name != "__pycache__" and any(_is_listed(inner) for inner in path.iterdir())
    return path.suffix in {".py", ".ts", ".tsx"} and path.name != "__init__.py" and not path.name.endswith(_NOT_LISTED)


def _line(path: Path, depth: int, caption: str) -> str:
    name = "  " * depth + path.name + ("/" if path.is_dir() else "")
    return f"{name:<34} {caption}"


def first_docstring_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def first_comment(path: Path) -> str:
    first = path.read_text("utf-8").partition("\n")[0]
    assert first.startswith("// "), f"{path} does not open with a line that says what it is"
    # The hash in a generated file changes with every change of the service.
    return re.sub(r" sha256 of .*", "", first.removeprefix("// "))


def in_architecture(root: str) -> str:
    """The tree of that root as docs/architecture.md has it."""
    found = re.search(rf"```text\n({re.escape(root)}.*?)\n```", ARCHITECTURE.read_text("utf-8"), re.S)
    assert found, f"docs/architecture.md has no tree of {root}"
    return found[1]


@pytest.mark.parametrize(("root", "tree"), [("src/weathervane/", python_tree), ("apps/web/src/", web_tree)])
def test_the_tree_is_the_code(root: str, tree: object) -> None:
    assert callable(tree)
    assert in_architecture(root) == tree(), "run `python tests/test_docs.py --write`"


def test_every_file_says_what_it_is() -> None:
    silent = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" and not first_docstring_line(path)]
    assert silent == []


def test_every_table_and_setting_is_documented() -> None:
    mapping, operate = (GUIDES / "import-mapping.md").read_text("utf-8"), (GUIDES / "operate.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `?(\w+)`? \|", mapping + operate, re.M))
    assert set(TABLES) <= documented
    settings = {
        str(field.validation_alias or f"WEATHERVANE_{name.upper()}") for name, field in Settings.model_fields.items()
    }
    assert settings <= documented
    stray = {name for name in documented if name.startswith("WEATHERVANE_")} - settings
    assert stray == set()


def verbs() -> list[str]:
    """Every command line a user can type, `demo run` among them."""

    def names(command: object, prefix: str) -> Iterator[str]:
        for name, inner in getattr(command, "commands", {}).items():
            if getattr(inner, "commands", None):
                yield from names(inner, f"{prefix}{name} ")
            else:
                yield f"{prefix}{name}"

    return list(names(typer.main.get_command(app), ""))


def test_every_verb_is_documented() -> None:
    pages = "\n".join(path.read_text("utf-8") for path in (README, *GUIDES.glob("*.md")))
    assert [verb for verb in verbs() if f"weathervane {verb}" not in pages] == []


def test_every_exit_code_is_documented() -> None:
    errors = (PACKAGE / "contracts" / "errors.py").read_text("utf-8")
    documented = (GUIDES / "operate.md").read_text("utf-8")
    codes = set(re.findall(r"exit_code = (\d)", errors))
    assert codes <= set(re.findall(r"^\| (\d) \|", documented, re.M))


def citations() -> list[tuple[str, str, str]]:
    """(file, page, heading) of every `page.md, "Heading"` in the code."""
    folders = [ROOT / name for name in ("src", "tests", "benchmarks")]
    return [
        (str(path.relative_to(ROOT)), page, heading)
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        if path != Path(__file__)
        for page, heading in re.findall(r"([\w-]+\.md),\s+\"([^\"]+)\"", path.read_text("utf-8"))
    ]


def test_every_citation_leads_to_a_heading() -> None:
    pages = {path.name: path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md")}
    lost = [
        (file, page, heading)
        for file, page, heading in citations()
        if not re.search(rf"^#+ {re.escape(heading)}$", pages.get(page, ""), re.M)
    ]
    assert lost == []
    assert len(citations()) > 10


def test_links_between_pages_lead_somewhere() -> None:
    pages = [README, ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    lost = [
        (page.name, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert lost == []


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Every file of the repository that is text, tracked or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True
    )
    if listed.returncode:
        pytest.skip("this is no git checkout, so there is no list of its files")
    for name in filter(None, listed.stdout.decode().split("\0")):
        try:
            yield name, (ROOT / name).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue


def test_no_file_names_a_registry_or_a_machine() -> None:
    # Written apart, so that this file does not find itself.
    hosts = ("pypi" + ".org", "python" + "hosted", "registry." + "npm", "npm" + "js.org", "registry." + "yarn")
    places = (r"(?<![\w.-])/(?:home|Users|root|work|mnt)" + r"/\w", r"[A-Z]:\\" + r"Users")
    pattern = re.compile("|".join([*map(re.escape, hosts), *places]))
    found = [(name, hit[0]) for name, text in tracked_texts() if (hit := pattern.search(text))]
    assert found == []


def test_the_examples_are_those_of_the_guide() -> None:
    guide = (GUIDES / "import-mapping.md").read_text("utf-8")
    shown = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", guide, re.S)]
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        mapping = yaml.safe_load(path.read_text("utf-8"))
        for source in mapping["sources"]:
            source["file"] = Path(source["file"]).name
        assert mapping in shown, f"{path.name} differs from the guide"


def test_the_committed_priors_are_the_built_in_ones() -> None:
    path = ROOT / "config" / "model_priors.yaml"
    assert parse_priors(path.read_text("utf-8"), path.name) == Priors()


@pytest.mark.slow
def test_the_readme_example_runs_as_printed(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.S)
    assert len(example.strip().splitlines()) <= 12
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(".")


def _write() -> None:
    text = ARCHITECTURE.read_text("utf-8")
    for root, tree in (("src/weathervane/", python_tree()), ("apps/web/src/", web_tree())):
        old = f"```text\n{in_architecture(root)}\n```"
        text = text.replace(old, f"```text\n{tree}\n```")
    ARCHITECTURE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python tests/test_docs.py --write")
    _write()
