EXTRA_DIST += bench/gen_corpus.py
