"""Packaging of mmmix; everything a wheel carries besides the modules is ``.mim``.

The wheel holds ``configs/``, ``tools/`` and ``model-index.yml`` as ``mmmix/.mim``,
where OpenMMLab's programs look for them. They are copied while the wheel is built, so
that neither an import nor an editable install puts files into the checkout.
"""

import os
import re
import runpy
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM_PARTS = ('configs', 'tools', 'model-index.yml')


def read_pins(name: str) -> list[str]:
    """Returns the requirements of one file in ``requirements/``."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8')
    return [line for line in lines.splitlines() if line and not line.startswith('#')]


def read_ranges(name: str) -> list[str]:
    """Returns the requirements of a stack: from the pins up to the next minor version.

    mmdet and mmcv of one stack refuse each other outside of such ranges.
    """
    pins = (pin.split('==') for pin in read_pins(name))
    parts = ((package, version, version.split('.')) for package, version in pins)
    return [
        f'{package}>={version},<{major}.{int(minor) + 1}'
        for package, version, (major, minor, *_) in parts
    ]


def read_floors(*starts: str) -> list[str]:
    """Returns the pins of ``dev.txt`` that start so, as the lowest versions."""
    pins = [pin for pin in read_pins('dev') if pin.startswith(starts)]
    return [pin.replace('==', '>=') for pin in pins]


def project_urls() -> dict[str, str]:
    """Returns addresses below the repository's, which the release's workflow gives."""
    repository = os.environ.get('MMMIX_REPOSITORY_URL', '')
    if not repository:
        return {}
    files = {'Documentation': 'docs/index.md', 'Changelog': 'CHANGELOG.md'}
    return {
        'Repository': repository,
        'Issues': f'{repository}/issues',
        **{name: f'{repository}/blob/main/{file}' for name, file in files.items()},
    }


def read_page() -> str:
    """Returns the README, with the addresses of what it links to and shows.

    PyPI knows nothing of the repository, whose address the release's workflow gives.
    """
    page = (ROOT / 'README.md').read_text(encoding='utf-8')
    repository = os.environ.get('MMMIX_REPOSITORY_URL', '')
    if not repository:
        return page

    def absolute(link: re.Match[str]) -> str:
        mark, text, path = link.groups()
        kind = 'raw' if mark else 'blob'
        return f'{mark}[{text}]({repository}/{kind}/main/{path})'

    # neither addresses nor places on the page itself
    return re.sub(r'(!?)\[([^\]]+)\]\(([^):#\s][^):\s]*)\)', absolute, page)


class BuildWithMim(build_py):
    """Copies ``MIM_PARTS`` into the build as ``mmmix/.mim``.

    An editable install needs no copy: it finds the folders of the checkout.
    """

    @property
    def _mim(self) -> Path:
        return Path(self.build_lib) / 'mmmix' / '.mim'

    def _mim_copies(self) -> list[tuple[str, str]]:
        """Returns (source, target) paths of the files to copy."""
        files = [
            path
            for part in MIM_PARTS
            for path in [ROOT / part, *sorted((ROOT / part).rglob('*'))]
            if path.is_file() and '__pycache__' not in path.parts
        ]
        return [(str(path), str(self._mim / path.relative_to(ROOT))) for path in files]

    def run(self) -> None:
        """Builds the modules, then copies the rest."""
        super().run()
        if self.editable_mode:
            return
        # An earlier build in the same folder may hold files that are gone since.
        shutil.rmtree(self._mim, ignore_errors=True)
        for source, target in self._mim_copies():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Returns the paths of all files in the build."""
        outputs = super().get_outputs(include_bytecode)
        if self.editable_mode:
            return outputs
        return outputs + [target for _, target in self._mim_copies()]


setup(
    name='mmmix',
    version=runpy.run_path(str(ROOT / 'mmmix' / 'version.py'))['__version__'],
    description='Mixup-style regularisation for object detectors on MMDetection 3.x',
    long_description=read_page(),
    long_description_content_type='text/markdown',
    author='the mmmix authors',
    project_urls=project_urls(),
    license_expression='Apache-2.0',
    license_files=['LICENSE'],
    keywords=['object detection', 'mixup', 'mmdetection', 'regularisation'],
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    packages=find_packages(include=['mmmix', 'mmmix.*']),
    py_modules=['mmmix_command'],
    entry_points={'console_scripts': ['mmmix = mmmix_command:main']},
    package_data={'mmmix': ['py.typed', 'visualization/report/*.jinja']},
    cmdclass={'build_py': BuildWithMim},
    python_requires='>=3.10',
    install_requires=[
        *('imagehash', 'numpy', 'packaging', 'pillow', 'pyyaml', 'scipy', 'tqdm')
    ],
    extras_require={
        'onedl': read_ranges('onedl'),
        'openmmlab': read_ranges('openmmlab'),
        'photos': read_floors('efficientnet'),
        # torchvision is left to the user, who has the one that fits his torch
        'classification': read_ranges('classification-onedl'),
        'completion': read_floors('shtab'),
        'digits': read_floors('scikit-learn'),
        'faster': read_floors('faster-coco'),
        'robustness': read_floors('imagecorruptions'),
        'search': read_floors('optuna'),
        'slurm': read_floors('submitit'),
    },
    zip_safe=False,
)
