import Foundation

/// An installed PostgreSQL: the folder of its programs and its version.
struct PostgresBinaries: Sendable, Equatable {
    /// The folder that holds `initdb` and `postgres`.
    let folder: String
    /// The major version, like 15.
    let version: Int

    /// The oldest version that the ledger's statements run on.
    static let oldestVersion = 14

    /// The path of one of its programs.
    func path(of program: String) -> String { "\(folder)/\(program)" }

    /// Finds the newest usable installation: `$TURNPIKE_POSTGRES_BIN`, Debian's and Red Hat's
    /// folders, Homebrew, the PATH. With `required`, only that major version is good: a data folder
    /// belongs to one.
    static func find(
        required: Int?, environment: [String: String]
    ) async throws(StartupFailure) -> PostgresBinaries {
        var seen: [PostgresBinaries] = []
        for folder in candidates(environment) {
            guard ExecutableSearch.first("initdb", in: [folder]) != nil,
                ExecutableSearch.first("postgres", in: [folder]) != nil
            else { continue }
            let outcome = try await ShortCommand.run("\(folder)/postgres", ["--version"])
            guard outcome.status == 0, let version = majorVersion(outcome.output) else { continue }
            let found = PostgresBinaries(folder: folder, version: version)
            if required == nil ? version >= oldestVersion : version == required { return found }
            seen.append(found)
        }
        let versions = seen.map { "\($0.version) in \($0.folder)" }.joined(separator: ", ")
        let wanted = required.map(String.init) ?? "\(oldestVersion) or later"
        throw StartupFailure(
            "PostgreSQL \(wanted) was not found"
                + (seen.isEmpty ? "" : " (only \(versions))")
                + "; install it (on Debian: apt-get install postgresql), "
                + "or set TURNPIKE_POSTGRES_BIN to the folder of initdb and postgres")
    }

    /// The number behind `postgres (PostgreSQL)`; nil when there is none.
    static func majorVersion(_ text: String) -> Int? {
        text.split(separator: " ").lazy
            .compactMap { Int($0.prefix { $0.isASCII && $0.isNumber }) }.first
    }

    private static func candidates(_ environment: [String: String]) -> [String] {
        var folders = [environment["TURNPIKE_POSTGRES_BIN"]].compactMap(\.self)
        let versions = FileManager.default
        for (parent, suffix) in [("/usr/lib/postgresql", "/bin"), ("/usr", "/bin")] {
            // No such folder on this kind of system: then there is nothing in it.
            let names = (try? versions.contentsOfDirectory(atPath: parent)) ?? []
            let numbers = names.compactMap { name in
                Int(name.hasPrefix("pgsql-") ? String(name.dropFirst(6)) : name).map { ($0, name) }
            }
            folders += numbers.sorted { $0.0 > $1.0 }.map { "\(parent)/\($0.1)\(suffix)" }
        }
        folders += ["/opt/homebrew/bin", "/usr/local/bin", "/usr/local/pgsql/bin"]
        return folders + ExecutableSearch.folders(ofPath: environment["PATH"])
    }
}
