import Domain
import TurnpikeConfiguration

/// Judges this machine for a gateway. Pure.
enum MachineChecks {
    /// Each stream takes two descriptors; less than this many stop a small gateway.
    static let fewDescriptors = 4096

    /// The journal's folder: who owns it, whether there is room, and whether the disk keeps what it
    /// is given.
    static func journal(
        _ folder: String, place: MachineFacts.Place?, user: UInt32, freeBytes: Int64?,
        syncTime: Duration?
    ) -> [DoctorCheck] {
        let name = "journal"
        guard let place, place.isFolder else {
            return [
                .fault(
                    name, "\(folder) is no folder that can be looked at",
                    "Make it: install -d -m 0700 -o USER \(folder), for the gateway's user.")
            ]
        }
        var checks: [DoctorCheck] = []
        if place.owner != user {
            checks.append(
                .warning(
                    name, "\(folder) belongs to user \(place.owner) and you are \(user)",
                    "Run doctor as the gateway's user: sudo -u USER turnpike admin doctor"))
        }
        if place.mode & 0o022 != 0 {
            checks.append(
                .fault(
                    name, "others may write into \(folder)", "Make it private: chmod 700 \(folder)")
            )
        } else if place.mode & 0o055 != 0 {
            checks.append(
                .warning(
                    name, "others may read \(folder)", "Make it private: chmod 700 \(folder)"))
        }
        checks.append(room(folder, freeBytes))
        guard let syncTime else {
            return checks + [
                .fault(
                    name, "nothing can be written to \(folder) and synced",
                    "May this user write there, and is the disk mounted read-write?")
            ]
        }
        let milliseconds = syncTime.millisecondsRoundedUp
        checks.append(
            milliseconds > 100
                ? .warning(
                    name, "the disk took \(milliseconds) ms to sync 4 kB",
                    "Outages are ridden out at this speed: use a faster disk.")
                : .ok(name, "the disk syncs within \(milliseconds) ms"))
        return checks
    }

    private static func room(_ folder: String, _ freeBytes: Int64?) -> DoctorCheck {
        guard let freeBytes else {
            return .warning(
                "journal", "the free space of \(folder) is not known", "See `df \(folder)`.")
        }
        let finding = "\(freeBytes / 1_000_000) MB are free in \(folder)"
        if freeBytes < 256_000_000 {
            return .fault("journal", finding, "Free some: without room nothing is admitted.")
        }
        return freeBytes < 2_000_000_000
            ? .warning("journal", finding, "Free some before it runs out.")
            : .ok("journal", finding)
    }

    /// Whether enough files and sockets may be open.
    static func descriptors(_ limit: Int?) -> DoctorCheck {
        guard let limit else {
            return .warning("descriptors", "the limit is not known", "See `ulimit -n`.")
        }
        let finding = limit == .max ? "no limit" : "\(limit) may be open"
        return limit < fewDescriptors
            ? .warning(
                "descriptors", finding,
                "Set LimitNOFILE=65536 in the unit, or `ulimit -n 65536` before the start.")
            : .ok("descriptors", finding)
    }

    /// Whether somebody holds a listener's port.
    static func listener(
        _ key: String, _ address: ListenAddress, listening: Set<Int>, user: UInt32
    ) -> DoctorCheck {
        if address.socketPath != nil { return .ok(key, "\(address)") }
        if address.port != 0, listening.contains(address.port) {
            return .warning(
                key, "somebody listens on port \(address.port) already",
                "Fine if this gateway runs; else find who: ss -ltnp 'sport = :\(address.port)'")
        }
        if (1..<1024).contains(address.port), user != 0 {
            return .warning(
                key, "\(address) is a port for privileged users",
                "Grant it in the unit: AmbientCapabilities=CAP_NET_BIND_SERVICE.")
        }
        return .ok(key, "\(address) is free")
    }

    /// Whether the engine's model fits into memory.
    static func memory(_ backend: String, modelBytes: Int64, available: Int64?) -> DoctorCheck {
        let name = "backend \(backend)"
        let megabytes = modelBytes / 1_000_000
        guard let available else {
            return .warning(
                name, "the model has \(megabytes) MB and free memory is not known",
                "See `free -m`.")
        }
        let finding = "the model has \(megabytes) MB, \(available / 1_000_000) MB are available"
        // Besides the weights the engine holds its context: a tenth is the least.
        return modelBytes + modelBytes / 10 > available
            ? .fault(name, finding, "Use a smaller model or quantization, or add memory.")
            : .ok(name, finding)
    }
}
