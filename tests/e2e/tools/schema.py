#!/usr/bin/env python3
"""schema.py SOURCE.c ARRAY ROOM STEPS NEW.db [FROM.db]: make the database that an earlier commit
would have made: by the first STEPS of the migration scripts in SOURCE.c, which are only ever added
at the end.  What FROM.db holds goes into the columns that there were.
"""
import re
import sqlite3
import sys


def scripts(source, array):
    text = open(source).read()
    body = text[re.search(r"\b%s\[\] = \{" % re.escape(array), text).end():]
    parts, current = [], []
    for m in re.finditer(r'"((?:[^"\\]|\\.)*)"|/\*.*?\*/|(,)|(\};)', body, re.S):
        if m.group(1) is not None:
            current.append(m.group(1))
        elif m.group(2) or m.group(3):
            if current:
                parts.append("".join(current))
                current = []
            if m.group(3):
                return parts
    raise SystemExit(f"{source}: where does {array} end?")


# A table whose columns have moved into others, with the same key.
MOVED = {"versions": ["descriptions"]}


def columns_of(db, where, table):
    return {r[1] for r in db.execute(f"PRAGMA {where}.table_info({table})")}


def copy(db, old):
    db.execute("ATTACH ? AS old", (old,))
    for (table,) in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
        # Triggers keep the sums.
        if table in ("schema_version", "sqlite_sequence", "usage"):
            continue
        source = [table] + [m for m in MOVED.get(table, []) if columns_of(db, "old", m)]
        there = set().union(*(columns_of(db, "old", t) for t in source))
        columns = ", ".join(sorted(columns_of(db, "main", table) & there))
        if columns:
            joined = " NATURAL JOIN ".join("old." + t for t in source)
            db.execute(f"INSERT INTO main.{table}({columns}) SELECT {columns} FROM {joined}")
    db.commit()


def main():
    source, array, room, steps, path = sys.argv[1:6]
    every = scripts(source, array)
    if steps == "count":
        print(len(every))
        return
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE IF NOT EXISTS schema_version"
               "(room TEXT PRIMARY KEY, version INTEGER NOT NULL)")
    for script in every[:int(steps)]:
        db.executescript(script)
    db.execute("INSERT OR REPLACE INTO schema_version VALUES (?, ?)", (room, int(steps)))
    db.commit()
    if len(sys.argv) > 6:
        copy(db, sys.argv[6])
    db.close()


main()
