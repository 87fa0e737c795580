#define _GNU_SOURCE

#include "postgres_server.h"
#include "temp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MAX_MS = 30000, SAID_BYTES = 16384 };

static bool complain(const char *what)
{
    (void)fprintf(stderr, "postgres_server: %s: %s\n", what, strerror(errno));
    return false;
}

/* PostgreSQL refuses to be root. */
static void become_user(void)
{
    if (getuid() != 0) return;
    const struct passwd *user = getpwnam("postgres");
    if (user == NULL || setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 ||
        setuid(user->pw_uid) != 0) {
        _exit(126);
    }
}

/* Its output goes to `out`. */
static pid_t spawn(const char *const arguments[], int out)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0) return child;
    become_user();
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != parent) _exit(126);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    (void)unsetenv("LD_PRELOAD");
    (void)execv(arguments[0], (char *const *)arguments);
    _exit(127);
}

static bool run(const char *const arguments[])
{
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t child = spawn(arguments, out);
    int status = -1;
    (void)close(out);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* --- What it consists of. --- */

static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, size) != 0) return 0;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) return 0;
    (void)close(fd);
    return ntohs(address.sin_port);
}

static bool make_cluster(const struct postgres_server *server)
{
    static const char initdb[] = POSTGRES_BINDIR "/initdb";
    char data[SERVER_PATH_BYTES + 8], key[SERVER_PATH_BYTES + 16], crt[SERVER_PATH_BYTES + 16];
    (void)snprintf(data, sizeof data, "%s/data", server->directory);
    (void)snprintf(key, sizeof key, "%s/data/server.key", server->directory);
    (void)snprintf(crt, sizeof crt, "%s/data/server.crt", server->directory);
    const char *make[] = {initdb,
                          "-D",
                          data,
                          "-U",
                          "postgres",
                          "-E",
                          "UTF8",
                          "--no-locale",
                          "--no-sync",
                          "--auth-local=trust",
                          "--auth-host=scram-sha-256",
                          NULL};
    const char *certify[] = {"/usr/bin/openssl",
                             "req",
                             "-x509",
                             "-newkey",
                             "ec",
                             "-pkeyopt",
                             "ec_paramgen_curve:prime256v1",
                             "-nodes",
                             "-keyout",
                             key,
                             "-out",
                             crt,
                             "-subj",
                             "/CN=localhost",
                             "-days",
                             "2",
                             NULL};
    if (!run(make)) return complain(initdb);
    return run(certify) || complain("openssl");
}

/* --- Start and stop. --- */

static bool wait_until_ready(struct postgres_server *server)
{
    static char said[SAID_BYTES];
    size_t used = 0;
    struct pollfd file = {.fd = server->log, .events = POLLIN};
    while (poll(&file, 1, START_MAX_MS) == 1 && used < sizeof said - 1) {
        ssize_t size = read(server->log, said + used, sizeof said - 1 - used);
        if (size <= 0) break;
        used += (size_t)size;
        said[used] = '\0';
        if (strstr(said, "ready to accept connections") != NULL) return true;
    }
    (void)fprintf(stderr, "postgres_server: it did not start:\n%s", said);
    return false;
}

bool server_start(struct postgres_server *server)
{
    static const char postgres[] = POSTGRES_BINDIR "/postgres";
    char data[SERVER_PATH_BYTES + 8], port[8];
    int pipe_fds[2];
    (void)snprintf(data, sizeof data, "%s/data", server->directory);
    (void)snprintf(port, sizeof port, "%u", server->port);
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) return complain("pipe");
    const char *arguments[] = {postgres,
                               "-D",
                               data,
                               "-k",
                               server->directory,
                               "-p",
                               port,
                               "-c",
                               "listen_addresses=127.0.0.1",
                               "-c",
                               "fsync=off",
                               "-c",
                               "ssl=on",
                               "-c",
                               "synchronous_commit=on",
                               "-c",
                               "full_page_writes=off",
                               "-c",
                               "max_connections=50",
                               "-c",
                               "shared_buffers=16MB",
                               "-c",
                               "autovacuum=off",
                               "-c",
                               "restart_after_crash=on",
                               NULL};
    server->pid = spawn(arguments, pipe_fds[1]);
    (void)close(pipe_fds[1]);
    server->log = pipe_fds[0];
    if (server->pid <= 0 || !wait_until_ready(server)) return false;
    /* From here on nobody reads it: a full pipe must not stop it. */
    int flags = fcntl(server->log, F_SETPIPE_SZ, 1024 * 1024);
    return flags >= 0 || complain("F_SETPIPE_SZ");
}

/* All processes of the server, the first is the postmaster: they have groups of their own. */
static unsigned list_processes(const struct postgres_server *server, pid_t ret_pids[SERVER_PID_MAX])
{
    char path[64];
    unsigned count = 0;
    ret_pids[count++] = server->pid;
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", server->pid, server->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return count;
    int pid;
    while (count < SERVER_PID_MAX && fscanf(file, "%d", &pid) == 1) ret_pids[count++] = pid;
    (void)fclose(file);
    return count;
}

void server_signal(const struct postgres_server *server, int signal)
{
    pid_t pids[SERVER_PID_MAX];
    unsigned count = list_processes(server, pids);
    for (unsigned i = 0; i < count; i++) (void)kill(pids[i], signal);
}

void server_stop(struct postgres_server *server, int signal)
{
    if (server->pid <= 0) return;
    if (signal == SIGKILL) server_signal(server, SIGKILL);
    if (signal != SIGKILL) (void)kill(server->pid, signal);
    (void)waitpid(server->pid, NULL, 0);
    (void)close(server->log);
    server->pid = 0;
}

bool server_begin(struct postgres_server *server)
{
    memset(server, 0, sizeof *server);
    temp_template(server->directory, sizeof server->directory, "postgres");
    if (mkdtemp(server->directory) == NULL) return complain("mkdtemp");
    const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
    if (user != NULL && chown(server->directory, user->pw_uid, user->pw_gid) != 0) {
        return complain("chown");
    }
    (void)chmod(server->directory, 0755);
    server->port = free_port();
    if (server->port == 0) return complain("no free port");
    return make_cluster(server) && server_start(server);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void server_end(struct postgres_server *server)
{
    server_stop(server, SIGINT);
    if (server->directory[0] == '\0') return;
    (void)nftw(server->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void server_uri(const struct postgres_server *server, const char *database, char *ret_uri,
                size_t size)
{
    (void)snprintf(ret_uri, size, "postgresql://postgres@/%s?host=%s&port=%u", database,
                   server->directory, server->port);
}
