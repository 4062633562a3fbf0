/* Laptops that send levels and pictures over websockets, and consoles that note when each value reaches them.
 *
 *   load speaks=sightline port=8710 groups=1 laptops=36 consoles=10 stalled=0 seconds=10 warm=2
 *
 * speaks=sightline  our server: hellos, OpenCall awaited, beats, boxes; frames as in schemas/
 * speaks=plain      /laptop/GROUP and /console/GROUP, the same values without any hello
 * speaks=nats       NATS over websockets: PUB and SUB on load.GROUP
 *
 * One thread, so that it costs little beside the server that it measures. Each value carries the sender's clock in its
 * at_ms (microseconds here), and consoles find it by reading the frame as msgpack: alone, or in a delta. A stalled
 * console reads its first frames and then never again, while its beats go on.
 * Prints READY (all connected, all calls open), START and END around the measured seconds, then one line of JSON.
 * `missing`: values that were sent in the measured seconds and had not reached a console 1 s after them.
 * `lag_p99_ms`: how late it was itself in sending: with more than a few ms the run says nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LAPTOP, CONSOLE, STALLED };
enum { SIGHTLINE, PLAIN, NATS };
enum { TAG_LEVELS = 1, TAG_PICTURE = 2, TAG_OPEN_CALL = 21, TAG_SNAPSHOT = 61, TAG_DELTA = 62 };
#define LEVELS_HZ 10
#define PICTURE_WIDTH 40
#define PICTURE_HEIGHT 25
#define PIXELS (PICTURE_WIDTH * PICTURE_HEIGHT * 3)
#define BUCKETS 300000 /* of 10 us */
#define DRAIN_US 1000000
#define BEAT_US 2000000

typedef struct {
    int fd, kind, group, number, ready;
    unsigned char *in, *text; /* what is left of a frame; of a NATS message */
    size_t in_length, in_room, text_length, text_room;
    unsigned char *out;
    size_t out_length, out_room;
    uint64_t beat_at;
} Peer;

typedef struct {
    uint32_t at_us; /* within each second */
    int laptop, picture;
} Turn;

static int speaks, port, groups = 1, laptops = 36, consoles = 10, stalled = 0, waiting;
static double seconds = 10, warm = 2;
static uint64_t from_us, until_us = UINT64_MAX, sent[2], seen[2], frames, received, broken;
static uint32_t delays[2][BUCKETS], lags[BUCKETS];
static uint64_t lag_count;
static unsigned char noise[1 << 16];

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void note(uint32_t *buckets, uint64_t us) { buckets[us / 10 < BUCKETS ? us / 10 : BUCKETS - 1]++; }

static double part_ms(const uint32_t *buckets, uint64_t count, double part) {
    uint64_t passed = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((passed += buckets[i]) > part * count) return (i + 1) * 0.01;
    return 0;
}

/* msgpack, as much of it as our messages use */

typedef struct {
    const unsigned char *at, *end;
} Reader;

static uint64_t number_of(Reader *r, int bytes) {
    uint64_t value = 0;
    if (r->end - r->at < bytes) return r->at = r->end, 0;
    while (bytes--) value = value << 8 | *r->at++;
    return value;
}

static uint64_t array_of(Reader *r) {
    int first = r->at < r->end ? *r->at++ : 0;
    if ((first & 0xf0) == 0x90) return first & 15;
    return first == 0xdc ? number_of(r, 2) : first == 0xdd ? number_of(r, 4) : 0;
}

static uint64_t unsigned_of(Reader *r) {
    int first = r->at < r->end ? *r->at++ : 0;
    if (first < 0x80) return first;
    return first >= 0xcc && first <= 0xcf ? number_of(r, 1 << (first - 0xcc)) : 0;
}

static void jump(Reader *r, uint64_t bytes) { r->at = (uint64_t)(r->end - r->at) < bytes ? r->end : r->at + bytes; }

