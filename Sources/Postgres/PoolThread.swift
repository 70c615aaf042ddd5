import CPostgres
import Glibc

/// A thread of the operating system, for work that blocks: the threads of Swift's tasks must not.
enum PoolThread {
    /// Starts a thread that runs `body` and ends. Returns false when the system gives no thread.
    ///
    /// The name is what debuggers and `ps -L` show, cut after 15 bytes by the kernel's rule.
    static func start(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe turnpike_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard failure == 0 else {
            unsafe start.release()
            return false
        }
        // Nobody joins it: the pool counts its threads as they leave.
        _ = pthread_detach(thread)
        return true
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = String(name.prefix(15))
            self.body = body
        }
    }
}
