/* Plain HTTP: the player's page and the health of the server on the players' port, the metrics on the admin port.
 * GET and HEAD (head.c refuses the rest), one request a connection: it is answered and closed. */

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "worker_priv.h"

extern const struct embedded_files web_files; /* src/web, by cmake/Embed.cmake. */

static const char csp[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct response {
    unsigned status;
    const char *type;
    const char *body;
    size_t size;
};

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (dot == NULL) return "application/octet-stream";
    if (strcmp(dot, ".html") == 0) return "text/html; charset=utf-8";
    if (strcmp(dot, ".css") == 0) return "text/css; charset=utf-8";
    if (strcmp(dot, ".js") == 0) return "text/javascript; charset=utf-8";
    if (strcmp(dot, ".svg") == 0) return "image/svg+xml";
    return "application/octet-stream";
}

static struct response text(unsigned status, const char *body)
{
    return (struct response){status, "text/plain; charset=utf-8", body, strlen(body)};
}

static struct response page(const char *path)
{
    const char *name = strcmp(path, "/") == 0 ? "index.html" : path + 1;
    for (size_t i = 0; i < web_files.count; i++) {
        const struct embedded_file *file = &web_files.files[i];
        if (strcmp(file->name, name) != 0) continue;
        return (struct response){200, type_of(name), (const char *)file->bytes, file->size};
    }
    return text(404, "not found\n");
}

static struct response readiness(const struct worker *worker)
{
    struct worker_shared *shared = worker->shared;
    if (atomic_load(&shared->is_draining)) return text(503, "draining\n");
    if (!shared->store->class->is_healthy(shared->store)) return text(503, "store failing\n");
    return text(200, "ready\n");
}

/* Whether the request came in on the admin port: the two have one virtual host (ws.c). */
static bool is_on_admin_port(const struct worker *worker, const struct conn *conn)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } local;
    socklen_t length = sizeof(local);
    if (worker->admin_port == 0) return false;
    if (getsockname(lws_get_socket_fd(conn->wsi), &local.any, &length) < 0) return false;
    /* The port stands at the same place for both families. */
    return ntohs(local.v4.sin_port) == worker->admin_port;
}

static struct response answer(const struct worker *worker, struct conn *conn, const char *path)
{
    if (strcmp(path, "/healthz") == 0) return text(200, "ok\n");
    if (strcmp(path, "/readyz") == 0) return readiness(worker);
    if (!is_on_admin_port(worker, conn)) return page(path);
    if (strcmp(path, "/metrics") != 0) return text(404, "not found\n");
    conn->body = metrics_render(worker->shared);
    if (conn->body == NULL) return text(503, "no memory\n");
    return (struct response){200, "text/plain; version=0.0.4; charset=utf-8", conn->body,
                             strlen(conn->body)};
}

static bool add(struct conn *conn, const char *name, const char *value, unsigned char **at,
                unsigned char *end)
{
    return lws_add_http_header_by_name(conn->wsi, (const unsigned char *)name,
                                       (const unsigned char *)value, (int)strlen(value), at,
                                       end) == 0;
}

static int write_head(struct conn *conn, const struct response *response)
{
    unsigned char buffer[LWS_PRE + 1024];
    unsigned char *start = buffer + LWS_PRE, *at = start, *end = buffer + sizeof(buffer);
    bool is_whole = lws_add_http_common_headers(conn->wsi, response->status, response->type,
                                                (lws_filepos_t)response->size, &at, end) == 0 &&
                    add(conn, "content-security-policy:", csp, &at, end) &&
                    add(conn, "x-content-type-options:", "nosniff", &at, end) &&
                    add(conn, "referrer-policy:", "no-referrer", &at, end) &&
                    add(conn, "cache-control:", "no-cache", &at, end);
    return is_whole ? lws_finalize_write_http_header(conn->wsi, start, &at, end) : -1;
}

int http_on_request(struct worker *worker, struct conn *conn, const char *path)
{
    struct response response = answer(worker, conn, path);
    if (write_head(conn, &response) != 0) return -1;
    conn->body_left = response.body;
    conn->body_bytes_left = response.size;
    if (lws_hdr_total_length(conn->wsi, WSI_TOKEN_HEAD_URI) > 0) conn->body_bytes_left = 0;
    lws_callback_on_writable(conn->wsi);
    return 0;
}

int http_on_writable(struct conn *conn)
{
    enum { PIECE_BYTES = 16384 };
    unsigned char buffer[LWS_PRE + PIECE_BYTES];
    size_t size = conn->body_bytes_left < PIECE_BYTES ? conn->body_bytes_left : PIECE_BYTES;
    bool is_last = size == conn->body_bytes_left;
    if (conn->body_left == NULL) return -1;
    memcpy(buffer + LWS_PRE, conn->body_left, size);
    int written = lws_write(conn->wsi, buffer + LWS_PRE, size,
                            is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP);
    if (written < 0 || is_last) return -1; /* One request a connection. */
    conn->body_left += size;
    conn->body_bytes_left -= size;
    lws_callback_on_writable(conn->wsi);
    return 0;
}
