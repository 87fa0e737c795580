# One target carries how everything is compiled. Layers and tools link it privately: warnings are not exported.
add_library(quizrush_options INTERFACE)

target_compile_options(quizrush_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wold-style-definition -Wmissing-prototypes
    -Wimplicit-fallthrough -Wformat=2 -Wundef -Wvla -Wcast-align -Wpointer-arith -Wwrite-strings
    -Wnested-externs -Wdate-time -Wswitch-enum
    # No contraction into fused operations: the same rating and the same score on every machine.
    -ffp-contract=off
    # Frame pointers cost nothing that shows and make every profile and crash readable.
    -fno-omit-frame-pointer)

if(QUIZRUSH_WERROR)
    target_compile_options(quizrush_options INTERFACE -Werror)
endif()
if(QUIZRUSH_SANITIZE)
    target_compile_options(quizrush_options INTERFACE -fsanitize=${QUIZRUSH_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(quizrush_options INTERFACE -fsanitize=${QUIZRUSH_SANITIZE})
endif()
if(QUIZRUSH_COVERAGE)
    # Atomic counters: the mailbox is tested, and the server runs, with several threads.
    target_compile_options(quizrush_options INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(quizrush_options INTERFACE --coverage)
endif()
if(QUIZRUSH_HARDEN)
    target_compile_options(quizrush_options INTERFACE -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2)
    target_link_options(quizrush_options INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
