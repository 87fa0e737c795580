#include "edge/token.h"

#include <errno.h>
#include <fcntl.h>
#include <jwt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/log.h"
#include "proto/name.h"

static const char issuer[] = "quizrush";

/* --- The key's file. --- */

static int log_failure(const char *path, const char *step, const char *why, int error)
{
    char path_buffer[LOG_VALUE_BYTES_MAX];
    char why_buffer[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, "token_key_failed", "path=%s step=%s error=%s",
              log_value(path, path_buffer), step, log_value(why, why_buffer));
    return error;
}

static int log_errno(const char *path, const char *step, int error)
{
    return log_failure(path, step, strerror(-error), error);
}

static int read_checked(const char *path, int fd, struct token_key *ret_key)
{
    struct stat status;
    if (fstat(fd, &status) < 0) return log_errno(path, "read", -errno);
    if (!S_ISREG(status.st_mode)) return log_failure(path, "check", "no regular file", -EINVAL);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return log_failure(path, "check", "others than its owner have rights to it: chmod 600",
                           -EACCES);
    }
    /* One byte more than there may be. */
    unsigned char bytes[TOKEN_KEY_BYTES + 1];
    ssize_t size = read(fd, bytes, sizeof bytes);
    if (size < 0) return log_errno(path, "read", -errno);
    if (size != TOKEN_KEY_BYTES) return log_failure(path, "check", "not 32 bytes long", -EINVAL);
    memcpy(ret_key->bytes, bytes, TOKEN_KEY_BYTES);
    explicit_bzero(bytes, sizeof bytes);
    return 0;
}

/* -ENOENT is not logged. */
static int read_key(const char *path, struct token_key *ret_key)
{
    /* A symbolic link is refused: it would move the key to where nobody looks after its mode. A
     * pipe in its place is not waited for. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return -ENOENT;
    if (fd < 0 && errno == ELOOP) return log_failure(path, "open", "a symbolic link", -ELOOP);
    if (fd < 0) return log_errno(path, "open", -errno);
    int error = read_checked(path, fd, ret_key);
    (void)close(fd); /* Nothing was written. */
    return error;
}

static int random_bytes(void *bytes, size_t size)
{
    return getrandom(bytes, size, 0) == (ssize_t)size ? 0 : -EIO;
}

/* A whole new key in a file that nobody else uses: durable, so that its other name never means half
 * a key. */
static int write_new_file(const char *path)
{
    unsigned char bytes[TOKEN_KEY_BYTES];
    int error = random_bytes(bytes, sizeof bytes);
    if (error != 0) return error;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) return -errno;
    ssize_t written = write(fd, bytes, sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
    if (written < 0) error = -errno;
    if (written >= 0 && written != TOKEN_KEY_BYTES) error = -ENOSPC;
    if (error == 0 && fsync(fd) < 0) error = -errno;
    if (close(fd) < 0 && error == 0) error = -errno;
    if (error != 0) (void)unlink(path); /* As good as it can be tidied up. */
    return error;
}

/* Makes a new name in the file's directory durable. */
static int sync_directory(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int size = slash == NULL
                   ? snprintf(directory, sizeof directory, ".")
                   : snprintf(directory, sizeof directory, "%.*s/", (int)(slash - path), path);
    if (size < 0 || (size_t)size >= sizeof directory) return -ENAMETOOLONG;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int error = fsync(fd) < 0 ? -errno : 0;
    (void)close(fd); /* Nothing was written. */
    return error;
}

/* By a link, which never replaces a key that somebody else has made meanwhile. */
static int make_key(const char *path)
{
    char temporary[PATH_MAX];
    uint64_t number;
    int error = random_bytes(&number, sizeof number);
    if (error != 0) return log_errno(path, "random", error);
    int size =
        snprintf(temporary, sizeof temporary, "%s.%016llx", path, (unsigned long long)number);
    if (size < 0 || (size_t)size >= sizeof temporary) {
        return log_errno(path, "create", -ENAMETOOLONG);
    }
    error = write_new_file(temporary);
    if (error != 0) return log_errno(path, "create", error);
    if (link(temporary, path) < 0 && errno != EEXIST) error = -errno;
    (void)unlink(temporary); /* A name too many does no harm. */
    if (error == 0) error = sync_directory(path);
    return error == 0 ? 0 : log_errno(path, "create", error);
}

