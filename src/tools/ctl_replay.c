/* quizrushctl replay: a match round by round, played again from the journal, or out of the store, with every point
 * recomputed. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/match_origin.h"
#include "ctl_command.h"
#include "ctl_rows.h"
#include "edge/journal_scan.h"
#include "edge/sheet.h"
#include "proto/journal.h"

enum { FOUND = 0, NOT_THERE = 1, FAILED = 2 };

/* --- From the journal. --- */

/* Why the match cannot be played on, or NULL. */
static const char *play(struct match *match, const uint8_t *record, size_t bytes)
{
    struct journal_event event;
    struct effects effects = {.count = 0};
    const char *problem = journal_read_event(record, bytes, &event);
    if (problem != NULL) return problem;
    match_step(match, &event.event, &effects);
    if (match->fault != NULL) return match->fault;
    return match->seq == event.seq ? NULL : "it does not come about again as it was";
}

static const char *begin(struct match *match, const uint8_t *record, size_t bytes,
                         struct journal_begin *begin)
{
    const char *problem = journal_read_begin(record, bytes, begin);
    if (problem != NULL) return problem;
    if (begin->rules != MATCH_RULES_VERSION) return "it was begun under other rules";
    struct effects effects = {.count = 0};
    match_restore(match, &begin->origin, &begin->bank.bank, &effects);
    return NULL;
}

/* The match's records among all; what was played last stands in `match`. */
static int play_all(struct journal_scan *scan, const struct id *id, struct match *match,
                    struct journal_begin *beginning, const char **ret_problem)
{
    int found = NOT_THERE;
    unsigned shard;
    const uint8_t *record;
    size_t bytes;
    while (journal_scan_next(scan, &shard, &record, &bytes)) {
        struct journal_head head;
        *ret_problem = journal_read_head(record, bytes, &head);
        if (*ret_problem != NULL) return FAILED;
        if (!id_equal(&head.match, id)) continue;
        if (head.kind == JOURNAL_BEGIN) {
            found = FOUND;
            *ret_problem = begin(match, record, bytes, beginning);
        } else if (head.kind == JOURNAL_EVENT && found == FOUND) {
            *ret_problem = play(match, record, bytes);
        }
        if (*ret_problem != NULL) return FAILED;
    }
    return found;
}

static int read_journal(const struct conf *conf, const struct id *id, struct sheet *ret_sheet)
{
    char path[CTL_PATH_BYTES];
    char text[2 * CTL_PATH_BYTES];
    struct journal_problem problem;
    struct journal_scan *scan = NULL;
    int size = snprintf(path, sizeof path, "%s/journal", conf->data_dir);
    QR_ASSERT(size > 0 && (size_t)size < sizeof path);
    int error = journal_scan_open(path, &scan, &problem);
    if (error == -ENOENT) return NOT_THERE; /* No daemon has run there: the store may have it. */
    if (error != 0) {
        (void)snprintf(text, sizeof text, "%s: offset %llu: %s", problem.file,
                       (unsigned long long)problem.offset, problem.what); /* Cut, it tells. */
        (void)ctl_fail(EXIT_FAILURE, text); /* The caller knows the status. */
        return FAILED;
    }
    static struct match match;
    static struct journal_begin beginning;
    const char *what = NULL;
    int found = play_all(scan, id, &match, &beginning, &what);
    if (found == FAILED) {
        (void)snprintf(text, sizeof text, "the journal's match cannot be played again: %s", what);
        (void)ctl_fail(EXIT_FAILURE, text); /* Likewise. */
    }
    if (found == FOUND) sheet_of_match(&match, ret_sheet);
    journal_scan_close(scan);
    return found;
}

/* --- From the store. --- */

static int read_store(const struct conf *conf, const struct id *id, struct sheet *ret_sheet)
{
    char path[CTL_PATH_BYTES];
    char problem[SHEET_PROBLEM_BYTES];
    int error;
    if (ctl_is_embedded(conf, path)) {
        error = sheet_read_sqlite(path, id, ret_sheet, problem);
    } else {
        struct postgres_store_options postgres = ctl_postgres_options(conf);
        error = sheet_read_postgres(&postgres, id, ret_sheet, problem);
    }
    if (error >= 0) return error;
    (void)ctl_fail(EXIT_FAILURE, problem); /* The caller knows the status. */
    return FAILED;
}

/* --- What is printed. --- */

