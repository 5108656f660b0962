/* Keys: their text, their file, and a command that prints them. */
#include "tests/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/data/bech32.h"
#include "common/config/key_command.h"
#include "common/config/keyring_file.h"
#include "common/config/keyring_open.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#define TEXT0 "ctkey1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sykq2p4"
#define TEXT0_SHOWN \
    "CTKEY1 QQQS-YQCY-Q5RQ-WZQF PG9S-CRGW-PUGP-ZYSN\nZS23-V9CC-RYDP-K8QA-RC0S-YKQ2-P4"
#define ID0 "54205523f9681711ea3597ae1f41871d"

static void fill_key(unsigned char key[KEY_BYTES], int from)
{
    for (int i = 0; i < KEY_BYTES; i++)
        key[i] = (unsigned char)(from + i);
}

static struct keyring *ring_of(int n)
{
    struct keyring *r = keyring_new();
    unsigned char mk[KEY_BYTES];

    for (int i = 0; i < n; i++) {
        fill_key(mk, i);
        assert_non_null(keyring_add(r, mk, 1700000000000 + i, 0));
    }
    return r;
}

/* ---- bech32m: the examples of BIP 350 --------------------------------------------------------
 */

static void bech32m_known_answers(void **state)
{
    static const struct {
        const char *text, *hrp;
        int n;
    } good[] = {
        {"A1LQFN3A", "a", 0},
        {"a1lqfn3a", "a", 0},
        {"an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7h"
         "g6",
         "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber1", 0},
        {"abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", "abcdef", 20},
        {"split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "split", 30},
        {"?1v759aa", "?", 0},
    };
    static const struct {
        const char *text, *hrp;
    } bad[] = {
        {"y1b0jsk6g", "y"},
        {"lt1igcx5c0", "lt"},
        {"in1muywd", "in"},
        {"mm1crxm3i", "mm"},
        {"au1s5cgom", "au"},
        {"M1VUXWEZ", "m"},
        {"16plkw9", ""},
        {"1p2gdwpf", ""},
        {"a1lqfn3", "a"},
        {"", "a"},
        {"a", "a"},
        {"a1", "a"},
        {"a12uel5l", "a"} /* bech32, not bech32m */,
    };
    unsigned char out[40], back[40];
    char text[BECH32_TEXT_MAX + 1];
    struct ct_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(bech32_decode(good[i].text, good[i].hrp, out, (size_t)good[i].n, NULL), 0);
        bech32_encode(good[i].hrp, out, (size_t)good[i].n, text);
        assert_int_equal(strcasecmp(text, good[i].text), 0);
        assert_int_equal(bech32_decode(text, good[i].hrp, back, (size_t)good[i].n, NULL), 0);
        assert_memory_equal(out, back, (size_t)good[i].n);
        assert_int_equal(bech32_decode(good[i].text, good[i].hrp, out, 21, NULL), -1);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(bech32_decode(bad[i].text, bad[i].hrp, out, 0, &err), -1);
        assert_int_equal(err.code, ERR_REFUSED);
    }
}

static void a_key_has_the_text_and_the_ids_of_the_specification(void **state)
{
    struct keyring *r = ring_of(1);
    char text[KEY_TEXT_SIZE], id[UUID_SIZE];
    unsigned char mk[KEY_BYTES];

    (void)state;
    key_text(keyring_first(r), text);
    assert_string_equal(text, TEXT0);
    assert_string_equal(keyring_first(r)->id_hex, ID0);
    assert_int_equal(key_parse(TEXT0_SHOWN, mk, NULL), 0);
    assert_memory_equal(mk, keyring_first(r)->mk, KEY_BYTES);
    assert_int_equal(keyring_opaque_id(r, "6f9619ff-8b86-4011-b42d-00c04fc964ff", id), 0);
    assert_string_equal(id, "7ed70f71-f65b-8dbe-9ffc-f41c26eb5b6c");
    keyring_free(r);
}

