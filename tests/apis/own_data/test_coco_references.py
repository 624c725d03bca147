"""Annotations of COCO files that mean no category, or no image."""

from __future__ import annotations

import json

import pytest

from mmmix.apis.own_data.find import find_layout

from .folders import stem_of, write_coco


def changed(root, change):
    """A folder whose file is changed."""
    path = write_coco(root) / 'labels.json'
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return root


def as_text(key):
    def change(content):
        for ann in content['annotations']:
            ann[key] = str(ann[key])

    return change


def unknown_category(content):
    content['annotations'][4]['category_id'] = 99


def numbers_as_names(content):
    for number, category in enumerate(content['categories']):
        category['name'] = number


def other_case(content):
    for image in content['images']:
        image['file_name'] = image['file_name'].replace('.png', '.PNG')


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (
            as_text('category_id'),
            r"0 has '8' as category_id, and .* are 7, 8, ",
        ),
        (unknown_category, 'annotation 4 has 99 as category_id'),
        (
            as_text('image_id'),
            r"0 has '0' as image_id, and .* are 0, 1, 2 and",
        ),
        (numbers_as_names, 'a category is called 0; write its name as a text'),
        (other_case, f"{stem_of(0)}.png is; write its file_name as '{stem_of(0)}.png'"),
    ],
)
def test_what_means_nothing_is_refused(tmp_path, change, said):
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        find_layout(changed(tmp_path, change))


def test_an_image_with_two_ids_is_said(tmp_path):
    def change(content):
        content['images'][3]['file_name'] = content['images'][0]['file_name']

    layout = find_layout(changed(tmp_path, change))
    (note,) = (text for text in layout.notes if 'several ids' in text)
    assert note.startswith(f'1 images of {tmp_path}/labels.json have several ids: ')
    assert f'{stem_of(0)}.png; give each one id, with the labels of all' in note


def test_annotations_of_images_that_are_taken_out_are_counted(tmp_path):
    layout = find_layout(changed(tmp_path, lambda content: content['images'].pop()))
    (note,) = (text for text in layout.notes if 'are of no image' in text)
    assert note.startswith(f'1 annotations of {tmp_path}/labels.json are of no image')
    assert layout.splits['all'].names.total() == 11
