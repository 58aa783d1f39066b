# An image with asc-tiny, CMake and the compiler for Cortex-M, for jobs that check budgets and build firmware:
#
#     docker build -t asc-tiny .
#     docker run --rm -v "$PWD:/work" asc-tiny budget model.tflite --max-macs 30M
FROM python:3.12-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        cmake gcc gcc-arm-none-eabi libc6-dev libnewlib-arm-none-eabi make \
    && rm -rf /var/lib/apt/lists/*
COPY . /source
RUN pip install --no-cache-dir /source && rm -rf /source
WORKDIR /work
ENTRYPOINT ["asc-tiny"]