static void any_other_character_in_a_text_is_noticed_and_not_repeated(void **state)
{
    static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l1bio$";
    unsigned char mk[KEY_BYTES];
    struct ct_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(TEXT0) - 1; i++) {
        for (const char *c = letters; *c != '\0'; c++) {
            char text[] = TEXT0;
            text[i] = *c;
            if (*c == TEXT0[i])
                continue;
            assert_int_equal(key_parse(text, mk, &err), -1);
            assert_int_equal(err.code, ERR_REFUSED);
            assert_null(strstr(err.msg, "qqqsyqc"));
        }
    }
    for (size_t n = 0; n < sizeof(TEXT0) - 1; n++) {
        char text[] = TEXT0;
        text[n] = '\0';
        assert_int_equal(key_parse(text, mk, &err), -1);
    }
    assert_int_equal(key_parse(TEXT0 "q", mk, &err), -1);
}

/* ---- the ring --------------------------------------------------------------------------------
 */

static void the_first_makes_ids_the_last_seals_and_all_are_found(void **state)
{
    struct keyring *r = ring_of(2);
    unsigned char mk[KEY_BYTES];
    char before[UUID_SIZE], after[UUID_SIZE];
    const struct key *k, *second = keyring_current(r);

    (void)state;
    assert_int_equal(keyring_opaque_id(NULL, "x", before), -1);
    assert_null(keyring_current(NULL));
    assert_int_equal(keyring_opaque_id(r, "x", before), 0);
    k = keyring_generate(r, 5);
    assert_ptr_equal(keyring_current(r), k);
    assert_int_equal(k->created_ms, 5);
    assert_int_equal(keyring_opaque_id(r, "x", after), 0);
    assert_string_equal(before, after);
    assert_int_equal(after[14], '8');
    assert_ptr_equal(keyring_find(r, second->id), second);
    assert_ptr_equal(keyring_add(r, second->mk, 9, 1), second); /* stays where it is */
    assert_ptr_equal(keyring_at(r, 1), second);
    fill_key(mk, 100);
    k = keyring_add(r, mk, 0, 1);
    assert_ptr_equal(keyring_first(r), k);
    assert_int_equal(keyring_n(r), 4);
    assert_null(keyring_at(r, 4));
    keyring_free(r);
}

/* ---- the file --------------------------------------------------------------------------------
 */

