#include <stdio.h>

#include "server/api/app.h"

/* Every endpoint of the API, a line each: for the test that tries them all against other people. */
int main(void)
{
    size_t n;
    const struct app_route *routes = app_routes(&n);

    for (size_t i = 0; i < n; i++)
        printf("%s %s %s\n", routes[i].method, routes[i].pattern,
               routes[i].auth == APP_NOBODY ? "nobody" : "user");
    return 0;
}
