#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/siphash.h"

/* The reference implementation's vectors: key 00 … 0f, message 00 01 02 …, one per length. */
static const struct siphash_key vector_key = {
    {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};

static const uint64_t vectors[16] = {
    UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
    UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
    UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
    UINT64_C(0x9e0082df0ba9e4b0), UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
    UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90), UINT64_C(0xf723ca908e7af2ee),
    UINT64_C(0xa129ca6149be45e5),
};

static void assert_vectors_hold(void)
{
    uint8_t message[16];
    for (uint8_t size = 0; size < 16; size++) {
        message[size] = size;
        assert_int_equal(siphash(&vector_key, message, size), vectors[size]);
    }
}

static void every_reference_vector_holds(void **state)
{
    (void)state;
    assert_vectors_hold();
}

static void an_empty_message_needs_no_bytes(void **state)
{
    (void)state;
    assert_int_equal(siphash(&vector_key, NULL, 0), vectors[0]);
}

static void the_place_of_the_bytes_in_memory_does_not_matter(void **state)
{
    (void)state;
    static const uint8_t message[15] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    uint8_t odd[16];
    memcpy(odd + 1, message, sizeof message);
    assert_int_equal(siphash(&vector_key, odd + 1, sizeof message), vectors[15]);
}

static void another_key_gives_another_hash(void **state)
{
    (void)state;
    struct siphash_key first = vector_key;
    struct siphash_key second = vector_key;
    first.words[0] ^= 1;
    second.words[1] ^= 1;
    assert_int_not_equal(siphash(&first, "abc", 3), siphash(&vector_key, "abc", 3));
    assert_int_not_equal(siphash(&second, "abc", 3), siphash(&vector_key, "abc", 3));
}

static void trailing_zeros_count(void **state)
{
    (void)state;
    static const uint8_t zeros[8];
    assert_int_not_equal(siphash(&vector_key, zeros, 7), siphash(&vector_key, zeros, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reference_vector_holds),
        cmocka_unit_test(an_empty_message_needs_no_bytes),
        cmocka_unit_test(the_place_of_the_bytes_in_memory_does_not_matter),
        cmocka_unit_test(another_key_gives_another_hash),
        cmocka_unit_test(trailing_zeros_count),
    };
    return cmocka_run_group_tests_name("base/siphash", tests, NULL, NULL);
}
