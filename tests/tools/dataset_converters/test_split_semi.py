"""The command that splits a training set."""

from __future__ import annotations

import json

import pytest

from mmmix.commands.split_semi import main
from mmmix.datasets.semi_split import SplitSettings, split_coco, split_list
from tests.datasets.test_semi_split import coco


def test_all_folds_and_percentages_of_a_coco_set(tmp_path, capsys):
    ann_file = tmp_path / 'train.json'
    ann_file.write_text(json.dumps(coco(100)))
    out = tmp_path / 'parts'
    main([str(ann_file), '--out', str(out), '--soft-teacher', '--keep-labels'])
    assert len(list(out.iterdir())) == 2 * 4 * 5
    settings = SplitSettings(10, 4, repeat=True, keep_labels=True)
    for name, part in zip(settings.names(ann_file), split_coco(coco(100), settings)):
        assert json.loads((out / name).read_text()) == part
    printed = capsys.readouterr().out
    assert '1 %, fold 5: 1 labelled and 99 unlabelled images' in printed
    assert f'40 files written to {out}' in printed


def test_a_voc_list_goes_beside_itself(tmp_path):
    ann_file = tmp_path / 'train.txt'
    names = [str(k) for k in range(1000)]
    ann_file.write_text('\n'.join(names))
    main([str(ann_file), '--percents', '5', '--folds', '2'])
    labelled, unlabelled = split_list(names, SplitSettings(5, 2))
    assert (tmp_path / 'train.2@5.txt').read_text().split() == labelled
    assert (tmp_path / 'train.2@5-unlabeled.txt').read_text().split() == unlabelled
    assert (len(labelled), len(list(tmp_path.iterdir()))) == (50, 3)


def test_existing_files_are_left_alone_unless_forced(tmp_path):
    ann_file = tmp_path / 'train.txt'
    ann_file.write_text('\n'.join('abcdefghij'))
    theirs = tmp_path / 'train.2@10.txt'
    theirs.write_text('theirs')
    arguments = [str(ann_file), '--percents', '10', '--folds', '1', '2']
    with pytest.raises(FileExistsError, match=r'1 of 4 files exist .*train.2@10.txt'):
        main(arguments)
    assert theirs.read_text() == 'theirs'
    assert not (tmp_path / 'train.1@10.txt').exists()
    main([*arguments, '--force'])
    assert (
        theirs.read_text().split() == split_list('abcdefghij', SplitSettings(10, 2))[0]
    )


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match='no annotation file at .*none'):
        main([str(tmp_path / 'none.json')])
    ann_file = tmp_path / 'train.txt'
    ann_file.write_text('a\nb')
    with pytest.raises(ValueError, match='1 % of 2 images is less than one'):
        main([str(ann_file), '--percents', '1'])