int token_key_load(const char *path, struct token_key *ret_key)
{
    int error = read_key(path, ret_key);
    if (error != -ENOENT) return error;
    error = make_key(path);
    if (error != 0) return error;
    error = read_key(path, ret_key);
    return error == -ENOENT ? log_errno(path, "open", error) : error;
}

/* --- Tokens. --- */

/* libjwt fails here only where there is no memory, which no caller could do anything about. */
static void require(bool claim)
{
    QR_ASSERT(claim);
}

void token_write(const struct token_key *key, const struct token_claims *claims, wall_time now,
                 char ret_token[TOKEN_BYTES_MAX])
{
    char player[ID_TEXT_BYTES + 1];
    id_format(&claims->player, player);
    jwt_t *jwt = NULL;
    require(jwt_new(&jwt) == 0);
    require(jwt_set_alg(jwt, JWT_ALG_HS256, key->bytes, TOKEN_KEY_BYTES) == 0);
    require(jwt_add_grant(jwt, "iss", issuer) == 0);
    require(jwt_add_grant(jwt, "sub", player) == 0);
    require(jwt_add_grant(jwt, "name", claims->name) == 0);
    require(jwt_add_grant_int(jwt, "iat", (long)(now.ms / 1000)) == 0);
    char *text = jwt_encode_str(jwt);
    require(text != NULL);
    jwt_free(jwt);
    size_t size = strlen(text);
    /* The most: 36 for the header; 4/3 of 66 for the frame of the claims, 36 for the id, 20 for the
     * time and twice 96 for the name, each of whose bytes may be escaped; 43 for the signature; 2
     * dots: 500. */
    QR_ASSERT(size < TOKEN_BYTES_MAX);
    memcpy(ret_token, text, size + 1);
    free(text);
}

/* What `alg` says decides how a token is verified, so it is read before that. Compared exactly:
 * libjwt ignores case. */
static bool is_hs256(const char *text)
{
    jwt_t *jwt = NULL;
    if (jwt_decode(&jwt, text, NULL, 0) != 0) return false;
    const char *algorithm = jwt_get_header(jwt, "alg");
    bool is_ours = algorithm != NULL && strcmp(algorithm, "HS256") == 0;
    jwt_free(jwt);
    return is_ours;
}

/* Where there is no such claim, or one of another type, libjwt gives NULL for a text, and -1 or 0
 * for a number. */
static bool read_claims(jwt_t *jwt, struct token_claims *ret_claims)
{
    const char *iss = jwt_get_grant(jwt, "iss");
    const char *sub = jwt_get_grant(jwt, "sub");
    const char *name = jwt_get_grant(jwt, "name");
    if (iss == NULL || sub == NULL || name == NULL || jwt_get_grant_int(jwt, "iat") <= 0) {
        return false;
    }
    struct token_claims claims;
    if (strcmp(iss, issuer) != 0) return false;
    if (!id_parse(sub, (uint32_t)strlen(sub), &claims.player) || id_is_none(&claims.player)) {
        return false;
    }
    /* It was normalised before it was signed. */
    if (!name_normalise(name, strlen(name), claims.name) || strcmp(name, claims.name) != 0) {
        return false;
    }
    *ret_claims = claims;
    return true;
}

bool token_read(const struct token_key *key, const char *token, size_t bytes,
                struct token_claims *ret_claims)
{
    char text[TOKEN_BYTES_MAX];
    if (bytes >= sizeof text || memchr(token, '\0', bytes) != NULL) return false;
    memcpy(text, token, bytes);
    text[bytes] = '\0';
    if (!is_hs256(text)) return false;
    jwt_t *jwt = NULL;
    if (jwt_decode(&jwt, text, key->bytes, TOKEN_KEY_BYTES) != 0) return false;
    bool is_ours = read_claims(jwt, ret_claims);
    jwt_free(jwt);
    return is_ours;
}
