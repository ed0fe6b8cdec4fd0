"""Which files belong to the project: what git tracks or would track, or, where there is no git, what lies in the tree."""

import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP_FOLDERS = ("include", "src", "tests", "bench")


def _ignored(path):
    return any(
        part in (".git", "node_modules", "__pycache__", "build") or part.startswith("build-") for part in path.parts
    )


def project_files(root=ROOT):
    """Paths relative to `root`, sorted."""
    if (root / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
        )
        # A checkout that belongs to somebody else is one that git refuses to read.
        if listed.returncode == 0:
            return sorted(pathlib.Path(p) for p in listed.stdout.split("\0") if p and (root / p).is_file())
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path for path in found if not _ignored(path))


def cpp_files(root=ROOT):
    return [p for p in project_files(root) if p.parts[0] in CPP_FOLDERS and p.suffix in (".cpp", ".hpp")]
