#define _GNU_SOURCE
/* A busy host for bench/listeners.py: processes that hold listening sockets, connections and open files until stdin ends.
 * hold PROCESSES LISTENERS CONNECTIONS FILES FIRST_PORT: of each as many for every process, CONNECTIONS in pairs, both ends
 * here; says "ready" when all is there. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in at(int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listen_at(int port) {
  const struct sockaddr_in address = at(port);
  const int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (const struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 64) != 0) exit(1);
  return fd;
}

static void hold(int listeners, int connections, int files, int first_port) {
  int listener = -1;
  const struct sockaddr_in address = at(first_port);
  for (int i = listeners - 1; i >= 0; --i) listener = listen_at(first_port + i);
  for (int i = 0; i + 1 < connections; i += 2) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr*)&address, sizeof address) != 0 || accept(listener, NULL, NULL) < 0) exit(1);
  }
  for (int i = 0; i < files; ++i)
    if (open("/dev/null", O_RDONLY) < 0) exit(1);
}

int main(int argc, char** argv) {
  int count[5], ready[2];
  char byte;
  if (argc != 6 || pipe(ready) != 0) return 2;
  for (int i = 0; i < 5; ++i) count[i] = atoi(argv[i + 1]);
  for (int process = 0; process < count[0]; ++process) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      hold(count[1], count[2], count[3], count[4] + process * count[1]);
      if (write(ready[1], "x", 1) != 1) exit(1);
      for (;;) pause();
    }
    if (read(ready[0], &byte, 1) != 1) return 1;
  }
  puts("ready");
  fflush(stdout);
  return (int)read(0, &byte, 1);
}
