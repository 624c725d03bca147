#!/usr/bin/env bash
# The demo: makes the digits, trains SSD with BoxMix on them, tests the last checkpoint
# and says where the pictures are. Called by `make demo` with the Python to use and, from
# DEMO_ARGS=, further arguments of tools/train.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${1:?usage: .dev/demo.sh PYTHON [TRAIN_ARGUMENT...]}

config=configs/demo/ssd_digits_boxmix.py
work_dir=work_dirs/demo/ssd_digits_boxmix

"$python" tools/dataset_converters/make_digits.py
"$python" tools/train.py "$config" --work-dir "$work_dir" "${@:2}"
"$python" tools/test.py "$config" "$(cat "$work_dir/last_checkpoint")" \
  --work-dir "$work_dir" --show-dir detections

newest_folder() {
  local files
  files=$(find "$work_dir" -path "$1" -exec ls -t {} +)
  dirname "${files%%$'\n'*}"
}
echo
echo 'The demo is done.'
echo "  mixed batches as trained on: $(newest_folder '*/mix_preview_*.png')"
echo "  detections, truth at their left: $(newest_folder '*/detections/*')"
echo "  checkpoint: $(cat "$work_dir/last_checkpoint")"
