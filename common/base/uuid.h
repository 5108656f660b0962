#ifndef COMMON_BASE_UUID_H
#define COMMON_BASE_UUID_H

#define UUID_SIZE 37 /* with the NUL */

/**
 * uuid_is_valid(s):
 * Return whether ${s} has the shape of a UUID: 8-4-4-4-12 hexadecimal digits, lower case (as Claude
 * Code writes them), whole string.
 */
int uuid_is_valid(const char *s);

/**
 * uuid_starts(s):
 * Return whether the first 36 characters of ${s} have that shape.
 */
int uuid_starts(const char *s);

/**
 * uuid_format(p, version, out):
 * Write 16 bytes as a UUID of that version (RFC 9562; its six bits take the place of theirs).
 */
void uuid_format(const unsigned char p[16], int version, char out[UUID_SIZE]);

/**
 * uuid_random(out):
 * Write a random (version 4) UUID into ${out}.
 */
void uuid_random(char out[UUID_SIZE]);

#endif
