#include "daemon/system/resources.h"

void resources_tidy_heap(void)
{
}

void resources_be_polite(void)
{
}

void resources_trim(void)
{
}
