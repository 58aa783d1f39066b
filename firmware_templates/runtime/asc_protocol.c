/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_protocol.h"

#include <string.h>

#include "asc_provenance.h"

#if ASC_PROTOCOL

/* A message: version, kind, sequence number (2 bytes), body; numbers are little-endian. */
enum { HEADER_SIZE = 4, BODY_MAX = ASC_FRAME_MAX - HEADER_SIZE };

/* Kinds of requests; a reply's kind has the highest bit set, an event is a reply to nothing. */
enum {
    KIND_INFO = 1,
    KIND_RESET = 2,
    KIND_READ = 3,
    KIND_PCM = 4,
    KIND_FEED = 5,
    KIND_INFER = 6,
    KIND_STATUS = 7,
    KIND_RESULT = 8,
    KIND_SELFTEST = 9,
    KIND_COLUMN = 10,
    REPLY = 0x80
};

/* First byte of a reply's body */
enum {
    STATUS_OK = 0,
    STATUS_VERSION = 1,
    STATUS_KIND = 2,
    STATUS_LENGTH = 3,
    STATUS_RANGE = 4,
    STATUS_NETWORK = 5
};

/* Regions of READ */
enum { REGION_PROVENANCE = 0, REGION_INPUT = 1, REGION_OUTPUT = 2 };

enum { SOURCE_MICROPHONE = 0, SOURCE_HOST = 1 };

typedef struct {
    uint8_t *data;
    size_t size;
} writer_t;

static void write_byte(writer_t *writer, uint32_t value) {
    writer->data[writer->size++] = (uint8_t)value;
}

static void write_word(writer_t *writer, uint32_t value) {
    for (uint32_t i = 0; i < 4; i++) {
        write_byte(writer, value >> (8u * i));
    }
}

static void write_bytes(writer_t *writer, const void *bytes, size_t count) {
    memcpy(writer->data + writer->size, bytes, count);
    writer->size += count;
}

static uint32_t read_word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint32_t now(const asc_protocol_t *protocol) {
    return protocol->port->ticks == NULL ? 0 : protocol->port->ticks();
}

static uint32_t optional(uint32_t (*function)(void)) {
    return function == NULL ? 0 : function();
}

static void write_result(writer_t *writer, const asc_result_t *result) {
    write_word(writer, result->window);
    write_word(writer, result->label);
    write_bytes(writer, result->scores, sizeof result->scores);
    write_bytes(writer, result->smoothed, sizeof result->smoothed);
}

static void network_status(writer_t *reply, int status) {
    reply->data[HEADER_SIZE] = status == ASC_NET_OK ? STATUS_OK : STATUS_NETWORK;
    write_byte(reply, (uint32_t)-status);
}

static void info(const asc_protocol_t *protocol, writer_t *reply) {
    static const float output_scale = ASC_NET_OUTPUT_SCALE;
    size_t provenance_size;
    (void)asc_provenance(&provenance_size);
    write_word(reply, ASC_FRAME_MAX);
    write_word(reply, (uint32_t)provenance_size);
    write_word(reply, ASC_NET_INPUT_SIZE);
    write_word(reply, ASC_NET_OUTPUT_SIZE);
    write_word(reply, sizeof(asc_sample_t));
    write_word(reply, protocol->port->tick_rate);
    write_word(reply, ASC_FRONTEND_SAMPLE_RATE);
    write_word(reply, (uint32_t)ASC_NET_OUTPUT_ZERO_POINT);
    write_bytes(reply, &output_scale, sizeof output_scale);
    write_word(reply, ASC_FRONTEND_COLUMNS);
}

static void reset(asc_protocol_t *protocol, uint32_t source, writer_t *reply) {
    protocol->host_is_source = source == SOURCE_HOST;
    protocol->hop_ticks = 0;
    protocol->spent = 0;
    network_status(reply, asc_init(protocol->classifier));
}

