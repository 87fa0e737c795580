/* Where a rule is found broken: the program that runs the world says what happens then. The simulator reports and
 * stops that world; a unit test fails.
 */
#pragma once

/* Printf's arguments: "rule: what was seen". What stands before the first colon, its numbers left out, names the rule:
 * the simulator looks for a smaller world that breaks the same one. Defined by the program. */
_Noreturn void sim_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define SIM_EXPECT(claim)                                                                          \
    ((claim) ? (void)0 : sim_failed("not true, %s: %s:%d", #claim, __FILE__, __LINE__))
