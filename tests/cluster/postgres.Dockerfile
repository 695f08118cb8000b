ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get update && \
    apt-get install --yes --no-install-recommends postgresql && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --uid 999 --no-create-home server
ENV PATH=/usr/lib/postgresql/15/bin:$PATH
