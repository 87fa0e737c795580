#include "pack_priv.h"

#include <string.h>

#include "base/assert.h"

void pack_number(struct pack *pack, uint64_t number, unsigned width)
{
    QR_ASSERT(pack->capacity - pack->size >= width);
    for (unsigned i = 0; i < width; i++) {
        pack->bytes[pack->size++] = (uint8_t)(number >> 8 * i);
    }
}

void pack_bytes(struct pack *pack, const void *bytes, size_t size)
{
    QR_ASSERT(pack->capacity - pack->size >= size);
    memcpy(pack->bytes + pack->size, bytes, size);
    pack->size += size;
}

void pack_string(struct pack *pack, const char *text)
{
    size_t length = strlen(text);
    QR_ASSERT(length <= UINT16_MAX);
    pack_number(pack, length, 2);
    pack_bytes(pack, text, length + 1);
}

static const uint8_t *take(struct unpack *unpack, size_t size)
{
    if (unpack->is_bad || unpack->left < size) {
        unpack->is_bad = true;
        return NULL;
    }
    const uint8_t *taken = unpack->at;
    unpack->at += size;
    unpack->left -= size;
    return taken;
}

uint64_t unpack_number(struct unpack *unpack, unsigned width)
{
    const uint8_t *bytes = take(unpack, width);
    uint64_t number = 0;
    for (unsigned i = 0; bytes != NULL && i < width; i++) number |= (uint64_t)bytes[i] << 8 * i;
    return number;
}

int64_t unpack_signed(struct unpack *unpack, unsigned width)
{
    uint64_t number = unpack_number(unpack, width);
    uint64_t sign = UINT64_C(1) << (8 * width - 1);
    return (int64_t)((number ^ sign) - sign);
}

bool unpack_bool(struct unpack *unpack)
{
    uint64_t number = unpack_number(unpack, 1);
    if (number > 1) unpack->is_bad = true;
    return number == 1;
}

void unpack_bytes(struct unpack *unpack, void *ret_bytes, size_t size)
{
    const uint8_t *bytes = take(unpack, size);
    if (bytes == NULL) {
        memset(ret_bytes, 0, size);
    } else {
        memcpy(ret_bytes, bytes, size);
    }
}

const char *unpack_string(struct unpack *unpack, size_t most)
{
    size_t length = (size_t)unpack_number(unpack, 2);
    if (length > most) unpack->is_bad = true;
    const uint8_t *bytes = take(unpack, length + 1);
    if (bytes == NULL || memchr(bytes, '\0', length + 1) != bytes + length) {
        unpack->is_bad = true;
        return "";
    }
    return (const char *)bytes;
}
