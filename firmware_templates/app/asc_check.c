/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_check.h"

#include <stddef.h>

#include "asc_golden.h"
#include "asc_net.h"
#include "asc_number.h"
#include "asc_provenance.h"

ASC_NET_ALIGNED static int8_t arena[ASC_NET_ARENA_SIZE];

static void print_line(const asc_check_t *check, const char *name, int code) {
    char text[ASC_NUMBER_SIZE];
    check->print(name);
    check->print(asc_number(text, code < 0, code < 0 ? 0u - (uint32_t)code : (uint32_t)code));
    check->print(check->line_end);
}

/* Returns the result of a golden input, or the negative error of the network. */
static int run(const asc_check_t *check, uint32_t number) {
    static const char *const results[] = {" passed ", " FAILED ", " unchecked "};
    char text[ASC_NUMBER_SIZE];
    asc_golden_write(arena, number);
    const uint32_t before = check->ticks();
    const int status = asc_net_run(arena);
    const uint32_t spent = check->ticks() - before;
    if (status != ASC_NET_OK) {
        return status;
    }
    const int result = asc_golden_check(arena, number);
    check->print("golden ");
    check->print(asc_golden_name(number));
    check->print(results[result]);
    check->print(asc_number(text, 0, spent));
    check->print(check->line_end);
    return result;
}

static int run_all(const asc_check_t *check) {
    int failed = 0;
    int status = asc_net_init(arena);
    for (uint32_t i = 0; status >= 0 && i < ASC_GOLDEN_COUNT; i++) {
        status = run(check, i);
        failed |= status == ASC_GOLDEN_FAILED;
    }
    return status < 0 ? status : failed;
}

int asc_check(const asc_check_t *check) {
    size_t size;
    (void)asc_provenance(&size); /* keeps the record in the image */
    const int status = run_all(check);
    print_line(check, "arena ", (int)asc_net_arena_used(arena));
    print_line(check, "selftest ", status);
    return status;
}
