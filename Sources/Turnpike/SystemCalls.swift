import Foundation

/// The two calls of the system that Foundation has no safe words for.
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
}
