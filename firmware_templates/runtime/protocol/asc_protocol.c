/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_protocol.h"

#include <string.h>

#include "asc_provenance.h"

#if ASC_PROTOCOL

/* A message: version, kind, sequence number (2 bytes), body; numbers are little-endian. */
enum { HEADER_BYTES = 4, BODY_MAX = ASC_FRAME_MAX - HEADER_BYTES };

/* Kinds of requests; a reply's kind has the highest bit set, an event is a reply to nothing. */
enum {
    KIND_INFO = 1,
    KIND_RESET = 2,
    KIND_READ = 3,
    KIND_PCM = 4,
    KIND_FEED = 5,
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
enum { REGION_PROVENANCE = 0, REGION_COLUMN = 1 };

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
    reply->data[HEADER_BYTES] = status == ASC_NET_OK ? STATUS_OK : STATUS_NETWORK;
    write_byte(reply, (uint32_t)-status);
}

static void info(const asc_protocol_t *protocol, writer_t *reply) {
    static const float output_scale = ASC_NET_OUTPUT_SCALE;
    size_t provenance_size;
    (void)asc_provenance(&provenance_size);
    write_word(reply, ASC_FRAME_MAX);
    write_word(reply, (uint32_t)provenance_size);
    write_word(reply, ASC_FRONTEND_N_MELS);
    write_word(reply, ASC_FRONTEND_COLUMNS);
    write_word(reply, ASC_FRONTEND_CHANNELS);
    write_word(reply, ASC_NET_STREAMS);
    write_word(reply, ASC_NET_OUTPUT_SIZE);
    write_word(reply, sizeof(asc_sample_t));
    write_word(reply, protocol->port->tick_rate);
    write_word(reply, ASC_FRONTEND_SAMPLE_RATE);
    write_word(reply, (uint32_t)ASC_NET_OUTPUT_ZERO_POINT);
    write_bytes(reply, &output_scale, sizeof output_scale);
}

static int restart(asc_protocol_t *protocol) {
    memset(&protocol->ticks, 0, sizeof protocol->ticks);
    protocol->column_waits = 0;
    return asc_init(protocol->classifier);
}

static void reset(asc_protocol_t *protocol, uint32_t source, writer_t *reply) {
    protocol->host_is_source = source == SOURCE_HOST;
    network_status(reply, restart(protocol));
}

/* Returns 0 for a region that is not there. */
static size_t region_size(const asc_protocol_t *protocol, uint32_t region) {
    size_t size = 0;
    if (region == REGION_PROVENANCE) {
        (void)asc_provenance(&size);
    } else if (region == REGION_COLUMN && protocol->column_waits) {
        size = ASC_FRONTEND_N_MELS * ASC_FRONTEND_CHANNELS;
    }
    return size;
}

/* All channels of a band, then the next band's */
static void write_column(const asc_protocol_t *protocol, writer_t *reply, uint32_t offset,
                         uint32_t count) {
    const int8_t *codes = asc_column(protocol->classifier);
    for (uint32_t i = offset; i < offset + count; i++) {
        const uint32_t band = i / ASC_FRONTEND_CHANNELS;
        const uint32_t channel = i % ASC_FRONTEND_CHANNELS;
        write_byte(reply, (uint8_t)codes[band * ASC_COLUMN_STRIDE + channel]);
    }
}

