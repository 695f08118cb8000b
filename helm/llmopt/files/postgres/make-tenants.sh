#!/bin/sh
# Makes a role and a database for each file in TENANTS_FOLDER, which is named for both and holds the password.
# What is there already is left as it is, but for the password and the limit on connections (TENANT_CONNECTIONS).
# PGHOST, PGUSER and PGPASSWORD say where.
set -eu

waited=0
until pg_isready --quiet; do
    waited=$((waited + 1))
    if [ "$waited" -gt "${WAIT_SECONDS:-240}" ]; then
        echo "Postgres at $PGHOST does not answer: look at its pod" >&2
        exit 1
    fi
    sleep 1
done
for PASSWORD_FILE in "$TENANTS_FOLDER"/*; do
    export PASSWORD_FILE
    name=$(basename "$PASSWORD_FILE")
    psql --no-psqlrc --quiet --dbname postgres --set ON_ERROR_STOP=1 --set name="$name" \
        --set connections="${TENANT_CONNECTIONS:-60}" \
        --file "$(dirname "$0")/tenant.sql"
    echo "database and role $name are there"
done
