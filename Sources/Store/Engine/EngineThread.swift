// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// A thread of the engine.
package struct EngineThread: @unchecked Sendable {
    // SAFETY: a `pthread_t` is only used to join or detach, once.

    private final class Body {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    private let thread: pthread_t

    /// Starts a thread that runs `body`.
    ///
    /// - Parameter name: At most 15 bytes, shown by tools.
    package static func start(
        name: String,
        _ body: @escaping @Sendable () -> Void
    ) -> EngineThread {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Body(name: name, run: body))
        let code = pthread_create(
            &thread,
            nil,
            { pointer in
                guard let pointer else { return nil }
                let body = Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue()
                Self.setName(body.name)
                body.run()
                return nil
            },
            context.toOpaque()
        )
        precondition(code == 0, "pthread_create: \(code)")
        return EngineThread(thread: thread)
    }

    /// Names the calling thread. A failure changes nothing.
    private static func setName(_ name: String) {
        let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = name.withCString { write(descriptor, $0, strlen($0)) }
        close(descriptor)
    }

    /// Lets the thread end on its own.
    package func detach() {
        pthread_detach(self.thread)
    }

    /// Waits until the thread's body has returned.
    func join() {
        pthread_join(self.thread, nil)
    }
}

/// A queue into one thread, which sleeps while it is empty.
final class Mailbox<Message: Sendable>: @unchecked Sendable {
    // SAFETY: everything is guarded by `mutex`.

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var messages: [Message] = []
    private var weight = 0
    private var isPoked = false
    private var isClosed = false
    private var isSleeping = false

    init() {
        self.mutex = .allocate(capacity: 1)
        self.mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(self.mutex, nil)
        self.condition = .allocate(capacity: 1)
        self.condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(self.condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(self.condition)
        pthread_mutex_destroy(self.mutex)
        self.condition.deallocate()
        self.mutex.deallocate()
    }

    /// What became of a message.
    enum Acceptance {
        case accepted
        case full
        case closed
    }

    /// Adds a message, unless there are too many already.
    func send(
        _ message: Message,
        weight: Int,
        maximumCount: Int,
        maximumWeight: Int
    ) -> Acceptance {
        pthread_mutex_lock(self.mutex)
        if self.isClosed {
            pthread_mutex_unlock(self.mutex)
            return .closed
        }
        if self.messages.count >= maximumCount || self.weight + weight > maximumWeight {
            pthread_mutex_unlock(self.mutex)
            return .full
        }
        self.messages.append(message)
        self.weight += weight
        let wakes = self.isSleeping
        self.isSleeping = false
        pthread_mutex_unlock(self.mutex)
        if wakes { pthread_cond_signal(self.condition) }
        return .accepted
    }

    /// Wakes the thread without a message.
    func poke() {
        pthread_mutex_lock(self.mutex)
        self.isPoked = true
        self.isSleeping = false
        pthread_mutex_unlock(self.mutex)
        pthread_cond_signal(self.condition)
    }

    /// Refuses further messages and wakes the thread.
    func close() {
        pthread_mutex_lock(self.mutex)
        self.isClosed = true
        self.isSleeping = false
        pthread_mutex_unlock(self.mutex)
        pthread_cond_signal(self.condition)
    }

    /// Whether `close` was called.
    var closed: Bool {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return self.isClosed
    }

    /// The number of messages that wait.
    var count: Int {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return self.messages.count
    }

    /// Takes all messages; sleeps until there is one, or a poke, or the time is up.
    ///
    /// - Parameter timeout: The nanoseconds to sleep at most; nil for no limit.
    /// - Returns: The messages, none after a poke or in vain; nil if the mailbox is closed and
    ///   empty.
    func take(timeout: Int64?) -> [Message]? {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        var end = timespec()
        if let timeout {
            clock_gettime(CLOCK_MONOTONIC, &end)
            let nanoseconds = Int64(end.tv_nsec) + timeout % 1_000_000_000
            end.tv_sec += Int(timeout / 1_000_000_000 + nanoseconds / 1_000_000_000)
            end.tv_nsec = Int(nanoseconds % 1_000_000_000)
        }
        while self.messages.isEmpty, !self.isPoked, !self.isClosed {
            self.isSleeping = true
            if timeout != nil {
                if pthread_cond_timedwait(self.condition, self.mutex, &end) == ETIMEDOUT { break }
            } else {
                pthread_cond_wait(self.condition, self.mutex)
            }
        }
        self.isSleeping = false
        self.isPoked = false
        if self.messages.isEmpty { return self.isClosed ? nil : [] }
        let taken = self.messages
        self.messages = []
        self.weight = 0
        return taken
    }
}
