# One image for CPUs and for NVIDIA GPUs (`docker run --gpus all`): torch's default build has both.
#   docker build --tag wowbench .
#   docker run --rm --volume "$PWD/results:/wowbench/results" wowbench
FROM python:3.12-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /wowbench
COPY envs/requirements.lock envs/
RUN pip install --no-cache-dir --requirement envs/requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .

ENTRYPOINT ["snakemake"]
CMD ["--cores", "all"]
