noinst_LIBRARIES += bundle/libbundle.a
bundle_libbundle_a_SOURCES = \
  bundle/adopted.c bundle/adopted.h \
  bundle/cache.c bundle/cache.h \
  bundle/cache_index.c bundle/cache_index.h \
  bundle/cache_trim.c bundle/cache_trim.h \
  bundle/cobble.h \
  bundle/cobble_core.c bundle/cobble_core.h \
  bundle/cobble_reader.c \
  bundle/cobble_writer.c \
  bundle/compare.c bundle/compare.h \
  bundle/compress.h \
  bundle/content.c bundle/content.h \
  bundle/content_id.c bundle/content_id.h \
  bundle/dirlock.c bundle/dirlock.h \
  bundle/extraction.h \
  bundle/gather.c bundle/gather.h \
  bundle/gunzip.c bundle/gunzip.h \
  bundle/gzip.c bundle/gzip.h \
  bundle/install.c bundle/install.h \
  bundle/landing.c bundle/landing.h \
  bundle/leak.c bundle/leak.h bundle/leak_impl.h \
  bundle/leak_default.h \
  bundle/leak_rules.c \
  bundle/leak_words.c bundle/leak_words.h \
  bundle/leaks.c bundle/leaks.h \
  bundle/local.c bundle/local.h \
  bundle/merge.c bundle/merge.h \
  bundle/open.c bundle/open.h \
  bundle/open_extract.c \
  bundle/open_extras.c \
  bundle/open_inside.h \
  bundle/open_meta.c bundle/open_meta.h \
  bundle/open_name.c bundle/open_name.h \
  bundle/origin.c bundle/origin.h \
  bundle/out.c bundle/out.h \
  bundle/pack.c bundle/pack.h \
  bundle/pack_meta.c bundle/pack_meta.h \
  bundle/places.c bundle/places.h \
  bundle/plan.c bundle/plan.h \
  bundle/prompts.c bundle/prompts.h \
  bundle/publish.c bundle/publish.h \
  bundle/records.c bundle/records.h \
  bundle/relocate.c bundle/relocate.h \
  bundle/relocate_edge.c bundle/relocate_edge.h \
  bundle/relocate_match.c bundle/relocate_match.h \
  bundle/renew.c bundle/renew.h \
  bundle/seal.c bundle/seal.h \
  bundle/sealed.c bundle/sealed.h \
  bundle/sealer.c \
  bundle/seen.c bundle/seen.h \
  bundle/snapshot.c bundle/snapshot.h \
  bundle/source.c bundle/source.h \
  bundle/stage.c bundle/stage.h \
  bundle/survey.c bundle/survey.h \
  bundle/tarhead.c bundle/tarhead.h \
  bundle/unsealer.c \
  bundle/untar.c bundle/untar.h \
  bundle/vault.c bundle/vault.h \
  bundle/verify.c bundle/verify.h
# One compressor.
if WITH_LIBDEFLATE
bundle_libbundle_a_SOURCES += bundle/compress_libdeflate.c
EXTRA_DIST += bundle/compress_zlib.c
else
bundle_libbundle_a_SOURCES += bundle/compress_zlib.c
EXTRA_DIST += bundle/compress_libdeflate.c
endif
bundle_LIBS = bundle/libbundle.a agents/libagents.a $(ARCHIVE_LIBS) $(DEFLATE_LIBS) $(ZLIB_LIBS) $(PCRE2_LIBS) -lm

# Our own rules are compiled in; the file is there to be copied.
scanrulesdir = $(datadir)/codeteleport
dist_scanrules_DATA = bundle/scan-rules.toml
nodist_bundle_libbundle_a_SOURCES = bundle/leak_default.c
bundle/leak_default.c: bundle/scan-rules.toml
	$(AM_V_GEN)$(MKDIR_P) bundle && { \
	  echo '#include "bundle/leak_default.h"'; echo; echo 'const char leak_default[] ='; \
	  $(SED) -e 's/\\/\\\\/g; s/"/\\"/g; s/^/    "/; s/$$/\\n"/' \
	    $(srcdir)/bundle/scan-rules.toml; echo '    "";'; \
	} >$@.tmp && mv -f $@.tmp $@
CLEANFILES += bundle/leak_default.c bundle/leak_default.c.tmp
