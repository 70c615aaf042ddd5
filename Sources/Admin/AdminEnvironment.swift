import Domain
import Foundation
import Ledger

/// What the commands reach of the world outside: the program's own, unless a test puts another in
/// its place.
struct AdminEnvironment: Sendable {
    /// The environment of the running command.
    @TaskLocal static var current = AdminEnvironment.program

    /// Makes the channels to write to, with or without leave to use colour.
    let output: @Sendable (_ isColourAllowed: Bool) -> Output
    /// Opens the ledger that the configuration file names; nil looks for the file in the usual
    /// places.
    let openLedger: @Sendable (_ configurationFile: String?) throws(AdminFailure) -> any AdminLedger

    /// How time passes.
    let clock: AdminClock

    /// The program's own channels, files, variables and database.
    static let program = AdminEnvironment(
        output: { Output.live(isColourAllowed: $0) },
        openLedger: { file throws(AdminFailure) in
            // Ids and keys come from the operating system's generator, which Swift's is on Linux
            // (getrandom).
            try ConfiguredLedger.open(
                file,
                random: LedgerRandom {
                    var generator = SystemRandomNumberGenerator()
                    return generator.next()
                }, author: CommandAuthor.author())
        },
        clock: AdminClock(
            elapsed: { [start = ContinuousClock.now] in ContinuousClock.now - start },
            pause: { pause in
                Thread.sleep(forTimeInterval: Double(pause.microseconds) / 1_000_000)
                return true
            }))

    /// Looks at the world as it is, by this machine's own clock.
    static let doctor = Doctor.program {
        Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }
}
