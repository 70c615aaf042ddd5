import Foundation

/// What a running PostgreSQL writes into its data folder: who it is and where it listens.
struct PostmasterFile: Equatable {
    /// The server's process id.
    let processID: Int32

    /// Reads `postmaster.pid`; nil when there is none or it is not whole.
    init?(inDataFolder folder: String) {
        guard let data = FileManager.default.contents(atPath: "\(folder)/postmaster.pid") else {
            return nil
        }
        self.init(String(decoding: data, as: UTF8.self))
    }

    /// Reads the text of the file, whose first line is the process id (negative for a single-user
    /// one).
    init?(_ text: String) {
        guard let line = text.split(separator: "\n").first,
            let id = Int32(line.trimmingCharacters(in: .whitespaces)), id.magnitude > 1
        else { return nil }
        processID = Int32(clamping: id.magnitude)
    }
}
