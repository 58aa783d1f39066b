/* SPDX-License-Identifier: Apache-2.0 */
#include "played.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *file;
static sem_t wanted;
static sem_t given;
static void (*thread)(void);
static long flooding_read = -1;

int played_open(void) {
    sem_init(&wanted, 0, 0);
    sem_init(&given, 0, 0);
    const char *at = getenv("FLOODING_READ");
    flooding_read = at == NULL ? -1 : atol(at);
    file = fopen("in.pcm", "rb");
    return file == NULL ? -1 : 0;
}

void played_read(int16_t *samples, size_t count) {
    static long reads;
    const long read = reads++;
    if (flooding_read < 0 || read < flooding_read || read >= flooding_read + FLOOD) {
        sem_wait(&wanted);
    }
    if (fread(samples, sizeof *samples, count, file) != count) {
        exit(EXIT_SUCCESS);
    }
}

void played_give(void) {
    sem_post(&given);
}

void played_wait(void) {
    sem_post(&wanted);
    sem_wait(&given);
}

static void *run(void *nothing) {
    thread();
    return nothing;
}

void played_start(void (*run_thread)(void)) {
    static pthread_t id;
    thread = run_thread;
    if (pthread_create(&id, NULL, run, NULL) != 0) {
        exit(EXIT_FAILURE);
    }
}
