import Foundation

/// Makes the engine end with the gateway, also when the gateway is killed and can do nothing about
/// it.
enum EngineGuard: Equatable {
    /// Linux: the kernel kills the process when the thread that started it ends.
    case parentDeathSignal(setpriv: String)
    /// Any POSIX host: a shell beside the engine kills both when its standard input ends, whose
    /// other side only the gateway holds.
    case standardInput

    /// The best guard of this host.
    static func choose() -> EngineGuard {
        let places = ["/usr/bin/setpriv", "/bin/setpriv", "/usr/local/bin/setpriv"]
        if let path = places.first(where: FileManager.default.isExecutableFile) {
            return .parentDeathSignal(setpriv: path)
        }
        return .standardInput
    }

    /// The command that runs `arguments` guarded, for a gateway whose process id is `gateway`.
    func command(running arguments: [String], gateway: Int32) -> [String] {
        switch self {
        case .parentDeathSignal(let setpriv):
            // The gateway may die before the signal is asked for, and then none would ever come:
            // hence the look at the parent afterwards.
            [
                setpriv, "--pdeathsig", "KILL", "/bin/sh", "-c",
                #"[ "$PPID" = "$1" ] || exit 125; shift; exec "$@""#, "engine-guard",
                String(gateway),
            ] + arguments
        case .standardInput: ["/bin/sh", "-c", Self.script, "engine-guard"] + arguments
        }
    }

    /// SIGTERM is sent to the whole group: the engine ends by it, the shell waits for the engine,
    /// and the watcher stays until the group is killed. `wait` returns early for a trapped signal,
    /// hence the loop.
    private static let script = #"""
        exec 3<&0 </dev/null
        trap : TERM
        "$@" 3<&- &
        child=$!
        (trap '' TERM; cat <&3 >/dev/null; kill -KILL 0) &
        exec 3<&-
        while :; do
            wait "$child"
            status=$?
            kill -0 "$child" 2>/dev/null || exit "$status"
        done
        """#
}
