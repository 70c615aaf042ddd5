/// Text that takes the place of what a terminal shows (ECMA-48: CUP, EL and ED). Only for a
/// terminal; what goes to a file has none of it.
enum CursorText {
    /// A whole screen, from the top, and nothing of the one before it.
    static func inPlace(_ text: String) -> String {
        "\u{1B}[H" + text.replacing("\n", with: "\u{1B}[K\n") + "\u{1B}[J"
    }

    /// The line that the cursor stands in, anew.
    static func sameLine(_ text: String) -> String { "\r" + text + "\u{1B}[K" }
}
