/* quizrushd: the command line, the configuration and the question bank, then the server. */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/conf.h"
#include "daemon/options.h"
#include "daemon/server.h"
#include "daemon/storage.h"
#include "edge/bank_file.h"
#include "edge/log.h"
#include "edge/recovery.h"
#include "proto/decode.h"

enum { EXIT_USAGE = 2 };

void qr_assert_failed(const char *file, int line, const char *claim)
{
    recovery_note_assertion();
    log_event(LOG_LEVEL_ERROR, "assertion_failed", "file=%s line=%d claim=\"%s\"", file, line,
              claim);
    abort();
}

static int complain(const char *text)
{
    fprintf(stderr, "quizrushd: %s\n", text);
    return EXIT_USAGE;
}

static bool configure(const struct options *options, struct conf *conf,
                      struct conf_problem *reterr_problem)
{
    conf_init(conf);
    if (options->config_path != NULL &&
        !conf_read_file(conf, options->config_path, reterr_problem)) {
        return false;
    }
    for (unsigned i = 0; i < options->set_count; i++) {
        if (!conf_set(conf, options->sets[i], reterr_problem)) return false;
    }
    return true;
}

static bool resolve(struct conf *conf, struct conf_problem *reterr_problem)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) limit.rlim_max = 1024;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return conf_resolve(conf, limit.rlim_max, cores > 0 ? (unsigned)cores : 1, reterr_problem);
}

static int complain_of_bank(const char *path, const struct bank_problem *problem)
{
    if (problem->line > 0) {
        fprintf(stderr, "quizrushd: %s:%u: %s\n", path, problem->line, problem->reason);
    } else {
        fprintf(stderr, "quizrushd: %s: %s\n", path, problem->reason);
    }
    return EXIT_USAGE;
}

static int check_questions(const char *path)
{
    struct bank *bank = NULL;
    struct bank_problem problem;
    if (bank_file_load(path, &bank, &problem) != 0) return complain_of_bank(path, &problem);
    printf("%s: %u questions in %u categories\n", path, bank->count, bank->category_count);
    for (uint32_t i = 0; i < bank->category_count; i++) {
        printf("  %-24s %u\n", bank->categories[i].name, bank->categories[i].count);
    }
    bank_destroy(bank);
    return EXIT_SUCCESS;
}

static void set_log_level(const struct conf *conf)
{
    static const struct {
        const char *name;
        enum log_level level;
    } levels[] = {{"error", LOG_LEVEL_ERROR},
                  {"warning", LOG_LEVEL_WARNING},
                  {"info", LOG_LEVEL_INFO},
                  {"debug", LOG_LEVEL_DEBUG}};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(conf->log_level, levels[i].name) == 0) log_set_level(levels[i].level);
    }
}

/* Large blocks come from the kernel and go back to it whole. Left alone, the C library would take the next ones from
 * its heap once the first was freed, and keep what starting needs for a moment. */
static void give_large_blocks_back(void)
{
    enum { LARGE_BYTES = 128 * 1024 };
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* Refused, some memory more is resident. */
}

static int serve(const struct conf *conf)
{
    struct bank *bank = NULL;
    struct bank_problem problem;
    set_log_level(conf);
    give_large_blocks_back();
    decode_init();
    if (bank_file_load(conf->questions, &bank, &problem) != 0) {
        return complain_of_bank(conf->questions, &problem);
    }
    int status = EXIT_USAGE;
    if (bank->count < conf->match_rounds) {
        fprintf(stderr, "quizrushd: %s: %u questions are fewer than match_rounds, %u\n",
                conf->questions, bank->count, conf->match_rounds);
    } else {
        status = server_run(conf, bank);
    }
    bank_destroy(bank);
    return status;
}

int main(int argc, char *argv[])
{
    struct options options;
    struct conf conf;
    struct conf_problem problem;
    if (!options_parse(argc, argv, &options, &problem)) return complain(problem.text);
    switch (options.action) {
    case OPTIONS_HELP: options_print_help(stdout); return EXIT_SUCCESS;
    case OPTIONS_VERSION: options_print_version(stdout); return EXIT_SUCCESS;
    case OPTIONS_PRINT_KEYS: conf_print_table(stdout); return EXIT_SUCCESS;
    case OPTIONS_CHECK_QUESTIONS: decode_init(); return check_questions(options.questions_path);
    case OPTIONS_PRINT_CONFIG:
    case OPTIONS_CHECK_CONFIG:
    case OPTIONS_MIGRATE:
    case OPTIONS_RUN: break;
    }
    if (!configure(&options, &conf, &problem)) return complain(problem.text);
    if (options.action == OPTIONS_PRINT_CONFIG) {
        conf_print(&conf, stdout);
        return EXIT_SUCCESS;
    }
    if (!resolve(&conf, &problem)) return complain(problem.text);
    if (options.action == OPTIONS_CHECK_CONFIG) {
        puts("the configuration is good");
        return EXIT_SUCCESS;
    }
    if (options.action == OPTIONS_MIGRATE) {
        set_log_level(&conf);
        return storage_migrate(&conf) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    return serve(&conf);
}