static const void *region(asc_t *classifier, uint32_t number, size_t *size) {
    switch (number) {
    case REGION_PROVENANCE:
        return asc_provenance(size);
    case REGION_INPUT:
        *size = ASC_NET_INPUT_SIZE;
        return asc_net_input(classifier->arena);
    case REGION_OUTPUT:
        *size = ASC_NET_OUTPUT_SIZE;
        return asc_net_output(classifier->arena);
    default:
        *size = 0;
        return NULL;
    }
}

/* Body: region, offset, count (a word each). */
static void read_region(asc_protocol_t *protocol, const uint8_t *body, writer_t *reply) {
    size_t size;
    const uint32_t offset = read_word(body + 4);
    const uint32_t count = read_word(body + 8);
    const uint8_t *data = region(protocol->classifier, read_word(body), &size);
    const int exists = data != NULL && protocol->classifier->status == ASC_NET_OK;
    if (!exists || offset > size || count > size - offset || count > BODY_MAX - 1) {
        reply->data[HEADER_SIZE] = STATUS_RANGE;
        return;
    }
    write_bytes(reply, data + offset, count);
}

/* Samples of a request's body, aligned */
typedef struct {
    asc_sample_t pcm[BODY_MAX / sizeof(asc_sample_t)];
    size_t count;
} samples_t;

static samples_t samples_of(const uint8_t *body, size_t size) {
    samples_t samples;
    samples.count = size / sizeof samples.pcm[0];
    memcpy(samples.pcm, body, samples.count * sizeof samples.pcm[0]);
    return samples;
}

/* Adds the ticks of samples that completed `columns` columns. A hop is what lies between two
 * columns; a clip's first column takes more frames, and its end gives several columns at once. */
static void count_ticks(asc_protocol_t *protocol, uint32_t spent, uint32_t columns) {
    protocol->spent += spent;
    if (columns == 0) {
        return;
    }
    if (columns == 1 && protocol->classifier->column > 1 && protocol->spent > protocol->hop_ticks) {
        protocol->hop_ticks = protocol->spent;
    }
    protocol->spent = 0;
}

/* Replies with the samples taken: fewer than there are up to a decision, which then follows. */
static void push_pcm(asc_protocol_t *protocol, const uint8_t *body, size_t size, writer_t *reply) {
    const samples_t samples = samples_of(body, size);
    asc_result_t result;
    protocol->host_is_source = 1;
    const size_t taken = asc_protocol_push(protocol, samples.pcm, samples.count);
    const int status = asc_result(protocol->classifier, &result);
    network_status(reply, status < 0 ? status : ASC_NET_OK);
    write_word(reply, (uint32_t)taken);
    if (status == ASC_RESULT_NEW) {
        write_result(reply, &result);
    }
}

static uint32_t pop_columns(asc_t *classifier) {
    const size_t stride = ASC_FRONTEND_COLUMNS * ASC_FRONTEND_CHANNELS;
    int8_t *input = asc_net_input(classifier->arena);
    uint32_t columns = 0;
    while (classifier->column < ASC_FRONTEND_COLUMNS &&
           asc_frontend_pop(&classifier->frontend,
                            input + classifier->column * ASC_FRONTEND_CHANNELS, stride)) {
        classifier->column++;
        columns++;
    }
    return columns;
}

/* Fills the network's input up to its last column, without a run. */
static size_t feed(asc_protocol_t *protocol, const samples_t *samples) {
    asc_t *classifier = protocol->classifier;
    size_t taken = 0;
    while (taken < samples->count && classifier->column < ASC_FRONTEND_COLUMNS) {
        const uint32_t before = now(protocol);
        taken +=
            asc_frontend_push(&classifier->frontend, samples->pcm + taken, samples->count - taken);
        const uint32_t columns = pop_columns(classifier);
        count_ticks(protocol, now(protocol) - before, columns);
    }
    return taken;
}

