#include "tests/unit.h"

#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/auth/jwks.h"

/* Made once with node:crypto; the private keys are gone.  Each says {"sub":"al"}. */
#define KEYS \
    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"9kEucZNjKhTLr_n7wN3E-KEtkCT5s2PekwyKYC_VYpcV1bNQfhdql-" \
    "wbm" \
    "_qrjSbNv4NlO9anejrA-RcQjY-NBxotDgEg-NlsJ29r9MUx7RUR1d1P-7o3T4jGFJH76AMR68r0ZGCJqKjxr" \
    "sDzy1dPBg6Wfd2VQPFSzyNly9gA9M8xr_NAqr_yam1UU9xRU_pu098Qi_jCCGDFN7dMdaA22DfajQ1Zr0AbM" \
    "AGgRI2yp7-KUkuDeaVjkJ26nTjojO0SERg4fN-XHCkO-cuPmqZWBBR9bNMZfraWtlqqGtf8mgLoZ9GlH5DAE" \
    "ToNUtZPYoYY_7yUxLxzWZnl_JTtZV4OCw\",\"e\":\"AQAB\",\"use\":\"sig\",\"kid\":\"r\"},{\"kty\":" \
    "\"EC\",\"x\"" \
    ":\"rGypQVWgg11WlLrpuhPORYoz0GhRFfKvNwGzylMsbzw\",\"y\":\"hFttu5t8Nm0Omr-6cBhYIskuA9N-B0-y" \
    "3APUQLJU8MI\",\"crv\":\"P-256\",\"use\":\"sig\",\"kid\":\"e\"},{\"kty\":\"RSA\",\"n\":" \
    "\"qgpl1-cblcQLuEHn" \
    "th84GhyDw_XW0AlUnMbsc30tZTEiTXM_OGlHg7Fgxq-ppYron8a_YwV089LZbqI-bGFIvjl18dOcRcHNIZc3" \
    "KdimTCrKU7shLDBrDH4HpYmIJf759264Yxtjsx8YqnDPo0nXstXmIIUR_30bwiytnI0b9Ns\",\"e\":\"AQAB\"," \
    "\"use\":\"sig\",\"kid\":\"w\"},{\"kty\":\"EC\",\"x\":" \
    "\"0LJhCwrgsJznOYnqKd797Cp5CO1yxKdaC7OJs32cwe7r" \
    "7eGox5-zI5C1oYtltQVd\",\"y\":\"7njQASAmQ8Lz6n_HKg80xXT0Vzu0fQpIFQIdzdD7jGmDYYd2zK8tkhnvp" \
    "1r-iGj_\",\"crv\":\"P-384\",\"use\":\"sig\",\"kid\":\"p\"},{\"kty\":\"RSA\",\"n\":" \
    "\"9kEucZNjKhTLr_n7wN3E" \
    "-KEtkCT5s2PekwyKYC_VYpcV1bNQfhdql-wbm_qrjSbNv4NlO9anejrA-RcQjY-NBxotDgEg-NlsJ29r9MUx" \
    "7RUR1d1P-7o3T4jGFJH76AMR68r0ZGCJqKjxrsDzy1dPBg6Wfd2VQPFSzyNly9gA9M8xr_NAqr_yam1UU9xR" \
    "U_pu098Qi_jCCGDFN7dMdaA22DfajQ1Zr0AbMAGgRI2yp7-KUkuDeaVjkJ26nTjojO0SERg4fN-XHCkO-cuP" \
    "mqZWBBR9bNMZfraWtlqqGtf8mgLoZ9GlH5DAEToNUtZPYoYY_7yUxLxzWZnl_JTtZV4OCw\",\"e\":\"AQAB\",\"" \
    "use\":\"enc\",\"kid\":\"enc\"}]}"
#define RS \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.eyJzdWIiOiJhbCJ9.2oIlTP5kWsg_ppUEuuV_xgsuHzlPgxP2" \
    "lWZXSOyqJ7x1PsdgI4NZ7exrjyd7Jo_KiJayp5j9G0B_GMiq-OmV4y0_m4yVX4E-qc3F192qW6MO32zitvSY" \
    "p9bWOw614Xq9rJEMKByBLPkaPon0eSnGe2NN9ATQbFzHhEHPp4gSFZ19XDUQstMaWkJM8mMIfXUuwPT7TlQv" \
    "_klUh1r_YqsDTusupK1BQk5cRJOcwkGaDOGwxM_aewCDS2rvJH4zB9dilDqCugxZ8YJAjhPXyByQXX6APlTT" \
    "NxX2_y8cJE-HzTvBDCVFOG94P_4T10dlANukSjKsgFN62HjD002RtqRWzw"
