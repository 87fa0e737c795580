/* Where a rule is found broken: the program that runs the world says what happens then. The simulator reports and
 * stops that world; a unit test fails.
 */
#pragma once

/* Printf's arguments: which rule, and what was seen. Defined by the program. */
_Noreturn void sim_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define SIM_EXPECT(claim)                                                                          \
    ((claim) ? (void)0 : sim_failed("%s:%d: not true: %s", __FILE__, __LINE__, #claim))
