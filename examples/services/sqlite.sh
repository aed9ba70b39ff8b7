#!/bin/sh
# What a backup needs of SQLite, by the sqlite3 command or else by Python's module of that name:
#   sqlite.sh sample DATABASE          makes a database to play with
#   sqlite.sh dump DATABASE FILE       writes it as SQL, whole or not at all
#   sqlite.sh restore FILE DATABASE    makes a database of such a dump
#   sqlite.sh facts DATABASE           prints its integrity and the rows of every table as JSON
set -eu

if command -v sqlite3 >/dev/null 2>&1; then
    tool=sqlite3
elif command -v python3 >/dev/null 2>&1 && python3 -c 'import sqlite3' 2>/dev/null; then
    tool=python3
else
    echo "neither the command sqlite3 nor Python with its sqlite3 module is installed; install one of them" >&2
    exit 69
fi

# Runs the SQL of stdin and prints what it yields, one value a line.
query() {
    if [ "$tool" = sqlite3 ]; then
        sqlite3 -batch -bail "$1"
    else
        python3 -c '
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
text = sys.stdin.read()
if text.lstrip().lower().startswith(("select", "pragma")):
    for row in database.execute(text):
        print(row[0])
else:
    database.executescript(text)
    database.commit()
' "$1"
    fi
}

dump() {
    if [ "$tool" = sqlite3 ]; then
        sqlite3 -batch -bail -readonly "$1" .dump
    else
        python3 -c '
import pathlib, sqlite3, sys
path = pathlib.Path(sys.argv[1]).resolve().as_uri() + "?mode=ro"
for line in sqlite3.connect(path, uri=True).iterdump():
    print(line)
' "$1"
    fi
}

case ${1:-} in
sample)
    query "$2" <<'SQL'
create table customer (id integer primary key, name text not null);
create table invoice (id integer primary key, customer integer not null references customer, cents integer not null);
with recursive number(n) as (select 1 union all select n + 1 from number where n < 500)
insert into customer select n, 'Customer ''' || n || '''' from number;
with recursive number(n) as (select 1 union all select n + 1 from number where n < 2000)
insert into invoice select n, 1 + n % 500, n * 7 % 100000 from number;
SQL
    ;;
dump)
    [ -f "$2" ] || { echo "there is no database $2" >&2; exit 66; }
    if [ "${TUTTI_ATTEMPT:-1}" -le "${FAIL_FIRST:-0}" ]; then
        echo "database is locked" >&2
        exit 75
    fi
    dump "$2" >"$3.part"
    # A dump that was cut off lacks its last line.
    [ "$(tail -n 1 "$3.part")" = "COMMIT;" ] || { echo "the dump of $2 is not complete" >&2; exit 65; }
    mv -- "$3.part" "$3"
    ;;
restore)
    rm -f -- "$3"
    query "$3" <"$2"
    ;;
facts)
    integrity=$(echo 'pragma integrity_check' | query "$2")
    printf '{"integrity":"%s","rows":{' "$(printf '%s' "$integrity" | head -n 1 | tr -d '"\\')"
    tables=$(echo "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name" | query "$2")
    separator=
    for table in $tables; do
        printf '%s"%s":%s' "$separator" "$table" "$(echo "select count(*) from \"$table\"" | query "$2")"
        separator=,
    done
    printf '}}\n'
    ;;
*)
    sed -n '2,6p' "$0" >&2
    exit 64
    ;;
esac