#define ES \
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUifQ.eyJzdWIiOiJhbCJ9.Y_NU3RqngyB0-JZ_nSPUBNl-qB2lPERV" \
    "OtQCvxcKPKEg1U04le2UAVfYLn5ftG2vnQ-S4HSaiqeq_Grt5OCfAg"
#define NO_KID \
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbCJ9.Q0hqOHRqHd3wSPioX1blXvDnhpdBc_t2rQqDGq1Nf5t12M" \
    "4aloaEGM9Z-EeTcwBaiIfLkereqYo-rhkoXDnVf-ogVUkjW9iXOEQp8_brzvnHeffDjTRmdKLqUt2M4UlKwr" \
    "KZpn1p6Pa4n_3Pj50knoNaf4Gbp5__eBjTL4VxHOFpAoi2GK6euL4ese8V9CW7NqJ2QtQ-YHmJHPWusBDBvq" \
    "AOeve1pM4jFE8sQ45o3a_z20Uoy2XS3qvq3EmNwdoeOb3X0cN1pPv0ysARU_FKNOT1xQnbPTBKGrdX8yDqx9" \
    "f5udtdTmR9GiTQUr8Glr0LebD9WrKYcEsCRBu_G0sX9A"
#define OTHER_KID \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImUifQ.eyJzdWIiOiJhbCJ9.s5UE_0thPO_ukvdGoY8Dkh8zhxubQqLs" \
    "cABNwjOnrPF0Xp8umU3Oubyrrvju2EeMee7_07jCyAsbq4Np7PN_imTg5-QigvunOYyIgbxkHyLVZccjtPSI" \
    "fFrvowzZxUGW_ECMSV_N4r5-sefPQ0ko4L6Fq6rmpy6DAi_9_IAxU9lKFD9YMqjrKmfVr8tv0sYo6HjDgxha" \
    "-hdihJis1Y-k4YkOykUN6HAkPGQlYDNzRyKiBd32pIqNfQKQ99O9wpjGER13DT-dzAx6BhWgKmHdxVbZCrhu" \
    "CNEjg2-LNkIh5tCv1HtPGDOTDnfMTZIJB4oseLMC8e94TM8tiOBr_7WoTQ"
#define WEAK \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IncifQ.eyJzdWIiOiJhbCJ9.OZbIzgwz1LSTh5PQr5RXhGRrZYf2uv6y" \
    "k06ltHGFh0xQOW7WwLQiu6SESOaMQqNUawg7li29R-9cdVTnY5EP7ntXgHBc-D90RNEpEjsl5mV4meSPVPs6" \
    "I2_jOM-V9AyNtxMXVcNutvRTRUeih2ufOJaqphsn1m-rxMZvEojuUjw"
#define CURVE \
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InAifQ.eyJzdWIiOiJhbCJ9.Mskgj6nFDKCavsBYV_guGR54ptqPeXgZ" \
    "VuvDCfS6nMHZKGQ60alNYYxRc3VknbO8kDALVbvnqGXRM_TQ4BknQtGY48qOa0-VNjTtCJv2cFITIuSYv78b" \
    "D9hfCJAeZ68I"
#define DER \
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUifQ.eyJzdWIiOiJhbCJ9.MEYCIQC-oDJzePuGj0JwB48yUlDwmxZg" \
    "p9TgEnBPYVovO8zx2wIhAJ_uiqO58iQ9UI24CSQjGBeloylR7x0qAXOk0daLXR3t"
#define HMAC \
    "eyJhbGciOiJIUzI1NiIsImtpZCI6InIifQ.eyJzdWIiOiJhbCJ9.wHLYFAIRXevgsKwZT1KVxH7IlMvRDm7c" \
    "0LmoVmFghs4"
#define NONE "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbCJ9."
#define CRIT \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InIiLCJjcml0IjpbIngiXX0.eyJzdWIiOiJhbCJ9.48JRJB7BKkh6fEG" \
    "rugg5DkPiESYRzXuju7FJIRD5hIRiHLZ8SM7A2MUbi5IG74X33Z2ta9yMocz43RJtIqOMvG2UdS15iJUEklN" \
    "dT902yt0U_ayU8n1vEn0Coyx0fXjxRVWNfceoKTXK0yKLs8VJyc7qoncbuDpkk2AsOyouMTT9PFA3gBUT1-C" \
    "EGWwq2qyLT-QYqvv2fiHFOU1ncq5Fwv_j2AYZiyCbjjqh3kamSSOe1aQwXEn3vjZw8O1hT_z8j99CEeI674X" \
    "DdkqDBDhv09UIaPTBi-Bk33ZuKZt9FBsUH4GDijjcXvM5WjbuB-H6rOsilshCaqOUDL6m4u-Lww"
