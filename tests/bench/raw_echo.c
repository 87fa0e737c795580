/* The least WebSocket echo that can be written on epoll: the limit that a message of the daemon is
 * held against.
 *
 *     raw_echo PORT
 */
#include <stdio.h>
#include <string.h>

#include "raw_ws.h"

static void on_text(void *context, int fd, const char *text, size_t size)
{
    (void)context;
    uint8_t frame[RAW_HEADER_BYTES_MAX + RAW_MESSAGE_BYTES_MAX];
    size_t header = raw_header(frame, RAW_TEXT, size);
    memcpy(frame + header, text, size);
    raw_write(fd, frame, header + size);
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "Usage: raw_echo PORT\n");
        return 2;
    }
    static const struct raw_calls calls = {.on_text = on_text};
    return raw_serve((uint16_t)raw_number(argv[1], UINT16_MAX), &calls, NULL);
}