static void skip(Reader *r) {
    if (r->at >= r->end) return;
    int first = *r->at;
    uint64_t count = 0;
    if ((first & 0xf0) == 0x90 || first == 0xdc || first == 0xdd) {
        for (count = array_of(r); count; count--) skip(r);
        return;
    }
    r->at++;
    if (first < 0x80 || first >= 0xe0 || first == 0xc0 || first == 0xc2 || first == 0xc3) return;
    if ((first & 0xe0) == 0xa0) jump(r, first & 31);
    else if (first >= 0xc4 && first <= 0xc6) jump(r, number_of(r, 1 << (first - 0xc4)));
    else if (first >= 0xd9 && first <= 0xdb) jump(r, number_of(r, 1 << (first - 0xd9)));
    else if (first >= 0xcc && first <= 0xd3) jump(r, first < 0xd0 ? 1 << (first - 0xcc) : 1 << (first - 0xd0));
    else if (first == 0xca || first == 0xcb) jump(r, first == 0xca ? 4 : 8);
}

static void take_value(Reader *r, uint64_t at_us) {
    uint64_t fields = array_of(r), tag = unsigned_of(r), sent_us, done = 2;
    skip(r);
    if (tag == TAG_PICTURE) skip(r), done++;
    sent_us = unsigned_of(r), done++;
    for (; done < fields; done++) skip(r);
    if (tag != TAG_LEVELS && tag != TAG_PICTURE) return;
    if (sent_us < from_us || sent_us >= until_us || !from_us) return;
    note(delays[tag == TAG_PICTURE], at_us - sent_us);
    seen[tag == TAG_PICTURE]++;
}

static void take_message(Peer *p, const unsigned char *data, size_t length, uint64_t at_us) {
    Reader r = {data, data + length}, whole = r;
    uint64_t tag;
    array_of(&r);
    tag = unsigned_of(&r);
    if (p->kind == LAPTOP) {
        if (tag == TAG_OPEN_CALL && !p->ready) p->ready = 1, waiting--;
        return;
    }
    if (!p->ready && (speaks != SIGHTLINE || tag == TAG_SNAPSHOT)) p->ready = 1, waiting--;
    if (tag == TAG_LEVELS || tag == TAG_PICTURE) take_value(&whole, at_us);
    if (tag != TAG_DELTA) return;
    skip(&r), skip(&r); /* tick, server's time */
    for (uint64_t count = array_of(&r); count; count--) take_value(&r, at_us);
    skip(&r); /* health */
    for (uint64_t count = array_of(&r); count; count--) take_value(&r, at_us);
}

/* websockets */

static void append(unsigned char **buffer, size_t *length, size_t *room, const void *data, size_t more) {
    if (*length + more > *room) *buffer = realloc(*buffer, *room = (*length + more) * 2);
    memcpy(*buffer + *length, data, more);
    *length += more;
}

static void flush(Peer *p) {
    ssize_t n = write(p->fd, p->out, p->out_length);
    if (n > 0) memmove(p->out, p->out + n, p->out_length -= n);
}

static void send_frame(Peer *p, int opcode, const void *message, size_t length) {
    static unsigned char frame[1 << 16];
    static const unsigned char mask[4] = {0x5a, 0x17, 0xc3, 0x2e};
    const unsigned char *data = message;
    size_t head = 2;
    if (p->fd < 0) return;
    frame[0] = 0x80 | opcode, frame[1] = 0x80 | (length < 126 ? length : 126);
    if (length >= 126) frame[2] = length >> 8, frame[3] = length, head = 4;
    memcpy(frame + head, mask, 4), head += 4;
    for (size_t i = 0; i < length; i++) frame[head + i] = data[i] ^ mask[i & 3];
    if (p->out_length) {
        append(&p->out, &p->out_length, &p->out_room, frame, head + length);
        flush(p);
        return;
    }
    ssize_t n = write(p->fd, frame, head + length);
    if (n < 0) n = 0;
    if ((size_t)n < head + length) append(&p->out, &p->out_length, &p->out_room, frame + n, head + length - n);
}

