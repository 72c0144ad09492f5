// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// A disk and a clock that misbehave on request, for a program that this is preloaded into.
//
// The file named by APUS_FAULTS holds one word; it is looked at on every call:
//
//   fail   fdatasync, fsync and msync fail with EIO, as after a write error of the kernel
//   slow   they take two seconds
//   jump   the wall clock is a day ahead
//
// Anything else, or no file, is a healthy machine.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int wants(const char *word) {
    const char *path = getenv("APUS_FAULTS");
    if (!path) return 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    char text[16] = {0};
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    return count > 0 && strncmp(text, word, strlen(word)) == 0;
}

static int broken(void) {
    if (wants("slow")) sleep(2);
    return wants("fail");
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    if (broken()) { errno = EIO; return -1; }
    return real(file);
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    if (broken()) { errno = EIO; return -1; }
    return real(file);
}

int msync(void *start, size_t size, int flags) {
    static int (*real)(void *, size_t, int);
    if (!real) real = (int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "msync");
    if (broken()) { errno = EIO; return -1; }
    return real(start, size, flags);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && wants("jump")) time->tv_sec += 86400;
    return result;
}
