import Foundation

/// The calls of the system that Foundation has no safe words for.
enum SystemCalls {
    /// Allows no core dumps, which would hold keys and prompts, for this process and its children.
    /// Says so if the system refuses.
    static func disableCoreDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        #if os(Linux)
            let resource = __rlimit_resource_t(RLIMIT_CORE.rawValue)
        #else
            let resource = RLIMIT_CORE
        #endif
        if unsafe setrlimit(resource, &none) != 0 {
            FileHandle.standardError.write(Data("turnpike: core dumps cannot be disabled\n".utf8))
        }
    }

    /// Gives a file another name, in one step also when there is a file of that name already.
    static func rename(_ path: String, to other: String) throws(POSIXError) {
        guard unsafe Foundation.rename(path, other) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }

    // MARK: What happens in folders

    /// Something that happened to a name in a folder.
    struct FileEvent {
        /// The watch on the folder; -1 where events were lost.
        let watch: Int32
        let name: String
        /// Whether it was written to and is still open.
        let isPartial: Bool

        /// Whether this stands for events that were lost.
        var isLoss: Bool { watch < 0 }
    }

    #if os(Linux)
        /// Opens what tells of events in folders; to be closed.
        static func openFileEvents() throws(POSIXError) -> Int32 {
            try checked(inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC)))
        }

        /// Has names that come and go in a folder told of, and with `forWrites` also what is written
        /// to them. Returns the number of the watch, which is the same for the same folder.
        static func watch(
            _ folder: String, forWrites: Bool, on descriptor: Int32
        ) throws(POSIXError) -> Int32 {
            var events = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
            if forWrites { events |= IN_MODIFY | IN_CLOSE_WRITE }
            // Added to what is told of already: one folder may hold several of the places.
            let mask = UInt32(events | IN_MASK_ADD)
            return try checked(unsafe inotify_add_watch(descriptor, folder, mask))
        }

        /// Everything that has happened since the last time; never waits.
        static func fileEvents(of descriptor: Int32) -> [FileEvent] {
            var found: [FileEvent] = []
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = unsafe read(descriptor, &bytes, bytes.count)
                guard count > 0 else { return found }
                var start = 0
                // Each is four numbers of four bytes, the last of which is the length of the name
                // behind them.
                func number(_ index: Int) -> UInt32 {
                    unsafe bytes.withUnsafeBytes {
                        unsafe $0.loadUnaligned(fromByteOffset: start + 4 * index, as: UInt32.self)
                    }
                }
                while start + 16 <= count {
                    let length = Int(number(3))
                    let name = bytes[start + 16..<min(count, start + 16 + length)].prefix {
                        $0 != 0
                    }
                    found.append(
                        FileEvent(
                            watch: Int32(bitPattern: number(0)),
                            name: String(decoding: name, as: UTF8.self),
                            isPartial: number(1) & UInt32(IN_MODIFY) != 0))
                    start += 16 + length
                }
            }
        }

        private static func checked(_ value: Int32) throws(POSIXError) -> Int32 {
            guard value >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            return value
        }
    #else
        /// Not on this system.
        static func openFileEvents() throws(POSIXError) -> Int32 { throw POSIXError(.ENOTSUP) }

        /// Not on this system.
        static func watch(
            _ folder: String, forWrites: Bool, on descriptor: Int32
        ) throws(POSIXError) -> Int32 { throw POSIXError(.ENOTSUP) }

        /// Not on this system.
        static func fileEvents(of descriptor: Int32) -> [FileEvent] { [] }
    #endif
}