/* Body: region, offset, count (a word each). */
static void read_region(const asc_protocol_t *protocol, const uint8_t *body, writer_t *reply) {
    const uint32_t region = read_word(body);
    const uint32_t offset = read_word(body + 4);
    const uint32_t count = read_word(body + 8);
    size_t size = region_size(protocol, region);
    if (size == 0 || offset > size || count > size - offset || count > BODY_MAX - 1) {
        reply->data[HEADER_BYTES] = STATUS_RANGE;
    } else if (region == REGION_COLUMN) {
        write_column(protocol, reply, offset, count);
    } else {
        write_bytes(reply, asc_provenance(&size) + offset, count);
    }
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

/* Adds the ticks of samples, which may complete a column. A hop is what lies between two columns; a
 * clip's first column takes more frames. */
static void count_front_end(asc_protocol_t *protocol, uint32_t spent, int completes) {
    asc_ticks_t *ticks = &protocol->ticks;
    ticks->since_column += spent;
    if (!completes) {
        return;
    }
    if (protocol->classifier->column > 0 && ticks->since_column > ticks->hop) {
        ticks->hop = ticks->since_column;
    }
    ticks->since_column = 0;
}

/* Adds the ticks of the network for a column, which may complete the window. */
static void count_network(asc_protocol_t *protocol, uint32_t spent, int completes) {
    asc_ticks_t *ticks = &protocol->ticks;
    ticks->since_window += spent;
    if (spent > ticks->network_hop) {
        ticks->network_hop = spent;
    }
    if (completes) {
        ticks->network = ticks->since_window;
        ticks->network_last = spent;
        ticks->since_window = 0;
    }
}

/* For who watches: the network may overwrite its column. */
static void keep_codes(asc_protocol_t *protocol) {
    const int8_t *codes = asc_column(protocol->classifier);
    for (uint32_t i = 0; i < ASC_PROTOCOL_BANDS; i++) {
        const uint32_t band = i * ASC_FRONTEND_N_MELS / ASC_PROTOCOL_BANDS;
        protocol->latest[i] = (uint8_t)codes[band * ASC_COLUMN_STRIDE];
    }
}

/* As asc_next_column; the column then waits. */
static int next_column(asc_protocol_t *protocol, const asc_sample_t *pcm, size_t count,
                       size_t *taken) {
    const uint32_t before = now(protocol);
    const int completes = asc_next_column(protocol->classifier, pcm, count, taken);
    count_front_end(protocol, now(protocol) - before, completes);
    if (completes) {
        keep_codes(protocol);
    }
    protocol->column_waits = (uint8_t)completes;
    return completes;
}

/* Adds the column that waits, if one does. Returns whether it completes the window. */
static int add_column(asc_protocol_t *protocol) {
    if (!protocol->column_waits) {
        return 0;
    }
    const uint32_t before = now(protocol);
    const int status = asc_add_column(protocol->classifier);
    const uint32_t spent = now(protocol) - before;
    const int completes = status == ASC_NET_OK && asc_decide(protocol->classifier);
    count_network(protocol, spent, completes);
    protocol->column_waits = 0;
    return completes;
}

/* Takes samples up to a column or a decision. */
static size_t feed(asc_protocol_t *protocol, const asc_sample_t *pcm, size_t count) {
    size_t taken = 0;
    if (!add_column(protocol)) {
        (void)next_column(protocol, pcm, count, &taken);
    }
    return taken;
}

/* Replies with the samples taken and whether a column waits, then the decision if there is one. */
static void take_pcm(asc_protocol_t *protocol, uint32_t kind, const uint8_t *body, size_t size,
                     writer_t *reply) {
    const samples_t samples = samples_of(body, size);
    asc_result_t result;
    protocol->host_is_source = 1;
    const size_t taken = kind == KIND_PCM ? asc_protocol_push(protocol, samples.pcm, samples.count)
                                          : feed(protocol, samples.pcm, samples.count);
    const int status = asc_result(protocol->classifier, &result);
    network_status(reply, status < 0 ? status : ASC_NET_OK);
    write_word(reply, (uint32_t)taken);
    write_byte(reply, protocol->column_waits);
    if (status == ASC_RESULT_NEW) {
        write_result(reply, &result);
    }
}

/* The latest column: number of its window, columns of that which are there, codes. */
static void column(const asc_protocol_t *protocol, writer_t *reply) {
    const asc_t *classifier = protocol->classifier;
    const uint32_t columns = classifier->column + protocol->column_waits;
    const uint32_t is_decided = classifier->column == ASC_FRONTEND_COLUMNS;
    network_status(reply, classifier->status);
    write_word(reply, classifier->windows - is_decided);
    write_word(reply, columns);
    if (classifier->status == ASC_NET_OK && columns > 0) {
        write_bytes(reply, protocol->latest, sizeof protocol->latest);
    }
}

static void status(const asc_protocol_t *protocol, writer_t *reply) {
    const asc_t *classifier = protocol->classifier;
    network_status(reply, classifier->status);
    write_word(reply, classifier->windows);
    write_word(reply, optional(protocol->port->overruns));
    write_word(reply, protocol->damaged);
    write_word(reply, protocol->ticks.hop);
    write_word(reply, protocol->ticks.network);
    write_word(reply, protocol->ticks.network_hop);
    write_word(reply, protocol->ticks.network_last);
    write_word(reply, optional(protocol->port->stack_bytes));
    write_word(reply, ASC_NET_ARENA_SIZE);
    write_word(reply, now(protocol));
}

/* Afterwards the classifier starts anew. */
static void selftest(asc_protocol_t *protocol, writer_t *reply) {
    if (protocol->port->selftest == NULL) {
        reply->data[HEADER_BYTES] = STATUS_KIND;
        return;
    }
    const int result = protocol->port->selftest(protocol->classifier);
    network_status(reply, restart(protocol));
    write_word(reply, (uint32_t)result);
}

/* Of a kind that is not known, any. */
static int is_length(uint32_t kind, size_t size) {
    switch (kind) {
    case KIND_INFO:
    case KIND_STATUS:
    case KIND_SELFTEST:
        return size == 0;
    case KIND_RESET:
        return size == 1;
    case KIND_READ:
        return size == 12;
    case KIND_PCM:
    case KIND_FEED:
        return size % sizeof(asc_sample_t) == 0;
    default:
        return 1;
    }
}

static void handle(asc_protocol_t *protocol, uint32_t kind, const uint8_t *body, size_t size,
                   writer_t *reply) {
    if (!is_length(kind, size)) {
        reply->data[HEADER_BYTES] = STATUS_LENGTH;
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
    case KIND_FEED:
        take_pcm(protocol, kind, body, size, reply);
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
        reply->data[HEADER_BYTES] = STATUS_KIND;
        break;
    }
}

static void send_frame(const asc_protocol_t *protocol, uint8_t *data, size_t size) {
    asc_frame_send(data, size, protocol->port->put, protocol->port->context);
}

static void reply_to(asc_protocol_t *protocol, const uint8_t *request, size_t size) {
    writer_t reply = {protocol->reply, 0};
    write_byte(&reply, ASC_PROTOCOL_VERSION);
    write_byte(&reply, request[1] | (uint32_t)REPLY);
    write_bytes(&reply, request + 2, 2);
    write_byte(&reply, STATUS_OK);
    if (request[0] != ASC_PROTOCOL_VERSION) {
        reply.data[HEADER_BYTES] = STATUS_VERSION;
    } else {
        handle(protocol, request[1], request + HEADER_BYTES, size - HEADER_BYTES, &reply);
    }
    protocol->reply_size = (uint32_t)reply.size;
}

/* A request that comes again is not done again. */
static void take_request(asc_protocol_t *protocol, const uint8_t *request, size_t size) {
    const uint32_t crc = asc_frame_crc(request, size);
    if (size < HEADER_BYTES || (request[1] & REPLY) != 0) {
        return;
    }
    if (protocol->reply_size == 0 || crc != protocol->request_crc) {
        protocol->request_crc = crc;
        reply_to(protocol, request, size);
    }
    send_frame(protocol, protocol->reply, protocol->reply_size);
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
    size_t taken = 0;
    while (!add_column(protocol) && next_column(protocol, pcm, count, &taken)) {
    }
    return taken;
}

void asc_protocol_report(const asc_protocol_t *protocol, const asc_result_t *result) {
    if (protocol->reply_size == 0) {
        return;
    }
    uint8_t data[HEADER_BYTES + 8 + 2 * ASC_NET_OUTPUT_SIZE + ASC_FRAME_CRC_SIZE];
    writer_t event = {data, 0};
    write_byte(&event, ASC_PROTOCOL_VERSION);
    write_byte(&event, KIND_RESULT | REPLY);
    write_byte(&event, 0);
    write_byte(&event, 0);
    write_result(&event, result);
    send_frame(protocol, data, event.size);
}

#else

/* ISO C wants a translation unit to declare something. */
typedef int asc_protocol_is_left_out;

#endif
