import ArgumentParser

/// Names that administrators choose.
enum NameText {
    /// Refuses a name that the directory would refuse, before anything is opened.
    static func check(_ name: String) throws(ValidationError) {
        guard (1...64).contains(name.utf8.count) else {
            throw ValidationError("A name has 1 to 64 bytes; this one has \(name.utf8.count).")
        }
        guard DisplayWidth.printable(name) == name else {
            throw ValidationError("A name has no control characters and no line ends.")
        }
        guard !name.hasPrefix(" "), !name.hasSuffix(" ") else {
            throw ValidationError("A name does not begin or end with a space.")
        }
    }

    /// Reads a comma-separated list of model aliases; nil for no list.
    static func models(_ text: String?) throws(ValidationError) -> [String]? {
        guard let text else { return nil }
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " })
        }
        guard names.count <= 100, names.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 256 }),
            Set(names).count == names.count
        else {
            throw ValidationError(
                "--models is a list of at most 100 different names, such as tiny,gpt-4o.")
        }
        return names
    }
}
