import Foundation

/// What an engine takes of the machine's memory: beforehand by its files, and while it runs by the
/// system's word.
enum EngineMemory {
    /// An estimate, in bytes: the model's file, the context of all slots, and a tenth of both and 64
    /// MiB for what the engine computes with. Where the file does not tell how large its context is,
    /// or is no GGUF file, the context counts nothing: the engine is measured once it runs.
    static func estimate(_ configuration: LocalEngineConfiguration) -> Int64 {
        if let told = configuration.memory { return told }
        let attributes = try? FileManager.default.attributesOfItem(
            // A link to a file is as large as its name.
            atPath: URL(filePath: configuration.modelFile).resolvingSymlinksInPath().path)
        // What cannot be read is told when the engine starts.
        let file = (attributes?[.size] as? NSNumber)?.int64Value ?? 0
        let tokens = Int64(configuration.slots) * Int64(configuration.contextTokensPerSlot)
        let perToken = GGUFHeader(file: configuration.modelFile)?.bytesPerToken ?? 0
        let whole = file + tokens * perToken
        return whole + whole / 10 + (64 << 20)
    }

    /// The resident memory of a process group in bytes, pages of mapped files included; nil where the
    /// system has no `/proc`.
    static func resident(group: Int32) -> Int64? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else {
            return nil
        }
        var pages: Int64 = 0
        var isThere = false
        for name in names where Int32(name) != nil {
            // `pid (name) state ppid pgrp …`, of which the name may hold anything; a process may be
            // gone by the time it is read.
            guard let stat = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
                let end = stat.lastIndex(of: ")")
            else { continue }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            // From the state on: pgrp is the third, rss, in pages, the twenty-second.
            guard fields.count > 21, Int32(fields[2]) == group else { continue }
            pages += Int64(fields[21]) ?? 0
            isThere = true
        }
        return isThere ? pages * Int64(sysconf(Int32(_SC_PAGESIZE))) : nil
    }
}
