noinst_LIBRARIES += bundle/libbundle.a
bundle_libbundle_a_SOURCES = \
  bundle/compare/compare.c bundle/compare/compare.h \
  bundle/compare/merge.c bundle/compare/merge.h \
  bundle/compare/rest.c bundle/compare/rest.h \
  bundle/format/entry.c bundle/format/entry.h \
  bundle/format/meta.c bundle/format/meta.h \
  bundle/format/gzip.c bundle/format/gzip.h \
  bundle/format/tarhead.c bundle/format/tarhead.h \
  bundle/install/across.c bundle/install/across.h \
  bundle/install/adopted.c bundle/install/adopted.h \
  bundle/install/origin.c bundle/install/origin.h \
  bundle/install/both.c bundle/install/both.h \
  bundle/install/destination.c bundle/install/destination.h \
  bundle/install/dirlock.c bundle/install/dirlock.h \
  bundle/install/gather.c bundle/install/gather.h \
  bundle/install/git_root.c bundle/install/git_root.h \
  bundle/install/install.c bundle/install/install.h \
  bundle/install/local.c bundle/install/local.h \
  bundle/install/plan.c bundle/install/plan.h \
  bundle/install/prompts.c bundle/install/prompts.h \
  bundle/install/publish.c bundle/install/publish.h bundle/install/publishing.h \
  bundle/install/renew.c bundle/install/renew.h \
  bundle/install/roots.c bundle/install/roots.h \
  bundle/install/stage.c bundle/install/stage.h \
  bundle/install/verify.c bundle/install/verify.h \
  bundle/leak/leak.c bundle/leak/leak.h bundle/leak/leak_impl.h \
  bundle/leak/leak_default.h \
  bundle/leak/leak_rules.c \
  bundle/leak/leak_words.c bundle/leak/leak_words.h \
  bundle/open/extraction.c bundle/open/extraction.h \
  bundle/open/generations.c bundle/open/generations.h \
  bundle/open/gunzip.c bundle/open/gunzip.h \
  bundle/open/held.c bundle/open/held.h \
  bundle/open/landing.c bundle/open/landing.h \
  bundle/open/open.c bundle/open/open.h \
  bundle/open/open_extract.c \
  bundle/open/open_extras.c bundle/open/open_extras.h \
  bundle/open/open_inside.h \
  bundle/open/open_name.c bundle/open/open_name.h \
  bundle/open/records.c bundle/open/records.h \
  bundle/open/source.c bundle/open/source.h \
  bundle/open/untar.c bundle/open/untar.h \
  bundle/open/working_files.c bundle/open/working_files.h \
  bundle/pack/cache.c bundle/pack/cache.h \
  bundle/pack/cache_index.c bundle/pack/cache_index.h \
  bundle/pack/cache_trim.c bundle/pack/cache_trim.h \
  bundle/pack/compress.h \
  bundle/pack/content.c bundle/pack/content.h \
  bundle/pack/content_id.c bundle/pack/content_id.h \
  bundle/pack/guard.h \
  bundle/pack/leaks.c bundle/pack/leaks.h \
  bundle/pack/manifest.c bundle/pack/manifest.h \
  bundle/pack/origin.c bundle/pack/origin.h \
  bundle/pack/beside.c bundle/pack/beside.h \
  bundle/pack/others.c bundle/pack/others.h \
  bundle/pack/out.c bundle/pack/out.h \
  bundle/pack/pack.c bundle/pack/pack.h \
  bundle/pack/pack_meta.c bundle/pack/pack_meta.h \
  bundle/pack/snapshot.c bundle/pack/snapshot.h \
  bundle/pack/stub.c bundle/pack/stub.h \
  bundle/pack/survey.c bundle/pack/survey.h \
  bundle/relocate/relocate.c bundle/relocate/relocate.h \
  bundle/relocate/relocate_lex.c bundle/relocate/relocate_lex.h \
  bundle/relocate/relocate_edge.c bundle/relocate/relocate_edge.h \
  bundle/relocate/relocate_match.c bundle/relocate/relocate_match.h \
  bundle/seal/cobble.h \
  bundle/seal/cobble_core.c bundle/seal/cobble_core.h \
  bundle/seal/cobble_reader.c \
  bundle/seal/cobble_writer.c \
  bundle/seal/seal.c bundle/seal/seal.h \
  bundle/seal/sealed.c bundle/seal/sealed.h \
  bundle/seal/sealer.c \
  bundle/seal/unsealer.c \
  bundle/seal/vault.c bundle/seal/vault.h
# One compressor.
if WITH_LIBDEFLATE
bundle_libbundle_a_SOURCES += bundle/pack/compress_libdeflate.c
EXTRA_DIST += bundle/pack/compress_zlib.c
else
bundle_libbundle_a_SOURCES += bundle/pack/compress_zlib.c
EXTRA_DIST += bundle/pack/compress_libdeflate.c
endif
bundle_LIBS = bundle/libbundle.a agents/libagents.a $(ARCHIVE_LIBS) $(DEFLATE_LIBS) $(ZLIB_LIBS) $(PCRE2_LIBS) -lm

# Our own rules are compiled in; the file is there to be copied.
scanrulesdir = $(datadir)/codeteleport
dist_scanrules_DATA = bundle/leak/scan-rules.json
nodist_bundle_libbundle_a_SOURCES = bundle/leak/leak_default.c
bundle/leak/leak_default.c: bundle/leak/scan-rules.json
	$(AM_V_GEN)$(MKDIR_P) bundle/leak && { \
	  echo '#include "bundle/leak/leak_default.h"'; echo; echo 'const char leak_default[] ='; \
	  $(SED) -e 's/\\/\\\\/g; s/"/\\"/g; s/^/    "/; s/$$/\\n"/' \
	    $(srcdir)/bundle/leak/scan-rules.json; echo '    "";'; \
	} >$@.tmp && mv -f $@.tmp $@
CLEANFILES += bundle/leak/leak_default.c bundle/leak/leak_default.c.tmp
EXTRA_DIST += bundle/README.md bundle/compare/README.md bundle/format/README.md bundle/install/README.md \
  bundle/leak/README.md bundle/open/README.md bundle/pack/README.md bundle/relocate/README.md \
  bundle/seal/README.md
