"""What pyproject.toml cannot say: conf/ stands beside the packages and travels in the wheel, as ttcs/conf."""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class Build(build_py):
    """What is installed to be edited stays where it is, and finds conf/ there."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            copytree("conf", Path(self.build_lib, "ttcs", "conf"), dirs_exist_ok=True)


setup(cmdclass={"build_py": Build})