static void take_nats(Peer *p, const unsigned char *data, size_t length, uint64_t at_us) {
    size_t done = 0, size;
    unsigned char *line_end;
    append(&p->text, &p->text_length, &p->text_room, data, length);
    while ((line_end = memmem(p->text + done, p->text_length - done, "\r\n", 2))) {
        unsigned char *line = p->text + done, *payload = line_end + 2;
        if (!memcmp(line, "MSG ", 4)) {
            unsigned char *digits = line_end;
            while (digits[-1] != ' ') digits--;
            size = strtoul((char *)digits, NULL, 10);
            if (payload + size + 2 > p->text + p->text_length) break;
            take_message(p, payload, size, at_us);
            payload += size + 2;
        } else if (!memcmp(line, "PING", 4)) send_frame(p, 2, "PONG\r\n", 6);
        else if (!memcmp(line, "PONG", 4) && !p->ready) p->ready = 1, waiting--;
        else if (!memcmp(line, "-ERR", 4)) errno = EPROTO, fail((char *)line);
        done = payload - p->text;
    }
    memmove(p->text, p->text + done, p->text_length -= done);
}

static void lost(Peer *p) {
    close(p->fd);
    p->fd = -1;
    broken++;
}

static void take_frame(Peer *p, int opcode, const unsigned char *data, size_t length, uint64_t at_us) {
    frames++;
    if (opcode == 8) {
        fprintf(stderr, "load: closed: %.*s\n", (int)(length > 2 ? length - 2 : 0), data + 2);
        lost(p);
    } else if (opcode == 9) send_frame(p, 10, data, length);
    else if (speaks == NATS) take_nats(p, data, length, at_us);
    else take_message(p, data, length, at_us);
}

static void receive(Peer *p) {
    static unsigned char fresh[1 << 18];
    ssize_t n = read(p->fd, fresh, sizeof fresh);
    uint64_t at_us = now_us();
    unsigned char *data = fresh;
    size_t length, done = 0;
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) lost(p);
        return;
    }
    received += n;
    if (p->in_length) append(&p->in, &p->in_length, &p->in_room, fresh, n), data = p->in;
    length = p->in_length ? p->in_length : (size_t)n;
    while (length - done >= 2 && p->fd >= 0) {
        unsigned char *f = data + done;
        int code = f[1] & 127, head = code == 126 ? 4 : code == 127 ? 10 : 2;
        Reader size = {f + 2, f + head};
        if (length - done < (size_t)head) break;
        uint64_t payload = head == 2 ? (uint64_t)code : number_of(&size, head - 2);
        if (length - done < head + payload) break;
        take_frame(p, f[0] & 15, f + head, payload, at_us);
        done += head + payload;
    }
    if (data == p->in) memmove(p->in, p->in + done, p->in_length -= done);
    else if (done < length) append(&p->in, &p->in_length, &p->in_room, fresh + done, length - done);
}

/* what peers say */

static void name_group(int group, char *code) {
    code[0] = 'A' + group / 676 % 26, code[1] = 'A' + group / 26 % 26, code[2] = 'A' + group % 26, code[3] = 0;
}

static unsigned char *put_text(unsigned char *to, const char *text) {
    size_t length = strlen(text);
    *to++ = 0xd9, *to++ = length;
    memcpy(to, text, length);
    return to + length;
}

static unsigned char *put_number(unsigned char *to, uint64_t value) {
    *to++ = 0xcf;
    for (int shift = 56; shift >= 0; shift -= 8) *to++ = value >> shift;
    return to;
}

static void publish(Peer *p, unsigned char *message, size_t length) {
    static unsigned char line[PIXELS + 512];
    if (speaks != NATS) {
        send_frame(p, 2, message, length);
        return;
    }
    int head = sprintf((char *)line, "PUB load.%d %zu\r\n", p->group, length);
    memcpy(line + head, message, length);
    memcpy(line + head + length, "\r\n", 2);
    send_frame(p, 2, line, head + length + 2);
}