static void print_round(const struct sheet *sheet, const struct sheet *recomputed, unsigned index)
{
    const struct sheet_round *round = &sheet->rounds[index];
    char text[CTL_NAME_BYTES];
    printf("round %u  x%u  %s\n", index + 1, round->weight, ctl_printable(round->question, text));
    for (unsigned i = 0; i < round->choice_count; i++) {
        printf("  %c %u  %s\n", i == round->right_place ? '*' : ' ', i,
               ctl_printable(round->choices[i], text));
    }
    for (unsigned player = 0; player < MATCH_PLAYERS_MAX; player++) {
        const struct sheet_answer *answer = &round->answers[player];
        if (!answer->is_given) {
            printf("  player %u  no answer\n", player);
            continue;
        }
        printf("  player %u  choice %u  at %" PRIu32 " ms  credit %" PRIu32 " ms  points %" PRIu32,
               player, answer->choice, answer->at_ms, answer->credit_ms, answer->points);
        uint32_t points = recomputed->rounds[index].answers[player].points;
        if (points != answer->points) printf("  recomputed %" PRIu32, points);
        printf("%s\n", round->is_revealed ? "" : "  (not revealed)");
    }
}

static void print_sheet(const struct sheet *sheet, const struct sheet *recomputed, const char *from)
{
    char id[ID_TEXT_BYTES + 1], text[CTL_NAME_BYTES], other[CTL_NAME_BYTES];
    char before[CTL_RATING_BYTES], after[CTL_RATING_BYTES];
    id_format(&sheet->match, id);
    printf("match %s  from the %s  %s  %s  %s\n", id, from, ctl_printable(sheet->mode, text),
           sheet->is_rated ? "rated" : "unrated", ctl_printable(sheet->reason, other));
    for (unsigned i = 0; i < sheet->round_count; i++) print_round(sheet, recomputed, i);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct sheet_player *player = &sheet->players[i];
        printf("player %u  score %" PRIu32 "  recomputed %" PRIu32 "  rating %s to %s%s%s  %s\n", i,
               player->score, recomputed->players[i].score,
               ctl_format_rating(player->before_centi, before),
               ctl_format_rating(player->after_centi, after),
               sheet->winner == (int8_t)i ? "  won" : "", player->is_gone ? "  gone" : "",
               ctl_printable(player->name, text));
    }
}

/* --- The command. --- */

static int verify(const struct sheet *sheet, const struct sheet *other, const char *what)
{
    char text[SHEET_PROBLEM_BYTES];
    const char *difference = sheet_difference(sheet, other, text);
    if (difference == NULL) {
        printf("verified: the same as %s\n", what);
        return 0;
    }
    char message[2 * SHEET_PROBLEM_BYTES];
    (void)snprintf(message, sizeof message, "not the same as %s: %s", what,
                   difference); /* It fits. */
    return ctl_fail(EXIT_FAILURE, message);
}

static int verify_all(const struct conf *conf, const struct sheet *sheet,
                      const struct sheet *recomputed, bool is_from_journal)
{
    static struct sheet stored;
    int status = verify(sheet, recomputed, "what the rules make of its answers");
    if (status != 0 || !is_from_journal) return status;
    int found = read_store(conf, &sheet->match, &stored);
    if (found == FOUND) return verify(sheet, &stored, "the stored result");
    return found == FAILED ? EXIT_FAILURE
                           : ctl_fail(EXIT_FAILURE, "the store does not have the match");
}

int ctl_replay(const struct ctl_options *options)
{
    static struct sheet sheet, recomputed;
    struct conf conf;
    int status = ctl_configure(options, &conf);
    if (status != 0) return status;
    int found = read_journal(&conf, &options->match, &sheet);
    bool is_from_journal = found == FOUND;
    if (found == NOT_THERE) found = read_store(&conf, &options->match, &sheet);
    if (found == FAILED) return EXIT_FAILURE;
    if (found == NOT_THERE) {
        return ctl_fail(EXIT_FAILURE, "neither the journal nor the store has such a match");
    }
    sheet_recompute(&sheet, &recomputed);
    print_sheet(&sheet, &recomputed, is_from_journal ? "journal" : "store");
    if (options->is_verifying) {
        status = verify_all(&conf, &sheet, &recomputed, is_from_journal);
    }
    int flushed = ctl_flush();
    return status != 0 ? status : flushed;
}
