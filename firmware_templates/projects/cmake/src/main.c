/* SPDX-License-Identifier: Apache-2.0
 *
 * Classifies little-endian samples from a file of the host, as fast as they can be read:
 *
 *     run FILE            prints a line per decision: window, label, scores, smoothed scores
 *     verify FILE OUT     writes each clip's features, column by column, and scores to OUT
 *     bench FILE          prints instructions of front end and network, and the stack used
 *     serve [FILE]        answers requests on the serial line; FILE is the microphone
 *     stages FILE         prints instructions per stage of the network, if built with
 *                         ASC_NET_PROFILE
 *
 * Built with -DASC_SELFTEST=1, `selftest` prints the self-test's result, 0 if it passed.
 */
#include <string.h>

#include "asc_classifier.h"
#include "platform.h"
#include "print.h"
#include "serve.h"

#ifndef ASC_SELFTEST
#define ASC_SELFTEST 0
#endif
#if ASC_SELFTEST
#include "asc_selftest.h"
#endif

static asc_t classifier;
static asc_sample_t pcm[ASC_FRONTEND_HOP];
static int8_t features[ASC_FRONTEND_N_MELS * ASC_FRONTEND_CHANNELS]; /* of a column */

/* The network runs on each column of its input, or on all of them. */
#if ASC_NET_STREAMS
enum { NETWORK_STEPS = ASC_NET_INPUT_WIDTH };

static int step_network(void) {
    return asc_net_feed(classifier.arena);
}
#else
enum { NETWORK_STEPS = 1 };

static int step_network(void) {
    return asc_net_run(classifier.arena);
}
#endif

static void print_scores(const int8_t *scores) {
    for (uint32_t i = 0; i < ASC_NET_OUTPUT_SIZE; i++) {
        platform_print(" ");
        print_number(scores[i]);
    }
}

static void print_decision(const asc_result_t *result) {
    platform_print("decision ");
    print_number(result->window);
    platform_print(" ");
    platform_print(asc_labels[result->label]);
    print_scores(result->scores);
    print_scores(result->smoothed);
    platform_print("\n");
}

static size_t read_samples(int file, size_t count) {
    return platform_read(file, pcm, count * sizeof pcm[0]) / sizeof pcm[0];
}

