#include "postgres_target_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/log.h"

static const char default_host[] = "/var/run/postgresql";

/* --- The URI. --- */

static const char *value_of(const PQconninfoOption *parameters, const char *keyword)
{
    for (const PQconninfoOption *at = parameters; at->keyword != NULL; at++) {
        if (strcmp(at->keyword, keyword) == 0 && at->val != NULL && at->val[0] != '\0') {
            return at->val;
        }
    }
    return NULL;
}

/* Before libpq reads it, whose messages quote the whole URI. */
static bool has_secret(const char *uri)
{
    const char *begin = strstr(uri, "://");
    if (begin == NULL) return false;
    begin += 3;
    const char *user_end = strchr(begin, '@');
    const char *colon = strchr(begin, ':');
    return (user_end != NULL && colon != NULL && colon < user_end) ||
           strstr(begin, "password=") != NULL || strstr(begin, "%70") != NULL;
}

static const char *problem_of(const PQconninfoOption *parameters)
{
    const char *host = value_of(parameters, "host");
    if (host != NULL && strlen(host) >= TARGET_HOST_BYTES) return "has a host that is too long";
    if ((host != NULL && strchr(host, ',') != NULL) || value_of(parameters, "hostaddr") != NULL) {
        return "is to name one host, and no hostaddr";
    }
    /* Its file, or an LDAP server, would be asked with every connection. */
    if (value_of(parameters, "service") != NULL) return "is not to name a service";
    if (value_of(parameters, "password") != NULL || value_of(parameters, "sslpassword") != NULL) {
        return "is not to have a password: put it in store_password_file";
    }
    return NULL;
}

bool postgres_uri_check(const char *uri, char *ret_problem, size_t size)
{
    if (strncmp(uri, "postgresql://", 13) != 0 && strncmp(uri, "postgres://", 11) != 0) {
        (void)snprintf(ret_problem, size, "it is not a URI postgresql://…");
        return false;
    }
    if (has_secret(uri)) {
        (void)snprintf(ret_problem, size,
                       "the URI is not to have a password: put it in store_password_file");
        return false;
    }
    char *message = NULL;
    PQconninfoOption *parameters = PQconninfoParse(uri, &message);
    if (parameters == NULL) {
        (void)snprintf(ret_problem, size, "%s", message != NULL ? message : "there is no memory");
        size_t length = strlen(ret_problem);
        if (length > 0 && ret_problem[length - 1] == '\n') ret_problem[length - 1] = '\0';
        PQfreemem(message);
        return false;
    }
    const char *problem = problem_of(parameters);
    if (problem != NULL) (void)snprintf(ret_problem, size, "the URI %s", problem);
    PQconninfoFree(parameters);
    return problem == NULL;
}

/* --- The password. --- */

static int log_failure(const char *path, const char *why, int error)
{
    char path_buffer[LOG_VALUE_BYTES_MAX];
    char why_buffer[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, "store_password_failed", "path=%s error=%s",
              log_value(path, path_buffer), log_value(why, why_buffer));
    return error;
}

/* The file's first line. */
static int read_password(struct target *target, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return log_failure(path, strerror(errno), -errno);
    ssize_t size = read(fd, target->password, sizeof target->password - 1);
    int error = size < 0 ? -errno : 0;
    (void)close(fd); /* It was only read. */
    if (error != 0) return log_failure(path, strerror(-error), error);
    target->password[size] = '\0';
    target->password[strcspn(target->password, "\r\n")] = '\0';
    if (target->password[0] == '\0') return log_failure(path, "it is empty", -EINVAL);
    return 0;
}

static int find_password(struct target *target, const char *file)
{
    if (file[0] != '\0') return read_password(target, file);
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    char path[4096];
    if (credentials == NULL) return 0;
    int size = snprintf(path, sizeof path, "%s/store_password", credentials);
    if (size < 0 || (size_t)size >= sizeof path || access(path, F_OK) != 0) return 0;
    return read_password(target, path);
}

/* --- The target. --- */

static bool is_name(const char *host)
{
    struct in6_addr address;
    return host[0] != '/' && host[0] != '@' && inet_pton(AF_INET, host, &address) != 1 &&
           inet_pton(AF_INET6, host, &address) != 1;
}

int target_init(struct target *target, const struct postgres_store_options *options)
{
    memset(target, 0, sizeof *target);
    target->parameters = PQconninfoParse(options->uri, NULL);
    if (target->parameters == NULL) return -ENOMEM; /* It was checked. */
    const char *host = value_of(target->parameters, "host");
    if (host != NULL && is_name(host))
        (void)snprintf(target->host, sizeof target->host, "%s", host);
    int error = find_password(target, options->password_file);
    if (error != 0) target_fini(target);
    return error;
}

