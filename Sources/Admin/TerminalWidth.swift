import Glibc

/// How wide the terminal is.
enum TerminalWidth {
    /// The width of everything that is not written to a terminal, so that files and pipes are
    /// always the same.
    static let standard = 80
    /// Tables are not laid out for less.
    static let narrowest = 60
    /// Nor for more, where the eye loses the line.
    static let widest = 200

    /// The columns to use: on a terminal what `COLUMNS` says, else the window's own width.
    static func columns(isTerminal: Bool, environment: String?, window: Int?) -> Int {
        guard isTerminal else { return standard }
        let asked = environment.flatMap { Int($0) } ?? window ?? standard
        return asked > 0 ? min(max(asked, narrowest), widest) : standard
    }

    /// The width of the window that standard output is shown in; nil when the system does not know.
    static func windowColumns() -> Int? {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }
}
