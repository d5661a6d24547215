#define _GNU_SOURCE
/* What asking costs at least: connect, OpenSSL's handshake (unless "plain"), GET /metrics, read until felix_host. One after
 * another, nothing kept, nothing judged. bare tls|plain PORT < addresses
 * What waiting for nobody costs at least: socket, connect, epoll, close, so many at once, nothing asked of the kernel besides.
 * bare silent PORT AT_ONCE SECONDS < addresses */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char kRequest[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

static int take(SSL* ssl, int fd, char* into, int size) {
  return ssl != NULL ? SSL_read(ssl, into, size) : (int)read(fd, into, (size_t)size);
}

/* 1: felix_host was seen. */
static int ask(SSL_CTX* context, const char* address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) return 0;
  int fd = socket(AF_INET, SOCK_STREAM, 0), found = 0, used = 0, got;
  static char buffer[1 << 20];
  SSL* ssl = NULL;
  if (connect(fd, (struct sockaddr*)&to, sizeof to) != 0) {
    close(fd);
    return 0;
  }
  if (context != NULL) {
    ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1) SSL_write(ssl, kRequest, sizeof kRequest - 1);
  } else if (write(fd, kRequest, sizeof kRequest - 1) < 0) {
    close(fd);
    return 0;
  }
  while (!found && used < (int)sizeof buffer - 16384 && (got = take(ssl, fd, buffer + used, 16384)) > 0) {
    const int from = used > 16 ? used - 16 : 0;
    used += got;
    found = memmem(buffer + from, (size_t)(used - from), "\nfelix_host{", 12) != NULL;
  }
  SSL_free(ssl);
  close(fd);
  return found;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int begin(const char* address, int port, int epoll) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) exit(2);
  connect(fd, (struct sockaddr*)&to, sizeof to);
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest);
  return fd;
}

/* Gives up each address after as many seconds, whatever is heard; how many there were. */
static int wait_for_nobody(int port, int at_once, double seconds) {
  enum { kMost = 65536 }; /* at once */
  static int sockets[kMost];
  static double ends[kMost];
  struct epoll_event events[128];
  char line[64];
  int begun = 0, ended = 0, more = 1;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (at_once < 1 || at_once > kMost) exit(2);
  while (more || ended < begun) {
    while (more && begun - ended < at_once && (more = fgets(line, sizeof line, stdin) != NULL)) {
      line[strcspn(line, "\n")] = '\0';
      sockets[begun % kMost] = begin(line, port, epoll);
      ends[begun++ % kMost] = now() + seconds;
    }
    const double left = ended < begun ? ends[ended % kMost] - now() : 0;
    epoll_wait(epoll, events, 128, left > 0 ? (int)(left * 1000) + 1 : 0);
    while (ended < begun && ends[ended % kMost] <= now()) close(sockets[ended++ % kMost]);
  }
  return ended;
}

int main(int argc, char** argv) {
  if (argc == 5 && strcmp(argv[1], "silent") == 0) {
    printf("%d\n", wait_for_nobody(atoi(argv[2]), atoi(argv[3]), atof(argv[4])));
    return 0;
  }
  if (argc != 3) return 2;
  SSL_CTX* context = strcmp(argv[1], "tls") == 0 ? SSL_CTX_new(TLS_client_method()) : NULL;
  char line[64];
  int found = 0, port = 0;
  if (sscanf(argv[2], "%d", &port) != 1) return 2;
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    found += ask(context, line, port);
  }
  printf("%d\n", found);
  return 0;
}