static void send_value(Peer *p, int picture) {
    unsigned char message[PIXELS + 256], *end = message;
    char code[4], call[16];
    uint64_t at_us = now_us();
    name_group(p->group, code);
    sprintf(call, "%s-%d", code, p->number + 1);
    *end++ = picture ? 0x99 : 0x97, *end++ = picture ? TAG_PICTURE : TAG_LEVELS;
    end = put_text(end, call);
    if (picture) end = put_text(end, "family");
    end = put_number(end, at_us);
    if (picture) {
        for (int twice = 0; twice < 2; twice++) *end++ = PICTURE_WIDTH, *end++ = PICTURE_HEIGHT;
        *end++ = 0xc5, *end++ = PIXELS >> 8, *end++ = PIXELS & 255;
        memcpy(end, noise + at_us % (sizeof noise - PIXELS), PIXELS);
        end += PIXELS;
    } else
        for (int k = 0; k < 4; k++) { /* -100 to -611 tenths of a dBFS */
            int level = 65536 - 100 - noise[(at_us + k) % sizeof noise] * 2;
            *end++ = 0xd1, *end++ = level >> 8, *end++ = level;
        }
    if (from_us && at_us >= from_us && at_us < until_us) sent[picture]++;
    publish(p, message, end - message);
}

static void say_hello(Peer *p) {
    unsigned char message[512], *end = message;
    char code[4], text[64];
    name_group(p->group, code);
    if (speaks == NATS) {
        char *connect = "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\n";
        send_frame(p, 2, connect, strlen(connect));
        int length = sprintf(text, "SUB load.%d 1\r\n", p->group);
        if (p->kind != LAPTOP) send_frame(p, 2, text, length);
        send_frame(p, 2, "PING\r\n", 6);
    } else if (speaks == PLAIN) {
        p->ready = 1, waiting--;
    } else if (p->kind == LAPTOP) {
        *end++ = 0x96, *end++ = 10, *end++ = 1;
        end = put_text(end, code);
        sprintf(text, "%s-%d", code, p->number + 1);
        end = put_text(end, text);
        sprintf(text, "laptop-token-%s-%d", code, p->number + 1);
        end = put_text(end, text);
        end = put_text(end, "load");
        send_frame(p, 2, message, end - message);
    } else {
        *end++ = 0x94, *end++ = 40, *end++ = 1;
        end = put_text(end, code);
        sprintf(text, "console-token-%s", code);
        end = put_text(end, text);
        send_frame(p, 2, message, end - message);
        end = message;
        *end++ = 0x92, *end++ = 42, *end++ = 0x91, *end++ = 0x93;
        end = put_text(end, "family");
        *end++ = PICTURE_WIDTH, *end++ = PICTURE_HEIGHT;
        send_frame(p, 2, message, end - message);
    }
}

static void open_peer(Peer *p) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    char text[1024];
    int one = 1, small = 4096, length = 0;
    const char *path = p->kind == LAPTOP ? "laptop" : "console";
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (p->kind == STALLED) setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(p->fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int n = sprintf(text, "GET /%s", speaks == NATS ? "" : path);
    if (speaks == PLAIN) n += sprintf(text + n, "/%d", p->group);
    n += sprintf(text + n, " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: c2lnaHRsaW5lIGlzIGhlcg==\r\nSec-WebSocket-Version: 13\r\n\r\n", port);
    if (write(p->fd, text, n) != n) fail("handshake");
    do {
        if (length + 1 == sizeof text || read(p->fd, text + length, 1) <= 0) fail("handshake");
        text[++length] = 0;
    } while (length < 4 || strcmp(text + length - 4, "\r\n\r\n"));
    if (strncmp(text, "HTTP/1.1 101", 12)) errno = EPROTO, fail(text);
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    say_hello(p);
}

static int by_time(const void *a, const void *b) {
    uint32_t x = ((const Turn *)a)->at_us, y = ((const Turn *)b)->at_us;
    return (x > y) - (x < y);
}

static void beat(Peer *all, int total, uint64_t at_us) {
    static const unsigned char message[] = {0x94, 41, 0xa0, 0xc2, 0};
    if (speaks == SIGHTLINE)
        for (Peer *p = all; p < all + total; p++)
            if (p->kind != LAPTOP && at_us >= p->beat_at) p->beat_at = at_us + BEAT_US, send_frame(p, 2, message, sizeof message);
}

static void listen_for(int epoll, int most_ms) {
    struct epoll_event events[512];
    int count = epoll_wait(epoll, events, 512, most_ms);
    for (int i = 0; i < count; i++) {
        Peer *p = events[i].data.ptr;
        if (p->fd >= 0 && !(p->kind == STALLED && p->ready)) receive(p);
        if (p->kind == STALLED && p->ready && p->fd >= 0) epoll_ctl(epoll, EPOLL_CTL_DEL, p->fd, NULL);
    }
}