static int run(int file) {
    int status = asc_init(&classifier);
    for (size_t count; status >= 0 && (count = read_samples(file, ASC_FRONTEND_HOP)) > 0;) {
        for (size_t taken = 0; taken < count;) {
            asc_result_t result;
            taken += asc_push(&classifier, pcm + taken, count - taken);
            status = asc_result(&classifier, &result);
            if (status == ASC_RESULT_NEW) {
                print_decision(&result);
            }
        }
    }
    return exit_code(status < 0 ? status : ASC_NET_OK);
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Chunks of changing size, so that a dependence on them would show. */
static size_t next_chunk(size_t chunk) {
    return (chunk * 5u + 1u) % ASC_FRONTEND_HOP + 1u;
}

/* The network may overwrite a column once it has it. */
static void write_column(int out) {
    const int8_t *from = asc_column(&classifier);
    for (uint32_t m = 0; m < ASC_FRONTEND_N_MELS; m++, from += ASC_COLUMN_STRIDE) {
        memcpy(features + m * ASC_FRONTEND_CHANNELS, from, ASC_FRONTEND_CHANNELS);
    }
    platform_write(out, features, sizeof features);
}

/* Pushes the first samples of `pcm`; writes the columns that they complete, and with a clip's last
 * one its scores. */
static int push_samples(size_t count, int out) {
    int status = ASC_NET_OK;
    for (size_t taken = 0; status == ASC_NET_OK && taken < count;) {
        taken += asc_frontend_push(&classifier.frontend, pcm + taken, count - taken);
        while (status == ASC_NET_OK && asc_pop_column(&classifier)) {
            write_column(out);
            status = asc_add_column(&classifier);
            if (classifier.column == ASC_FRONTEND_COLUMNS) {
                platform_write(out, asc_net_output(classifier.arena), ASC_NET_OUTPUT_SIZE);
                asc_begin_window(&classifier);
            }
        }
    }
    return status;
}

/* A continuous front end knows no clips: zeros stand in for what comes after one. */
static int end_clip(int out) {
    int status = ASC_NET_OK;
#if ASC_FRONTEND_CONTINUOUS
    memset(pcm, 0, sizeof pcm);
    for (size_t left = ASC_FRONTEND_LEAD, count; status == ASC_NET_OK && left > 0; left -= count) {
        count = smaller(left, ASC_FRONTEND_HOP);
        status = push_samples(count, out);
    }
    asc_frontend_init(&classifier.frontend);
#else
    (void)out;
#endif
    return status;
}

static int verify(int file, int out) {
    size_t chunk = 1;
    size_t left = ASC_FRONTEND_CLIP_SAMPLES;
    int status = asc_init(&classifier);
    for (size_t count;
         status == ASC_NET_OK && (count = read_samples(file, smaller(chunk, left))) > 0;
         chunk = next_chunk(chunk)) {
        status = push_samples(count, out);
        left -= count;
        if (status == ASC_NET_OK && left == 0) {
            left = ASC_FRONTEND_CLIP_SAMPLES;
            status = end_clip(out);
        }
    }
    return exit_code(status);
}

/* The costliest hop among those that give one column. */
static uint64_t hop_instructions(int file) {
    uint64_t most = 0;
    for (size_t count; (count = read_samples(file, ASC_FRONTEND_HOP)) > 0;) {
        uint32_t columns = 0;
        const uint64_t before = platform_instructions();
        for (size_t taken = 0; taken < count;) {
            taken += asc_frontend_push(&classifier.frontend, pcm + taken, count - taken);
            while (asc_frontend_pop(&classifier.frontend, features, ASC_FRONTEND_CHANNELS)) {
                columns++;
            }
        }
        const uint64_t spent = platform_instructions() - before;
        if (columns == 1 && count == ASC_FRONTEND_HOP && spent > most) {
            most = spent;
        }
    }
    return most;
}

static int bench_network(void) {
    uint64_t total = 0;
    uint64_t most = 0;
    uint64_t last = 0;
    int status = ASC_NET_OK;
    for (uint32_t step = 0; status == ASC_NET_OK && step < NETWORK_STEPS; step++) {
        const uint64_t before = platform_instructions();
        status = step_network();
        last = platform_instructions() - before;
        total += last;
        most = last > most ? last : most;
    }
    print_figure("instructions_per_inference", total);
    print_figure("instructions_worst_hop", most);
    print_figure("instructions_last_hop", last);
    return status;
}

/* From a window's last sample to its decision; the samples of `pcm` come again and again. */
static int bench_decision(void) {
    uint64_t spent = 0;
    int status = asc_init(&classifier);
    for (size_t n = 0; status == ASC_NET_OK && !classifier.ready;) {
        const uint64_t before = platform_instructions();
        n += asc_push(&classifier, pcm + n % ASC_FRONTEND_HOP, 1);
        spent = platform_instructions() - before;
        status = classifier.status;
    }
    print_figure("instructions_after_last_sample", spent);
    return status;
}

static int bench(int file) {
    int status = asc_init(&classifier);
    if (status == ASC_NET_OK) {
        print_figure("instructions_per_hop", hop_instructions(file));
        status = bench_network();
    }
    if (status == ASC_NET_OK) {
        status = bench_decision();
        print_figure("stack_bytes", platform_stack_bytes());
        print_figure("arena_bytes", asc_net_arena_used(classifier.arena));
    }
    return exit_code(status);
}

#if ASC_SELFTEST
static int selftest(void) {
    const int status = asc_selftest(&classifier);
    platform_print("selftest ");
    print_number(status);
    platform_print("\n");
    return status == ASC_SELFTEST_PASSED ? EXIT_OK : EXIT_FAILED;
}
#endif

#ifdef ASC_NET_PROFILE
static int stages(void) {
    int status = asc_init(&classifier);
    last_step = platform_instructions();
    for (uint32_t step = 0; status == ASC_NET_OK && step < NETWORK_STEPS; step++) {
        status = step_network();
    }
    print_stages();
    return exit_code(status);
}
#endif

static int usage(void) {
    platform_print("usage: run FILE | verify FILE OUT | bench FILE | serve [FILE]\n");
    return EXIT_USAGE;
}

static int answer_requests(int microphone) {
    const int status = asc_init(&classifier);
    if (status == ASC_NET_OK) {
        serve(&classifier, microphone, pcm);
    }
    return exit_code(status);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "serve") == 0) {
        return answer_requests(-1);
    }
#if ASC_SELFTEST
    if (argc == 2 && strcmp(argv[1], "selftest") == 0) {
        return selftest();
    }
#endif
    if (argc < 3) {
        return usage();
    }
    const int file = platform_open(argv[2], "rb");
    if (file < 0) {
        platform_print("cannot open the samples\n");
        return EXIT_USAGE;
    }
    int code = EXIT_OK;
    if (strcmp(argv[1], "run") == 0) {
        code = run(file);
    } else if (strcmp(argv[1], "bench") == 0) {
        code = bench(file);
    } else if (strcmp(argv[1], "serve") == 0) {
        code = answer_requests(file);
#ifdef ASC_NET_PROFILE
    } else if (strcmp(argv[1], "stages") == 0) {
        code = stages();
#endif
    } else if (strcmp(argv[1], "verify") == 0 && argc == 4) {
        const int out = platform_open(argv[3], "wb");
        if (out < 0) {
            platform_print("cannot open the output\n");
            return EXIT_USAGE;
        }
        code = verify(file, out);
        platform_close(out);
    } else {
        return usage();
    }
    platform_close(file);
    return code;
}
