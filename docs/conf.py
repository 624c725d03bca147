"""Settings of the documentation site; ``make docs`` builds it.

The API is read from the sources, so neither torch nor MMDetection is needed.
"""

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'docs' / '_ext'))

project = 'mmmix'
author = 'the mmmix authors'
copyright = author  # noqa: A001
release = runpy.run_path(str(ROOT / 'mmmix' / 'version.py'))['__version__']

extensions = [
    'myst_parser',
    'autoapi.extension',
    'sphinx.ext.napoleon',
    'config_table',
    'page_sources',
]
exclude_patterns = ['_ext', '_static']
html_theme = 'furo'
html_title = f'mmmix {release}'
html_static_path = ['_static']
html_css_files = ['site.css']
html_js_files = ['sort.js']

myst_enable_extensions = ['dollarmath']
myst_heading_anchors = 3

autoapi_dirs = [str(ROOT / 'mmmix')]
autoapi_root = 'api'
autoapi_add_toctree_entry = False
# `mmmix SUBCOMMAND --help` says what the commands do.
autoapi_ignore = ['*/mmmix/commands/*']
napoleon_use_ivar = True
autoapi_options = ['members', 'show-inheritance', 'show-module-summary']
autoapi_python_class_content = 'class'

suppress_warnings = [
    # Names that a package exports again; the page of their module has them.
    'autoapi.python_import_resolution',
    'ref.python',
]
