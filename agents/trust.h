#ifndef AGENTS_TRUST_H
#define AGENTS_TRUST_H

/*
 * Who vouches for what a bundle holds.  The strictest is zero: whoever says nothing gets that.
 */
enum trust {
    TRUST_STRANGER, /* nobody: a file, what is in clear where there is a key, and whatever was one
                       of these before it was sealed */
    TRUST_ACCOUNT,  /* whoever runs the server: in clear, from one's own account without a key */
    TRUST_OWN,      /* one's own key, on a device of one's own */
};

/**
 * trust_name(t), trust_parse(s):
 * Return "own", "account" or "stranger"; and which one ${s} is, a stranger's if it is none of
 * these.
 */
const char *trust_name(enum trust t);
enum trust trust_parse(const char *s);

#endif
