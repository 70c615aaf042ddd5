import Foundation

/// The processes of the machine, as `/proc` shows them.
enum MachineProcesses {
    /// One process. Its number may be given to another after its end, its start may not.
    struct Known: Hashable, Sendable {
        let id: Int32
        let parent: Int32
        let group: Int32
        let start: String
        let name: String
    }

    /// Every process that is not a zombie.
    static func all() -> [Known] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { entry in Int32(entry).flatMap(known) }
    }

    /// A process and all that descend from it.
    static func family(of id: Int32) -> Set<Known> {
        let all = all()
        var family = Set(all.filter { $0.id == id })
        var grown = true
        while grown {
            let ids = Set(family.map(\.id))
            let children = all.filter { ids.contains($0.parent) || ids.contains($0.group) }
            grown = !family.isSuperset(of: children)
            family.formUnion(children)
        }
        return family
    }

    /// Which of them still run.
    static func running(of known: Set<Known>) -> Set<Known> { known.intersection(all()) }

    /// What the process list shows of a process to everybody.
    static func commandLine(_ id: Int32) -> String {
        let bytes = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") ?? Data()
        return String(decoding: bytes, as: UTF8.self).replacing("\0", with: " ")
    }

    private static func known(_ id: Int32) -> Known? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(id)/stat") else {
            return nil
        }
        let text = String(decoding: data, as: UTF8.self)
        // The name is in parentheses and may hold anything, spaces and parentheses too.
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", let parent = Int32(fields[1]),
            let group = Int32(fields[2])
        else { return nil }
        return Known(
            id: id, parent: parent, group: group, start: String(fields[19]),
            name: String(text[text.index(after: open)..<close]))
    }
}
