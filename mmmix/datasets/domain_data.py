"""Where data sets for domain adaptation come from, and how they must lie.

``docs/domain_data.md`` has these texts word for word.
"""

CLIPART1K = (
    'Clipart1k: download clipart.zip as '
    'https://github.com/naoto0804/cross-domain-detection/tree/master/datasets '
    'describes (Inoue et al., CVPR 2018; for education and research only) and unpack '
    'it in the folder data/, so that data/clipart/ holds Annotations/, JPEGImages/ '
    'and ImageSets/Main/ with train.txt and test.txt, 500 images each'
)

WATERCOLOR2K = (
    'Watercolor2k: download watercolor.zip as '
    'https://github.com/naoto0804/cross-domain-detection/tree/master/datasets '
    'describes (Inoue et al., CVPR 2018; for education and research only) and unpack '
    'it in the folder data/, so that data/watercolor/ holds Annotations/, JPEGImages/ '
    'and ImageSets/Main/ with train.txt and test.txt, 1,000 images each; its other '
    'list, extra.txt, has no boxes and is not used'
)

DIGITS_TARGET = 'Make the second domain of the digits: mmmix digits --domain target'
