#!/bin/sh
# Every command of ctctl that a message, a help text, a manual page or README names is there: its verb,
# the word after it, its options.  Prints TAP.
cd "${CT_SRC:-$(dirname "$0")/..}" || exit 1
CTCTL=${CT_BUILD:-.}/bin/ctctl exec python3 - <<'PY'
import functools, glob, os, re, subprocess, sys

LITERAL = r'"(?:[^"\\\n]|\\.)*"'
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|' + r"'(?:[^'\\\n]|\\.)+'|" + LITERAL, re.S)
# Between two literals that the compiler joins: blanks, and names of macros such as PRId64.
JOINED = re.compile(LITERAL + r'(?:\s*(?:[A-Z][A-Za-z0-9_]*\s*)*' + LITERAL + r')*')
COMMAND = re.compile(r'(?<![\w./-])ctctl((?: [^\s]+)+)')
ARGUMENT = re.compile(r'-$|[%A-Z0-9./~$<]')
PROSE = {'is', 'was', 'waits'}  # what ctctl itself does
GLOBAL = {'--json', '--socket', '--help', '--version'}


@functools.cache
def help_of(verb):
    done = subprocess.run([os.environ['CTCTL'], verb, '--help'], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ''


def sub_words(verb):
    """The words that may follow: key import.  Empty if none."""
    usage = help_of(verb).split('\n\n')[0].split(verb, 1)[1]
    return set(re.findall(r'(?:^|[\[|])\s*([a-z]+)', usage))


def faults(command):
    """What is wrong with the words after "ctctl"; prose that follows a command ends it."""
    words = command.split()
    while words and words[0] in GLOBAL:
        words = words[2:] if words[0] == '--socket' else words[1:]
    verb = words[0].rstrip('.,;:)') if words else ''
    if not re.fullmatch(r'[a-z]+', verb) or verb in PROSE:
        return
    if not help_of(verb):
        yield 'there is no verb ' + verb
        return
    is_first = True
    for i, word in enumerate(words):
        if i > 0:
            option = re.match(r'\[?(--?[a-zA-Z][a-z-]*)', word)
            if option:
                if option[1] not in GLOBAL and not re.search(
                        re.escape(option[1]) + r'(?![a-z-])', help_of(verb)):
                    yield verb + ' has no ' + option[1]
            elif re.match(r'[a-z]+[.,;:)]*$', word) and is_first and sub_words(verb):
                if word.rstrip('.,;:)') not in sub_words(verb):
                    yield verb + ' has no ' + word
            elif not ARGUMENT.match(word):
                return
            is_first = False
        if re.search(r'[.,;:)|]$', word):
            return


def texts_of_c(path):
    source = TOKEN.sub(lambda m: m[0] if m[0][0] == '"' else ' ', open(path).read())
    for m in JOINED.finditer(source):
        if '#include' not in source[source.rfind('\n', 0, m.start()) + 1:m.start()]:
            joined = re.sub(r'"(\s*(?:[A-Z]\w*\s*)*)"', lambda g: 'N' if g[1].strip() else '', m[0][1:-1])
            yield re.sub(r'\\(.)', lambda g: {'n': '\n'}.get(g[1], g[1]), joined)


def texts_of_man(path):
    """mdoc as it is read: Fl Fl x is --x, and a line of a verb in Cm is a command."""
    page = os.path.basename(path)
    for line in open(path):
        line = line.replace('Oo Fl Oc ', '- ')
        line = re.sub(r'\b(Ns|No|Op|Oo|Oc|Po|Pc|Pq|Ar|Li|Ql|Dq|Ic|Sy|It|Pf|Xr) ', '', line.rstrip('\n'))
        line = re.sub(r'Fl Fl ', '--', line).replace(' | ', ' ')
        if page == 'ctctl.1':
            verb = re.match(r'\.(?:Nm )?Cm ([a-z]+)', line)
            line = re.sub(r'^\.(Nm )?Cm ', '.ctctl ', line) if verb and help_of(verb[1]) else line
        line = re.sub(r' Cm (?=[a-z])', ' ', line)
        yield re.sub(r'^\.([A-Z][a-z] )?', '', line)


def texts_of_readme(path):
    text = open(path).read()
    for block in re.findall(r'^```.*?^```', text, re.M | re.S):
        yield from block.splitlines()
    text = re.sub(r'^```.*?^```', '', text, flags=re.M | re.S)
    yield from re.findall(r'^    .*$', text, re.M)
    yield from (s.replace('\n', ' ') for s in re.findall(r'`([^`]+)`', text))


ROOMS = 'common net agents ipc api bundle watcher uploader server ctctl daemon'.split()
SOURCES = [
    ('messages and help texts', texts_of_c,
     sorted(p for r in ROOMS for p in glob.glob(r + '/**/*.[ch]', recursive=True))),
    ('manual pages', texts_of_man, sorted(glob.glob('man/*.[1-8]'))),
    ('README', texts_of_readme, ['README.md']),
]
bad = False
print('1..%d' % (2 * len(SOURCES)))
for n, (what, texts_of, paths) in enumerate(SOURCES):
    seen, wrong = 0, []
    for path in paths:
        for text in texts_of(path):
            for m in COMMAND.finditer(text):
                seen += 1
                wrong += ['%s: %s: ctctl%s' % (path, f, m[1]) for f in faults(m[1])]
    print('%sok %d - %s name commands' % ('' if seen > 10 else 'not ', 2 * n + 1, what))
    print('%sok %d - every command that %s name is there' % ('not ' if wrong else '', 2 * n + 2, what))
    print(''.join('# %s\n' % w for w in wrong), end='')
    bad = bad or wrong or seen <= 10
sys.exit(bool(bad))
PY
