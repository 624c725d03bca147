"""Systems that lack what Linux has: imitated, for no test runs on them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.toy_run import write_config

ROOT = Path(__file__).resolve().parents[1]

AS_ON_WINDOWS = """
import matplotlib.pyplot, mmcv.ops, mmdet.apis, mmengine.runner, torch.distributed
import yapf.yapflib.yapf_api  # these go on as on Linux
import importlib, os, pkgutil, platform, signal, sys

for name in ('fcntl', 'grp', 'pwd', 'resource', 'termios'):
    sys.modules[name] = None
for module, names in {
    signal: ('SIGALRM', 'SIGHUP', 'SIGKILL', 'SIGUSR1', 'SIGUSR2', 'sigwaitinfo'),
    os: ('chown', 'fork', 'getloadavg', 'getpgid', 'killpg', 'register_at_fork',
         'sched_getaffinity', 'setsid', 'statvfs', 'uname'),
}.items():
    for name in names:
        delattr(module, name)
platform.system = lambda: 'Windows'
"""

IMPORT_ALL = """
import mmmix
for module in pkgutil.walk_packages(mmmix.__path__, 'mmmix.'):
    if module.name.endswith('__main__'):
        continue
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        if 'needs mmpretrain' not in str(error):
            raise
from mmmix.commands.train import main
main(sys.argv[1:])
from mmmix.studies.speed.benchmark import machine
print('cores', machine('cpu')['cores'] == os.cpu_count())
"""


def test_all_is_imported_and_a_run_is_made_without_what_windows_lacks(tmp_path):
    config, run = write_config(tmp_path), tmp_path / 'run'
    code = AS_ON_WINDOWS + IMPORT_ALL
    done = subprocess.run(
        [sys.executable, '-c', code, config, '--work-dir', str(run)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (run / 'epoch_2.pth').is_file()
    assert 'cannot be locked' in done.stderr
    assert done.stdout.splitlines()[-1] == 'cores True'


def test_no_two_files_differ_in_case_alone_and_each_name_fits_windows():
    files = [
        path.relative_to(ROOT).as_posix()
        for folder in ('.dev', 'configs', 'docs', 'mmmix', 'tests', 'tools')
        for path in (ROOT / folder).rglob('*')
        if '__pycache__' not in path.parts
    ]
    assert len({name.lower() for name in files}) == len(files) > 1000
    assert not [name for name in files if set(name) & set(':*?<>|"\\')]


def test_the_processes_of_another_are_found_without_proc(tmp_path):
    """As on a Mac: by ps, the same ones."""
    text = (ROOT / 'tools' / 'launch.sh').read_text(encoding='utf-8')
    (tmp_path / 'linux.sh').write_text(text)
    (tmp_path / 'mac.sh').write_text(text.replace('/proc/', '/nowhere/'))
    code = (
        'sleep 30 & first=$!; sleep 30 & second=$!\n'
        'for system in linux mac; do\n'
        f'    . {tmp_path}/$system.sh\n'
        '    found=" $(processes_of $$ | tr "\\n" " ") "\n'
        '    for child in $first $second; do\n'
        '        case $found in *" $child "*) echo $system ;; esac\n'
        '    done\n'
        'done\n'
        'kill $first $second'
    )
    done = subprocess.run(
        ['bash', '-c', code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ['linux', 'linux', 'mac', 'mac'], done.stderr
