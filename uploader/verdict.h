#ifndef UPLOADER_VERDICT_H
#define UPLOADER_VERDICT_H

#include "common/base/err.h"

/*
 * What a failed transfer means for what happens next.
 */
enum verdict {
    VERDICT_STOP,     /* the token is refused: nothing goes out until the credentials change */
    VERDICT_REBUILD,  /* the bundle in the spool is damaged: make a new one */
    VERDICT_EXCLUDED, /* the session was deleted in the cloud */
    VERDICT_FINAL,    /* this bundle is refused: until it changes or somebody asks */
    VERDICT_SLOW,     /* somebody has to mend something that we can't: look again now and then */
    VERDICT_LOCAL,    /* trouble of this machine: this session backs off */
    VERDICT_BACK_OFF, /* trouble on the way or there, perhaps with this bundle only */
    VERDICT_AWAY      /* nobody is reached, or they ask for patience: all back off, one tries */
};

/**
 * verdict_of(err):
 * Judge ${err}, by which a transfer ended.
 */
enum verdict verdict_of(const struct ct_err *err);

#endif
