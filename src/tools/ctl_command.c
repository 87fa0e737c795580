#include "ctl_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/postgres_board.h"
#include "edge/postgres_dossier.h"
#include "edge/sqlite_board.h"
#include "edge/sqlite_dossier.h"

const struct ctl_command ctl_commands[] = {
    {"top", CTL_OPERAND_NONE, CTL_TAKES_BOARD | CTL_TAKES_COUNT, "the first places of a board",
     "Prints the first places of a mode's and a category's board: who has finished a match there\n"
     "(a duel must have been rated), by rating, and by id where that is the same.\n",
     ctl_top},
    {"around", CTL_OPERAND_PLAYER, CTL_TAKES_BOARD | CTL_TAKES_BESIDE,
     "a player's place on a board",
     "Prints the player's place on a board, and those before and behind.\n", ctl_around},
    {"history", CTL_OPERAND_PLAYER, CTL_TAKES_COUNT | CTL_TAKES_BEFORE, "a player's last matches",
     "Prints the player's last matches, the newest first.\n", ctl_history},
    {"replay", CTL_OPERAND_MATCH, CTL_TAKES_VERIFY,
     "a match round by round, every point recomputed",
     "Prints a match round by round: questions, choices (* the right one), answers, points. One "
     "that "
     "the\njournal has is played again from its events, also while it runs; another is read from "
     "the "
     "store.\n",
     ctl_replay},
    {"backup", CTL_OPERAND_FILE, 0, "copy the SQLite database while the daemon runs",
     "Copies the SQLite database, as it is when the command begins, into a new file, and checks "
     "it\nbefore it gets its name. The key token.key is not in it. For PostgreSQL there is "
     "pg_dump.\n",
     ctl_backup},
    {"export-player", CTL_OPERAND_PLAYER, 0, "print all that is stored of a player, as JSON",
     "Prints all that is stored of a player as one JSON object.\n", ctl_export_player},
    {"delete-player", CTL_OPERAND_PLAYER, CTL_TAKES_YES, "delete a player",
     "Deletes the player's row and statistics. In matches with others the name becomes "
     "\"" DOSSIER_DELETED_NAME "\",\nand the rest stays, which is the others'; matches against the "
     "house go. A token that names the\nplayer is then one of a player without a past. A player "
     "who is connected meanwhile is stored\nagain with the next match.\n",
     ctl_delete_player},
    {"move-to-postgresql", CTL_OPERAND_URL, 0, "move a SQLite store into a PostgreSQL database",
     "Moves all that the SQLite database has into the PostgreSQL database at URL, which has the\n"
     "schema (quizrushd --migrate) and nothing else. Stop the daemon first. Interrupted, the same\n"
     "command goes on; at the end counts and sums must be the same on both sides. The SQLite\n"
     "database stays as it is. A password comes from store_password_file.\n",
     ctl_move_to_postgresql},
    {.name = NULL},
};

/* --- What is said. --- */

int ctl_fail(int status, const char *what)
{
    fprintf(stderr, "quizrushctl: %s\n", what);
    return status;
}

static bool is_control(const unsigned char *at)
{
    /* Of ASCII; or one of C1, which begins with C2 in UTF-8. */
    return at[0] < ' ' || at[0] == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
}

const char *ctl_printable(const char *text, char ret_text[CTL_NAME_BYTES])
{
    size_t used = 0;
    for (const unsigned char *at = (const unsigned char *)text;
         *at != '\0' && used < CTL_NAME_BYTES - 1; at++) {
        ret_text[used++] = is_control(at) ? '?' : (char)*at;
        if (*at == 0xc2 && is_control(at)) at++;
    }
    ret_text[used] = '\0';
    return ret_text;
}

int ctl_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    return ctl_fail(EXIT_FAILURE, "what was printed did not arrive");
}

/* --- The store. --- */

static bool set(struct conf *conf, const char *key, const char *value, struct conf_problem *problem)
{
    char assignment[CONF_TEXT_BYTES * 2];
    if (value == NULL) return true;
    int size = snprintf(assignment, sizeof assignment, "%s=%s", key, value);
    if (size > 0 && (size_t)size < sizeof assignment) return conf_set(conf, assignment, problem);
    (void)snprintf(problem->text, sizeof problem->text, "%s: is too long", key);
    return false;
}

int ctl_configure(const struct ctl_options *options, struct conf *ret_conf)
{
    struct conf_problem problem;
    conf_init(ret_conf);
    bool is_right =
        options->config_path == NULL || conf_read_file(ret_conf, options->config_path, &problem);
    if (is_right) is_right = set(ret_conf, "data_dir", options->data_dir, &problem);
    if (is_right) is_right = set(ret_conf, "store", options->store, &problem);
    if (!is_right) return ctl_fail(CTL_EXIT_USAGE, problem.text);
    if (strcmp(ret_conf->store, "none") == 0)
        return ctl_fail(CTL_EXIT_USAGE, "store: none keeps nothing that could be looked at");
    return 0;
}

bool ctl_is_embedded(const struct conf *conf, char ret_path[CTL_PATH_BYTES])
{
    if (strcmp(conf->store, "sqlite") != 0) return false;
    int size = snprintf(ret_path, CTL_PATH_BYTES, "%s/quizrush.db", conf->data_dir);
    QR_ASSERT(size > 0 && size < CTL_PATH_BYTES);
    return true;
}

struct postgres_store_options ctl_postgres_options(const struct conf *conf)
{
    return (struct postgres_store_options){
        .uri = conf->store,
        .password_file = conf->store_password_file,
        .timeout_ms = CTL_POSTGRES_TIMEOUT_MS,
    };
}

int ctl_open_board(const struct ctl_options *options, struct board **ret_board)
{
    struct conf conf;
    char path[CTL_PATH_BYTES];
    char problem[BOARD_PROBLEM_BYTES];
    int status = ctl_configure(options, &conf);
    if (status != 0) return status;
    if (!ctl_is_embedded(&conf, path)) {
        struct postgres_store_options postgres = ctl_postgres_options(&conf);
        return postgres_board_open(&postgres, ret_board) == 0 ? 0 : EXIT_FAILURE; /* It said why. */
    }
    if (sqlite_board_open(path, ret_board, problem) == 0) return 0;
    return ctl_fail(EXIT_FAILURE, problem);
}

int ctl_open_dossier(const struct ctl_options *options, struct dossier **ret_dossier)
{
    struct conf conf;
    char path[CTL_PATH_BYTES];
    char problem[DOSSIER_PROBLEM_BYTES];
    int status = ctl_configure(options, &conf);
    if (status != 0) return status;
    if (!ctl_is_embedded(&conf, path)) {
        struct postgres_store_options postgres = ctl_postgres_options(&conf);
        return postgres_dossier_open(&postgres, ret_dossier) == 0 ? 0 : EXIT_FAILURE;
    }
    if (sqlite_dossier_open(path, ret_dossier, problem) == 0) return 0;
    return ctl_fail(EXIT_FAILURE, problem);
}
