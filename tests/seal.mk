# Keys and sealed objects.
check_PROGRAMS += tests/common/unit_keyring tests/bundle/unit_seal tests/bundle/unit_seal_damage tests/bundle/unit_origin
TESTS += tests/common/unit_keyring tests/bundle/unit_seal tests/bundle/unit_seal_damage tests/bundle/unit_origin
tests_common_unit_keyring_SOURCES = tests/common/unit_keyring.c
tests_common_unit_keyring_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
tests_bundle_unit_seal_SOURCES = tests/bundle/unit_seal.c
tests_bundle_unit_seal_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_bundle_unit_origin_SOURCES = tests/bundle/unit_origin.c
tests_bundle_unit_origin_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_bundle_unit_seal_damage_SOURCES = tests/bundle/unit_seal_damage.c $(bundle_lab)
tests_bundle_unit_seal_damage_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/bundle/cobbleone
tests_bundle_cobbleone_SOURCES = tests/bundle/cobbleone.c
tests_bundle_cobbleone_LDADD = $(bundle_LIBS) $(common_LIBS)
# Against public vectors and python3-cryptography.
dist_check_SCRIPTS += tests/bundle/seal.sh tests/bundle/seal_oracle.py
TESTS += tests/bundle/seal.sh
if ON_LINUX
FUZZ_TARGETS += tests/bundle/fuzz_seal
tests_bundle_fuzz_seal_SOURCES = tests/bundle/fuzz_seal.c
tests_bundle_fuzz_seal_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_bundle_fuzz_seal_LDFLAGS = $(FUZZ_FLAGS)
endif
