/* SPDX-License-Identifier: Apache-2.0
 *
 * The fixed-point products on an emulated core: reads a, x and y from a file of the host, and
 * writes what each product makes of them to another, in the order of test_fixed_products.py.
 */
#include "asc_fixed.h"
#include "platform.h"

typedef struct {
    int32_t a, x, y;
} operands_t;

typedef struct {
    int32_t add, subtract, add_low, add_high;
    uint64_t accumulated, squares;
} products_t;

static products_t products(operands_t in) {
    const uint64_t sum = (uint64_t)(uint32_t)in.a << 32 | (uint32_t)in.x;
    const products_t out = {
        asc_add_product(in.a, in.x, in.y),
        asc_subtract_product(in.a, in.x, in.y),
        asc_add_low_product(in.a, in.x, (uint32_t)in.y),
        asc_add_high_product(in.a, in.x, (uint32_t)in.y),
        asc_accumulate(sum, (uint32_t)in.x, (uint32_t)in.y),
        asc_squares(in.x, in.y),
    };
    return out;
}

/* Arguments: input, output. */
int main(int argc, char **argv) {
    operands_t in;
    if (argc != 3) {
        return 2;
    }
    const int from = platform_open(argv[1], "rb");
    const int to = platform_open(argv[2], "wb");
    while (platform_read(from, &in, sizeof in) == sizeof in) {
        const products_t out = products(in);
        platform_write(to, &out, sizeof out);
    }
    platform_close(to);
    return 0;
}
