# mmmix with the default stack.
#
#   docker build -t mmmix .                                          # CPU
#   docker build -t mmmix --build-arg BASE=nvidia/cuda:12.8.1-devel-ubuntu24.04 \
#       --build-arg TORCH=2.9.1 --build-arg \
#       TORCH_INDEX=https://download.pytorch.org/whl/cu128 .         # CUDA
#   docker run --rm -it -v "$PWD:/data" -w /data mmmix init mine
#
# CUDA needs the NVIDIA container toolkit, and `--gpus all --shm-size 8g` to run.
ARG BASE=python:3.11-slim
FROM ${BASE}

ARG TORCH=2.9.1
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# Without a GPU at build time, mmcv is compiled for CUDA all the same if torch has it.
ARG FORCE_CUDA=0
ENV FORCE_CUDA=${FORCE_CUDA} PIP_NO_CACHE_DIR=1 PIP_BREAK_SYSTEM_PACKAGES=1

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        g++ git make python3 python3-dev python3-pip python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/mmmix
COPY . .
# pip asks this index for torch, besides the usual one.
RUN PIP_EXTRA_INDEX_URL=${TORCH_INDEX} make env TORCH=${TORCH}

ENV PATH=/opt/mmmix/.venv/bin:${PATH}
ENTRYPOINT ["mmmix"]
CMD ["--help"]
