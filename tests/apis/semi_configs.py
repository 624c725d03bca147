"""Configs of teacher-student models that no training is needed for."""

from __future__ import annotations

import copy

from mmengine.config import Config

import mmmix


def semi_config(name, kind='MixTeacher'):
    """A demo config as the detector of a teacher-student model."""
    cfg = Config.fromfile(mmmix.config_path(f'demo/{name}.py'))
    detector = cfg.model
    detector.data_preprocessor.pop('batch_augments', None)
    cfg.model = dict(
        type=kind,
        detector=detector,
        data_preprocessor=dict(
            type='MultiBranchDataPreprocessor',
            data_preprocessor=copy.deepcopy(detector.data_preprocessor),
        ),
        semi_train_cfg=dict(freeze_teacher=True),
        semi_test_cfg=dict(predict_on='teacher'),
    )
    cfg.val_cfg = dict(type='TeacherStudentValLoop')
    return cfg
