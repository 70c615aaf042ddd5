import Foundation

/// Where the way to a file may change: the file itself, each folder above it, and every symbolic
/// link among them with what it leads to. Whoever replaces a file does it at one of these places.
struct FilePlaces: Sendable, Equatable {
    /// A name in a folder.
    struct Place: Sendable, Hashable {
        /// The folder's path, without a link in it; ends with a slash.
        let folder: String
        let name: String
    }

    /// What leads to the file, the outermost first.
    private(set) var way: [Place] = []
    /// Where the file itself is, or would be.
    private(set) var end: Place?

    /// As many links as the system follows before it calls them a circle.
    private static let mostLinks = 40

    /// Follows `path` as it is at this moment, from the working folder where it is relative.
    init(of path: String) {
        let files = FileManager.default
        let whole = path.hasPrefix("/") ? path : files.currentDirectoryPath + "/" + path
        var folder = "/"
        var links = 0
        var rest = Array(whole.split(separator: "/").map(String.init).reversed())
        while let name = rest.popLast() {
            switch name {
            case ".": continue
            case "..":
                folder = folder.dropLast().lastIndex(of: "/").map { String(folder[...$0]) } ?? "/"
                continue
            default: break
            }
            // What is no link, or is not there, leads no further.
            if links < Self.mostLinks,
                let target = try? files.destinationOfSymbolicLink(atPath: folder + name)
            {
                links += 1
                way.append(Place(folder: folder, name: name))
                if target.hasPrefix("/") { folder = "/" }
                rest += target.split(separator: "/").map(String.init).reversed()
            } else if rest.isEmpty {
                end = Place(folder: folder, name: name)
            } else {
                way.append(Place(folder: folder, name: name))
                folder += name + "/"
            }
        }
    }
}
