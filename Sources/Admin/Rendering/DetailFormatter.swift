/// Lays out one thing as names and values below each other.
struct DetailFormatter {
    /// The widest line allowed.
    let width: Int
    /// How words are emphasised, if at all.
    let style: TextStyle

    /// One pair a line; a value that does not fit goes on below itself.
    func lines(_ pairs: [(name: String, value: String)]) -> [String] {
        let nameWidth = pairs.reduce(0) { max($0, DisplayWidth.of($1.name)) }
        return pairs.flatMap { name, value in
            TextWrap.lines(DisplayWidth.printable(value), width: max(10, width - nameWidth - 2))
                .enumerated().map { index, part in
                    let label = index == 0 ? name : ""
                    let padded = DisplayWidth.pad(label, to: nameWidth, alignedAtEnd: false)
                    return style.dim(padded) + "  " + part
                }
        }
    }
}
