#!/bin/sh
# Starts Postgres on $PGDATA, which is made the first time: under another name, for a start may be interrupted.
# Needs no more of an image than Postgres' own programs. PASSWORD_FILE holds the password of the superuser.
set -eu

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    rm -rf "$PGDATA.unfinished"
    initdb --pgdata "$PGDATA.unfinished" --username postgres --pwfile "$PASSWORD_FILE" \
        --auth scram-sha-256 --encoding UTF8 --locale C
    mv "$PGDATA.unfinished" "$PGDATA"
fi
# A mounted volume may give its group more permissions than Postgres accepts.
chmod 0700 "$PGDATA"
exec postgres -D "$PGDATA" -c hba_file="$HBA_FILE" -c listen_addresses="${LISTEN_ADDRESSES:-*}" -c port="${PGPORT:-5432}" \
    -c unix_socket_directories= -c max_connections="${MAX_CONNECTIONS:-200}"
