/// Where the socket of a private Postgres is.
enum SocketFolder {
    /// The longest path of a socket that Linux takes, without its closing zero.
    static let longestPath = 107
    /// The name of the socket's file, which PostgreSQL derives from the port.
    static let fileName = ".s.PGSQL.5432"

    /// Whether a socket in `folder` has a path that fits.
    static func fits(_ folder: String) -> Bool {
        folder.utf8.count + 1 + fileName.utf8.count <= longestPath
    }

    /// A short folder that belongs to `dataDirectory` alone: its name follows from the path
    /// (FNV-1a), so that it is the same at every start and the configuration file stays right.
    static func short(for dataDirectory: String, in parent: String) -> String {
        let hash = dataDirectory.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        return "\(parent)/turnpike-\(String(hash, radix: 36))"
    }

    /// The libpq URL of a database behind a socket in `folder`.
    static func url(database: String, folder: String, user: String) -> String {
        "postgres:///\(database)?host=\(percentEncoded(folder))&user=\(user)"
    }

    private static func percentEncoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-._~/".utf8.contains(byte)
            if isPlain { return String(Character(Unicode.Scalar(byte))) }
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
        }.joined()
    }
}
