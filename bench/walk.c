#define _GNU_SOURCE
/* What finding every holder of a socket costs at least: each process's /proc/PID/fd is listed and each link in it read, by the
 * fewest system calls; nothing is kept. Prints how many links there were, and how many sockets. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void look_into(int fd, long* links, long* sockets) {
  static char entries[65536];
  char target[64];
  ssize_t got;
  while ((got = getdents64(fd, entries, sizeof entries)) > 0) {
    const struct dirent64* entry;
    for (ssize_t at = 0; at < got; at += entry->d_reclen) {
      entry = (const struct dirent64*)(entries + at);
      if (!isdigit((unsigned char)entry->d_name[0])) continue;
      const ssize_t size = readlinkat(fd, entry->d_name, target, sizeof target);
      *links += size > 0;
      *sockets += size > 8 && memcmp(target, "socket:[", 8) == 0;
    }
  }
}

int main(void) {
  long links = 0, sockets = 0;
  char path[280];
  DIR* proc = opendir("/proc");
  const struct dirent* process;
  if (proc == NULL) return 1;
  while ((process = readdir(proc)) != NULL) {
    if (!isdigit((unsigned char)process->d_name[0])) continue;
    snprintf(path, sizeof path, "%s/fd", process->d_name);
    const int fd = openat(dirfd(proc), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) continue;
    look_into(fd, &links, &sockets);
    close(fd);
  }
  printf("%ld %ld\n", links, sockets);
  return 0;
}