/* Replies with the samples taken and whether the network's input is complete. */
static void feed_pcm(asc_protocol_t *protocol, const uint8_t *body, size_t size, writer_t *reply) {
    asc_t *classifier = protocol->classifier;
    const samples_t samples = samples_of(body, size);
    protocol->host_is_source = 1;
    const size_t taken = classifier->status == ASC_NET_OK ? feed(protocol, &samples) : 0;
    network_status(reply, classifier->status);
    write_word(reply, (uint32_t)taken);
    write_byte(reply, classifier->column == ASC_FRONTEND_COLUMNS);
}

/* Runs the network on its input and starts the next clip. */
static void infer(asc_protocol_t *protocol, writer_t *reply) {
    asc_t *classifier = protocol->classifier;
    if (classifier->status == ASC_NET_OK) {
        const uint32_t before = now(protocol);
        classifier->status = asc_net_run(classifier->arena);
        protocol->inference_ticks = now(protocol) - before;
        classifier->column = 0;
    }
    network_status(reply, classifier->status);
    write_word(reply, protocol->inference_ticks);
}

/* Of the window that is being heard: how many columns are there, and the log-mel codes of the
 * latest, all bands or as many evenly spaced ones as fit. A whole window is the network's already.
 */
static void column(const asc_protocol_t *protocol, writer_t *reply) {
    const asc_t *classifier = protocol->classifier;
    const uint32_t most = BODY_MAX - 10;
    const uint32_t bands = ASC_FRONTEND_N_MELS < most ? ASC_FRONTEND_N_MELS : most;
    const uint32_t count = classifier->column;
    network_status(reply, classifier->status);
    write_word(reply, classifier->windows);
    write_word(reply, count);
    if (classifier->status != ASC_NET_OK || count == 0 || count == ASC_FRONTEND_COLUMNS) {
        return;
    }
    const int8_t *input = asc_net_input(protocol->classifier->arena);
    for (uint32_t i = 0; i < bands; i++) {
        const uint32_t row = i * ASC_FRONTEND_N_MELS / bands * ASC_FRONTEND_COLUMNS;
        write_byte(reply, (uint8_t)input[(row + count - 1u) * ASC_FRONTEND_CHANNELS]);
    }
}

static void status(const asc_protocol_t *protocol, writer_t *reply) {
    const asc_t *classifier = protocol->classifier;
    network_status(reply, classifier->status);
    write_word(reply, classifier->windows);
    write_word(reply, optional(protocol->port->overruns));
    write_word(reply, protocol->damaged);
    write_word(reply, protocol->hop_ticks);
    write_word(reply, protocol->inference_ticks);
    write_word(reply, optional(protocol->port->stack_bytes));
    write_word(reply, ASC_NET_ARENA_SIZE);
    write_word(reply, now(protocol));
}

/* Afterwards the classifier starts anew. */
static void selftest(const asc_protocol_t *protocol, writer_t *reply) {
    if (protocol->port->selftest == NULL) {
        reply->data[HEADER_SIZE] = STATUS_KIND;
        return;
    }
    const int result = protocol->port->selftest(protocol->classifier);
    network_status(reply, asc_init(protocol->classifier));
    write_word(reply, (uint32_t)result);
}

/* Of a kind that is not known, any. */
static int is_length(uint32_t kind, size_t size) {
    switch (kind) {
    case KIND_INFO:
    case KIND_INFER:
    case KIND_STATUS:
    case KIND_SELFTEST:
        return size == 0;
    case KIND_RESET:
        return size == 1;
    case KIND_READ:
        return size == 12;
    case KIND_PCM:
    case KIND_FEED:
        return size > 0 && size % sizeof(asc_sample_t) == 0;
    default:
        return 1;
    }
}