#define ENC \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImVuYyJ9.eyJzdWIiOiJhbCJ9.1_XensR-8xS7BHvI9i8bqGMOS5DR1v" \
    "o4nmK82tVMIxM1CJ_3rUAkRO7-mE4fJPRHx-uaMvpY193XkYs9DOSerDCMsgVahvB_T2yO3V5uxHdN40NCFh" \
    "BF0C0enHET6Qo6FaBrJCkbjkh_W3ic4fNnLBNelNII80MDNuGuk0P-yGyp14ZeseTeFcFnvitVsUcM1eNlB-" \
    "ekqIyLU923sLOAlyqi2cwy6qgVxeW4xzvmKYiYpllLDkbHoRXwGvRZdkZGQAHWVA1GL7SsayH83kdsekrX1u" \
    "veIs8fZuWMtSmJ6iguE3_8A0prdPZyYTYgsVMyLYSkqVePO03xNB1DWGJplQ"
#define MIXED \
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InIifQ.eyJzdWIiOiJhbCJ9.5nCkzt50AyNzpmRGYyu-1CzuBUMM1Ygn" \
    "8dj8hAdU4wOmAkQb_EmL9LUySLT5H-3WuQN_ETPhPU-1EtCXca5kLvkh_H3uupD8f7BXv678tu4dK-BuPE7P" \
    "Dr5Hk9gr7DPV0RyWSzTGhfDjuCiDzLdMZ3w02FWsWWRI2pxMl3SGqdkQTUtqEgpd0SlVuHhiM1OeynA6tGPb" \
    "iP4S9S14ZBjQ_ZGj40LdgyEz9apQ4GcBJ_SCo1LiBGyMtiRk6HpogdQaaIKH4mTWQQgauZCvY6KmCr0E6DiO" \
    "WSJVjZNXOup-P4xwECiP-eFrHn9ABHYdgRbV6YeSDlCWwACBcktcorX9Ig"

/* "al", or the error's code. */
static char *who(const char *keys, const char *token)
{
    struct json_object *set = NULL, *claims;
    struct ct_err err;
    char *text;

    assert_int_equal(jdoc_parse(keys, strlen(keys), &set, &err), 0);
    if (jwks_verify(set, token, &claims, &err) != 0) {
        text = str_dup(err_name(err.code));
    } else {
        text = str_dup(jdoc_str(claims, "sub"));
        json_object_put(claims);
    }
    json_object_put(set);
    return text;
}

static void only_a_known_key_and_its_own_algorithm_count(void **state)
{
    static const struct {
        const char *token, *who;
    } cases[] = {{RS, "al"},     {ES, "al"},      {NO_KID, "al"}, {OTHER_KID, "auth"},
                 {WEAK, "auth"}, {CURVE, "auth"}, {DER, "auth"},  {HMAC, "auth"},
                 {NONE, "auth"}, {CRIT, "auth"},  {ENC, "auth"},  {MIXED, "auth"},
                 {"", "auth"},   {"..", "auth"},  {"a.b", "auth"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *got = who(KEYS, cases[i].token);
        assert_string_equal(got, cases[i].who);
        free(got);
        got = who("{\"keys\":[{},7,null,{\"kty\":\"RSA\"},{\"kty\":\"EC\",\"crv\":\"P-256\"}]}",
                  cases[i].token);
        assert_string_equal(got, "auth");
        free(got);
    }
}

/* But the last characters of a part, which may stand for the same bytes. */
static void no_character_of_a_token_can_be_another_one(void **state)
{
    static const char *const tokens[] = {RS, ES};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *token = str_dup(tokens[i]);
        for (size_t k = 0; k + 1 < strlen(token); k++) {
            char was = token[k], *got;
            if (was == '.' || token[k + 1] == '.')
                continue;
            token[k] = was == 'A' ? 'B' : 'A';
            got = who(KEYS, token);
            assert_string_equal(got, "auth");
            free(got);
            token[k] = was;
        }
        free(token);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_known_key_and_its_own_algorithm_count),
        cmocka_unit_test(no_character_of_a_token_can_be_another_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
