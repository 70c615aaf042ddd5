import Foundation

/// Finds programs.
enum ExecutableSearch {
    /// The first of `folders` that holds an executable file `name`, as a path.
    static func first(_ name: String, in folders: [String]) -> String? {
        folders.lazy.map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) && !isFolder($0) }
    }

    /// The folders of a `PATH`; an empty entry, which would mean the working folder, is left out.
    static func folders(ofPath path: String?) -> [String] {
        (path ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    }

    private static func isFolder(_ path: String) -> Bool {
        // A link leads to a program or a folder; what cannot be looked at is no folder to us.
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        let type = try? FileManager.default.attributesOfItem(atPath: target)[.type]
        return type as? FileAttributeType == .typeDirectory
    }
}