static void handle(asc_protocol_t *protocol, uint32_t kind, const uint8_t *body, size_t size,
                   writer_t *reply) {
    if (!is_length(kind, size)) {
        reply->data[HEADER_SIZE] = STATUS_LENGTH;
        return;
    }
    switch (kind) {
    case KIND_INFO:
        info(protocol, reply);
        break;
    case KIND_RESET:
        reset(protocol, body[0], reply);
        break;
    case KIND_READ:
        read_region(protocol, body, reply);
        break;
    case KIND_PCM:
        push_pcm(protocol, body, size, reply);
        break;
    case KIND_FEED:
        feed_pcm(protocol, body, size, reply);
        break;
    case KIND_INFER:
        infer(protocol, reply);
        break;
    case KIND_STATUS:
        status(protocol, reply);
        break;
    case KIND_SELFTEST:
        selftest(protocol, reply);
        break;
    case KIND_COLUMN:
        column(protocol, reply);
        break;
    default:
        reply->data[HEADER_SIZE] = STATUS_KIND;
        break;
    }
}

static void send(const asc_protocol_t *protocol, uint8_t *data, size_t size) {
    asc_frame_send(data, size, protocol->port->put, protocol->port->context);
}

static void reply_to(asc_protocol_t *protocol, const uint8_t *request, size_t size) {
    writer_t reply = {protocol->reply, 0};
    write_byte(&reply, ASC_PROTOCOL_VERSION);
    write_byte(&reply, request[1] | (uint32_t)REPLY);
    write_bytes(&reply, request + 2, 2);
    write_byte(&reply, STATUS_OK);
    if (request[0] != ASC_PROTOCOL_VERSION) {
        reply.data[HEADER_SIZE] = STATUS_VERSION;
    } else {
        handle(protocol, request[1], request + HEADER_SIZE, size - HEADER_SIZE, &reply);
    }
    protocol->reply_size = (uint32_t)reply.size;
}

/* A request that comes again is not done again. */
static void take_request(asc_protocol_t *protocol, const uint8_t *request, size_t size) {
    const uint32_t crc = asc_frame_crc(request, size);
    if (size < HEADER_SIZE || (request[1] & REPLY) != 0) {
        return;
    }
    if (protocol->reply_size == 0 || crc != protocol->request_crc) {
        protocol->request_crc = crc;
        reply_to(protocol, request, size);
    }
    send(protocol, protocol->reply, protocol->reply_size);
}

void asc_protocol_init(asc_protocol_t *protocol, asc_t *classifier, const asc_port_t *port) {
    memset(protocol, 0, sizeof *protocol);
    asc_frame_start(&protocol->reader);
    protocol->port = port;
    protocol->classifier = classifier;
}

void asc_protocol_receive(asc_protocol_t *protocol, const uint8_t *data, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const int size = asc_frame_take(&protocol->reader, data[i]);
        if (size == ASC_FRAME_DAMAGED) {
            protocol->damaged++;
        } else if (size > 0) {
            take_request(protocol, protocol->reader.data, (size_t)size);
        }
    }
}

int asc_protocol_wants_microphone(const asc_protocol_t *protocol) {
    return !protocol->host_is_source;
}

size_t asc_protocol_push(asc_protocol_t *protocol, const asc_sample_t *pcm, size_t count) {
    const uint32_t before = now(protocol);
    const uint32_t column = protocol->classifier->column;
    const size_t taken = asc_push(protocol->classifier, pcm, count);
    const uint32_t spent = now(protocol) - before;
    if (protocol->classifier->ready) {
        protocol->spent = 0;
    } else {
        count_ticks(protocol, spent, protocol->classifier->column - column);
    }
    return taken;
}

void asc_protocol_report(const asc_protocol_t *protocol, const asc_result_t *result) {
    if (protocol->reply_size == 0) {
        return;
    }
    uint8_t data[HEADER_SIZE + 8 + 2 * ASC_NET_OUTPUT_SIZE + ASC_FRAME_CRC_SIZE];
    writer_t event = {data, 0};
    write_byte(&event, ASC_PROTOCOL_VERSION);
    write_byte(&event, KIND_RESULT | REPLY);
    write_byte(&event, 0);
    write_byte(&event, 0);
    write_result(&event, result);
    send(protocol, data, event.size);
}

#else

/* ISO C wants a translation unit to declare something. */
typedef int asc_protocol_is_left_out;

#endif
