#!/usr/bin/env python3
"""memscan.py PID: say in which mappings of the process the text on standard input lies.

Prints one line a place, "<kind of mapping> <offset>", and nothing if it lies nowhere.  Exit status
0: looked everywhere it may; 2: the memory can't be read.
"""
import sys

STEP = 1 << 20


def places(pid, needle):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            fields = line.split(None, 5)
            if "r" not in fields[1]:
                continue
            name = fields[5].strip() if len(fields) > 5 else "anonymous"
            if name in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            at, end = (int(x, 16) for x in fields[0].split("-"))
            tail = b""
            while at < end:
                try:
                    mem.seek(at)
                    piece = mem.read(min(STEP, end - at))
                except (OSError, ValueError):
                    at += STEP  # a guard page, or gone meanwhile
                    tail = b""
                    continue
                if not piece:
                    break
                whole = tail + piece
                found = whole.find(needle)
                while found >= 0:
                    yield name, at - len(tail) + found
                    found = whole.find(needle, found + 1)
                tail = whole[-(len(needle) - 1):]
                at += len(piece)


def is_locked(pid, address):
    """Is the page in a mapping that is locked (lo) and kept out of dumps (dd)?"""
    inside = False
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            first = line.split(None, 1)[0]
            if "-" in first and not first.endswith(":"):
                lo, hi = (int(x, 16) for x in first.split("-"))
                inside = lo <= address < hi
            elif inside and first == "VmFlags:":
                flags = line.split()
                return "lo" in flags and "dd" in flags
    return False


def main():
    pid = int(sys.argv[1])
    needle = sys.stdin.buffer.read().strip()
    if len(needle) < 8:
        sys.exit("memscan: that is too short to look for")
    try:
        for name, address in places(pid, needle):
            print("locked" if is_locked(pid, address) else f"unlocked:{name}", hex(address))
    except PermissionError as e:
        print(f"memscan: {e}", file=sys.stderr)
        sys.exit(2)


main()
