r"""Train and test configs over seeds, and report mean and spread.

Each run (config, seed) trains in WORK_DIR/<config>/seed_<n>, then its last
checkpoint (or its best, --checkpoint best) is tested. Results are kept in
WORK_DIR/results.json as soon as a run ends: the same command later goes on where it
was interrupted, adds seeds or configs, and retries what failed. The report
(report.md, report.json) has the mean ± standard deviation per config and metric, and
the difference to the first config paired by seed with its 95 % interval (Student's t);
report.json also the difference that so many seeds would detect.

CONFIG+METHOD is a config with a method, as --mix of train.py puts it in: any config,
those of mmdet included. --mix puts one into all configs. --grid KEY=a,b varies a
setting: each config with each value. A KEY of mix.* is one of the method, and leaves
configs without a method alone.

With --executor slurm each training and test is a job of Slurm, sent by submitit; this
command waits for them, and can be ended and started again. With --nproc N each takes N
processes, on the GPUs of one machine. Where runs are made is not part of the results: a
study that began here goes on there, and the other way round.

Examples:
  study.py configs/demo/ssd_digits.py configs/demo/ssd_digits_boxmix.py \
      --seeds 0 1 2 --work-dir work_dirs/digits --jobs 2 --metric coco/AP
  study.py mine.py mine.py+lossmix mine.py+boxmix --work-dir work_dirs/mine
  study.py mine.py mine.py+lossmix --grid mix.ratio.alpha=0.2,1,5 --work-dir work_dirs/a
  study.py mine.py mine.py+boxmix --work-dir work_dirs/mine --nproc 8 --jobs 20 \
      --executor slurm --executor-options slurm_partition=gpu gpus_per_node=8 \
      cpus_per_task=40 timeout_min=480
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmmix.apis.configs.config_path import config_root
from mmmix.apis.launching.folder_lock import lock_folder
from mmmix.apis.reporting import say, write_json
from mmmix.apis.run_command import RESUMABLE, run_command
from mmmix.engine.whole_files import remove_drafts, write_whole
from mmmix.studies.score_cuts import say_cuts
from mmmix.studies.seeds.arguments import add_study_arguments
from mmmix.studies.seeds.child_processes import ChildProcesses
from mmmix.studies.seeds.grid import Choice, choices
from mmmix.studies.seeds.options import has_method, read_choice
from mmmix.studies.seeds.progress import Progress
from mmmix.studies.seeds.report import check_metrics, make_report, without_runs
from mmmix.studies.seeds.runs import Commands, Run
from mmmix.studies.seeds.search import Search
from mmmix.studies.seeds.study import Study
from mmmix.studies.seeds.submitted_jobs import SubmittedJobs, slurm_executor
from mmmix.studies.seeds.val_and_test import best_of_test


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_study_arguments(parser)
    args = parser.parse_args(argv)
    if args.nproc > 0 and args.jobs is None:
        args.jobs = max(len(args.gpus) // args.nproc, 1)
    if min(args.threads, args.nproc) < 1 or args.jobs < 1:
        parser.error('--jobs, --threads and --nproc must be at least 1')
    if args.heartbeat <= 0 or args.trials < 1:
        parser.error('--heartbeat must be above 0 and --trials at least 1')
    if args.executor == 'local' and args.executor_options:
        parser.error('--executor-options are for --executor slurm')
    if args.executor == 'slurm' and args.gpus:
        parser.error(
            '--gpus are those of this machine; with --executor slurm a job gets '
            '--executor-options gpus_per_node=N'
        )
    if len(args.gpus) % args.nproc:
        parser.error(f'--gpus has {len(args.gpus)} devices, --nproc {args.nproc}')
    if args.search and (len(args.configs) > 1 or len(args.metric or ()) != 1):
        parser.error('--search needs one config, and one --metric of its validations')
    if args.search and (args.grid or args.report or args.checkpoint != 'last'):
        parser.error(
            '--search tests nothing and has a report of its own: leave out --grid, '
            '--report and --checkpoint'
        )
    if args.mix is not None:
        args.configs = [f'{config}+{args.mix}' for config in args.configs]
    if args.mix_options and not any(map(has_method, args.configs)):
        parser.error('--mix-options are settings of --mix NAME or CONFIG+NAME')
    return args


def build_children(
    args: argparse.Namespace, lock: int
) -> ChildProcesses | SubmittedJobs:
    """What makes the runs.

    Args:
        args: The parsed arguments.
        lock: File descriptor of the study folder's lock, which runs of this machine
            hold too.

    Raises:
        ImportError, ValueError: If there is no submitit or no Slurm, where it is asked
            for.
    """
    if args.executor == 'slurm':
        executor = slurm_executor(args.work_dir / 'jobs', args.executor_options)
        return SubmittedJobs(executor, args.threads)
    step = args.nproc
    starts = range(0, len(args.gpus), step)
    gpus = [','.join(args.gpus[start : start + step]) for start in starts]
    return ChildProcesses(args.threads, gpus, [lock])


def run_all(
    study: Study,
    children: ChildProcesses | SubmittedJobs,
    jobs: int,
    heartbeat: float,
) -> None:
    """Make all pending runs; an interruption ends them and keeps their results."""
    progress = Progress(study, jobs)

    def execute(run: Run) -> dict[str, Any]:
        progress.began(run)
        return study.execute(run)

    with ThreadPoolExecutor(jobs) as pool:
        runs: dict[Future, Run] = {
            pool.submit(execute, run): run for run in study.pending
        }
        waiting = set(runs)
        try:
            while waiting:
                ended, waiting = wait(waiting, heartbeat, FIRST_COMPLETED)
                for future in ended:
                    progress.ended(runs[future], future.result())
                if not ended:
                    progress.beat(children.logs())
        except BaseException:
            say('stopping the runs')
            pool.shutdown(wait=False, cancel_futures=True)
            children.stop()
            raise


def say_report(args: argparse.Namespace) -> int:
    """Print what there is; returns 1 if nothing is finished."""
    labels = [
        choice.label for choice in choices(args.configs, args.grid, args.mix_options)
    ]
    text, numbers = make_report(args.work_dir, labels, args.metric, args.checkpoint)
    missing = without_runs(args.work_dir, labels, args.checkpoint)
    print(missing or text)
    if missing:
        for name, error in numbers['failed'].items():
            print(f'\n{name} FAILED: {error}')
    return 1 if missing else 0


def _leave_report(args: argparse.Namespace, labels: Sequence[str]) -> None:
    """Print the report and write it, also when runs were stopped."""
    text, numbers = make_report(args.work_dir, labels, args.metric, args.checkpoint)
    print(f'\n{text}')
    with _unhidden():
        write_whole(args.work_dir / 'report.md', f'{text}\n'.encode())
        write_json(args.work_dir / 'report.json', numbers)


@contextmanager
def _unhidden() -> Iterator[None]:
    """Say that a report cannot be written; raised, it would hide why runs ended."""
    try:
        yield
    except OSError as error:
        say(f'the report cannot be written: {error}')


def main(argv: Sequence[str] | None = None, tools: Path | None = None) -> int:
    """Run the command; returns its exit code, 1 if a run is missing.

    Args:
        argv: Arguments without the program's name; None takes ``sys.argv``.
        tools: Folder with the ``train.py`` and ``test.py`` that make the runs.
    """
    args = parse_args(argv)
    if args.report:
        return say_report(args)
    tools = tools or config_root().parent / 'tools'
    commands = Commands(
        tools,
        args.cfg_options,
        args.train_args,
        args.mix_options,
        args.nproc,
    )
    with lock_folder(args.work_dir) as handle:
        for folder in (args.work_dir, *args.work_dir.glob('*/seed_*')):
            if folder.is_dir():
                remove_drafts(folder)
        children = build_children(args, handle.fileno())
        _say_idle(args)
        if args.search:
            return _search(args, commands, children)
        study = Study(
            args.configs,
            args.seeds,
            args.work_dir,
            commands,
            children,
            args.checkpoint,
            args.grid,
        )
        found = list(dict.fromkeys(run.choice for run in study.runs))
        _say_cuts(args, found[0], len(found))
        if args.checkpoint == 'best':
            _say_best_of_test(args, found[0])
        labels = [choice.label for choice in found]
        check_metrics(study.records, labels, args.metric, args.checkpoint)
        unlike = study.made_unlike()
        if unlike:
            say(unlike)
        try:
            run_all(study, children, args.jobs, args.heartbeat)
        finally:
            _leave_report(args, labels)
    return 1 if study.pending else 0


def _say_idle(args: argparse.Namespace) -> None:
    """Say of GPUs that were given and that no run will have."""
    used = args.jobs * args.nproc
    if used < len(args.gpus):
        say(
            f'--jobs {args.jobs} uses {used} of the {len(args.gpus)} GPUs of --gpus; '
            f'--jobs {len(args.gpus) // args.nproc}, the default, uses all'
        )


def _say_cuts(args: argparse.Namespace, first: Choice, compared: int) -> None:
    """Say what tests drop, as the reference is tested; see :func:`say_cuts`."""
    options = (*args.cfg_options, *first.cfg_options)
    reference = read_choice(first.config, (), (*args.mix_options, *first.mix_options))
    say_cuts(reference, [option.partition('=')[0] for option in options], compared)


def _say_best_of_test(args: argparse.Namespace, first: Choice) -> None:
    """Say of best checkpoints that the test itself chooses, as the reference is."""
    options = (*args.cfg_options, *first.cfg_options)
    methods = (*args.mix_options, *first.mix_options)
    remark = best_of_test(read_choice(first.config, options, methods))
    if remark:
        say(remark)


def _search(
    args: argparse.Namespace,
    commands: Commands,
    children: ChildProcesses | SubmittedJobs,
) -> int:
    """Choose a setting; returns 1 if no trial came to its end."""
    search = Search(
        args.configs[0],
        args.search,
        args.seeds[0],
        args.work_dir,
        commands,
        children,
        args.metric[0],
    )
    try:
        search.run(args.trials, args.jobs)
    finally:
        text = search.report()
        print(f'\n{text}')
        with _unhidden():
            write_whole(args.work_dir / 'search.md', f'{text}\n'.encode())
    return 0 if search.chosen else 1


def run() -> None:
    """Run the command as a program."""
    run_command(lambda: sys.exit(main()), RESUMABLE)


if __name__ == '__main__':
    run()