static int count_files(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void the_file_keeps_keys_in_order_and_private(void **state)
{
    char *dir = path_join(*state, "c"), *path = path_join(dir, "keyring");
    struct keyring *r = ring_of(3), *back;
    struct stat st;

    assert_int_equal(keyring_load(path, &back, NULL), 0); /* absent: empty */
    assert_int_equal(keyring_n(back), 0);
    keyring_free(back);
    assert_int_equal(keyring_save(path, r, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(keyring_load(path, &back, NULL), 0);
    assert_int_equal(keyring_n(back), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_memory_equal(keyring_at(back, i)->mk, keyring_at(r, i)->mk, KEY_BYTES);
        assert_int_equal(keyring_at(back, i)->created_ms, 1700000000000 + (int64_t)i);
    }
    keyring_free(back);
    keyring_free(r);
    free(path);
    free(dir);
}

static void refused(const char *path, const char *why)
{
    struct keyring *r = NULL;
    struct ct_err err = {0};

    assert_int_equal(keyring_load(path, &r, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (strstr(err.msg, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_null(strstr(err.msg, "qqqsyqc"));
    assert_null(r);
}

static void a_file_that_others_can_read_is_refused_with_the_cure(void **state)
{
    char *path = path_join(*state, "keyring");
    struct keyring *r = ring_of(1);
    struct ct_err err;

    assert_int_equal(keyring_save(path, r, NULL), 0);
    for (mode_t m = 0601; m <= 0677; m++) {
        if ((m & 077) == 0)
            continue;
        assert_int_equal(chmod(path, m), 0);
        refused(path, "chmod 600");
    }
    assert_int_equal(keyring_save(path, r, &err), -1); /* nor is it overwritten */
    assert_int_equal(err.code, ERR_CONFIG);
    keyring_free(r);
    free(path);
}

static void a_file_of_another_user_is_refused(void **state)
{
    char *path = path_join(*state, "keyring");
    struct keyring *r = ring_of(1);

    if (geteuid() != 0)
        skip();
    assert_int_equal(keyring_save(path, r, NULL), 0);
    assert_int_equal(chown(path, 65534, 65534), 0);
    refused(path, "belongs to another user");
    keyring_free(r);
    free(path);
}

static void a_damaged_file_is_refused_and_left_alone(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"format\": \"codeteleport-keyring-1\"}",
        "{\"format\": \"codeteleport-keyring-1\", \"keys\": [{}]}",
        "{\"format\": \"codeteleport-keyring-1\", \"keys\": [{\"id\": \"" ID0 "\"}]}",
        "{\"format\": \"codeteleport-keyring-1\", \"keys\": [{\"id\": "
        "\"64205523f9681711ea3597ae1f41871d\", \"key\": \"" TEXT0 "\"}]}",
        "{\"format\": \"codeteleport-keyring-1\", \"keys\": [{\"id\": \"" ID0
        "\", \"key\": \"" TEXT0 "\"}]",
    };
    struct keyring *r = ring_of(1);
    struct ct_err err;
    struct stat st;
    char *path;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        path = unit_write(*state, "keyring", texts[i], 0600);
        refused(path, "is damaged");
        assert_int_equal(keyring_save(path, r, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, strlen(texts[i]));
        free(path);
    }
    path = unit_write(*state, "keyring", "{\"format\": \"codeteleport-keyring-2\"}", 0600);
    refused(path, "newer version");
    free(path);
    path = path_join(*state, "folder");
    assert_int_equal(mkdir(path, 0700), 0);
    refused(path, "not a regular file");
    free(path);
    path = path_join(*state, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    refused(path, "not a regular file");
    free(path);
    keyring_free(r);
}

static void every_bit_of_the_file_counts_or_is_harmless(void **state)
{
    char *path = path_join(*state, "keyring"), text[2048];
    struct keyring *r = ring_of(1), *back;
    size_t n;
    FILE *f;

    assert_int_equal(keyring_save(path, r, NULL), 0);
    f = fopen(path, "r");
    n = fread(text, 1, sizeof(text), f);
    fclose(f);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        f = fopen(path, "w");
        assert_int_equal(fwrite(text, 1, n, f), n);
        fclose(f);
        back = NULL;
        if (keyring_load(path, &back, NULL) == 0 && keyring_n(back) > 0) {
            assert_int_equal(keyring_n(back), 1);
            assert_memory_equal(keyring_first(back)->mk, keyring_first(r)->mk, KEY_BYTES);
        }
        keyring_free(back);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    keyring_free(r);
    free(path);
}

static void a_change_leaves_a_backup_and_no_key_is_ever_lost(void **state)
{
    char *dir = path_join(*state, "c"), *path = path_join(dir, "keyring");
    struct keyring *r = ring_of(1), *other = ring_of(2);
    struct ct_err err;

    assert_int_equal(keyring_save(path, r, NULL), 0);
    assert_int_equal(keyring_save(path, r, NULL), 0); /* no change, no backup */
    assert_int_equal(count_files(dir), 1);
    assert_int_equal(keyring_save(path, other, NULL), 0);
    assert_int_equal(count_files(dir), 2);
    assert_int_equal(keyring_save(path, r, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    for (int i = 0; i < 20; i++) {
        keyring_generate(other, i + 1);
        assert_int_equal(keyring_save(path, other, NULL), 0);
    }
    assert_int_equal(count_files(dir), 6); /* the older ones held no other key */

    /* The keyring is moved away and made anew: the backups have what it has not. */
    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < 10; i++) {
        keyring_generate(r, i + 1);
        assert_int_equal(keyring_save(path, r, NULL), 0);
    }
    assert_int_equal(count_files(dir), 1 + 5 + 5);
    keyring_free(r);
    keyring_free(other);
    free(path);
    free(dir);
}

/* ---- key_command -----------------------------------------------------------------------------
 */

static void command_fails(const char *command, int timeout_ms, const char *why)
{
    struct ct_err err = {0};
    char *out = NULL;

    assert_int_equal(key_command_run(command, timeout_ms, &out, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (strstr(err.msg, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_null(out);
}

static void a_command_that_fails_hangs_or_prints_too_much_is_an_error(void **state)
{
    int64_t begun = now_mono_ms();

    (void)state;
    command_fails("echo secret; exit 3", 60000, "exit status 3");
    command_fails("kill -9 $$", 60000, "signal 9");
    command_fails("/nonexistent/command 2>/dev/null", 60000, "exit status 127");
    command_fails("exec sleep 1000", 100, "in time");
    command_fails("exec >&-; exec sleep 1000", 100, "in time");
    command_fails("exec yes", 60000, "more than keys");
    command_fails("printf 'a\\0b'", 60000, "no text");
    assert_true(now_mono_ms() - begun < 60000);
}

static void it_gets_no_input_no_descriptors_and_the_usual_signals(void **state)
{
    FILE *usual = popen("ls /proc/self/fd | wc -l", "re"); /* what we have inherited ourselves */
    char *out = NULL, expected[16];
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    assert_non_null(fgets(expected, sizeof(expected), usual));
    pclose(usual);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(key_command_run("cat; ls /proc/self/fd | wc -l", 60000, &out, NULL), 0);
    assert_string_equal(out, expected);
    secret_free(out);
    out = NULL;
    command_fails("yes 2>/dev/null | head -n 1 >/dev/null; exit 4", 60000, "status 4");
    assert_true(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    close(fd);
}

static void the_ring_comes_from_the_command_oldest_first(void **state)
{
    struct config config = {0};
    struct keyring *r = NULL;
    struct ct_err err;
    char text[KEY_TEXT_SIZE], *two;
    struct keyring *known = ring_of(2);

    (void)state;
    key_text(keyring_current(known), text);
    two = str_printf("printf '" TEXT0 "\\n\\n  %s\\n'", text);
    config.key_command = two;
    assert_int_equal(keyring_open(&config, &r, NULL), 0);
    assert_int_equal(keyring_n(r), 2);
    assert_string_equal(keyring_first(r)->id_hex, ID0);
    assert_string_equal(keyring_current(r)->id_hex, keyring_current(known)->id_hex);
    keyring_free(r);
    r = NULL;
    config.key_command = str_dup("true");
    assert_int_equal(keyring_open(&config, &r, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "prints no key"));
    free(config.key_command);
    config.key_command = str_dup("echo; echo qqqsyqcgarbage");
    assert_int_equal(keyring_open(&config, &r, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "line 2"));
    assert_null(strstr(err.msg, "qqqsyqc"));
    free(config.key_command);
    assert_null(r);
    free(two);
    keyring_free(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bech32m_known_answers),
        cmocka_unit_test(a_key_has_the_text_and_the_ids_of_the_specification),
        cmocka_unit_test(any_other_character_in_a_text_is_noticed_and_not_repeated),
        cmocka_unit_test(the_first_makes_ids_the_last_seals_and_all_are_found),
        UNIT(the_file_keeps_keys_in_order_and_private),
        UNIT(a_file_that_others_can_read_is_refused_with_the_cure),
        UNIT(a_file_of_another_user_is_refused),
        UNIT(a_damaged_file_is_refused_and_left_alone),
        UNIT(every_bit_of_the_file_counts_or_is_harmless),
        UNIT(a_change_leaves_a_backup_and_no_key_is_ever_lost),
        cmocka_unit_test(a_command_that_fails_hangs_or_prints_too_much_is_an_error),
        cmocka_unit_test(it_gets_no_input_no_descriptors_and_the_usual_signals),
        cmocka_unit_test(the_ring_comes_from_the_command_oldest_first),
    };

    secret_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