int main(int count, char **options) {
    for (int i = 1; i < count; i++) {
        char *value = strchr(options[i], '=');
        if (!value) errno = EINVAL, fail(options[i]);
        *value++ = 0;
        if (!strcmp(options[i], "speaks")) speaks = *value == 's' ? SIGHTLINE : *value == 'p' ? PLAIN : NATS;
        if (!strcmp(options[i], "port")) port = atoi(value);
        if (!strcmp(options[i], "groups")) groups = atoi(value);
        if (!strcmp(options[i], "laptops")) laptops = atoi(value);
        if (!strcmp(options[i], "consoles")) consoles = atoi(value);
        if (!strcmp(options[i], "stalled")) stalled = atoi(value);
        if (!strcmp(options[i], "seconds")) seconds = atof(value);
        if (!strcmp(options[i], "warm")) warm = atof(value);
    }
    struct rlimit files = {60000, 60000};
    setrlimit(RLIMIT_NOFILE, &files);
    srand(1);
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = rand() >> 8;
    int senders = groups * laptops, total = groups * (laptops + consoles + stalled), epoll = epoll_create1(0), n = 0;
    Peer *all = calloc(total, sizeof *all);
    waiting = total;
    for (int kind = LAPTOP; kind <= STALLED; kind++)
        for (int group = 0; group < groups; group++)
            for (int k = 0; k < (kind == LAPTOP ? laptops : kind == CONSOLE ? consoles : stalled); k++) {
                Peer *p = &all[n++];
                p->kind = kind, p->group = group, p->number = k;
                open_peer(p);
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
                epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &event);
                listen_for(epoll, 0);
                beat(all, n, now_us());
            }
    uint64_t late = now_us() + 60000000;
    while (waiting && now_us() < late) listen_for(epoll, 10), beat(all, total, now_us());
    if (waiting) errno = ETIMEDOUT, fail("not all are ready");
    printf("READY\n"), fflush(stdout);

    int turns = senders * (LEVELS_HZ + 1), turn = 0;
    Turn *order = calloc(turns, sizeof *order);
    for (int i = 0, t = 0; i < senders; i++) {
        uint32_t own = (uint32_t)((uint64_t)i * 7919 % senders * 1000000 / senders); /* spread, and neighbours apart */
        for (int k = 0; k < LEVELS_HZ; k++) order[t++] = (Turn){own / LEVELS_HZ + k * (1000000 / LEVELS_HZ), i, 0};
        order[t++] = (Turn){(own + 13) % 1000000, i, 1};
    }
    qsort(order, turns, sizeof *order, by_time);
    uint64_t second = now_us(), start = second + warm * 1000000, finish = start + seconds * 1000000;
    int ended = 0;
    while (1) {
        uint64_t at = now_us();
        if (!from_us && at >= start) from_us = at, until_us = finish, printf("START\n"), fflush(stdout);
        if (!ended && at >= finish) ended = 1, printf("END\n"), fflush(stdout);
        if (at >= finish + DRAIN_US) break;
        while (second + order[turn].at_us <= at) {
            if (from_us && !ended) note(lags, at - second - order[turn].at_us), lag_count++;
            send_value(&all[order[turn].laptop], order[turn].picture);
            if (++turn == turns) turn = 0, second += 1000000;
        }
        beat(all, total, at);
        listen_for(epoll, 1);
    }
    uint64_t expected = (sent[0] + sent[1]) * consoles, came = seen[0] + seen[1];
    printf("{\"sent\":%llu,\"seen\":%llu,\"missing\":%lld,\"broken\":%llu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
           "\"picture_p99_ms\":%.2f,\"lag_p99_ms\":%.2f,\"frames\":%llu,\"mb\":%.1f}\n",
           (unsigned long long)(sent[0] + sent[1]), (unsigned long long)came, (long long)(expected - came),
           (unsigned long long)broken, part_ms(delays[0], seen[0], .5), part_ms(delays[0], seen[0], .99),
           part_ms(delays[1], seen[1], .99), part_ms(lags, lag_count, .99), (unsigned long long)frames, received / 1e6);
    return 0;
}
