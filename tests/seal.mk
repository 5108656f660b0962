# Keys and sealed objects.
check_PROGRAMS += tests/unit_keyring tests/unit_seal tests/unit_seal_damage
TESTS += tests/unit_keyring tests/unit_seal tests/unit_seal_damage
tests_unit_keyring_SOURCES = tests/unit_keyring.c
tests_unit_keyring_LDADD = $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_seal_SOURCES = tests/unit_seal.c
tests_unit_seal_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
tests_unit_seal_damage_SOURCES = tests/unit_seal_damage.c $(bundle_lab)
tests_unit_seal_damage_LDADD = $(bundle_LIBS) $(common_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/cobbleone
tests_cobbleone_SOURCES = tests/cobbleone.c
tests_cobbleone_LDADD = $(bundle_LIBS) $(common_LIBS)
# Against public vectors and python3-cryptography.
dist_check_SCRIPTS += tests/seal.sh tests/seal_oracle.py
TESTS += tests/seal.sh
FUZZ_TARGETS += tests/fuzz_seal
tests_fuzz_seal_SOURCES = tests/fuzz_seal.c
tests_fuzz_seal_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_fuzz_seal_LDFLAGS = $(FUZZ_FLAGS)
