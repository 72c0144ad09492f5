// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// The program of the pause image: the first process of a pod. It holds the pod's namespaces, waits
// for processes that have lost their parent, and ends when it is asked to. It needs no C library;
// scripts/generate-pause compiles it into Sources/Node/Images/PauseProgram.swift.

#if defined(__x86_64__)
#define NR_WAIT4 61
#define NR_SIGPROCMASK 14
#define NR_SIGTIMEDWAIT 128
#define NR_EXIT 231

static long call(long number, long a, long b, long c, long d) {
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
#define NR_WAIT4 260
#define NR_SIGPROCMASK 135
#define NR_SIGTIMEDWAIT 137
#define NR_EXIT 94

static long call(long number, long a, long b, long c, long d) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#else
#error unknown processor
#endif

enum { INTERRUPT = 2, TERMINATE = 15, CHILD = 17, WITHOUT_HANGING = 1, BLOCK = 0 };

void _start(void) {
    // Signals that are blocked are kept even for the first process of a namespace.
    unsigned long set =
        1UL << (INTERRUPT - 1) | 1UL << (TERMINATE - 1) | 1UL << (CHILD - 1);
    call(NR_SIGPROCMASK, BLOCK, (long)&set, 0, sizeof set);
    for (;;) {
        long signal = call(NR_SIGTIMEDWAIT, (long)&set, 0, 0, sizeof set);
        if (signal == INTERRUPT || signal == TERMINATE) call(NR_EXIT, 0, 0, 0, 0);
        while (call(NR_WAIT4, -1, 0, WITHOUT_HANGING, 0) > 0) {}
    }
}
