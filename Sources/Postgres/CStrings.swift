import Glibc

/// Calls `body` with a C array of the strings, ended by a null pointer. Both live only during the
/// call.
///
/// No string may hold a zero character: C would see it cut short, so the callers check.
func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
) -> Result {
    // strdup copies; the copies are freed below, and one that could not be made ends the array
    // early, which a process without memory cannot expect better than.
    let copies = unsafe strings.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    let pointers = unsafe copies.map { unsafe UnsafePointer<CChar>($0) } + [nil]
    return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
}