void target_fini(struct target *target)
{
    PQconninfoFree(target->parameters);
    target->parameters = NULL;
    explicit_bzero(target->password, sizeof target->password);
}

struct parameters {
    const char *keywords[TARGET_PARAMETERS_MAX + 1];
    const char *values[TARGET_PARAMETERS_MAX + 1];
    unsigned count;
};

static void add(struct parameters *parameters, const char *keyword, const char *value)
{
    QR_ASSERT(parameters->count < TARGET_PARAMETERS_MAX);
    parameters->keywords[parameters->count] = keyword;
    parameters->values[parameters->count++] = value;
}

PGconn *target_connect(const struct target *target, const struct addresses *addresses)
{
    struct parameters parameters = {.count = 0};
    bool is_looked_up = addresses->addresses[0] != '\0';
    if (value_of(target->parameters, "host") == NULL) add(&parameters, "host", default_host);
    for (const PQconninfoOption *at = target->parameters; at->keyword != NULL; at++) {
        if (at->val == NULL || (is_looked_up && strcmp(at->keyword, "host") == 0)) continue;
        add(&parameters, at->keyword, at->val);
    }
    /* The name stays: it is what a certificate is checked against. */
    if (is_looked_up) add(&parameters, "host", addresses->hosts);
    if (is_looked_up) add(&parameters, "hostaddr", addresses->addresses);
    if (target->password[0] != '\0') add(&parameters, "password", target->password);
    add(&parameters, "client_encoding", "UTF8");
    add(&parameters, "fallback_application_name", "quizrushd");
    /* Kerberos would ask its servers, and wait. */
    add(&parameters, "gssencmode", "disable");
    return PQconnectStartParams(parameters.keywords, parameters.values, 0);
}

/* --- Names. --- */

struct lookup {
    struct gaicb request;
    struct addrinfo hints;
    char host[TARGET_HOST_BYTES];
};

struct lookup *lookup_begin(const struct target *target)
{
    if (target->host[0] == '\0') return NULL;
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) return NULL;
    memcpy(lookup->host, target->host, sizeof lookup->host);
    lookup->hints = (struct addrinfo){.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    lookup->request.ar_name = lookup->host;
    lookup->request.ar_request = &lookup->hints;
    struct gaicb *list[] = {&lookup->request};
    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0) return lookup;
    free(lookup);
    return NULL;
}

/* With a comma between two; what does not fit is left out. */
static void append(char *list, size_t size, const char *text)
{
    size_t used = strlen(list);
    size_t length = strlen(text);
    if (used + length + 2 > size) return;
    if (used > 0) list[used++] = ',';
    memcpy(list + used, text, length + 1);
}

static void add_address(const struct lookup *lookup, const struct addrinfo *info,
                        struct addresses *addresses)
{
    char text[TARGET_ADDRESS_BYTES]; /* So that each fits. */
    if (getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) !=
        0) {
        return;
    }
    append(addresses->addresses, sizeof addresses->addresses, text);
    append(addresses->hosts, sizeof addresses->hosts, lookup->host);
}

int lookup_result(struct lookup *lookup, struct addresses *ret_addresses)
{
    int error = gai_error(&lookup->request);
    if (error == EAI_INPROGRESS) return -EINPROGRESS;
    if (error != 0) return error;
    memset(ret_addresses, 0, sizeof *ret_addresses);
    unsigned count = 0;
    for (const struct addrinfo *at = lookup->request.ar_result;
         at != NULL && count < TARGET_ADDRESSES_MAX; at = at->ai_next, count++) {
        add_address(lookup, at, ret_addresses);
    }
    return ret_addresses->addresses[0] != '\0' ? 0 : EAI_NONAME;
}

void lookup_wait(struct lookup *lookup, uint32_t at_most_ms)
{
    const struct gaicb *list[] = {&lookup->request};
    struct timespec timeout = {.tv_sec = at_most_ms / 1000,
                               .tv_nsec = (long)(at_most_ms % 1000) * 1000000};
    (void)gai_suspend(list, 1, &timeout); /* lookup_result() says how it went. */
}

void lookup_end(struct lookup *lookup)
{
    if (lookup == NULL) return;
    if (gai_error(&lookup->request) == EAI_INPROGRESS) (void)gai_cancel(&lookup->request);
    /* One that cannot be cancelled is glibc's until it is done: that memory is given up. */
    if (gai_error(&lookup->request) == EAI_INPROGRESS) return;
    if (lookup->request.ar_result != NULL) freeaddrinfo(lookup->request.ar_result);
    free(lookup);
}
