/// A name as one word of a command that somebody may copy into a shell.
enum ShellWord {
    /// The name itself where a POSIX shell takes it as it is, and in single quotes otherwise; without
    /// anything that could disturb a terminal.
    static func of(_ name: String) -> String {
        let name = DisplayWidth.printable(name)
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_.,:/@%+".utf8.contains(byte)
            }
        }
        if isPlain, !name.isEmpty { return name }
        return "'"
            + name.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: #"'\''"#) + "'"
    }
}
