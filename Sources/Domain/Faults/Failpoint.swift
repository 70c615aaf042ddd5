import Synchronization

/// Named places of the request path and of the ledger at which a crash test ends the process.
///
/// They exist in debug builds only: in a release build ``pass(_:)`` is empty and inlined, and
/// neither the calls nor the names are left. What begins with `start.`, `drain.` or `sweep.` lies
/// outside the request path. The crash tests read the names out of the sources.
public enum Failpoint {
    #if DEBUG
        private struct Armed {
            let name: String
            /// Passes that are left before the act.
            var left: Int
            let act: @Sendable () -> Void
        }

        private static let isArmed = Atomic<Bool>(false)
        private static let armed = Mutex<Armed?>(nil)

        /// Has `act` called at the pass number `count` of the place `name`, once.
        public static func arm(_ name: String, count: Int, act: @escaping @Sendable () -> Void) {
            armed.withLock { $0 = Armed(name: name, left: count, act: act) }
            isArmed.store(true, ordering: .releasing)
        }

        /// The process passes the place `name`.
        public static func pass(_ name: StaticString) {
            guard isArmed.load(ordering: .acquiring) else { return }
            let act = armed.withLock { armed -> (@Sendable () -> Void)? in
                guard armed?.name == name.description else { return nil }
                armed?.left -= 1
                guard let due = armed, due.left == 0 else { return nil }
                return due.act
            }
            act?()
        }
    #else
        /// The process passes the place `name`: nothing, in this build.
        @inlinable @inline(__always)
        public static func pass(_ name: @autoclosure () -> StaticString) {}
    #endif
}
