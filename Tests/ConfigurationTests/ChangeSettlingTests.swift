import Domain
import Testing

@testable import TurnpikeConfiguration

@Suite struct ChangeSettlings {
    private static func at(_ time: Duration) -> Uptime { Uptime(microseconds: 7_000_000) + time }

    /// Whether it has settled, asked at each of these times.
    private static func answers(
        of settling: inout ChangeSettling, at times: Duration...
    ) -> [Bool] {
        times.map { settling.settles(at: at($0)) }
    }

    @Test func `a change settles once nothing has happened for a moment, and once`() {
        var settling = ChangeSettling()
        let before = Self.answers(of: &settling, at: .zero)
        #expect(before == [false] && settling.dueAt == nil)
        // Removed, made and written: one change in three steps.
        for step in [0, 100, 200] { settling.note(.wholly, at: Self.at(.milliseconds(step))) }
        #expect(settling.dueAt == Self.at(.milliseconds(450)))
        let answers = Self.answers(
            of: &settling, at: .milliseconds(449), .milliseconds(450), .seconds(9))
        #expect(answers == [false, true, false] && settling.dueAt == nil)
    }

    @Test func `what is written to and still open is not read, however slowly it is written`() {
        var settling = ChangeSettling()
        for second in 0..<9 { settling.note(.partly, at: Self.at(.seconds(second))) }
        let answers = Self.answers(of: &settling, at: .seconds(12))
        #expect(answers == [false])
        settling.note(.wholly, at: Self.at(.seconds(12)))
        #expect(settling.dueAt == Self.at(.milliseconds(12_250)))
    }

    @Test func `a writer that forgets to close, or never stops, does not hold it off for good`() {
        var settling = ChangeSettling()
        settling.note(.partly, at: Self.at(.zero))
        let answers = Self.answers(of: &settling, at: .seconds(5))
        #expect(answers == [true])
        for step in 0...400 {
            settling.note(step % 2 == 0 ? .wholly : .partly, at: Self.at(.milliseconds(100 * step)))
        }
        #expect(settling.dueAt == Self.at(.seconds(30)))
    }
}
