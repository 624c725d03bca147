# VOC trainval as the labelled source of a domain adaptation: VOC07+12 (16,551 images),
# or, by the environment variable VOC_SOURCE=voc12, VOC12 alone, as Adaptive Teacher
# does. A dataset file beside this one adds the pipeline and deletes the name.
voc07 = dict(
    type='VOCDataset',
    data_root='data/VOCdevkit/',
    ann_file='VOC2007/ImageSets/Main/trainval.txt',
    data_prefix=dict(sub_data_root='VOC2007/'),
    filter_cfg=dict(filter_empty_gt=True, min_size=32),
)
voc12 = dict(
    voc07,
    ann_file='VOC2012/ImageSets/Main/trainval.txt',
    data_prefix=dict(sub_data_root='VOC2012/'),
)
choices = dict(voc0712=[voc07, voc12], voc12=[voc12])
choice = '{{$VOC_SOURCE:voc0712}}'
if choice not in choices:
    raise ValueError(
        'the environment variable VOC_SOURCE must be one of '
        + ', '.join(choices)
        + ', got '
        + repr(choice)
    )
voc_source = choices[choice]
del voc07, voc12, choices, choice
