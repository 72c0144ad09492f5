// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// System calls of Linux that C's library does not wrap, or wraps with a variable number of
// arguments. Each returns what the kernel does, with errno set.
//
// Functions of the library are declared here rather than included: a header would bring structures
// that Swift then knows from two modules.

#ifndef APUS_CLINUX_SHIM_H
#define APUS_CLINUX_SHIM_H

#include <asm/unistd.h>

extern long syscall(long number, ...);
extern int open(const char *path, int flags, ...);
extern int openat(int directory, const char *path, int flags, ...);
extern int mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data);
extern int umount2(const char *target, int flags);

// How openat2(2) resolves a path.
static const unsigned long long apus_resolve_no_magiclinks = 0x02;
static const unsigned long long apus_resolve_no_symlinks = 0x04;
static const unsigned long long apus_resolve_beneath = 0x08;

struct apus_open_how {
    unsigned long long flags;
    unsigned long long mode;
    unsigned long long resolve;
};

static inline int apus_openat2(int directory, const char *path, unsigned long long flags,
                               unsigned long long mode, unsigned long long resolve) {
    struct apus_open_how how = {flags, mode, resolve};
    return (int)syscall(__NR_openat2, directory, path, &how, sizeof how);
}

static inline int apus_open(const char *path, int flags, unsigned mode) {
    return open(path, flags, mode);
}

static inline int apus_openat(int directory, const char *path, int flags, unsigned mode) {
    return openat(directory, path, flags, mode);
}

static inline int apus_mount(const char *source, const char *target, const char *type,
                             unsigned long flags, const char *data) {
    return mount(source, target, type, flags, data);
}

static inline int apus_unmount(const char *target, int flags) { return umount2(target, flags); }

// Moves this thread into the namespace that a descriptor stands for.
static inline int apus_setns(int descriptor, int type) {
    return (int)syscall(__NR_setns, descriptor, type);
}

// Flags of mount(2) and umount2(2).
static const unsigned long apus_ms_rdonly = 1;
static const unsigned long apus_ms_remount = 32;
static const unsigned long apus_ms_bind = 4096;
static const unsigned long apus_ms_rec = 16384;
static const int apus_mnt_detach = 2;
static const int apus_umount_nofollow = 8;

// O_PATH, which the library's headers hide without _GNU_SOURCE.
static const int apus_o_path = 010000000;

// A network namespace for setns(2).
static const int apus_clone_newnet = 0x40000000;

#endif
