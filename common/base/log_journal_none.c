#include "common/base/log_journal.h"

void log_journal_begin(void)
{
}
