import Foundation

/// The system calls around a child process. Foundation's `Process` is not used, since it starts
/// children from a thread of its own choosing and lets them inherit ignored signals: a gateway
/// ignores SIGTERM (it is told by other means), and so would the engine.
enum ChildProcess {
    /// Starts a command in a new process group, with every signal at its default, nothing blocked
    /// and no open file but its standard ones. Without `input`, its input is empty. Both outputs go
    /// to `output`.
    static func spawn(
        _ command: [String], environment: [String: String], input: Int32?, output: Int32
    ) throws(EngineFault) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
        for descriptor in openDescriptors where descriptor > 2 {
            unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var pid: pid_t = 0
        let variables = environment.map { "\($0.key)=\($0.value)" }
        let result = unsafe withCStrings(command) { arguments in
            guard let program = unsafe arguments[0] else { return ENOENT }
            return unsafe withCStrings(variables) { variables in
                unsafe posix_spawnp(
                    &pid, program, &actions, &attributes, arguments, variables)
            }
        }
        guard result == 0 else {
            throw EngineFault(
                "\(command.first ?? "") cannot be started: \(unsafe String(cString: strerror(result)))"
            )
        }
        return pid
    }

    /// What is open now, to be closed in the child: a socket that an engine kept open would never
    /// end for its peer. One that is opened between this look and the start is covered by its
    /// close-on-exec flag, which everything in the gateway sets; closing one that is gone by then
    /// is no error.
    private static var openDescriptors: [Int32] {
        // Without the list the flag alone has to do.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")) ?? []
        return names.compactMap { Int32($0) }
    }

    /// Gives `take` everything that can be read, until nobody can write any more.
    static func read(_ descriptor: Int32, take: ([UInt8]) -> Void) {
        while true {
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16 * 1024) { buffer, count in
                repeat {
                    unsafe count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                } while count < 0 && errno == EINTR
                count = max(0, count)
            }
            guard !bytes.isEmpty else { return }
            take(bytes)
        }
    }

    /// Blocks until nobody can write to a pipe any more, for at most so many milliseconds.
    static func waitUntilClosed(_ descriptor: Int32, atMost milliseconds: Int32) {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&polled, 1, milliseconds)
    }

    /// Blocks until the process ended, and leaves it unreaped, so that its number stays taken.
    static func waitForEnd(of pid: pid_t) {
        var info = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) == -1, errno == EINTR {}
    }

    /// Reaps a process that ended and says how.
    static func reap(_ pid: pid_t) -> String {
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) == -1, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? "exit status \((status >> 8) & 0xFF)" : "ended by signal \(signal)"
    }

    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else {
                preconditionFailure("a list with its terminator is not empty")
            }
            return unsafe body(start)
        }
    }
}
