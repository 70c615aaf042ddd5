import Domain
import Foundation

/// What makes a running gateway read its configuration file again. Made before the file is read at
/// the start, so that nothing which happens from then on is missed.
struct Reloads: Sendable {
    /// SIGHUP, which would otherwise end the process.
    let signals = SignalSequence([SIGHUP])
    /// Changes of the file.
    let watch: FileWatch
    /// The file as it was then; nil if it could not be read.
    let file: Data?

    /// Begins to watch the file at `path`.
    init(of path: String, time: any TimeSource) {
        watch = FileWatch(path, time: time)
        file = FileManager.default.contents(atPath: path)
    }
}
