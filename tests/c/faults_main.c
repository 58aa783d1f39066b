/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes every mistake in the use of classifier and network and prints the code it is told by. With
 * an argument, the double of TensorFlow Lite Micro fails in that place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asc_classifier.h"

int fault;

static asc_t classifier;
ASC_NET_ALIGNED static int8_t arena[ASC_NET_ARENA_SIZE + 1];
static int8_t input[ASC_NET_INPUT_SIZE];
static int8_t output[ASC_NET_OUTPUT_SIZE];
static int16_t pcm[ASC_FRONTEND_CLIP_SAMPLES];

static void network(void) {
    memset(arena, 0x5A, sizeof arena);
    printf("init_null %d\n", asc_net_init(NULL));
    printf("init_misaligned %d\n", asc_net_init(arena + 1));
    printf("run_null %d\n", asc_net_run(NULL));
    printf("run_misaligned %d\n", asc_net_run(arena + 1));
    printf("run_unprepared %d\n", asc_net_run(arena));
    printf("infer_unprepared %d\n", asc_net_infer(arena, input, output));
    printf("infer_null_arena %d\n", asc_net_infer(NULL, input, output));
    printf("infer_null_input %d\n", asc_net_infer(arena, NULL, output));
    printf("infer_null_output %d\n", asc_net_infer(arena, input, NULL));
    printf("init %d\n", asc_net_init(arena));
    printf("run %d\n", asc_net_run(arena));
    printf("infer %d\n", asc_net_infer(arena, input, output));
    printf("fits %d\n", asc_net_arena_used(arena) <= ASC_NET_ARENA_SIZE);
}

static void classify(void) {
    asc_result_t result;
    memset(&result, 0x5A, sizeof result);
    printf("classifier_init %d\n", asc_init(&classifier));
    printf("result_too_early %d\n", asc_result(&classifier, &result));
    printf("result_untouched %d\n", result.label == 0x5A5A5A5Au);
    size_t taken = asc_push(&classifier, pcm, ASC_FRONTEND_CLIP_SAMPLES - 1);
    printf("result_before_the_clip_ends %d\n", asc_result(&classifier, &result));
    while (taken < ASC_FRONTEND_CLIP_SAMPLES) {
        taken += asc_push(&classifier, pcm + taken, ASC_FRONTEND_CLIP_SAMPLES - taken);
    }
    printf("result %d\n", asc_result(&classifier, &result));
    printf("result_twice %d\n", asc_result(&classifier, &result));
}

int main(int argc, char **argv) {
    fault = argc > 1 ? atoi(argv[1]) : 0;
    network();
    classify();
    return 0;
}
