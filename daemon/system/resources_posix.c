#include "daemon/process.h"

void process_tidy_heap(void)
{
}

void process_be_polite(void)
{
}

void process_trim(void)
{
}
